"""From stretches of time to days, and when they are asked for: pure."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

import camera_hub.cameras.recordings.spans as spans_module
from camera_hub.cameras.onvif.recording_search import PresenceChange, StoredRecording
from camera_hub.cameras.recordings.days import RecordingDay, measured, wanted_days
from camera_hub.cameras.recordings.matching import matched
from camera_hub.cameras.recordings.presence import recorded_spans
from camera_hub.cameras.recordings.schedule import ALWAYS, RecordingSchedule, day_span, made
from camera_hub.cameras.recordings.spans import Span, clipped, clipped_ordered, common, merged, total, without
from camera_hub.cameras.recordings.timetable import is_due
from camera_hub.cameras.recordings.values import RecordedCamera

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 29, 4, 0, tzinfo=UTC)  # noon
TODAY, YESTERDAY = date(2026, 11, 29), date(2026, 11, 28)
LONG_AGO = NOW - timedelta(days=90)


def at(hour: float, day: date = TODAY) -> datetime:
    """An hour of the site's day."""
    return day_span(day, ZONE).begin + timedelta(hours=hour)


def spans(*hours: tuple[float, float], day: date = TODAY) -> list[Span]:
    return [Span(at(begin, day), at(end, day)) for begin, end in hours]


@pytest.mark.parametrize(
    ("some", "expected"),
    [
        ([(1, 2), (0, 1)], [(0, 2)]),  # in any order
        ([(0, 2), (1, 3)], [(0, 3)]),  # told twice
        ([(0, 5), (1, 2)], [(0, 5)]),
        ([(2, 1), (3, 3)], []),  # reversed, empty
        ([(0, 1), (1.001, 2)], [(0, 2)]),  # the seam of two files
        ([(0, 1), (1.1, 2)], [(0, 1), (1.1, 2)]),
    ],
)
def test_spans_are_merged(some: Sequence[tuple[float, float]], expected: Sequence[tuple[float, float]]) -> None:
    assert merged(spans(*some)) == spans(*expected)


def test_spans_are_cut() -> None:
    some, others = spans((0, 4), (6, 8)), spans((1, 2), (3, 7))
    assert without(some, others) == spans((0, 1), (2, 3), (7, 8))
    assert common(some, others) == spans((1, 2), (3, 4), (6, 7))
    assert clipped(some, Span(at(3), at(7))) == spans((3, 4), (6, 7))
    assert total(some) == 6 * 3600


Hours = Sequence[tuple[float, float]]


@pytest.mark.parametrize(
    ("recorded", "oldest", "schedule", "expected"),
    [
        ([(0, 24)], LONG_AGO, ALWAYS, (86_400, 86_400, 0)),
        ([(0, 48)], LONG_AGO, ALWAYS, (86_400, 86_400, 0)),  # into the future
        ([(0, 24), (0, 24), (6, 30)], LONG_AGO, ALWAYS, (86_400, 86_400, 0)),  # told again and again
        ([(0, 6), (9, 24)], LONG_AGO, ALWAYS, (21 * 3600, 86_400, 1)),
        ([], LONG_AGO, ALWAYS, (0, 86_400, 1)),
        ([(10, 24)], at(10, YESTERDAY), ALWAYS, (14 * 3600, 14 * 3600, 0)),  # there is nothing older
        ([(0, 24)], LONG_AGO, made([(5, 8 * 3600, 18 * 3600)]), (10 * 3600, 10 * 3600, 0)),  # a Saturday
        ([(0, 9), (17, 24)], LONG_AGO, made([(5, 8 * 3600, 18 * 3600)]), (2 * 3600, 10 * 3600, 1)),
        ([(1, 2)], LONG_AGO, made([]), (3600, 0, 0)),  # on events alone
    ],
)
def test_a_day_is_measured(
    recorded: Hours, oldest: datetime, schedule: RecordingSchedule, expected: tuple[int, int, int]
) -> None:
    read = [day_span(YESTERDAY, ZONE)]
    (found,) = measured(spans(*recorded, day=YESTERDAY), read, schedule, oldest, NOW, ZONE)
    assert (found.seconds, found.due, found.gaps) == expected


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        ([(0, 12)], (12 * 3600, 12 * 3600, 0)),
        ([(0, 11.5)], (41_400, 41_400, 0)),  # the last file is not closed yet
        ([(0, 10)], (10 * 3600, 12 * 3600, 1)),
        ([(2, 12)], (10 * 3600, 12 * 3600, 1)),
    ],
)
def test_today_is_due_until_now(recorded: Hours, expected: tuple[int, int, int]) -> None:
    (found,) = measured(spans(*recorded), [Span(at(0), NOW)], ALWAYS, LONG_AGO, NOW, ZONE)
    assert (found.seconds, found.due, found.gaps) == expected


def test_a_day_that_was_not_read_whole_is_left_out() -> None:
    assert measured(spans((0, 24), day=YESTERDAY), spans((0, 23), day=YESTERDAY), ALWAYS, LONG_AGO, NOW, ZONE) == []


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)])
def test_summer_time_makes_days_of_other_lengths(day: date, hours: int) -> None:
    zone = ZoneInfo("Europe/Berlin")
    whole = day_span(day, zone)
    assert whole.seconds == hours * 3600
    (found,) = measured([whole], [whole], ALWAYS, whole.begin - timedelta(days=9), NOW.replace(year=2027), zone)
    assert (found.seconds, found.due, found.gaps) == (hours * 3600, hours * 3600, 0)


def test_schedules_are_put_right() -> None:
    day = 86_400
    found = made([(0, 43_200, day - 1), (0, 0, 43_199), (1, 70_000, 60_000), (9, 0, day), (2, -5, day + 5)])
    assert found.weekdays[:3] == (((0, day),), (), ((0, day),))
    assert not found.always
    assert made([(weekday, 0, day) for weekday in range(7)]).always


def test_days_are_asked_for_until_they_are_over() -> None:
    known = [
        RecordingDay(YESTERDAY, at(23, YESTERDAY), 86_000, 86_400),
        RecordingDay(YESTERDAY - timedelta(days=1), at(8), 86_400, 86_400),
    ]
    asked = wanted_days(known, None, NOW, ZONE, 4)
    assert asked == [TODAY, YESTERDAY, date(2026, 11, 26), date(2026, 11, 25)]
    assert wanted_days(known, date(2026, 11, 26), NOW, ZONE, 4) == asked[:3]


@pytest.mark.parametrize(
    ("checked", "unconfirmed", "due"),
    [
        (None, None, True),
        (-60, None, True),  # of the future: the hub's clock was wrong
        (7 * 3600, None, True),
        (60, None, False),
        (300, 300, False),
        (700, 700, True),
        (60, 3000, False),  # it was looked at again a minute ago
    ],
)
def test_each_device_has_its_turn(checked: float | None, unconfirmed: float | None, due: bool) -> None:
    def ago(seconds: float | None) -> datetime | None:
        return None if seconds is None else NOW - timedelta(seconds=seconds)

    turns = [
        is_due(device, ago(checked), ago(unconfirmed), NOW, every_s=6 * 3600.0, confirm_s=600.0)
        for device in range(200)
    ]
    # Some devices' turn comes in any minute; the others all say the same.
    assert sum(one is due for one in turns) > 180


def test_turns_are_spread_over_the_time_between() -> None:
    checked = [NOW - timedelta(hours=3)] * 600
    due = sum(is_due(one, at_, None, NOW, every_s=6 * 3600.0, confirm_s=600.0) for one, at_ in enumerate(checked))
    assert 240 < due < 360


def camera(number: int, name: str = "") -> RecordedCamera:
    return RecordedCamera(number, name, f"VideoSource_{number}", number, (f"Profile_{number}01",), NOW)


def recording(token: str, source: str = "", name: str = "") -> StoredRecording:
    return StoredRecording(token, source, name, NOW, NOW, True)


@pytest.mark.parametrize(
    ("recordings", "expected"),
    [
        ([recording("a", "VideoSource_2"), recording("b", "Profile_101")], {1: ["b"], 2: ["a"]}),
        ([recording("a", "urn:x/VideoSource_2"), recording("b", "rtsp://a/?p=Profile_101")], {1: ["b"], 2: ["a"]}),
        ([recording("a", "x", "东街"), recording("b", "y", "西街")], {1: ["a"], 2: ["b"]}),
        ([recording("a", "CH02"), recording("b", "CH01")], {1: ["b"], 2: ["a"]}),
        ([recording("Rec_2"), recording("Rec_1", "other")], {1: ["Rec_1"], 2: ["Rec_2"]}),
        ([recording("a", "x", "大门"), recording("b", "y", "大门")], {}),  # nobody can say
        ([recording("a", "VideoSource_1"), recording("b", "VideoSource_1")], {1: ["a", "b"]}),
        ([recording("a", "CH7")], {}),
    ],
)  # fmt: skip
def test_recordings_are_matched_by_what_is_certain(
    recordings: Sequence[StoredRecording], expected: dict[int, list[str]]
) -> None:
    found = matched(recordings, [camera(1, "东街"), camera(2, "西街")])
    assert {one: [recording.token for recording in mine] for one, mine in sorted(found.items())} == expected


def test_the_only_camera_has_the_only_source() -> None:
    one = [camera(3, "东街")]
    assert list(matched([recording("a", "whatever"), recording("b", "whatever")], one)) == [3]
    assert matched([recording("a", "that"), recording("b", "this")], one) == {}


def test_presence_becomes_spans() -> None:
    within = Span(at(0), at(12))
    changes = [
        PresenceChange("a", "v", at(-1), True),  # so it was when the search begins
        PresenceChange("a", "v", at(2), False),
        PresenceChange("a", "v", at(2.5), False),
        PresenceChange("a", "audio", at(3), True),
        PresenceChange("a", "v", at(4), True),
        PresenceChange("a", "v", at(5), True),
        PresenceChange("b", "v", at(6), False),
        PresenceChange("x", "v", at(6), True),
    ]
    found = recorded_spans(changes, {"a": ["v"], "b": [], "c": []}, within)
    assert found == {"a": spans((0, 2), (4, 12)), "b": []}


def test_files_of_a_month_are_looked_at_once_not_once_for_each_day(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = []
    cut = spans_module.clipped

    def counted(some: Sequence[Span], within: Span) -> list[Span]:
        looked_at.append(len(some))
        return cut(some, within)

    monkeypatch.setattr(spans_module, "clipped", counted)
    begin, minute = NOW - timedelta(days=20), timedelta(minutes=1)
    clips = [Span(begin + 10 * n * minute, begin + (10 * n + 3) * minute) for n in range(20 * 144)]
    found = measured(clips, [Span(begin, NOW)], ALWAYS, begin, NOW, ZONE)
    assert len(found) == 21
    assert {day.seconds for day in found[1:-1]} == {144 * 180}
    assert sum(looked_at) <= len(clips) + 2 * len(found)
    for low, high in ((0, 7), (3, 3.1), (3.1, 10), (-20, 4000), (13, 13)):
        within = Span(begin + low * minute, begin + high * minute)
        assert clipped_ordered(clips, within) == cut(clips, within)
