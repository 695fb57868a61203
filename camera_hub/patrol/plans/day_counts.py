"""How often a plan is due on each of many days. Pure.

Days of one kind have equal counts: the same days before them are in the plan's season and on its weekdays, no clock is
changed, and a special period covers all of the day or nothing. Each kind is computed once: a month of many dense
plans costs little.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, tzinfo
from typing import NamedTuple

from camera_hub.patrol.plans.calendar import ONE_DAY, SpecialTimes, due_times, instant
from camera_hub.patrol.plans.rules import PlanRules


class DueKind(NamedTuple):
    """Which variant a due time is of, and whether it lies in a special period."""

    night: bool
    special: bool


def day_counts(
    rules: PlanRules, special: SpecialTimes, zone: tzinfo, days: Iterable[date], since: datetime
) -> Iterator[tuple[date, Mapping[DueKind, int]]]:
    """What is due from `since` on, for each of the days on which anything is."""
    known: dict[object, Mapping[DueKind, int]] = {}
    for day in days:
        begin, end = instant(day, 0, zone), instant(day + ONE_DAY, 0, zone)
        if end <= since:
            continue
        kind = _kind(rules, special, zone, day) if begin >= since else None
        count = known.get(kind) if kind is not None else None
        if count is None:
            found = due_times(rules, special, zone, max(begin, since), end)
            count = Counter(DueKind(one.night, one.special) for one in found)
            if kind is not None:
                known[kind] = count
        if count:
            yield day, count


def _kind(rules: PlanRules, special: SpecialTimes, zone: tzinfo, day: date) -> object | None:
    """What makes days equal; None: this day is like no other."""
    begin, end = instant(day, 0, zone), instant(day + ONE_DAY, 0, zone)
    offsets = {at.astimezone(zone).utcoffset() for at in (instant(day - 2 * ONE_DAY, 0, zone), begin, end)}
    within = special.covers(begin, end)
    if len(offsets) > 1 or (not within and special.touches(begin, end)):
        return None
    near = [day - 2 * ONE_DAY, day - ONE_DAY, day]  # a rule of a day reaches into the next one
    return within, tuple((rules.in_season(one), one.weekday() in rules.weekdays) for one in near)
