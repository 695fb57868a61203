"""Exclusions as values: levels, approval, weekly windows in the site's time, summer time."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from camera_hub.errors import HubError
from camera_hub.health.exclusions import (
    ExclusionTerm,
    WeeklyWindow,
    by_subject,
    in_force,
    merged,
    of_camera,
    weekly_window,
)

SHANGHAI, BERLIN, LORD_HOWE = (ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe"))
T = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Place:
    camera_id: int = 7
    device_id: int = 3
    village_id: int = 1


def term(level: str = "camera", subject: int = 7, **others: object) -> ExclusionTerm:
    made = ExclusionTerm(1, level, subject, "repair", "", T, T + 4 * HOUR)
    return replace(made, **others)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("level", "subject", "concerned"),
    [("camera", 7, True), ("camera", 3, False), ("device", 3, True), ("device", 7, False), ("village", 1, True)],
)
def test_a_camera_is_concerned_by_its_own_its_devices_and_its_villages(
    level: str, subject: int, concerned: bool
) -> None:
    one = term(level, subject)
    assert (in_force([one], Place(), T) is one) is concerned
    assert (one in of_camera(by_subject([one]), Place())) is concerned


@pytest.mark.parametrize(
    ("at", "others", "holds"),
    [
        (T, {}, True),
        (T + 4 * HOUR, {}, False),  # until just before its end
        (T - timedelta(microseconds=1), {}, False),
        (T, {"approved": False}, False),
        (T + 2 * HOUR, {"until": T + HOUR}, False),  # ended early
    ],
)
def test_it_is_in_force_while_approved_and_until_its_end(at: datetime, others: dict[str, Any], holds: bool) -> None:
    one = term(**others)
    assert one.holds(at) is holds
    assert any(left <= at < right for left, right in one.within(T - HOUR, T + 9 * HOUR)) is holds


def test_of_several_the_nearest_is_named() -> None:
    village, device, short, long = (
        term("village", 1, id=1, until=T + 99 * HOUR),
        term("device", 3, id=2),
        term("camera", 7, id=3, until=T + HOUR),
        term("camera", 7, id=4, until=T + 2 * HOUR),
    )
    assert in_force([village, device, short, long], Place(), T) is long
    assert in_force([village, device, short, long], Place(), T + 3 * HOUR) is device
    assert in_force([], Place(), T) is None


def test_merged_time_has_no_overlap() -> None:
    a, b, c, d = T, T + HOUR, T + 2 * HOUR, T + 3 * HOUR
    assert merged([(c, d), (a, b), (b, c), (a, a)]) == [(a, d)]
    assert merged([(a, c), (b, c), (a, b)]) == [(a, c)]


WINDOWS = [
    weekly_window(range(7), "22:00", "06:00", SHANGHAI),
    weekly_window([0, 4], "09:30", "11:00", SHANGHAI),
    weekly_window([5], "01:30", "02:30", BERLIN),
    weekly_window(range(7), "02:15", "02:45", BERLIN),
    weekly_window([6], "02:30", "03:15", BERLIN),
    weekly_window([6], "23:00", "23:00", BERLIN),  # a whole day
    weekly_window([6, 0], "00:00", "02:15", LORD_HOWE),  # jumps by half an hour
]


@pytest.mark.parametrize("window", WINDOWS, ids=lambda one: f"{one.zone.key}-{one.begins}-{one.ends}")
@pytest.mark.parametrize("month", [(3, 26), (4, 2), (10, 1), (10, 22)], ids=str)
def test_windows_agree_with_the_wall_clock_minute_by_minute(window: WeeklyWindow, month: tuple[int, int]) -> None:
    """Over ten days in which Berlin or Lord Howe change to summer time or back."""
    begin = datetime(2026, *month, 0, 7, tzinfo=UTC)
    minutes = [begin + timedelta(minutes=one) for one in range(10 * 24 * 60)]
    found = window.within(begin, minutes[-1] + timedelta(minutes=1))
    assert found == merged(found)
    inside = {at for at in minutes if any(left <= at < right for left, right in found)}
    expected = set()
    for at in minutes:
        local = at.astimezone(window.zone)
        shown = local.hour * 60 + local.minute
        first, last = (one.hour * 60 + one.minute for one in (window.begins, window.ends))
        if first < last:
            hit = local.weekday() in window.days and first <= shown < last
        else:
            yesterday = (local.weekday() + 6) % 7
            hit = (local.weekday() in window.days and shown >= first) or (yesterday in window.days and shown < last)
        if hit:
            expected.add(at)
    assert inside == expected


def test_a_weekly_window_is_cut_to_its_exclusion() -> None:
    nightly = term(weekly=weekly_window(range(7), "00:00", "23:59", ZoneInfo("UTC")))
    assert nightly.within(T - 9 * HOUR, T + 99 * HOUR) == [(T, T + 4 * HOUR)]


@pytest.mark.parametrize(
    ("days", "begins", "ends"),
    [([], "08:00", "09:00"), ([7], "08:00", "09:00"), ([0], "24:30", "09:00"), ([0], "8", "9"), ([0], "0800", "09:00")],
)
def test_a_window_that_is_none_is_refused(days: list[int], begins: str, ends: str) -> None:
    with pytest.raises(HubError, match=r"day"):
        weekly_window(days, begins, ends, SHANGHAI)
