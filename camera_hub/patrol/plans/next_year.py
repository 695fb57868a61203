"""The same special period a year later. Pure.

A period is taken as what the site's calendar and clock show: a first day, a last day, and the times of day at which it
begins and ends (midnight belongs to the day before). So a day stays a day whatever summer time does.

- It begins on the same day of the calendar; 29 February becomes the 28th. A holiday of the lunar calendar goes with it.
- It ends on the same day of the calendar, over New Year too. Where that day is 29 February, or the holiday is of the
  lunar calendar, or it would last longer than a period may, it has as many days as before.
- Where clocks are changed, a time of day is the one that `calendar.instant` gives. A period of which nothing would be
  left has its length in time.
"""

from datetime import date, datetime, timedelta, tzinfo

from camera_hub.patrol.plans.calendar import ONE_DAY, instant
from camera_hub.patrol.plans.lunar_days import lunar_day

NEAR = 3 * ONE_DAY
"""A period named after a lunar holiday goes with it when it lies so near to it."""


def a_year_later(
    name: str, begins: datetime, ends: datetime, zone: tzinfo, longest: timedelta
) -> tuple[datetime, datetime]:
    """When the period that lasts from `begins` until just before `ends` does so in the next year, in UTC."""
    first, begin_minute = _clock(begins, zone)
    last, end_minute = _clock(ends, zone)
    if end_minute == 0:
        last, end_minute = last - ONE_DAY, 24 * 60
    lunar = _lunar_shift(name, first, last)
    as_long = last - first
    if lunar is not None:
        first += lunar
        last = first + as_long
    else:
        kept = (last.month, last.day) != (2, 29)
        first = _next_year(first)
        last = _next_year(last) if kept else first + as_long
        if _length(first, begin_minute, last, end_minute) > longest:
            last = first + as_long
    begin = instant(first, begin_minute, zone)
    end = instant(last, end_minute, zone)
    return begin, end if end > begin else begin + (ends - begins)


def length(begins: datetime, ends: datetime, zone: tzinfo) -> timedelta:
    """How long a period lasts by the site's calendar: twelve days are twelve days, with a change of the clock too."""
    first, begin_minute = _clock(begins, zone)
    last, end_minute = _clock(ends, zone)
    return _length(first, begin_minute, last, end_minute)


def _length(first: date, begin_minute: int, last: date, end_minute: int) -> timedelta:
    return last - first + timedelta(minutes=end_minute - begin_minute)


def _clock(at: datetime, zone: tzinfo) -> tuple[date, int]:
    """The day and the minute that the site's clock shows; the first instant of a day is its minute 0, also where
    summer time skips midnight."""
    local = at.astimezone(zone)
    if at == instant(local.date(), 0, zone):
        return local.date(), 0
    return local.date(), local.hour * 60 + local.minute


def _next_year(day: date) -> date:
    return day.replace(year=day.year + 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def _lunar_shift(name: str, first: date, last: date) -> timedelta | None:
    """The days by which the lunar holiday moves that the period is named after and lies at."""
    now, then = lunar_day(name, first.year), lunar_day(name, first.year + 1)
    if now is None or then is None or not first - NEAR <= now <= last + NEAR:
        return None
    return then - now
