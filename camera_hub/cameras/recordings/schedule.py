"""When a device is to record, as far as it tells its schedule. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from camera_hub.cameras.recordings.spans import Span, clipped, merged

DAY_SECONDS = 86_400
_NO_SEAM = timedelta()


@dataclass(frozen=True, slots=True)
class RecordingSchedule:
    """Of each weekday, Monday first, the seconds of the day in which recording is continuous. Whatever is recorded on
    events alone is not due: nobody can say beforehand how much that is."""

    weekdays: tuple[tuple[tuple[int, int], ...], ...]

    @property
    def always(self) -> bool:
        return all(one == ((0, DAY_SECONDS),) for one in self.weekdays)

    def due(self, within: Span, zone: ZoneInfo) -> list[Span]:
        """When recording is due, in the order of time."""
        day = within.begin.astimezone(zone).date()
        found: list[Span] = []
        while (whole := day_span(day, zone)).begin < within.end:
            for begin, end in self.weekdays[day.weekday()]:
                found.append(Span(_at(day, begin, zone), _at(day, end, zone)))
            day += timedelta(days=1)
            if whole.end >= within.end:
                break
        return clipped(merged(found, _NO_SEAM), within)


ALWAYS = RecordingSchedule((((0, DAY_SECONDS),),) * 7)


def made(periods: Iterable[tuple[int, int, int]]) -> RecordingSchedule:
    """From (weekday, begin, end) in seconds of the day; what overlaps or lies outside the day is put right."""
    days: Mapping[int, list[tuple[int, int]]] = {weekday: [] for weekday in range(7)}
    for weekday, begin, end in periods:
        begin, end = max(0, begin), min(DAY_SECONDS, end)
        if weekday in days and begin < end:
            days[weekday].append((begin, end))
    return RecordingSchedule(tuple(_joined(days[weekday]) for weekday in range(7)))


def day_span(day: date, zone: ZoneInfo) -> Span:
    """A day of the site's calendar: 23 to 25 hours where there is a summer time."""
    return Span(_at(day, 0, zone), _at(day, DAY_SECONDS, zone))


def _joined(periods: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for begin, end in sorted(periods):
        if found and begin <= found[-1][1] + 1:  # 00:00:00–11:59:59, 12:00:00–23:59:59
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return tuple((begin, DAY_SECONDS if end >= DAY_SECONDS - 1 else end) for begin, end in found)


def _at(day: date, second: int, zone: ZoneInfo) -> datetime:
    if second >= DAY_SECONDS:
        return datetime.combine(day + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
    local = (datetime.combine(day, time()) + timedelta(seconds=second)).replace(tzinfo=zone)
    return local.astimezone(UTC)
