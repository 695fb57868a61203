"""What an occurrence is, by the time and its run; and where plans meet."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.patrol.plans.overlaps import DuePatrol, overlaps
from camera_hub.patrol.plans.states import PlanTimes, RunEnd, judge, next_change, window

DUE = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TIMES = PlanTimes(30 * MINUTE, 240 * MINUTE)
WINDOW = window(DUE, DUE + 120 * MINUTE, TIMES)  # late at 30, missed at 120


def run(started: float, ended: float | None = None, reason: str | None = None) -> RunEnd:
    return RunEnd(DUE + started * MINUTE, None if ended is None else DUE + ended * MINUTE, reason)


@pytest.mark.parametrize(
    ("minute", "by", "state", "late", "why"),
    [
        (-60, None, "due", False, None),
        (0, None, "due", False, None),
        (29.99, None, "due", False, None),
        (30, None, "late", True, None),
        (119.99, None, "late", True, None),
        (120, None, "missed", False, "not_started"),
        (10, run(5), "running", False, None),
        (40, run(5), "running", False, None),
        (40, run(31), "running", True, None),
        (500, run(31), "running", True, None),
        (500, run(5, 20, "submitted"), "done", False, None),
        (500, run(31, 150, "submitted"), "done", True, None),  # started late: late and done
        (20, run(5, 10, "stopped"), "due", False, None),  # given up: open again …
        (60, run(5, 10, "stopped"), "late", True, None),
        (120, run(5, 10, "stopped"), "missed", False, "given_up"),  # … and missed when nobody starts it again
        (120, run(5, 10, "expired"), "missed", False, "given_up"),
        (120, run(5, 5, "all_dead"), "missed", False, "given_up"),
    ],
)
def test_an_occurrence_is(minute: float, by: RunEnd | None, state: str, late: bool, why: str | None) -> None:
    found = judge(WINDOW, by, DUE + minute * MINUTE)
    assert (found.state, found.late, found.why) == (state, late, why)


@pytest.mark.parametrize(("following", "over"), [(None, 240), (600, 240), (120, 120), (20, 30)])
def test_it_is_missed_when_the_next_is_due_or_the_longest_time_is_over(following: int | None, over: int) -> None:
    """Never before the grace is over: then it is missed without having been late."""
    found = window(DUE, None if following is None else DUE + following * MINUTE, TIMES)
    assert (found.late_at, found.over_at) == (DUE + 30 * MINUTE, DUE + over * MINUTE)


@given(st.lists(st.integers(-600, 600), min_size=1), st.integers(1, 300), st.integers(1, 300), st.integers(1, 600))
def test_the_state_is_a_function_of_the_present_time(moments: list[int], grace: int, longest: int, after: int) -> None:
    """However the clock was stepped meanwhile; and between two changes that are told beforehand it stays the same."""
    times = PlanTimes(grace * MINUTE, longest * MINUTE)
    found = window(DUE, DUE + after * MINUTE, times)
    assert found.due_at <= found.late_at <= found.over_at
    for moment in moments:
        now = DUE + moment * MINUTE
        current = judge(found, None, now)
        assert current == judge(found, None, now)
        change = next_change(found, current.state, now)
        if change is None:
            assert current.state == "missed"
            continue
        assert change > now
        assert judge(found, None, change - MINUTE / 60).state == current.state
        order = ["due", "late", "missed"]
        assert order.index(judge(found, None, change).state) >= order.index(current.state)


def patrol(minute: int, plan: int, tour: int, lasts: int = 10, grace: int = 30) -> DuePatrol:
    return DuePatrol(DUE + minute * MINUTE, plan, f"p{plan}", tour, f"t{tour}", lasts * MINUTE, grace * MINUTE)


@pytest.mark.parametrize(
    ("other", "met"),
    [
        (patrol(0, 2, 2), (0, False)),
        (patrol(9, 2, 2), (9, False)),  # under way at the same time
        (patrol(10, 2, 2), None),
        (patrol(-10, 2, 2), None),
        (patrol(25, 2, 1), (25, True)),  # the same tour: one patrol counts for both
        (patrol(31, 2, 1), None),
        (patrol(25, 2, 1, grace=20), None),  # within the grace of both
        (patrol(0, 2, 2, lasts=0), (0, False)),
    ],
)
def test_plans_meet(other: DuePatrol, met: tuple[int, bool] | None) -> None:
    found = overlaps([patrol(0, 1, 1)], [other], 9)
    assert [(round((one.other_at - DUE) / MINUTE), one.same_tour) for one in found] == ([] if met is None else [met])
