"""Pure: (itinerary, cursor, now) → the stop that is on and its time left; and every transition of a run.

While running, stop `position` began at `anchor`; the next one begins at `anchor` + dwell, no matter when the loop
notices, so that delays do not add up. While paused, `elapsed` seconds of the stop have passed. Nothing else is needed:
after a restart the same values give the same result. A wall clock before the anchor counts as the anchor.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from camera_hub.errors import HubError, Kind

LATE = 2.0
"""A change that is made up to this many seconds late counts as in time; later than that, the hub was away."""

Dwells = tuple[float, ...]
"""Seconds per stop; never empty, all above 0."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a run is: the moving part of its row."""

    state: str  # running | paused | ended
    position: int
    lap: int
    anchor: datetime
    elapsed: float = 0.0
    loop: bool = False
    end_reason: str | None = None  # finished | stopped | all_dead


@dataclass(frozen=True, slots=True)
class Line:
    """A stop that was passed or entered. `why`: dead, away (passed while the hub was away), None = it is on."""

    position: int
    lap: int
    at: datetime
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """What a transition did: the new cursor, when the previous stop was left (None: it was not), and new lines.

    `in_time` is false when the change came so late that it is not known how long the previous stop was really shown.
    """

    cursor: Cursor
    left_at: datetime | None = None
    in_time: bool = True
    lines: tuple[Line, ...] = ()


def time_left(dwells: Dwells, cursor: Cursor, now: datetime) -> float:
    """Seconds until the next stop, within 0 and the dwell; 0 when ended."""
    if cursor.state == "ended":
        return 0.0
    return max(0.0, dwells[cursor.position] - _elapsed(dwells, cursor, now))


def due(dwells: Dwells, cursor: Cursor) -> datetime | None:
    """When the next automatic change is due, None if there is none."""
    if cursor.state != "running":
        return None
    return cursor.anchor + timedelta(seconds=dwells[cursor.position])


def begin(dwells: Dwells, usable: AbstractSet[int], now: datetime, *, loop: bool) -> Transition:
    """Start at the first stop that can be shown; if there is none, the run ends at once and says why."""
    return _enter(Cursor("running", -1, 0, now, loop=loop), dwells, usable, now, now)


def upcoming(dwells: Dwells, cursor: Cursor, usable: AbstractSet[int]) -> int | None:
    """The stop after this one, None when the run would end."""
    if cursor.state == "ended":
        return None
    place, _ = _following(cursor, len(dwells), usable)
    return None if place is None else place[0]


def catch_up(dwells: Dwells, cursor: Cursor, usable: AbstractSet[int], now: datetime) -> Transition:
    """Make every change that is due at `now`. Of a long absence at most two laps get lines; see `lap` for the rest."""
    left_at, in_time, lines = None, True, list[Line]()
    while (end := due(dwells, cursor)) is not None and now >= end:
        late = (now - end).total_seconds() > LATE
        if left_at is None:
            left_at, in_time = end, not late
        else:
            lines[-1] = replace(lines[-1], why="away")
        step = _enter(cursor, dwells, usable, end, now if late else end)
        cursor = step.cursor
        lines.extend(step.lines)
        cursor = _skip_laps(dwells, cursor, usable, now)
    return Transition(cursor, left_at, in_time, tuple(lines))


def pause(dwells: Dwells, cursor: Cursor, now: datetime) -> Transition:
    """Stay at the present stop."""
    _must_be(cursor, "running")
    return Transition(replace(cursor, state="paused", elapsed=_elapsed(dwells, cursor, now), anchor=now))


def resume(dwells: Dwells, cursor: Cursor, now: datetime) -> Transition:
    """Continue with the time that was left."""
    _must_be(cursor, "paused")
    return Transition(replace(cursor, state="running", elapsed=0.0, anchor=now - timedelta(seconds=cursor.elapsed)))


def forward(dwells: Dwells, cursor: Cursor, usable: AbstractSet[int], now: datetime) -> Transition:
    """Go now to the next stop that can be shown. A paused run stays paused there."""
    _must_be(cursor, "running", "paused")
    return replace(_enter(cursor, dwells, usable, now, now), left_at=now)


def back(dwells: Dwells, cursor: Cursor, usable: AbstractSet[int], now: datetime) -> Transition:
    """Go now to the stop before this one; if there is none, start this one again."""
    _must_be(cursor, "running", "paused")
    before = [p for p in range(cursor.position) if p in usable]
    if before:
        return _at(cursor, before[-1], cursor.lap, now)
    last = [p for p in range(cursor.position + 1, len(dwells)) if p in usable]
    if cursor.loop and cursor.lap > 0 and last:
        return _at(cursor, last[-1], cursor.lap - 1, now)
    return _at(cursor, cursor.position, cursor.lap, now)


def jump(dwells: Dwells, cursor: Cursor, usable: AbstractSet[int], now: datetime, position: int | None) -> Transition:
    """Go now to that stop. Raises HubError when there is no such stop or it cannot be shown."""
    _must_be(cursor, "running", "paused")
    if position is None or not 0 <= position < len(dwells):
        raise HubError(
            Kind.INVALID,
            f"there is no such stop; this tour has the stops 0 to {len(dwells) - 1}",
            reason="no_such_stop",
        )
    if position not in usable:
        raise HubError(Kind.CONFLICT, "no camera of that stop can be shown now", reason="stop_dead", position=position)
    return _at(cursor, position, cursor.lap, now)


def stop(cursor: Cursor, now: datetime) -> Transition:
    """End the run."""
    _must_be(cursor, "running", "paused")
    return Transition(replace(cursor, state="ended", anchor=now, elapsed=0.0, end_reason="stopped"), left_at=now)


def shifted(cursor: Cursor, seconds: float) -> Cursor:
    """The cursor after the wall clock was stepped by `seconds`: the stop keeps its time left."""
    return replace(cursor, anchor=cursor.anchor + timedelta(seconds=seconds))


def _elapsed(dwells: Dwells, cursor: Cursor, now: datetime) -> float:
    passed = cursor.elapsed if cursor.state == "paused" else (now - cursor.anchor).total_seconds()
    return min(max(0.0, passed), dwells[cursor.position])


def _must_be(cursor: Cursor, *states: str) -> None:
    if cursor.state not in states:
        raise HubError(Kind.CONFLICT, f"the run is {cursor.state}", reason=f"run_{cursor.state}")


def _at(cursor: Cursor, position: int, lap: int, now: datetime) -> Transition:
    """Enter a stop now."""
    moved = replace(cursor, position=position, lap=lap, anchor=now, elapsed=0.0)
    return Transition(moved, left_at=now, lines=(Line(position, lap, now),))


def _following(
    cursor: Cursor, count: int, usable: AbstractSet[int]
) -> tuple[tuple[int, int] | None, list[tuple[int, int]]]:
    """The next (position, lap) that can be shown, and those skipped on the way; checks each stop once."""
    passed = list[tuple[int, int]]()
    for step in range(1, count + 1):
        position, lap = cursor.position + step, cursor.lap
        if position >= count:
            if not cursor.loop:
                break
            position, lap = position - count, lap + 1
        if position in usable:
            return (position, lap), passed
        passed.append((position, lap))
    return None, passed


def _enter(cursor: Cursor, dwells: Dwells, usable: AbstractSet[int], anchor: datetime, at: datetime) -> Transition:
    """Go to the next stop, whose time counts from `anchor` and whose line begins `at`; or end."""
    place, passed = _following(cursor, len(dwells), usable)
    lines = [Line(position, lap, at, "dead") for position, lap in passed]
    if place is None:
        reason = "finished" if usable else "all_dead"
        position = max(cursor.position, 0)
        ended = replace(cursor, state="ended", position=position, anchor=anchor, elapsed=0.0, end_reason=reason)
        return Transition(ended, lines=tuple(lines))
    lines.append(Line(*place, at))
    return Transition(replace(cursor, position=place[0], lap=place[1], anchor=anchor, elapsed=0.0), lines=tuple(lines))


def _skip_laps(dwells: Dwells, cursor: Cursor, usable: AbstractSet[int], now: datetime) -> Cursor:
    """Leave out whole laps of a loop that passed while the hub was away, except the last."""
    if cursor.state != "running" or not cursor.loop or cursor.position not in usable:
        return cursor
    around = timedelta(seconds=sum(dwells[p] for p in usable))
    laps = int((now - cursor.anchor) / around) - 1
    if laps < 1:
        return cursor
    return replace(cursor, lap=cursor.lap + laps, anchor=cursor.anchor + laps * around)
