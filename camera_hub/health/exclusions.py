"""Which cameras are not judged, and when: exclusions as values. Pure.

An exclusion is of a village, a device or a camera, and holds for every camera below it. It is in force once it is
approved, from `since` until just before `until`, or until just before it was ended; one with a weekly window only while
the site's wall clock stands within that window. An hour that summer time takes away lies in no window, one that it
gives twice lies in it twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo

from camera_hub.errors import HubError, Kind

LEVELS = ("camera", "device", "village")
KINDS = ("maintenance", "repair", "removed", "power_cut", "sleep", "other")

Interval = tuple[datetime, datetime]
"""From the first until just before the second; aware, UTC."""

_DAY = timedelta(days=1)
_STEP = timedelta(seconds=1)


class Placed(Protocol):
    """What is asked of a camera: where it belongs."""

    @property
    def camera_id(self) -> int: ...

    @property
    def device_id(self) -> int: ...

    @property
    def village_id(self) -> int: ...


@dataclass(frozen=True, slots=True)
class WeeklyWindow:
    """A window that comes back each week, by the wall clock of `zone`.

    `days`: 0 = Monday … 6 = Sunday, the days on which it begins. `begins`, `ends`: times of day; one that ends at or
    before its beginning ends on the next day.
    """

    days: frozenset[int]
    begins: time
    ends: time
    zone: ZoneInfo

    def holds(self, at: datetime) -> bool:
        """Whether the site's wall clock stands within the window."""
        local = at.astimezone(self.zone)
        clock, day = local.time(), local.weekday()
        if self.begins < self.ends:
            return day in self.days and self.begins <= clock < self.ends
        return (day in self.days and clock >= self.begins) or ((day - 1) % 7 in self.days and clock < self.ends)

    def within(self, begin: datetime, end: datetime) -> list[Interval]:
        """The windows between the two times, cut to them, in order and apart from each other.

        Whether it holds changes only where the wall clock reads one of its two times, at midnight, or jumps.
        """
        if begin >= end:
            return []
        edges = {begin, end}
        day, last = begin.astimezone(self.zone).date() - _DAY, end.astimezone(self.zone).date() + _DAY
        while day <= last:
            edges.update(one for one in self._edges(day) if begin < one < end)
            day += _DAY
        found: list[Interval] = []
        ordered = sorted(edges)
        for left, right in pairwise(ordered):
            if self.holds(left):
                found.append((left, right))
        return merged(found)

    def _edges(self, day: date) -> Iterator[datetime]:
        for clock in (time(), self.begins, self.ends):
            for fold in (0, 1):
                yield datetime.combine(day, clock, tzinfo=self.zone).replace(fold=fold).astimezone(UTC)
        left = datetime.combine(day, time(), tzinfo=self.zone).astimezone(UTC)
        right = datetime.combine(day + _DAY, time(), tzinfo=self.zone).astimezone(UTC)
        if left.astimezone(self.zone).utcoffset() != right.astimezone(self.zone).utcoffset():
            yield _jump(left, right, self.zone)


@dataclass(frozen=True, slots=True)
class ExclusionTerm:
    """An exclusion as figures and judging read it. `subject_id`: of the village, device or camera, by `level`. `until`:
    when it ends or was ended. Only approved ones are ever in force."""

    id: int
    level: str
    subject_id: int
    kind: str
    reason: str
    since: datetime
    until: datetime
    weekly: WeeklyWindow | None = None
    approved: bool = True

    def concerns(self, camera: Placed) -> bool:
        """Whether it holds for the camera: it is the camera's, its device's or its village's."""
        return self.subject_id == _subject(camera, self.level)

    def holds(self, at: datetime) -> bool:
        """Whether it is in force at that time."""
        return self.approved and self.since <= at < self.until and (self.weekly is None or self.weekly.holds(at))

    def within(self, begin: datetime, end: datetime) -> list[Interval]:
        """When it is in force between the two times, in order."""
        begin, end = max(begin, self.since), min(end, self.until)
        if not self.approved or begin >= end:
            return []
        return [(begin, end)] if self.weekly is None else self.weekly.within(begin, end)


def weekly_window(days: Iterable[int], begins: str, ends: str, zone: ZoneInfo) -> WeeklyWindow:
    """A weekly window as it is typed and stored: times of day as "22:00". Raises HubError(INVALID)."""
    chosen = frozenset(days)
    if not chosen or not chosen <= set(range(7)):
        raise HubError(Kind.INVALID, "name at least one day of the week, 0 (Monday) to 6 (Sunday)")
    return WeeklyWindow(chosen, _time_of_day(begins), _time_of_day(ends), zone)


def in_force(exclusions: Iterable[ExclusionTerm], camera: Placed, at: datetime) -> ExclusionTerm | None:
    """The exclusion that keeps the camera from being judged at that time; None: it is judged. Of several the one
    nearest to the camera (camera, device, village), of those the one that ends last."""
    found = [one for one in exclusions if one.concerns(camera) and one.holds(at)]
    return min(found, key=lambda one: (LEVELS.index(one.level), -one.until.timestamp(), one.id), default=None)


def by_subject(exclusions: Iterable[ExclusionTerm]) -> Mapping[tuple[str, int], Sequence[ExclusionTerm]]:
    """Exclusions by level and subject, so that those of one camera are found without reading all."""
    found: dict[tuple[str, int], list[ExclusionTerm]] = defaultdict(list)
    for one in exclusions:
        found[one.level, one.subject_id].append(one)
    return found


def of_camera(exclusions: Mapping[tuple[str, int], Sequence[ExclusionTerm]], camera: Placed) -> list[ExclusionTerm]:
    """Those of `by_subject` that concern the camera."""
    return [one for level in LEVELS for one in exclusions.get((level, _subject(camera, level)), ())]


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time without overlaps, in order; intervals that touch are one."""
    found: list[Interval] = []
    for begin, end in sorted(intervals):
        if begin >= end:
            continue
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def _subject(camera: Placed, level: str) -> int:
    if level == "camera":
        return camera.camera_id
    return camera.device_id if level == "device" else camera.village_id


def _time_of_day(text: str) -> time:
    try:
        found = time.fromisoformat(text)
    except ValueError as error:
        raise HubError(Kind.INVALID, f"{text!r} is no time of day; write it like 22:00") from error
    if found.tzinfo is not None or len(text) != 5:
        raise HubError(Kind.INVALID, f"{text!r} is no time of day; write it like 22:00")
    return found


def _jump(left: datetime, right: datetime, zone: ZoneInfo) -> datetime:
    """The time between the two from which on the zone's offset is another, to the second."""
    before = left.astimezone(zone).utcoffset()
    while right - left > _STEP:
        middle = (left + (right - left) / 2).replace(microsecond=0)
        if middle <= left:
            break
        if middle.astimezone(zone).utcoffset() == before:
            left = middle
        else:
            right = middle
    return right
