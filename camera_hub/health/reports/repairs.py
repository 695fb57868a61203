"""Faults and their repair: how long it took, and whether it was in time. Pure.

A fault is an alarm that stood on its own: one that another alarm took over is part of that. It is repaired when it
closes because what it was about is well again; an alarm that closed because its camera was excluded or retired was not
repaired, and is in no figure of repairs. After exclusions, the time in which its subject was excluded does not count.

A repair is due within the hours that are set for its severity. Each fault is decided once, in one span: when it is
repaired, or when it becomes overdue, whichever comes first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from camera_hub.health.reports.span import SECOND, Stretch, common, length

HOUR = 3600 * SECOND


@dataclass(frozen=True, slots=True)
class Fault:
    """An alarm. `closed` None: open; `repaired`: it closed because what it is about is well again. `excluded`: when its
    subject was not judged, united. `cameras`: those that it stood for."""

    id: int
    level: str
    aspect: str
    cause: str
    severity: str
    village_id: int | None
    device_id: int | None
    camera_id: int | None
    opened: int
    closed: int | None
    repaired: bool
    flapping: bool
    excluded: Sequence[Stretch]
    cameras: frozenset[int]


@dataclass(frozen=True, slots=True)
class JudgedRepair:
    """What a fault comes to by the end of the span. `lasted`: microseconds until it closed, else until the end.
    `verdict`: on_time | late | open (not decided yet) | not_counted. `decided`: whether that fell into the span;
    `repaired`: whether its repair did."""

    lasted: int
    verdict: str
    decided: bool
    repaired: bool


@dataclass(frozen=True, slots=True)
class RepairTally:
    """`seconds`: of all repairs in the span together; `on_time` of those that were `decided` in it."""

    repairs: int = 0
    lasted: int = 0
    on_time: int = 0
    decided: int = 0

    def __add__(self, other: "RepairTally") -> "RepairTally":
        return RepairTally(
            self.repairs + other.repairs,
            self.lasted + other.lasted,
            self.on_time + other.on_time,
            self.decided + other.decided,
        )


def judge_repair(fault: Fault, due_hours: Mapping[str, float], span: Stretch, *, after: bool) -> JudgedRepair:
    """Judge one fault by what was known at the end of the span."""
    begin, end = span
    excluded = fault.excluded if after else ()
    closed = fault.closed if fault.closed is not None and fault.closed < end else None
    until = end if closed is None else closed
    lasted = _counted(fault.opened, until, excluded)
    if closed is not None and not fault.repaired:
        return JudgedRepair(lasted, "not_counted", False, False)
    due = round(due_hours[fault.severity] * HOUR)
    overdue_at = _reached(fault.opened, due, excluded)
    repaired = closed is not None and begin <= closed < end
    if closed is not None and closed <= overdue_at:
        return JudgedRepair(lasted, "on_time", repaired, repaired)
    if overdue_at < end:
        return JudgedRepair(lasted, "late", begin <= overdue_at < end, repaired)
    return JudgedRepair(lasted, "open", False, False)


def tally_repairs(judged: Iterable[JudgedRepair]) -> RepairTally:
    """All of them together."""
    found = [one for one in judged if one.verdict != "not_counted"]
    repaired = [one for one in found if one.repaired]
    decided = [one for one in found if one.decided]
    return RepairTally(
        len(repaired),
        sum(one.lasted for one in repaired),
        sum(one.verdict == "on_time" for one in decided),
        len(decided),
    )


def _counted(begin: int, end: int, excluded: Sequence[Stretch]) -> int:
    return max(0, end - begin) - length(common([(begin, end)], excluded)) if begin < end else 0


def _reached(begin: int, due: int, excluded: Sequence[Stretch]) -> int:
    """The last moment at which not more than so much time has passed from `begin` on, without what is excluded."""
    at, left = begin, due
    for since, until in excluded:
        if until <= at:
            continue
        if since - at > left:
            break
        left -= max(0, since - at)
        at = until
    return at + left
