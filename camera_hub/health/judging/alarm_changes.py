"""Pure: what must happen to the alarms that are open so that they become those that are wanted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from camera_hub.health.judging.causes import AlarmKey, ExpectedAlarm
from camera_hub.health.judging.verdict import Aspect

OLD_FAULT = timedelta(minutes=10)
"""A fault that stood this long before its village went dark is its own: it is not merged, nor told anew later."""

_HEIGHT = {"camera": 0, "device": 1, "village": 2, "hub": 3}


@dataclass(frozen=True, slots=True)
class StandingAlarm:
    """An open alarm."""

    alarm_id: int
    key: AlarmKey
    cause: str
    members: frozenset[int]
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class OpenAlarm:
    """Open this alarm and tell it."""

    wanted: ExpectedAlarm


@dataclass(frozen=True, slots=True)
class UpdateAlarm:
    """The alarm's cause or members have changed; not told outside."""

    alarm_id: int
    cause: str
    members: frozenset[int]


@dataclass(frozen=True, slots=True)
class CloseAlarm:
    """Close the alarm: told as a recovery, or, when `merged`, silently because a higher one now speaks for it."""

    alarm_id: int
    key: AlarmKey
    merged: bool = False


Change = OpenAlarm | UpdateAlarm | CloseAlarm


def changes(standing: Sequence[StandingAlarm], wanted: Sequence[ExpectedAlarm], now: datetime) -> tuple[Change, ...]:
    """Closings first, then updates and openings. Members only grow: an alarm lists all that it ever stood for."""
    by_key = {w.key: w for w in wanted}
    open_keys = {s.key for s in standing}
    parents = [w for w in wanted if w.key.aspect is Aspect.LIVE and _HEIGHT[w.key.level] > 0]
    closes: list[Change] = []
    rest: list[Change] = []
    for alarm in standing:
        want = by_key.get(alarm.key)
        if want is None:
            parent = _parent(alarm, parents)
            if parent is None:
                closes.append(CloseAlarm(alarm.alarm_id, alarm.key))
            elif _effective(parent, open_keys) and now - alarm.opened_at < OLD_FAULT:
                closes.append(CloseAlarm(alarm.alarm_id, alarm.key, merged=True))
        elif want.cause != alarm.cause or not want.members <= alarm.members:
            rest.append(UpdateAlarm(alarm.alarm_id, want.cause, want.members | alarm.members))
    rest.extend(OpenAlarm(w) for w in wanted if w.key not in open_keys and not w.held)
    return (*closes, *rest)


def _parent(alarm: StandingAlarm, parents: Iterable[ExpectedAlarm]) -> ExpectedAlarm | None:
    """The wanted alarm of a higher level that speaks for this one's cameras, opened or about to be."""
    if alarm.key.aspect is not Aspect.LIVE:
        return None
    height = _HEIGHT[alarm.key.level]
    return next((p for p in parents if _HEIGHT[p.key.level] > height and p.members & alarm.members), None)


def _effective(parent: ExpectedAlarm, open_keys: set[AlarmKey]) -> bool:
    return not parent.held or parent.key in open_keys
