"""Pure: what must happen to the alarms that are open so that they become those that are expected."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from camera_hub.errors import Param
from camera_hub.health.judging.causes import AlarmKey, ExpectedAlarm

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
    flapping: bool = False
    severity: str = "major"


@dataclass(frozen=True, slots=True)
class AlarmOpening:
    """Open this alarm."""

    alarm: ExpectedAlarm


@dataclass(frozen=True, slots=True)
class AlarmUpdate:
    """The alarm's cause or members have changed, or whether it flaps, or its severity; that is no news of its own.
    `said`: detail and params of the observation that gave the new cause; None: the cause is what it was."""

    alarm_id: int
    cause: str
    flapping: bool = False
    severity: str = "major"
    joined: frozenset[int] = frozenset()
    left: frozenset[int] = frozenset()
    said: tuple[str, Mapping[str, Param]] | None = None


class AlarmEnding(StrEnum):
    """How an alarm closes. Only a recovery is news."""

    RECOVERED = "recovered"
    MERGED = "merged"  # a higher alarm now stands for it
    EXCLUDED = "excluded"  # its cameras are not judged for a time
    UNOBSERVED = "unobserved"  # its cameras were retired, or went elsewhere


@dataclass(frozen=True, slots=True)
class AlarmClosing:
    """Close the alarm."""

    alarm_id: int
    key: AlarmKey
    ending: AlarmEnding = AlarmEnding.RECOVERED


AlarmChange = AlarmOpening | AlarmUpdate | AlarmClosing


def alarm_changes(
    open_alarms: Sequence[OpenAlarm],
    expected: Sequence[ExpectedAlarm],
    now: datetime,
    *,
    excluded: Collection[int] = frozenset(),
    observed: Collection[int] | None = None,
) -> tuple[AlarmChange, ...]:
    """Closings first, then updates and openings. While the parent that may take an alarm over is pending, it stays.

    `excluded`: cameras that are not judged now; `observed`: those that are, or would be (None: all).
    """
    by_key = {alarm.key: alarm for alarm in expected}
    open_keys = {alarm.key for alarm in open_alarms}
    parents = [alarm for alarm in expected if _HEIGHT[alarm.key.level] > 0]
    closings: list[AlarmChange] = []
    rest: list[AlarmChange] = []
    for alarm in open_alarms:
        match = by_key.get(alarm.key)
        if match is None:
            parent = _parent(alarm, parents)
            if parent is None:
                closings.append(AlarmClosing(alarm.alarm_id, alarm.key, _ending(alarm, excluded, observed)))
            elif _takes_over(parent, open_keys) and now - alarm.opened_at < OLD_FAULT:
                closings.append(AlarmClosing(alarm.alarm_id, alarm.key, AlarmEnding.MERGED))
        elif (other := _has_other_cause(alarm, match)) or _differs(alarm, match):
            joined, left = match.members - alarm.members, alarm.members - match.members
            said = (match.detail, match.params) if other else None
            rest.append(
                AlarmUpdate(alarm.alarm_id, match.cause, match.flapping, match.severity.value, joined, left, said)
            )
    rest.extend(AlarmOpening(alarm) for alarm in expected if alarm.key not in open_keys and not alarm.pending)
    return (*closings, *rest)


def _differs(alarm: OpenAlarm, match: ExpectedAlarm) -> bool:
    return (match.members, match.flapping, match.severity) != (alarm.members, alarm.flapping, alarm.severity)


def _ending(alarm: OpenAlarm, excluded: Collection[int], observed: Collection[int] | None) -> AlarmEnding:
    """How an alarm closes that is no longer expected, by what became of its cameras."""
    gone = frozenset() if observed is None else alarm.members.difference(observed)
    if not alarm.members or not alarm.members <= gone.union(excluded):
        return AlarmEnding.RECOVERED
    return AlarmEnding.UNOBSERVED if alarm.members <= gone else AlarmEnding.EXCLUDED


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
            after[number] = OpenAlarm(
                number, new.key, new.cause, new.members, now, new.params, new.flapping, new.severity.value
            )
        elif isinstance(change, AlarmUpdate):
            old = after[change.alarm_id]
            members = (old.members | change.joined) - change.left
            params = change.said[1] if change.said is not None else old.params
            after[change.alarm_id] = replace(
                old,
                cause=change.cause,
                members=members,
                params=params,
                flapping=change.flapping,
                severity=change.severity,
            )
        else:
            del after[change.alarm_id]
    return list(after.values())


def _has_other_cause(alarm: OpenAlarm, now: ExpectedAlarm) -> bool:
    """A verdict that was read from the database has no params: they say nothing then."""
    finer = bool(now.params) and now.params.get("cause") != alarm.params.get("cause")
    return now.cause != alarm.cause or finer


def _parent(alarm: OpenAlarm, parents: Iterable[ExpectedAlarm]) -> ExpectedAlarm | None:
    """The expected alarm of a higher level that stands for this one's cameras, opened or about to be."""
    height, aspect = _HEIGHT[alarm.key.level], alarm.key.aspect
    return next(
        (p for p in parents if p.key.aspect is aspect and _HEIGHT[p.key.level] > height and p.members & alarm.members),
        None,
    )


def _takes_over(parent: ExpectedAlarm, open_keys: set[AlarmKey]) -> bool:
    return not parent.pending or parent.key in open_keys
