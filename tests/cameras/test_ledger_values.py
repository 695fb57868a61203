"""The ledger's catalogue and what is read from a typed value: ids, coordinates, phones, dates, codes."""

import math

import pytest

from camera_hub.cameras.ledger.coordinates import Position, bd09, gcj02, to_wgs84, within
from camera_hub.cameras.ledger.fields import BY_KEY, FIELDS, parse_value, show_value
from camera_hub.errors import HubError


def test_the_countys_sheet_has_its_73_columns_in_its_order() -> None:
    columns = [one for one in FIELDS if one.column]
    assert len(columns) == 72  # and the number of the row before them
    assert [one.header for one in columns[:6]] == [
        "设备编码",
        "原设备编码",
        "设备名称",
        "行政区划编码",
        "监控点位类型",
        "拾音器",
    ]
    assert columns[-1].header == "更新时间"
    assert [one.key for one in columns].index("pole_number") < [one.key for one in columns].index("enabled_on")
    assert len(BY_KEY) == len(FIELDS)
    assert {one.key for one in FIELDS if one.source == "never"} == {"username", "password"}


def test_no_two_fields_claim_one_header() -> None:
    words = [word.lower() for one in FIELDS for word in (one.header, *one.aliases)]
    assert len(words) == len(set(words))


GOOD = [
    ("gb_id", "34012300001320000001", "34012300001320000001"),
    ("gb_id", " 3401 2300 0013 2000 0001 ", "34012300001320000001"),
    ("gb_id", "'34012300001310123456", "34012300001310123456"),
    ("gb_id", "/", ""),
    ("longitude", "117.283456", "117.283456"),
    ("longitude", "东经117.2834°", "117.2834"),
    ("longitude", "117°16′58.5″E", "117.2829167"),
    ("latitude", "３１.８６１２３４", "31.861234"),
    ("manager_phone", "138 1234 5678", "13812345678"),
    ("manager_phone", "+86-13812345678", "13812345678"),
    ("manager_phone", "13812345678.0", "13812345678"),
    ("manager_phone", "(0551)62345678转123", "0551-62345678-123"),
    ("manager_phone", "055162345678", "0551-62345678"),
    ("manager_phone", "01062345678-8001", "010-62345678-8001"),
    ("manager_phone", "400-123-4567", "400-123-4567"),
    ("enabled_on", "2024/5/1", "2024-05-01"),
    ("enabled_on", "20240501", "2024-05-01"),
    ("enabled_on", "2024年5月1日", "2024-05-01"),
    ("enabled_on", "45413", "2024-05-01"),
    ("enabled_on", "2024.5.1 08:00:00", "2024-05-01"),
    ("point_type", "1", "1"),
    ("point_type", "一类", "1"),
    ("point_type", "2-二类", "2"),
    ("point_type", "03.0", "3"),
    ("function_type", "普通监控/车辆卡口", "5/1"),
    ("function_type", "5、99、5", "5/99"),
    ("service_state", "3", "removed"),
    ("service_state", "在用", "in_use"),
    ("direction", "朝东南", "5"),
    ("fill_light", "无", "1"),
    ("datum", "高德", "gcj02"),
    ("mac", "44-19-b6-01-02-03", "44:19:B6:01:02:03"),
    ("retention_days", "30天", "30"),
    ("division_code", "340123101", "340123101"),
    ("landmark", "  村口\u200b 大槐树 ", "村口 大槐树"),
    ("landmark", "暂无", ""),
    ("landmark", "=HYPERLINK(1)", "=HYPERLINK(1)"),
]
BAD = [
    ("gb_id", "3.3E+19", "value_excel", None),
    ("gb_id", "34012300001320000000", "value_excel", None),
    ("gb_id", "3401230000132000001", "value_gb_id", "length"),
    ("gb_id", "ABCD2300001320000001", "value_gb_id", "digits"),
    ("gb_id", "99012300001320000001", "value_gb_id", "division"),
    ("gb_id", "34012300201320000001", "value_gb_id", "industry"),
    ("gb_id", "34012300001180000001", "value_gb_id", "type"),
    ("gb_id", "34012300001329000001", "value_gb_id", "network"),
    ("longitude", "31.861234", "value_coordinate", "swapped"),
    ("latitude", "117.283456", "value_coordinate", "swapped"),
    ("longitude", "200.1234", "value_coordinate", "range"),
    ("longitude", "117.28", "value_coordinate", "decimals"),
    ("longitude", "村口", "value_coordinate", "format"),
    ("longitude", "117°75′01″", "value_coordinate", "format"),
    ("manager_phone", "1.38E+10", "value_excel", None),
    ("manager_phone", "62345678", "value_phone", None),
    ("manager_phone", "12812345678", "value_phone", None),
    ("manager_phone", "0551-62345678/13812345678", "value_phone", None),
    ("enabled_on", "2024-02-30", "value_date", None),
    ("enabled_on", "去年", "value_date", None),
    ("point_type", "7", "value_code", None),
    ("direction", "东南方的方", "value_code", None),
    ("retention_days", "0", "value_number", None),
    ("retention_days", "一个月", "value_number", None),
    ("mac", "00:00:00:00:00:00", "value_mac", None),
    ("division_code", "9", "value_division", None),
    ("manager", "王" * 33, "value_too_long", None),
    ("remark", "x" * 100_000, "value_too_long", None),
    ("password", "admin123", "value_known", None),
    ("ipv4", "10.0.0.1", "value_known", None),
]


@pytest.mark.parametrize(("key", "typed", "stored"), GOOD)
def test_a_good_value(key: str, typed: str, stored: str) -> None:
    assert parse_value(BY_KEY[key], typed) == stored
    if stored:  # what is stored, or shown in a sheet, is read as the same again
        assert parse_value(BY_KEY[key], stored) == stored
        assert parse_value(BY_KEY[key], show_value(BY_KEY[key], stored)) == stored


@pytest.mark.parametrize(("key", "typed", "reason", "why"), BAD)
def test_a_bad_value(key: str, typed: str, reason: str, why: str | None) -> None:
    with pytest.raises(HubError) as caught:
        parse_value(BY_KEY[key], typed)
    assert caught.value.reason == reason
    assert caught.value.params.get("why") == why
    assert len(typed) < 10 or typed not in caught.value.detail


@pytest.mark.parametrize("field", [one for one in FIELDS if one.codes and one.settable], ids=lambda one: one.key)
def test_each_code_is_read_by_value_and_by_word(field) -> None:  # type: ignore[no-untyped-def]
    for value, word in field.codes.items():
        assert parse_value(field, value) == value
        assert parse_value(field, word.zh) == value
        for other in word.also:
            assert parse_value(field, other) == value, other


METRES = 111_320.0
PAIRS = [
    # WGS-84, GCJ-02: the published example of the widely used converters
    (Position(116.404, 39.915), Position(116.41024449916938, 39.91640428150164), None),
    # GCJ-02, BD-09: likewise
    (None, Position(116.404, 39.915), Position(116.41036949371029, 39.92133699351021)),
]


def _metres(one: Position, other: Position) -> float:
    east = (one.longitude - other.longitude) * math.cos(math.radians(one.latitude))
    return METRES * math.hypot(east, one.latitude - other.latitude)


@pytest.mark.parametrize(("wgs", "gcj", "bd"), PAIRS)
def test_published_pairs_of_datums(wgs: Position | None, gcj: Position, bd: Position | None) -> None:
    if wgs is not None:
        assert _metres(gcj02(wgs), gcj) < 0.01
        assert _metres(to_wgs84(*gcj, "gcj02"), wgs) < 0.01
    if bd is not None:
        assert _metres(bd09(gcj), bd) < 0.01
        assert _metres(to_wgs84(*bd, "bd09"), to_wgs84(*gcj, "gcj02")) < 0.1


@pytest.mark.parametrize("longitude", [75.5, 87.6, 104.0653, 117.2834, 131.1])
@pytest.mark.parametrize("latitude", [18.25, 24.5, 31.86, 39.9, 49.2])
def test_every_place_comes_back_from_both_datums(longitude: float, latitude: float) -> None:
    point = Position(longitude, latitude)
    assert 50 < _metres(gcj02(point), point) < 1500
    assert _metres(to_wgs84(*gcj02(point), "gcj02"), point) < 0.1
    assert _metres(to_wgs84(*bd09(gcj02(point)), "bd09"), point) < 0.1
    assert to_wgs84(longitude, latitude, "wgs84") == point


def test_outside_china_nothing_is_shifted() -> None:
    assert to_wgs84(2.3522, 48.8566, "gcj02") == Position(2.3522, 48.8566)


@pytest.mark.parametrize(
    ("area", "inside"),
    [
        ([], True),
        ([(117.0, 31.0), (118.0, 32.0)], True),
        ([(118.0, 32.0), (117.0, 31.0)], True),
        ([(117.5, 31.0), (118.0, 32.0)], False),
        ([(117.0, 31.0), (118.0, 31.0), (117.0, 33.0)], True),
        ([(117.4, 31.0), (118.0, 31.0), (118.0, 33.0)], False),
    ],
)
def test_the_townships_area(area: list[tuple[float, float]], inside: bool) -> None:
    assert within(Position(117.2834, 31.8612), area) is inside
