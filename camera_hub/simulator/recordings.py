"""What a device has recorded: computed from the time and from its faults, so that it is there from the start.

A device labels what it records by its own clock: of one whose clock is wrong all times are.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from camera_hub.simulator.faults import Fault

FILE = timedelta(hours=1)
EVENT = timedelta(minutes=10)
"""How much of each hour is recorded on events."""
_GAP_BEGINS = timedelta(hours=1)
"""Of each day in UTC: 9 in the morning in China."""

Stretch = tuple[datetime, datetime]


def stretches(faults: Mapping[Fault, float], kept_days: float, now: datetime, within: Stretch) -> list[Stretch]:
    """What is recorded within a stretch of time, in order. `now` and all else by one clock."""
    begin, end = oldest(faults, kept_days, now), latest(faults, now)
    if begin is None:
        return []
    begin, end = max(begin, within[0]), min(end, within[1])
    if begin >= end:
        return []
    if Fault.RECORDING_ON_EVENTS in faults:
        return _cut([(hour, hour + EVENT) for hour in _hours(begin, end)], (begin, end))
    gap = timedelta(hours=faults.get(Fault.RECORDING_GAPS, 0.0))
    if not gap:
        return [(begin, end)]
    found = []
    day = begin.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    while day < end:
        following = day + timedelta(days=1)
        found.append((day + _GAP_BEGINS + gap, following + _GAP_BEGINS))
        day = following
    return _cut(found, (begin, end))


def files(faults: Mapping[Fault, float], kept_days: float, now: datetime, within: Stretch) -> list[Stretch]:
    """The files that touch a stretch of time: each begins with an hour, or where recording does."""
    hours = (within[0].replace(minute=0, second=0, microsecond=0), within[1] + FILE)
    return [
        (begin, end)
        for stretch in stretches(faults, kept_days, now, hours)
        for begin, end in _cut([(hour, hour + FILE) for hour in _hours(*stretch)], stretch)
        if begin < within[1] and end > within[0]
    ]


def oldest(faults: Mapping[Fault, float], kept_days: float, now: datetime) -> datetime | None:
    """The beginning of the oldest recording, None where there is none."""
    if not kept_days or faults.get(Fault.NO_RECORDING) == 0:
        return None
    kept = min(kept_days, faults.get(Fault.RECORDING_SHORT, kept_days))
    return (now - timedelta(days=kept)).replace(minute=0, second=0, microsecond=0)


def latest(faults: Mapping[Fault, float], now: datetime) -> datetime:
    """The end of the newest recording, if there is any."""
    stopped = [faults[one] for one in (Fault.NO_RECORDING, Fault.DISK_FAILED) if one in faults]
    return now - timedelta(hours=max(stopped, default=0.0))


def is_running(faults: Mapping[Fault, float]) -> bool:
    """Whether it records just now."""
    return faults.keys().isdisjoint((Fault.NO_RECORDING, Fault.DISK_FAILED))


def _hours(begin: datetime, end: datetime) -> list[datetime]:
    hour = begin.replace(minute=0, second=0, microsecond=0)
    return [hour + FILE * number for number in range(-(-(end - hour) // FILE))]


def _cut(found: list[Stretch], within: Stretch) -> list[Stretch]:
    cut = ((max(begin, within[0]), min(end, within[1])) for begin, end in found)
    return [(begin, end) for begin, end in cut if begin < end]
