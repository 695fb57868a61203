"""Successive checks of a clock; time zones; when the nightly check is due."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from camera_hub.cameras.device_settings.clock_checks import ClockCheck, ClockLimits, judged, unread, was_set
from camera_hub.cameras.device_settings.timetable import last_due, next_due, time_of_day
from camera_hub.cameras.device_settings.values import ClockState
from camera_hub.cameras.device_settings.zones import local_offset, meant, of_site, posix, summer, ways
from camera_hub.errors import HubError

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LIMITS = ClockLimits(5.0, 30.0)


@pytest.mark.parametrize(
    ("offset", "source", "set_days_ago", "found"),
    [
        (0.4, "manual", None, ("ok", None)),
        (-5.0, "manual", None, ("ok", None)),
        (5.1, "manual", None, ("warn", "clock_drifts")),
        (-31.0, "manual", None, ("wrong", "clock_drifts")),
        (31.0, "ntp", None, ("wrong", "clock_ntp_unheard")),
        (None, "manual", None, ("unknown", "clock_unreadable")),
        # Set and proved right: what a crystal drifts since then is no lie, what is more is one.
        (31.0, "manual", 1, ("lies", "clock_lies")),
        (31.0, "manual", 30, ("wrong", "clock_drifts")),
        (14.0, "manual", 1, ("warn", "clock_drifts")),
        (16.0, "manual", 1, ("lies", "clock_lies")),
        (28800.0, "ntp", 1, ("lies", "clock_lies")),
        (4.0, "manual", 0, ("ok", None)),
    ],
)
def test_a_check_is_judged_by_the_one_before(
    offset: float | None, source: str, set_days_ago: int | None, found: tuple[str, str | None]
) -> None:
    before = ClockCheck(set_at=NOON - DAY * set_days_ago) if set_days_ago is not None else None
    state = ClockState("ntp" if source == "ntp" else "manual", offset_s=offset)
    check = judged(before, state, NOON, LIMITS)
    assert (check.verdict, check.reason) == found
    assert check.since == (NOON if offset is not None and abs(offset) > 5 else None)


def test_since_when_a_clock_is_off_outlives_nights_on_which_it_cannot_be_asked() -> None:
    off = ClockState("manual", offset_s=60.0)
    first = judged(None, off, NOON, LIMITS)
    silent = unread(first, "timed_out", NOON + DAY)
    assert (silent.verdict, silent.since, silent.offset_s, silent.checked_at) == ("unknown", NOON, 60.0, NOON + DAY)
    again = judged(silent, off, NOON + 2 * DAY, LIMITS)
    assert (again.verdict, again.since) == ("wrong", NOON)
    right = was_set(again, ClockState("manual", offset_s=0.2), NOON + 2 * DAY)
    assert (right.verdict, right.since, right.set_at) == ("ok", None, NOON + 2 * DAY)
    liar = judged(right, off, NOON + 3 * DAY, LIMITS)
    assert (liar.verdict, liar.since) == ("lies", NOON + 3 * DAY)
    assert judged(liar, off, NOON + 4 * DAY, LIMITS).since == NOON + 3 * DAY


@pytest.mark.parametrize(
    ("zone", "seconds"),
    [
        ("CST-8", 28800),
        ("CST-08:00:00", 28800),
        ("<+08>-8", 28800),
        ("GMT+08:00", 28800),
        ("UTC+08:00", 28800),
        ("(GMT+08:00) Beijing", 28800),
        ("GMT-8", 28800),  # POSIX: the sign means west
        ("UTC0", 0),
        ("IST-5:30", 19800),
        ("China Standard Time", 28800),
        ("CET-1CEST,M3.5.0,M10.5.0/3", 3600),
        ("", None),
        ("nonsense here", None),
    ],
)
def test_what_a_zone_means(zone: str, seconds: int | None) -> None:
    assert meant(zone) == seconds


@pytest.mark.parametrize(
    ("zone", "shown", "written"),
    [
        ("CST-8", "CST-8", ["CST-8", "CST-08:00:00", "UTC-8"]),
        ("CST-8", "GMT+00:00", ["GMT+08:00", "CST-8", "CST-08:00:00", "UTC-8"]),
        ("IST-5:30", "", ["IST-5:30", "UTC-05:30:00", "UTC-5:30"]),
        ("CET-1CEST,M3.5.0,M10.5.0/3", "GMT+00:00", ["CET-1CEST,M3.5.0,M10.5.0/3"]),
    ],
)
def test_how_a_zone_may_be_written(zone: str, shown: str, written: list[str]) -> None:
    assert ways(zone, shown) == written
    assert {meant(one) for one in written} == {meant(zone)}


def test_zones_that_people_name() -> None:
    assert posix("Asia/Shanghai") == posix(" CST-8 ") == of_site(ZoneInfo("Asia/Shanghai")) == "CST-8"
    assert (summer("CST-8"), summer(posix("Europe/Berlin"))) == (False, True)
    for text in ("../etc/passwd", "Asia/Nowhere", "CST 8 o'clock", "北京", "ABC-25", "CST-8:99", "CST+13", "GMT-24:00"):
        with pytest.raises(HubError, match="no time zone"):
            posix(text)


def test_local_time_proves_a_zone() -> None:
    assert local_offset(datetime(2026, 1, 1, 4), datetime(2026, 1, 1, 12, 0, 1)) == 28800
    assert local_offset(None, datetime(2026, 1, 1)) is None


BERLIN, CHINA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("zone", "now", "last", "next_"),
    [
        (CHINA, datetime(2026, 11, 28, 18, 29), datetime(2026, 11, 27, 18, 30), datetime(2026, 11, 28, 18, 30)),
        (CHINA, datetime(2026, 11, 28, 18, 30), datetime(2026, 11, 28, 18, 30), datetime(2026, 11, 29, 18, 30)),
        (CHINA, datetime(2026, 11, 28, 23, 0), datetime(2026, 11, 28, 18, 30), datetime(2026, 11, 29, 18, 30)),
        # 29 March 2026 has no 02:30 in Berlin; 25 October has it twice.
        (BERLIN, datetime(2026, 3, 29, 0, 0), datetime(2026, 3, 28, 1, 30), datetime(2026, 3, 29, 1, 30)),
        (BERLIN, datetime(2026, 3, 29, 12, 0), datetime(2026, 3, 29, 1, 30), datetime(2026, 3, 30, 0, 30)),
        (BERLIN, datetime(2026, 10, 25, 0, 45), datetime(2026, 10, 25, 0, 30), datetime(2026, 10, 26, 1, 30)),
    ],
)
def test_the_nightly_check_is_due_once_a_day(zone: ZoneInfo, now: datetime, last: datetime, next_: datetime) -> None:
    at = time(2, 30)
    now, last, next_ = (one.replace(tzinfo=UTC) for one in (now, last, next_))
    assert (last_due(now, at, zone), next_due(now, at, zone)) == (last, next_)


def test_a_time_of_day() -> None:
    assert time_of_day("02:30") == time(2, 30)
    for text in ("2:30", "24:00", "02:60", ""):
        with pytest.raises(HubError):
            time_of_day(text)
