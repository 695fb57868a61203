"""The span of a report: whole days of the site's calendar, and time in whole microseconds. Pure.

Times are integers (microseconds since 1970, UTC) where figures are computed, so that sums are exact and a report that
is asked for again says the same to the last digit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from camera_hub.errors import HubError, Kind

MOST_DAYS = 400
SECOND = 1_000_000
"""Microseconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_DAY = timedelta(days=1)

Stretch = tuple[int, int]
"""From the first until just before the second, in microseconds."""


def ticks(at: datetime) -> int:
    """The time in microseconds."""
    return (at - _EPOCH) // _TICK


def moment(at: int) -> datetime:
    """The time that so many microseconds are."""
    return _EPOCH + at * _TICK


@dataclass(frozen=True, slots=True)
class ReportSpan:
    """From the beginning of `first` to the end of `last`, by the calendar of `zone`, but not beyond `as_of`.

    The figures of a day that has not ended are those of the part of it that has passed.
    """

    first: date
    last: date
    zone: ZoneInfo
    as_of: datetime

    @property
    def begin(self) -> int:
        return _midnight(self.first, self.zone)

    @property
    def end(self) -> int:
        return max(self.begin, min(_midnight(self.last + _DAY, self.zone), ticks(self.as_of)))

    @property
    def over(self) -> bool:
        """Whether nothing more will happen in it."""
        return _midnight(self.last + _DAY, self.zone) <= ticks(self.as_of)

    @property
    def days(self) -> list[date]:
        return [self.first + one * _DAY for one in range((self.last - self.first).days + 1)]

    @property
    def edges(self) -> list[int]:
        """Where each day but the first begins; a day has 23 or 25 hours when summer time begins or ends."""
        return [_midnight(day, self.zone) for day in self.days[1:]]


def report_span(first: date, last: date, zone: ZoneInfo, as_of: datetime) -> ReportSpan:
    """Raises HubError(INVALID) for a span that ends before it begins, that is too long or that has not begun."""
    if last < first:
        raise HubError(Kind.INVALID, "the last day is before the first", reason="report_order")
    if (last - first).days >= MOST_DAYS:
        raise HubError(
            Kind.INVALID, f"a report covers at most {MOST_DAYS} days", reason="report_too_long", days=MOST_DAYS
        )
    span = ReportSpan(first, last, zone, as_of)
    if span.begin >= ticks(as_of):
        raise HubError(Kind.INVALID, "that day has not begun yet", reason="report_not_begun")
    return span


def united(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same time without overlaps, in order; what touches is one."""
    found: list[Stretch] = []
    for begin, end in sorted(stretches):
        if begin >= end:
            continue
        if found and begin <= found[-1][1]:
            if end > found[-1][1]:
                found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found


def common(one: Sequence[Stretch], other: Sequence[Stretch]) -> list[Stretch]:
    """The time that lies in both; each united."""
    found: list[Stretch] = []
    left = right = 0
    while left < len(one) and right < len(other):
        begin, end = max(one[left][0], other[right][0]), min(one[left][1], other[right][1])
        if begin < end:
            found.append((begin, end))
        if one[left][1] < other[right][1]:
            left += 1
        else:
            right += 1
    return found


def without(one: Sequence[Stretch], other: Sequence[Stretch]) -> list[Stretch]:
    """The time of the first that does not lie in the second; each united."""
    found: list[Stretch] = []
    at = 0
    for begin, end in one:
        while at < len(other) and other[at][1] <= begin:
            at += 1
        number = at
        while number < len(other) and other[number][0] < end:
            if begin < other[number][0]:
                found.append((begin, other[number][0]))
            begin = max(begin, other[number][1])
            number += 1
        if begin < end:
            found.append((begin, end))
    return found


def length(stretches: Iterable[Stretch]) -> int:
    """Microseconds in all."""
    return sum(end - begin for begin, end in stretches)


def holds(stretches: Iterable[Stretch], at: int) -> bool:
    """Whether the time lies in one of them."""
    return any(begin <= at < end for begin, end in stretches)


def _midnight(day: date, zone: ZoneInfo) -> int:
    return ticks(datetime.combine(day, time(), tzinfo=zone).astimezone(UTC))
