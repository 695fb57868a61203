"""When the nightly check is due, at the site's time of day. Pure."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from camera_hub.errors import HubError, Kind

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def time_of_day(text: str) -> time:
    """A time of day as "02:30". Raises HubError(INVALID)."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise HubError(Kind.INVALID, f"{text!r} is no time of day; write it like 02:30")
    return time(int(match[1]), int(match[2]))


def last_due(now: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The last time at or before `now` at which the check was due."""
    today = now.astimezone(zone).date()
    return max(one for one in (_on(day, at, zone) for day in (today, today - timedelta(days=1))) if one <= now)


def next_due(now: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The next time after `now`. Once a day whatever summer time does: an hour that a day lacks is the one after it."""
    today = now.astimezone(zone).date()
    days = (today, today + timedelta(days=1), today + timedelta(days=2))
    return min(one for one in (_on(day, at, zone) for day in days) if one > now)


def _on(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
