"""Pure: (stops, cursor, now) → the stop that is on and its time left; and every transition of a run.

While running, stop `position` began at `anchor`; the next one begins at `anchor` + dwell, no matter when the loop
notices, so that delays do not add up. While paused, `elapsed` seconds of the stop have passed. Nothing else is needed:
after a restart the same values give the same result. A wall clock before the anchor counts as the anchor.

A patrol is over when its last stop is over: it is `closing` until it is submitted, and shows single stops once more on
request. A loop goes on until it is stopped.

A transition that makes no sense in the run's state raises HubError(CONFLICT, run_<state>), one to a stop whose cameras
are all dead HubError(CONFLICT, stop_dead).
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from camera_hub.errors import HubError, Kind

LATE = 2.0
"""A change that is made up to this many seconds late counts as in time; later than that, the hub was away."""

LONGEST_EXTENSION = 3600.0
"""Seconds by which one stop may be extended altogether."""

AGAIN = 1
"""The lap of a patrol whose stops are all over: those that are shown from now on are shown once more."""

Dwells = tuple[float, ...]
"""Seconds per stop; never empty, all above 0."""

PauseReason = Literal["operator", "attention", "alarm", "ptz"]


@dataclass(frozen=True, slots=True)
class Stops:
    """`usable`: positions of which at least one camera can be shown. `offered`: of a patrol whose stops are over, the
    positions that should be shown once more: not confirmed yet, or dead before and now back."""

    dwells: Dwells
    usable: AbstractSet[int]
    offered: AbstractSet[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a run is: the moving part of its row. `extended`: seconds by which the present stop was extended."""

    state: str  # running | paused | closing | ended
    position: int
    lap: int
    anchor: datetime
    elapsed: float = 0.0
    extended: float = 0.0
    loop: bool = False
    pause_reason: str | None = None  # see PauseReason
    end_reason: str | None = None  # submitted | stopped | all_dead | expired


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


def time_left(stops: Stops, cursor: Cursor, now: datetime) -> float:
    """Seconds until the next stop, within 0 and the dwell; 0 when closing or ended."""
    if cursor.state not in ("running", "paused"):
        return 0.0
    return max(0.0, _dwell(stops, cursor) - _elapsed(stops, cursor, now))


def due(stops: Stops, cursor: Cursor) -> datetime | None:
    """When the next automatic change is due, None if there is none."""
    if cursor.state != "running":
        return None
    return cursor.anchor + timedelta(seconds=_dwell(stops, cursor))


def expiry(cursor: Cursor, seconds: float) -> datetime | None:
    """When a patrol that nobody goes on with expires: that long after it was paused or its stops were over."""
    if cursor.loop or cursor.state not in ("paused", "closing"):
        return None
    return cursor.anchor + timedelta(seconds=seconds)


def upcoming(stops: Stops, cursor: Cursor) -> int | None:
    """The stop to which `forward` goes, None when there is none."""
    if cursor.state == "ended":
        return None
    place, _ = _following(stops, cursor)
    return None if place is None else place[0]


def begin(stops: Stops, now: datetime, *, loop: bool) -> Transition:
    """Start at the first stop that can be shown. If there is none, a loop ends at once and a patrol is closing."""
    return _enter(stops, Cursor("running", -1, 0, now, loop=loop), now, now)


def catch_up(stops: Stops, cursor: Cursor, now: datetime) -> Transition:
    """Make every change that is due at `now`. Of a long absence at most two laps get lines; see `lap` for the rest."""
    left_at, in_time, lines = None, True, list[Line]()
    while (end := due(stops, cursor)) is not None and now >= end:
        late = (now - end).total_seconds() > LATE
        if left_at is None:
            left_at, in_time = end, not late
        else:
            lines[-1] = replace(lines[-1], why="away")
        at = now if late else end
        step = _over(cursor, at) if _again(cursor) else _enter(stops, cursor, end, at)
        cursor = step.cursor
        lines.extend(step.lines)
        cursor = _skip_laps(stops, cursor, now)
    return Transition(cursor, left_at, in_time, tuple(lines))


def pause(stops: Stops, cursor: Cursor, now: datetime, reason: PauseReason = "operator") -> Transition:
    """Stay at the present stop. An alarm interrupts every other pause; an operator's follows one for PTZ."""
    replaced = {"operator": ("ptz",), "attention": (), "alarm": ("ptz", "operator", "attention"), "ptz": ()}[reason]
    if cursor.state != "paused" or cursor.pause_reason not in replaced:
        _must_be(cursor, "running")
    elapsed = _elapsed(stops, cursor, now)
    return Transition(replace(cursor, state="paused", pause_reason=reason, elapsed=elapsed, anchor=now))


def resume(cursor: Cursor, now: datetime) -> Transition:
    """Continue with the time that was left; after an alarm, with the whole dwell."""
    _must_be(cursor, "paused")
    afresh = cursor.pause_reason == "alarm"
    elapsed = 0.0 if afresh else cursor.elapsed
    extended = 0.0 if afresh else cursor.extended
    anchor = now - timedelta(seconds=elapsed)
    return Transition(
        replace(cursor, state="running", pause_reason=None, elapsed=0.0, extended=extended, anchor=anchor)
    )


def extend(cursor: Cursor, seconds: float) -> Transition:
    """Show the present stop that much longer. Raises HubError when it was extended enough."""
    _must_be(cursor, "running", "paused")
    if cursor.extended + seconds > LONGEST_EXTENSION:
        raise HubError(
            Kind.CONFLICT,
            f"a stop is extended by {LONGEST_EXTENSION / 60:.0f} min at most; pause the run instead",
            reason="extended_enough",
        )
    return Transition(replace(cursor, extended=cursor.extended + seconds))


def forward(stops: Stops, cursor: Cursor, now: datetime) -> Transition:
    """Go now to the next stop that can be shown. A paused run stays paused there. Of a patrol whose stops are over, to
    the next one that is offered; raises HubError when none is."""
    _must_be(cursor, "running", "paused", "closing")
    if cursor.state == "closing" and not stops.offered:
        raise HubError(Kind.CONFLICT, "no stop is left to be shown; submit the patrol", reason="nothing_offered")
    return replace(_enter(stops, cursor, now, now), left_at=now)


def back(stops: Stops, cursor: Cursor, now: datetime) -> Transition:
    """Go now to the stop before this one; if there is none, start this one again. From closing: the last one again."""
    _must_be(cursor, "running", "paused", "closing")
    before = [p for p in range(cursor.position + (cursor.state == "closing")) if p in stops.usable]
    if before:
        return _at(cursor, before[-1], cursor.lap, now)
    last = [p for p in range(cursor.position + 1, len(stops.dwells)) if p in stops.usable]
    if cursor.loop and cursor.lap > 0 and last:
        return _at(cursor, last[-1], cursor.lap - 1, now)
    if cursor.state == "closing":
        raise _dead_stop(cursor.position)
    return _at(cursor, cursor.position, cursor.lap, now)


def jump(stops: Stops, cursor: Cursor, now: datetime, position: int | None) -> Transition:
    """Go now to that stop. Raises HubError when there is no such stop or it cannot be shown."""
    _must_be(cursor, "running", "paused", "closing")
    if position is None or not 0 <= position < len(stops.dwells):
        raise HubError(
            Kind.INVALID,
            f"there is no such stop; this tour has the stops 0 to {len(stops.dwells) - 1}",
            reason="no_such_stop",
        )
    if position not in stops.usable:
        raise _dead_stop(position)
    return _at(cursor, position, cursor.lap, now)


def stop(cursor: Cursor, now: datetime) -> Transition:
    """Give the run up."""
    _must_be(cursor, "running", "paused", "closing")
    return _ended(cursor, now, "stopped")


def submit(cursor: Cursor, now: datetime) -> Transition:
    """End a patrol whose stops are all over. Whether all is confirmed is not asked here."""
    _must_be(cursor, "closing")
    return _ended(cursor, now, "submitted")


def expire(cursor: Cursor, now: datetime) -> Transition:
    """End a patrol that nobody goes on with."""
    _must_be(cursor, "paused", "closing")
    return _ended(cursor, now, "expired")


def shifted(cursor: Cursor, seconds: float) -> Cursor:
    """The cursor after the wall clock was stepped by `seconds`: the stop keeps its time left."""
    return replace(cursor, anchor=cursor.anchor + timedelta(seconds=seconds))


def _dwell(stops: Stops, cursor: Cursor) -> float:
    return stops.dwells[cursor.position] + cursor.extended


def _elapsed(stops: Stops, cursor: Cursor, now: datetime) -> float:
    passed = cursor.elapsed if cursor.state == "paused" else (now - cursor.anchor).total_seconds()
    return min(max(0.0, passed), _dwell(stops, cursor))


def _again(cursor: Cursor) -> bool:
    """Whether a patrol's stops were all over before the present one began: it is shown once more."""
    return not cursor.loop and cursor.lap >= AGAIN


def _must_be(cursor: Cursor, *states: str) -> None:
    if cursor.state not in states:
        raise HubError(Kind.CONFLICT, f"the run is {cursor.state}", reason=f"run_{cursor.state}")


def _dead_stop(position: int) -> HubError:
    return HubError(Kind.CONFLICT, "no camera of that stop can be shown now", reason="stop_dead", position=position)


def _at(cursor: Cursor, position: int, lap: int, now: datetime) -> Transition:
    """Enter a stop now."""
    state = "running" if cursor.state == "closing" else cursor.state
    moved = replace(cursor, state=state, position=position, lap=lap, anchor=now, elapsed=0.0, extended=0.0)
    return Transition(moved, left_at=now, lines=(Line(position, lap, now),))


def _ended(cursor: Cursor, now: datetime, reason: str) -> Transition:
    ended = replace(cursor, state="ended", anchor=now, elapsed=0.0, extended=0.0, pause_reason=None, end_reason=reason)
    return Transition(ended, left_at=now)


def _over(cursor: Cursor, at: datetime, lines: tuple[Line, ...] = ()) -> Transition:
    """The stops of a patrol are over."""
    closing = replace(
        cursor,
        state="closing",
        position=max(cursor.position, 0),
        lap=AGAIN,
        anchor=at,
        elapsed=0.0,
        extended=0.0,
        pause_reason=None,
    )
    return Transition(closing, lines=lines)


def _following(stops: Stops, cursor: Cursor) -> tuple[tuple[int, int] | None, list[tuple[int, int]]]:
    """The next (position, lap) that can be shown, and those skipped on the way; checks each stop once."""
    passed = list[tuple[int, int]]()
    for place in _order(stops, cursor):
        if place[0] in stops.usable:
            return place, passed
        passed.append(place)
    return None, passed


def _order(stops: Stops, cursor: Cursor) -> list[tuple[int, int]]:
    """Every (position, lap) that may follow, in order. Of offered stops the present one comes last, and only once it is
    over."""
    count = len(stops.dwells)
    if _again(cursor):
        around = [(cursor.position + step) % count for step in range(1, count + (cursor.state == "closing"))]
        return [(position, cursor.lap) for position in around if position in stops.offered]
    rest = [(position, cursor.lap) for position in range(cursor.position + 1, count)]
    return rest + [(position, cursor.lap + 1) for position in range(cursor.position + 1)] if cursor.loop else rest


def _enter(stops: Stops, cursor: Cursor, anchor: datetime, at: datetime) -> Transition:
    """Go to the next stop, whose time counts from `anchor` and whose line begins `at`; or end, or close."""
    place, passed = _following(stops, cursor)
    lines = [Line(position, lap, at, "dead") for position, lap in passed]
    if place is None and cursor.loop:
        gone = replace(cursor, position=max(cursor.position, 0))
        return replace(_ended(gone, anchor, "all_dead"), left_at=None, lines=tuple(lines))
    if place is None:
        return _over(cursor, at, tuple(lines))
    lines.append(Line(*place, at))
    state = "running" if cursor.state == "closing" else cursor.state
    moved = replace(cursor, state=state, position=place[0], lap=place[1], anchor=anchor, elapsed=0.0, extended=0.0)
    return Transition(moved, lines=tuple(lines))


def _skip_laps(stops: Stops, cursor: Cursor, now: datetime) -> Cursor:
    """Leave out whole laps of a loop that passed while the hub was away, except the last."""
    if cursor.state != "running" or not cursor.loop or cursor.position not in stops.usable:
        return cursor
    around = timedelta(seconds=sum(stops.dwells[p] for p in stops.usable))
    laps = int((now - cursor.anchor) / around) - 1
    if laps < 1:
        return cursor
    return replace(cursor, lap=cursor.lap + laps, anchor=cursor.anchor + laps * around)
