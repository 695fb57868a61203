"""The county list check without a database: headers, times, complaints, matching, conclusions."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from camera_hub.errors import HubError
from camera_hub.health.county.columns import county_list, texts_of
from camera_hub.health.county.judging import AspectSpan, CameraEvidence, judged
from camera_hub.health.county.listed import complained_of, gb_id_lost, gb_id_of, time_of
from camera_hub.health.county.matching import CameraIndex, CameraMatch, MatchableCamera, same_village
from camera_hub.sheets.reading import ReadSheet

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 29, 4, tzinfo=UTC)
GB = "34012300001320000001"


def sheet(*rows: list[str], name: str = "Sheet1") -> ReadSheet:
    made = ReadSheet(name)
    for number, cells in enumerate(rows, 1):
        if any(cells):
            made.add(number, cells)
    return made


@pytest.mark.parametrize(
    ("header", "sample", "field"),
    [
        ("国标编码", GB, "gb_id"),
        ("*设备编码（20位）", GB, "gb_id"),
        ("通道编码", GB, "gb_id"),
        ("编号二", GB, "gb_id"),  # nothing but IDs stands below it
        ("点位名称", "村口", "name"),
        ("名称", "村口", "name"),
        ("IP", "10.1.2.3", "host"),
        ("地址", "10.1.2.3", "host"),
        ("地址", "桥头东侧电杆", "address"),
    ],
)
def test_headers_vary(header: str, sample: str, field: str) -> None:
    listed = county_list(
        [sheet(["某县离线设备通报"], [], ["序号", header, "备注"], ["1", sample, ""], ["合计", "1", ""])]
    )
    assert [one.field for one in listed.columns] == [None, field, None]
    assert texts_of(listed.columns, listed.rows[0].cells) == {field: sample}
    assert [row.number for row in listed.rows] == [4]


def test_the_sheet_with_most_to_say_is_taken_and_none_is_refused() -> None:
    other, list_ = (
        sheet(["项目", "数量"], ["a", "1"], name="汇总"),
        sheet(["名称", "状态"], ["村口", "离线"], name="明细"),
    )
    assert county_list([other, list_]).sheet == "明细"
    with pytest.raises(HubError, match="no sheet of this file") as refused:
        county_list([other])
    assert refused.value.reason == "county_headers"


@pytest.mark.parametrize(
    ("text", "begin", "whole_day"),
    [
        ("2026-11-28 08:30:15", "2026-11-28T00:30:15", False),
        ("2026/11/28 8:30", "2026-11-28T00:30:00", False),
        ("2026年11月28日8时30分", "2026-11-28T00:30:00", False),
        ("2026.11.28 下午2:05", "2026-11-28T06:05:00", False),
        ("20261128083015", "2026-11-28T00:30:15", False),
        ("2026-11-28T08:30:15", "2026-11-28T00:30:15", False),
        ("2026-11-28", "2026-11-27T16:00:00", True),
        ("11月28日", "2026-11-27T16:00:00", True),
        ("12月31日 9点", "2025-12-31T01:00:00", False),  # the last one that has been
        ("46354.5", "2026-11-28T04:00:00", False),
        ("2026-02-30", None, False),
        ("上周", None, False),
        ("9" * 400, None, False),
        ("", None, False),
    ],
)
def test_times_vary(text: str, begin: str | None, whole_day: bool) -> None:
    found = time_of(text, ZONE, NOW)
    if begin is None:
        assert found is None
    else:
        assert found is not None
        assert (found.begin.isoformat(), found.whole_day) == (f"{begin}+00:00", whole_day)


@pytest.mark.parametrize(
    ("text", "aspect"),
    [
        ("离线", "media"),
        ("设备掉线", "media"),
        ("图像模糊", "picture"),
        ("离线、画面模糊", "media"),
        ("时间偏差大", "clock"),
        ("录像缺失", "recording"),
        ("未标注点位", "osd"),
        ("其他", None),
    ],
)
def test_complaints(text: str, aspect: str | None) -> None:
    assert complained_of(text) == aspect


def test_ids() -> None:
    assert gb_id_of(f" '{GB[:10]} {GB[10:]}") == GB
    assert gb_id_of("３" * 20) == "3" * 20
    assert gb_id_of(GB[:-1]) is None
    assert gb_id_lost("3.40123000013200E+19")


CAMERAS = [
    MatchableCamera(1, "村口", 1, "董家村", "10.1.1.1", gb_ids=(GB,), address="董家村桥头"),
    MatchableCamera(2, "村口", 2, "李家村", "10.2.1.1"),
    MatchableCamera(3, "水库-东", 2, "李家村", "10.2.1.9", number=1),
    MatchableCamera(4, "水库-西", 2, "李家村", "10.2.1.9", number=2),
    MatchableCamera(5, "广场", 1, "董家村", "10.1.1.5", retired=True),
    MatchableCamera(6, "广场", 1, "董家村", "10.1.1.6"),
    MatchableCamera(7, "学校", 2, "李家村", "10.2.1.7"),
    MatchableCamera(8, "学校", 2, "李家村", "10.2.1.8"),
]


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ({"gb_id": GB, "name": "别名"}, CameraMatch(1, "gb_id")),
        ({"gb_id": GB[:-1] + "9", "name": "水库 东"}, CameraMatch(3, "name")),  # an ID that we do not know
        ({"name": "村口"}, CameraMatch(None, None, (1, 2))),
        ({"name": "村口", "village": "城关镇/李家村村委会"}, CameraMatch(2, "name")),
        ({"name": "村口", "village": "董家"}, CameraMatch(1, "name")),
        ({"name": "董家村村口"}, CameraMatch(1, "name")),
        ({"name": "村口", "address": "10.2", "host": "10.2.1.1:554"}, CameraMatch(2, "name")),
        ({"name": "广场"}, CameraMatch(6, "name")),  # the retired one does not count beside it
        ({"name": "学校", "village": "李家村"}, CameraMatch(None, None, (7, 8))),
        ({"host": "10.2.1.9"}, CameraMatch(None, None, (3, 4))),
        ({"host": "10.2.1.9", "channel": "通道2"}, CameraMatch(4, "host")),
        ({"address": "董家村 桥头"}, CameraMatch(1, "address")),
        ({"name": "火星"}, CameraMatch()),
        ({}, CameraMatch()),
        ({"name": "—", "host": "", "gb_id": "无"}, CameraMatch()),
    ],
)
def test_matching(texts: dict[str, str], found: CameraMatch) -> None:
    assert CameraIndex(CAMERAS).match(texts) == found


def test_villages_by_their_names() -> None:
    assert same_village("董家村", "董家村")
    assert same_village("董家", "董家村")
    assert not same_village("", "董家村")
    assert not same_village("上董家桥村", "董家村")


HOUR = timedelta(hours=1)


def span(aspect: str, cause: str | None, since: int = 5, until: int | None = None) -> AspectSpan:
    """Hours before now."""
    state = "ok" if cause is None else "fault"
    return AspectSpan(aspect, state, cause, NOW - since * HOUR, None if until is None else NOW - until * HOUR)


WELL = [span("media", None), span("picture", None)]
DOWN = [span("media", "unreachable"), span("picture", None)]
BLURRED = [span("media", None), span("picture", "blurred")]


@pytest.mark.parametrize(
    ("complaint", "then", "now", "conclusion", "notes"),
    [
        ("media", DOWN, DOWN, "agrees", ()),
        (None, BLURRED, BLURRED, "agrees", ()),
        ("media", DOWN, WELL, "repaired", ()),
        ("media", WELL, DOWN, "seen_well", ()),
        ("media", BLURRED, BLURRED, "seen_well", ("other_fault",)),
        ("picture", BLURRED, WELL, "repaired", ()),
        ("picture", DOWN, DOWN, "agrees", ()),  # no picture at all
        ("picture", [span("media", None)], WELL, "not_known", ()),
        ("clock", [*WELL, span("clock", "clock_wrong")], WELL, "agrees", ()),
        ("clock", WELL, WELL, "not_known", ()),
        ("media", DOWN, BLURRED, "repaired", ()),
        (None, DOWN, BLURRED, "agrees", ()),
        ("media", [], WELL, "not_known", ()),
    ],
)
def test_conclusions(
    complaint: str | None,
    then: list[AspectSpan],
    now: list[AspectSpan],
    conclusion: str,
    notes: tuple[str, ...],
) -> None:
    found = judged(complaint, CameraEvidence(then, now, observed=True, excluded=False))
    assert (found.conclusion, found.notes) == (conclusion, notes)
    assert (found.repaired_at is None) == (conclusion != "repaired")
    excluded = judged(complaint, CameraEvidence(then, now, observed=True, excluded=True))
    assert (excluded.conclusion, excluded.then) == ("excluded", found.then)
    off = judged(complaint, CameraEvidence(then, now, observed=False, excluded=False))
    assert (off.conclusion, off.notes) == ("not_known", ("hub_off",))


def test_since_when_and_the_cause_now() -> None:
    then = [span("media", "unreachable", 9, 2)]
    now = [span("media", None, 2), span("picture", "covered", 1)]
    found = judged("media", CameraEvidence(then, now, observed=True, excluded=False))
    assert (found.then.cause, found.then.since, found.repaired_at) == ("unreachable", NOW - 9 * HOUR, NOW - 2 * HOUR)
    assert (found.now.state, found.now.cause) == ("fault", "covered")
