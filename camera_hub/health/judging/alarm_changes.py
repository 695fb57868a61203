"""Pure: what must happen to the alarms that are open so that they become those that are expected."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from camera_hub.errors import Param
from camera_hub.health.judging.causes import AlarmKey, ExpectedAlarm
from camera_hub.health.judging.verdict import Aspect

OLD_FAULT = timedelta(minutes=10)
"""A fault that lasted this long before its village went dark is its own: it is not merged, nor raised again later."""

_HEIGHT = {"camera": 0, "device": 1, "village": 2, "hub": 3}


@dataclass(frozen=True, slots=True)
class OpenAlarm:
    """An alarm that is open; `members` are the cameras that it stands for now."""

    alarm_id: int
    key: AlarmKey
    cause: str
    members: frozenset[int]
    opened_at: datetime
    params: Mapping[str, Param] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlarmOpening:
    """Open this alarm and send notices of it."""

    alarm: ExpectedAlarm


@dataclass(frozen=True, slots=True)
class AlarmUpdate:
    """The alarm's cause or members have changed; no notice is sent. `said`: detail and params of the observation that
    gave the new cause; None: the cause is what it was."""

    alarm_id: int
    cause: str
    joined: frozenset[int] = frozenset()
    left: frozenset[int] = frozenset()
    said: tuple[str, Mapping[str, Param]] | None = None


@dataclass(frozen=True, slots=True)
class AlarmClosing:
    """Close the alarm: a recovery, or, when `merged`, without a notice because a higher one now stands for it."""

    alarm_id: int
    key: AlarmKey
    merged: bool = False


AlarmChange = AlarmOpening | AlarmUpdate | AlarmClosing


def alarm_changes(
    open_alarms: Sequence[OpenAlarm], expected: Sequence[ExpectedAlarm], now: datetime
) -> tuple[AlarmChange, ...]:
    """Closings first, then updates and openings. While the parent that may take an alarm over is pending, it stays."""
    by_key = {alarm.key: alarm for alarm in expected}
    open_keys = {alarm.key for alarm in open_alarms}
    parents = [alarm for alarm in expected if alarm.key.aspect is Aspect.MEDIA and _HEIGHT[alarm.key.level] > 0]
    closings: list[AlarmChange] = []
    rest: list[AlarmChange] = []
    for alarm in open_alarms:
        match = by_key.get(alarm.key)
        if match is None:
            parent = _parent(alarm, parents)
            if parent is None:
                closings.append(AlarmClosing(alarm.alarm_id, alarm.key))
            elif _takes_over(parent, open_keys) and now - alarm.opened_at < OLD_FAULT:
                closings.append(AlarmClosing(alarm.alarm_id, alarm.key, merged=True))
        elif (other := _has_other_cause(alarm, match)) or match.members != alarm.members:
            joined, left = match.members - alarm.members, alarm.members - match.members
            said = (match.detail, match.params) if other else None
            rest.append(AlarmUpdate(alarm.alarm_id, match.cause, joined, left, said))
    rest.extend(AlarmOpening(alarm) for alarm in expected if alarm.key not in open_keys and not alarm.pending)
    return (*closings, *rest)


def open_after(
    open_alarms: Sequence[OpenAlarm],
    changes: Sequence[AlarmChange],
    opened_ids: Mapping[AlarmKey, int],
    now: datetime,
) -> list[OpenAlarm]:
    """The alarms that are open once `changes` are written; `opened_ids` are the ids that the opened ones got."""
    after = {alarm.alarm_id: alarm for alarm in open_alarms}
    for change in changes:
        if isinstance(change, AlarmOpening):
            new, number = change.alarm, opened_ids[change.alarm.key]
            after[number] = OpenAlarm(number, new.key, new.cause, new.members, now, new.params)
        elif isinstance(change, AlarmUpdate):
            old = after[change.alarm_id]
            members = (old.members | change.joined) - change.left
            params = change.said[1] if change.said is not None else old.params
            after[change.alarm_id] = replace(old, cause=change.cause, members=members, params=params)
        else:
            del after[change.alarm_id]
    return list(after.values())


def _has_other_cause(alarm: OpenAlarm, now: ExpectedAlarm) -> bool:
    """A verdict that was read from the database has no params: they say nothing then."""
    finer = bool(now.params) and now.params.get("cause") != alarm.params.get("cause")
    return now.cause != alarm.cause or finer


def _parent(alarm: OpenAlarm, parents: Iterable[ExpectedAlarm]) -> ExpectedAlarm | None:
    """The expected alarm of a higher level that stands for this one's cameras, opened or about to be."""
    if alarm.key.aspect is not Aspect.MEDIA:
        return None
    height = _HEIGHT[alarm.key.level]
    return next((p for p in parents if _HEIGHT[p.key.level] > height and p.members & alarm.members), None)


def _takes_over(parent: ExpectedAlarm, open_keys: set[AlarmKey]) -> bool:
    return not parent.pending or parent.key in open_keys
