"""Stretches of time. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

SEAM = timedelta(seconds=5)
"""Files follow each other a moment apart: that is no gap."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `begin` to before `end`, both aware; never empty where it comes out of a function of this module."""

    begin: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        return (self.end - self.begin).total_seconds()


def merged(spans: Iterable[Span], seam: timedelta = SEAM) -> list[Span]:
    """In the order of time, without overlaps; those that follow within `seam` are one. Empty and reversed ones go."""
    found: list[Span] = []
    for one in sorted(one for one in spans if one.begin < one.end):
        if found and one.begin - found[-1].end <= seam:
            if one.end > found[-1].end:
                found[-1] = Span(found[-1].begin, one.end)
        else:
            found.append(one)
    return found


def clipped(spans: Iterable[Span], within: Span) -> list[Span]:
    """What of them lies within."""
    cut = (Span(max(one.begin, within.begin), min(one.end, within.end)) for one in spans)
    return [one for one in cut if one.begin < one.end]


def clipped_ordered(spans: Sequence[Span], within: Span) -> list[Span]:
    """What of them lies within; in the order of time, without overlaps, of which only those are looked at."""
    first = bisect_right(spans, within.begin, key=lambda one: one.end)
    last = bisect_left(spans, within.end, key=lambda one: one.begin)
    return clipped(spans[first:last], within)


def common(spans: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """What lies in both; each in the order of time, without overlaps."""
    found: list[Span] = []
    mine, theirs = 0, 0
    while mine < len(spans) and theirs < len(others):
        begin = max(spans[mine].begin, others[theirs].begin)
        end = min(spans[mine].end, others[theirs].end)
        if begin < end:
            found.append(Span(begin, end))
        if spans[mine].end <= others[theirs].end:
            mine += 1
        else:
            theirs += 1
    return found


def without(spans: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """What of `spans` does not lie in `others`; each in the order of time, without overlaps."""
    found: list[Span] = []
    for one in spans:
        at = one.begin
        for other in others:
            if other.end <= at or other.begin >= one.end:
                continue
            if other.begin > at:
                found.append(Span(at, other.begin))
            at = other.end
        if at < one.end:
            found.append(Span(at, one.end))
    return found


def total(spans: Iterable[Span]) -> float:
    """Seconds."""
    return sum(one.seconds for one in spans)
