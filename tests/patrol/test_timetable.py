"""The stop shown is always the right one: pauses, jumps, dead stops, clock steps, absences."""

from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from camera_hub.errors import HubError
from camera_hub.patrol.runs import timetable
from camera_hub.patrol.runs.timetable import Cursor, Dwells, Line, Stops

T0 = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DWELLS = st.lists(st.integers(3, 60).map(float), min_size=1, max_size=12).map(tuple)


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def started(dwells: Dwells, *, loop: bool = False, usable: AbstractSet[int] | None = None) -> Cursor:
    stops = everything(dwells) if usable is None else Stops(dwells, usable)
    return timetable.begin(stops, T0, loop=loop).cursor


def everything(dwells: Dwells) -> Stops:
    return Stops(dwells, frozenset(range(len(dwells))))


@st.composite
def sites(draw: st.DrawFn) -> tuple[Dwells, frozenset[int]]:
    """Dwells and those stops that can be shown."""
    dwells = draw(DWELLS)
    return dwells, frozenset(draw(st.sets(st.integers(0, len(dwells) - 1))))


def test_stops_follow_each_other_by_their_dwells() -> None:
    dwells = (10.0, 20.0, 30.0)
    cursor = started(dwells)
    assert timetable.time_left(everything(dwells), cursor, after(4)) == 6
    assert timetable.due(everything(dwells), cursor) == after(10)
    walk = timetable.catch_up(everything(dwells), cursor, after(10.5))
    assert (walk.cursor.position, walk.cursor.anchor) == (1, after(10))
    assert (walk.left_at, walk.in_time, walk.lines) == (after(10), True, (Line(1, 0, after(10)),))
    walk = timetable.catch_up(everything(dwells), walk.cursor, after(30))
    walk = timetable.catch_up(everything(dwells), walk.cursor, after(60))
    assert (walk.cursor.state, walk.cursor.end_reason, walk.left_at) == ("closing", None, after(60))
    assert timetable.time_left(everything(dwells), walk.cursor, after(99)) == 0
    assert timetable.due(everything(dwells), walk.cursor) is None


def test_dead_stops_are_passed_and_named() -> None:
    dwells = (10.0,) * 5
    walk = timetable.begin(Stops(dwells, {1, 4}), T0, loop=True)
    assert walk.lines == (Line(0, 0, T0, "dead"), Line(1, 0, T0))
    walk = timetable.catch_up(Stops(dwells, {1, 4}), walk.cursor, after(10))
    assert walk.lines == (Line(2, 0, after(10), "dead"), Line(3, 0, after(10), "dead"), Line(4, 0, after(10)))
    assert timetable.upcoming(Stops(dwells, {1, 4}), walk.cursor) == 1
    assert timetable.upcoming(Stops(dwells, {4}), walk.cursor) == 4
    assert timetable.upcoming(Stops(dwells, set()), walk.cursor) is None


@pytest.mark.parametrize(("loop", "end"), [(False, ("closing", None)), (True, ("ended", "all_dead"))])
def test_a_tour_of_dead_stops_is_over_at_once(loop: bool, end: tuple[str, str | None]) -> None:
    walk = timetable.begin(Stops((10.0, 10.0), set()), T0, loop=loop)
    assert (walk.cursor.state, walk.cursor.end_reason) == end
    assert [line.why for line in walk.lines] == ["dead", "dead"]
    cursor = started((10.0, 10.0), loop=loop)
    walk = timetable.catch_up(Stops((10.0, 10.0), set()), cursor, after(10))
    assert (walk.cursor.state, walk.cursor.end_reason, walk.left_at) == (*end, after(10))


def test_what_passed_while_the_hub_was_away_is_recorded_as_not_shown() -> None:
    dwells = (10.0, 20.0, 30.0, 40.0)
    walk = timetable.catch_up(everything(dwells), started(dwells), after(65))
    assert (walk.cursor.position, walk.cursor.anchor) == (3, after(60))
    assert (walk.left_at, walk.in_time) == (after(10), False)
    assert walk.lines == (Line(1, 0, after(65), "away"), Line(2, 0, after(65), "away"), Line(3, 0, after(65)))
    assert timetable.time_left(everything(dwells), walk.cursor, after(65)) == 35


def test_a_day_of_sixty_stops_does_not_drift() -> None:
    dwells = tuple(10.0 + n % 7 for n in range(60))
    cursor, now, late = started(dwells, loop=True), 0.0, 0
    while now < 86_400:
        due = timetable.due(everything(dwells), cursor)
        assert due is not None
        late += 1
        now = (due - T0).total_seconds() + 0.1 * (late % 17)  # woken up to 1.6 s late, each time
        cursor = timetable.catch_up(everything(dwells), cursor, after(now)).cursor
    laps, rest = divmod((cursor.anchor - T0).total_seconds(), sum(dwells))
    assert (cursor.lap, sum(dwells[: cursor.position])) == (laps, rest)


def test_a_long_absence_costs_two_laps_of_lines_at_most() -> None:
    dwells = (3.0,) * 200
    walk = timetable.catch_up(everything(dwells), started(dwells, loop=True), after(365 * 86_400))
    assert walk.cursor.lap == 365 * 86_400 // 600
    assert len(walk.lines) <= 400


def test_a_paused_run_stays_paused_where_it_is_sent() -> None:
    dwells = (10.0, 20.0, 30.0)
    cursor = timetable.pause(everything(dwells), started(dwells), after(4)).cursor
    assert timetable.time_left(everything(dwells), cursor, after(4000)) == 6
    walk = timetable.forward(everything(dwells), cursor, after(50))
    assert (walk.cursor.state, walk.cursor.position, walk.left_at) == ("paused", 1, after(50))
    assert timetable.time_left(everything(dwells), walk.cursor, after(99)) == 20
    cursor = timetable.resume(walk.cursor, after(100)).cursor
    assert timetable.due(everything(dwells), cursor) == after(120)


def test_previous_goes_round_a_loop_but_not_before_its_beginning() -> None:
    dwells = (10.0, 10.0, 10.0)
    first = started(dwells, loop=True)
    assert timetable.back(everything(dwells), first, after(5)).cursor == Cursor("running", 0, 0, after(5), loop=True)
    second_lap = timetable.catch_up(everything(dwells), first, after(30)).cursor
    moved = timetable.back(Stops(dwells, {0, 1}), second_lap, after(31)).cursor
    assert (moved.position, moved.lap) == (1, 0)
    assert timetable.back(everything(dwells), moved, after(32)).cursor.position == 0


def test_a_jump_to_nowhere_or_to_a_dead_stop_is_refused() -> None:
    dwells = (10.0, 10.0)
    with pytest.raises(HubError, match="stops 0 to 1"):
        timetable.jump(Stops(dwells, {0, 1}), started(dwells), T0, 2)
    with pytest.raises(HubError, match="no camera of that stop"):
        timetable.jump(Stops(dwells, {0}), started(dwells), T0, 1)
    assert timetable.jump(Stops(dwells, {0, 1}), started(dwells), after(3), 1).cursor.position == 1


def test_an_ended_run_takes_no_more_orders() -> None:
    dwells = (10.0, 10.0)
    cursor = timetable.stop(started(dwells), after(3)).cursor
    assert cursor.end_reason == "stopped"
    with pytest.raises(HubError, match="ended"):
        timetable.resume(cursor, after(4))
    with pytest.raises(HubError, match="ended"):
        timetable.forward(Stops(dwells, {0, 1}), cursor, after(4))
    assert timetable.catch_up(Stops(dwells, {0, 1}), cursor, after(100)).cursor == cursor


@given(sites(), st.booleans(), st.lists(st.floats(0.01, 500), max_size=30))
def test_waking_often_or_once_shows_the_same_stop(
    site: tuple[Dwells, frozenset[int]], loop: bool, pauses: list[float]
) -> None:
    dwells, usable = site
    often = once = started(dwells, loop=loop, usable=usable)
    now = 0.0
    for wait in pauses:
        now += wait
        often = timetable.catch_up(Stops(dwells, usable), often, after(now)).cursor
        assert often.state != "running" or often.position in usable
        assert 0 <= timetable.time_left(everything(dwells), often, after(now)) <= dwells[often.position]
    found = timetable.catch_up(Stops(dwells, usable), once, after(now)).cursor
    assert (found.state, found.position, found.lap) == (often.state, often.position, often.lap)
    assert found.state != "running" or found.anchor == often.anchor


@given(sites(), st.booleans(), st.floats(0, 1000))
def test_lines_tell_every_stop_in_order(site: tuple[Dwells, frozenset[int]], loop: bool, seconds: float) -> None:
    dwells, usable = site
    assume(usable)
    begin = timetable.begin(Stops(dwells, usable), T0, loop=loop)
    walk = timetable.catch_up(Stops(dwells, usable), begin.cursor, after(seconds))
    lines = [*begin.lines, *walk.lines]
    assert all((line.why == "dead") == (line.position not in usable) for line in lines)
    if walk.cursor.state == "running":
        assert lines[-1].why is None
        assert (lines[-1].position, lines[-1].lap) == (walk.cursor.position, walk.cursor.lap)
    if seconds < sum(dwells[p] for p in usable):  # nothing was left out
        steps = [line.lap * len(dwells) + line.position for line in lines]
        assert steps == list(range(len(steps)))


@given(DWELLS, st.floats(0, 2.9), st.floats(0, 100_000), st.floats(0, 2.9))
def test_a_pause_takes_nothing_from_a_stop(dwells: Dwells, before: float, pause: float, more: float) -> None:
    cursor = timetable.pause(everything(dwells), started(dwells), after(before)).cursor
    left = timetable.time_left(everything(dwells), cursor, after(before + pause / 2))
    cursor = timetable.resume(cursor, after(before + pause)).cursor
    now = before + pause + min(more, left)
    assert timetable.time_left(everything(dwells), cursor, after(now)) == pytest.approx(
        left - min(more, left), abs=1e-4
    )
    assert left == pytest.approx(dwells[0] - before, abs=1e-4)


@given(DWELLS, st.booleans(), st.floats(-100_000, 0))
def test_a_wall_clock_before_the_anchor_shows_the_same_stop(dwells: Dwells, loop: bool, step: float) -> None:
    cursor = started(dwells, loop=loop)
    assert timetable.catch_up(everything(dwells), cursor, after(step)).cursor == cursor
    assert timetable.time_left(everything(dwells), cursor, after(step)) == dwells[0]


@given(DWELLS, st.floats(0, 2.9), st.floats(-100_000, 100_000))
def test_a_stepped_clock_is_taken_out_of_the_reckoning(dwells: Dwells, passed: float, step: float) -> None:
    cursor = started(dwells)
    moved = timetable.shifted(cursor, step)
    assert timetable.time_left(everything(dwells), moved, after(passed + step)) == pytest.approx(
        dwells[0] - passed, abs=1e-4
    )


@given(DWELLS, st.floats(0, 2.9), st.integers(0, 11))
def test_a_jump_shows_that_stop_for_its_whole_dwell(dwells: Dwells, passed: float, position: int) -> None:
    position %= len(dwells)
    walk = timetable.jump(everything(dwells), started(dwells), after(passed), position)
    assert (walk.cursor.position, walk.left_at) == (position, after(passed))
    assert timetable.time_left(everything(dwells), walk.cursor, after(passed)) == dwells[position]
