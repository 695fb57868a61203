"""From stretches of time to days of the site's calendar: how much was recorded of what was due. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from camera_hub.cameras.recordings.schedule import RecordingSchedule, day_span
from camera_hub.cameras.recordings.spans import Span, clipped_ordered, common, merged, total, without

SHORTEST_GAP = 60.0
"""Seconds from which on something that lacks is counted as a gap."""
LAG = timedelta(hours=1)
"""Devices list the file that is being written late, or only once it is closed: so long before now nothing lacks yet."""
SETTLED = timedelta(minutes=15)
"""After the end of a day until a device has written it down."""


@dataclass(frozen=True, slots=True)
class RecordingDay:
    """`seconds` recorded of those `due`, and how many `gaps` there are; of a day that has not ended, until `read_at`.

    `seconds` None: that it was recorded is known, how much is not. `due` 0: nothing was to be recorded, or only on
    events.
    """

    date: date
    read_at: datetime
    seconds: int | None
    due: int
    gaps: int = 0

    @property
    def missing(self) -> int:
        """Seconds that lack; 0 where that is not known."""
        return max(0, self.due - self.seconds) if self.seconds is not None else 0


def measured(
    spans: Sequence[Span],
    read: Sequence[Span],
    schedule: RecordingSchedule,
    oldest: datetime,
    now: datetime,
    zone: ZoneInfo,
) -> list[RecordingDay]:
    """The days of which all from `oldest` until `now` was read, the oldest first: before that nothing lacks.

    `spans`: what is recorded; `read`: the stretches about which they tell all. What reaches beyond `now` does not
    count, as what a device says twice does not.
    """
    recorded, known = merged(spans), merged(read)
    if known and now - SETTLED <= known[-1].end < now:
        now = known[-1].end  # it was read a moment ago
    found = []
    for day in days_in(known, zone):
        whole = day_span(day, zone)
        past = Span(max(whole.begin, oldest), min(whole.end, now))
        if past.begin >= past.end or without([past], known):
            continue
        there = clipped_ordered(recorded, past)
        if there and past.end == now and now - there[-1].end <= LAG:
            past = Span(past.begin, there[-1].end)
        due = schedule.due(past, zone)
        gaps = [one for one in without(due, there) if one.seconds >= SHORTEST_GAP]
        # Where recording is due only for a part of the day, what was recorded beside that fills no gap.
        seconds = total(common(there, due)) if due else total(there)
        found.append(RecordingDay(day, now, round(seconds), round(total(due)), len(gaps)))
    return found


def present(
    recorded: Collection[date], absent: Collection[date], schedule: RecordingSchedule, now: datetime, zone: ZoneInfo
) -> list[RecordingDay]:
    """Days of which a device tells only whether something was recorded."""
    found = []
    for day in sorted({*recorded, *absent}):
        whole = day_span(day, zone)
        if whole.begin < now:
            due = schedule.due(Span(whole.begin, min(whole.end, now)), zone)
            found.append(
                RecordingDay(
                    day, now, None if day in recorded else 0, round(total(due)), 0 if day in recorded or not due else 1
                )
            )
    return found


def days_in(spans: Sequence[Span], zone: ZoneInfo) -> list[date]:
    """The days that these touch, in order."""
    found: dict[date, None] = {}
    for one in spans:
        day, last = one.begin.astimezone(zone).date(), (one.end - timedelta(microseconds=1)).astimezone(zone).date()
        while day <= last:
            found.setdefault(day)
            day += timedelta(days=1)
    return sorted(found)


def wanted_days(
    known: Collection[RecordingDay], oldest: date | None, now: datetime, zone: ZoneInfo, back: int
) -> list[date]:
    """The days to ask for, the newest first: today, and those of the last `back` whose end was not read yet."""
    today = now.astimezone(zone).date()
    whole = {one.date for one in known if one.read_at >= day_span(one.date, zone).end + SETTLED}
    days = (today - timedelta(days=number) for number in range(back + 1))
    return [day for day in days if day not in whole and (oldest is None or day >= oldest)]
