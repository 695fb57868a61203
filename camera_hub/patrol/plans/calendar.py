"""When a plan is due between two instants. Pure.

A plan's times are those of the site's clock. Where summer time skips a time of day, it is due at the next instant that
exists; of one that comes twice, only the first counts. Two due times that fall together this way are one.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from camera_hub.patrol.plans.rules import PlanRules

ONE_DAY = timedelta(days=1)
LONGEST_SEARCH = timedelta(days=400)
"""How far ahead the next due times are searched: any day of the year but 29 February comes within it."""


@dataclass(frozen=True, slots=True)
class DueTime:
    """One due time, in UTC. `special`: within a special period; `night`: by the night variant."""

    at: datetime
    special: bool
    night: bool


class SpecialTimes:
    """The union of special periods, each from an instant until just before another."""

    def __init__(self, spans: Iterable[tuple[datetime, datetime]] = ()) -> None:
        self._begins: list[datetime] = []
        self._ends: list[datetime] = []
        for begin, end in sorted(span for span in spans if span[0] < span[1]):
            if self._ends and begin <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._begins.append(begin)
                self._ends.append(end)

    def __contains__(self, at: datetime) -> bool:
        place = bisect_right(self._begins, at) - 1
        return place >= 0 and at < self._ends[place]

    def covers(self, begin: datetime, end: datetime) -> bool:
        """Whether all from `begin` until just before `end` lies within."""
        place = bisect_right(self._begins, begin) - 1
        return place >= 0 and end <= self._ends[place]

    def touches(self, begin: datetime, end: datetime) -> bool:
        """Whether any of it lies from `begin` until just before `end`."""
        place = bisect_right(self._ends, begin)
        return place < len(self._begins) and self._begins[place] < end


def instant(day: date, minute: int, zone: tzinfo) -> datetime:
    """The instant, in UTC, at which the site's clock shows that minute of that day (or the first one after it)."""
    local = datetime.combine(day, time()) + timedelta(minutes=minute)
    first = local.replace(tzinfo=zone).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == local:
        return first
    # Skipped: between the same time by the offset after the change, and by the one before it, the change happens.
    low = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    high = first
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high.replace(microsecond=0)  # offsets change at a whole second: the one between the two


def due_times(
    rules: PlanRules, special: SpecialTimes, zone: tzinfo, begin: datetime, end: datetime, most: int | None = None
) -> list[DueTime]:
    """The due times from `begin` until just before `end`, in order; of more than `most` the first ones."""
    found: list[DueTime] = []
    for due in each_due(rules, special, zone, begin, end):
        found.append(due)
        if most is not None and len(found) >= most:
            break
    return found


def next_due(
    rules: PlanRules, special: SpecialTimes, zone: tzinfo, after: datetime, count: int = 1
) -> Sequence[DueTime]:
    """The next `count` due times after `after`, fewer when a year has no more."""
    begin = after + timedelta(microseconds=1)
    return due_times(rules, special, zone, begin, begin + LONGEST_SEARCH, count)


def each_due(
    rules: PlanRules, special: SpecialTimes, zone: tzinfo, begin: datetime, end: datetime
) -> Iterator[DueTime]:
    """As `due_times`, one after the other. What is due before the next midnight nothing of a later day can precede."""
    normal = rules.normal.minutes()
    extra = rules.special.minutes() if rules.in_special == "other" and rules.special is not None else ()
    waiting: set[datetime] = set()
    reach = ONE_DAY * 3  # what a day's rule gives ends within it, whatever summer time does
    # A rule of a day reaches into the next one.
    day = begin.astimezone(zone).date() - 2 * ONE_DAY
    if rules.first_day is not None:
        day = max(day, rules.first_day)
    while True:
        midnight = instant(day, 0, zone)
        over = midnight >= end or (rules.last_day is not None and day > rules.last_day)
        limit = end if over else midnight
        for at in sorted(one for one in waiting if one < limit):
            local = at.astimezone(zone)
            yield DueTime(at, at in special, rules.at_night(local.hour * 60 + local.minute))
        if over:
            return
        waiting = {one for one in waiting if one >= limit}
        if rules.in_season(day):
            within = extra if extra and special.touches(midnight, midnight + reach) else ()
            waiting.update(at for at in _of_day(rules, normal, within, special, zone, day) if begin <= at < end)
        day += ONE_DAY


def _of_day(
    rules: PlanRules,
    normal: Sequence[int],
    extra: Sequence[int],
    special: SpecialTimes,
    zone: tzinfo,
    day: date,
) -> Iterator[datetime]:
    if day.weekday() in rules.weekdays:
        for minute in normal:
            at = instant(day, minute, zone)
            if rules.in_special == "same" or at not in special:
                yield at
    for minute in extra:
        at = instant(day, minute, zone)
        if at in special:
            yield at
