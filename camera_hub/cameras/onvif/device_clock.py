"""What time it is at a device, from what it says about its clock. Pure.

ONVIF asks for UTCDateTime; some devices give only their local time and a time zone, which ought to be a POSIX TZ string
(IEEE 1003.1, section 8.3) and is often something else, or has the wrong sign. Of several readings the one nearest to
the hub's clock is taken, since a device whose clock is right is far more likely than one that is wrong by exactly the
difference between two readings.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

NEAR_SECONDS = 15 * 60.0
_SLACK = 120.0
_FURTHEST = 14.5 * 3600

_NAME = r"(?:<[A-Za-z0-9+\-]{1,16}>|[A-Za-z]{3,32})"
_TIME = r"[+-]?\d{1,3}(?::\d{1,2}){0,2}"
_RULE = rf"(?:J\d{{1,3}}|\d{{1,3}}|M\d{{1,2}}\.\d\.\d)(?:/{_TIME})?"
POSIX_ZONE = re.compile(
    rf"(?P<name>{_NAME})(?P<offset>{_TIME})(?:(?P<dst>{_NAME})(?P<dst_offset>{_TIME})?)?"
    rf"(?:,(?P<begin>{_RULE}),(?P<end>{_RULE}))?"
)
NAMED_ZONE = re.compile(r"[A-Za-z]+(/[A-Za-z0-9_+\-]+){1,2}")
"""A name of the IANA database, as "Asia/Shanghai"."""
_PLAIN = re.compile(
    r"\(?(?:UTC|GMT|Z)?\s*(?P<sign>[+-])?\s*(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?\)?(?:[\s,)].*)?", re.I
)
_WORDS = {
    "utc": 0.0,
    "gmt": 0.0,
    "z": 0.0,
    "prc": 8.0,
    "cst": 8.0,
    "china standard time": 8.0,
    "beijing": 8.0,
    "beijing time": 8.0,
    "北京时间": 8.0,
    "taipei standard time": 8.0,
    "singapore standard time": 8.0,
    "tokyo standard time": 9.0,
    "india standard time": 5.5,
}
_DEFAULT_RULES = ("M3.2.0", "M11.1.0")
"""For a zone that names summer time without rules (IEEE 1003.1 leaves it open; what glibc takes)."""


@dataclass(frozen=True, slots=True)
class DeviceClock:
    """What a device answers. `utc`, `local`: as it writes them, None where missing or impossible. `zone`: its TZ."""

    utc: datetime | None = None
    local: datetime | None = None
    zone: str = ""
    summer: bool = False


def device_time(said: DeviceClock, now: datetime) -> datetime | None:
    """The device's time in UTC, None where it cannot be known. `now` is the hub's time."""
    if said.utc is not None:
        return said.utc.replace(tzinfo=UTC)
    if said.local is None:
        return None
    if not 1970 <= said.local.year <= 9998:
        return None
    readings = [(said.local - offset).replace(tzinfo=UTC) for offset in offsets(said.zone, said.local, said.summer)]
    for one in readings:
        if abs((one - now).total_seconds()) <= NEAR_SECONDS:
            return one
    return readings[0] if readings else None


def offsets(zone: str, local: datetime, summer: bool = False) -> list[timedelta]:
    """Local time minus UTC, as a zone may be meant, the likeliest first; empty where it cannot be understood."""
    zone = zone.strip().strip("\"'")[:80]
    zone = zone.removeprefix("TZ=").removeprefix(":")
    found: list[timedelta] = []
    if match := POSIX_ZONE.fullmatch(zone.replace(" ", "")):
        found += _posix(match, local)
        # "GMT+08:00" and "UTC+8": most who write that mean east, POSIX means west.
        found.append(-found[0])
    if match := _PLAIN.fullmatch(zone):  # words behind it ("GMT+08:00 Beijing") look like a zone of summer time
        east = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or 0))
        found += [east, -east] if match["sign"] != "-" else [-east, east]
    if zone.lower() in _WORDS:
        found.append(timedelta(hours=_WORDS[zone.lower()]))
    if not found and (named := _named(zone, local)) is not None:
        found.append(named)
    if summer:
        found += [one + timedelta(hours=1) for one in found]
    return [one for one in dict.fromkeys(found) if abs(one) <= timedelta(hours=26)]


def off_by_zone(offset_s: float | None) -> bool:
    """Whether a clock error is about a whole number of half hours: a time zone that is missing, or counted twice."""
    if offset_s is None or abs(offset_s) > _FURTHEST:
        return False
    steps = round(offset_s / 1800)
    return steps != 0 and abs(offset_s - steps * 1800) <= _SLACK


def _posix(match: re.Match[str], local: datetime) -> list[timedelta]:
    standard = -_span(match["offset"])
    if match["dst"] is None:
        return [standard]
    summer = -_span(match["dst_offset"]) if match["dst_offset"] else standard + timedelta(hours=1)
    begin, end = match["begin"] or _DEFAULT_RULES[0], match["end"] or _DEFAULT_RULES[1]
    try:
        first, last = _moment(begin, local.year), _moment(end, local.year)
    except (ValueError, OverflowError):
        return [standard, summer]
    inside = first <= local < last if first <= last else not last <= local < first
    return [summer, standard] if inside else [standard, summer]


def _moment(rule: str, year: int) -> datetime:
    """When a rule applies in that year, in local time. Raises ValueError for an impossible one."""
    day, _, at = rule.partition("/")
    if day.startswith("M"):
        month, week, weekday = (int(part) for part in day[1:].split("."))
        if not (1 <= month <= 12 and 1 <= week <= 5 and 0 <= weekday <= 6):
            raise ValueError(rule)
        first = date(year, month, 1)
        place = first + timedelta(days=(weekday - first.isoweekday()) % 7 + 7 * (week - 1))
        if place.month != month:
            place -= timedelta(days=7)
    elif day.startswith("J"):  # 1–365, 29 February is never counted
        number = int(day[1:])
        if not 1 <= number <= 365:
            raise ValueError(rule)
        leap = date(year, 12, 31).timetuple().tm_yday == 366
        place = date(year, 1, 1) + timedelta(days=number - 1 + (leap and number >= 60))
    else:  # 0–365
        place = date(year, 1, 1) + timedelta(days=int(day))
    return datetime.combine(place, time()) + (_span(at) if at else timedelta(hours=2))


def _span(text: str) -> timedelta:
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds = (*(int(part) for part in text.lstrip("+-").split(":")), 0, 0)[:3]
    return sign * timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _named(zone: str, local: datetime) -> timedelta | None:
    """What a name of the IANA database means."""
    if not NAMED_ZONE.fullmatch(zone):
        return None
    try:
        return local.replace(tzinfo=ZoneInfo(zone)).utcoffset()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def moment(parts: Iterable[object]) -> datetime | None:
    """Year, month, day, hour, minute, second as a device writes them; None when that is no time."""
    try:
        year, month, day, hour, minute, second = (int(str(part)) for part in parts)
        # A leap second, and 24:00 as the end of a day, are times that people write.
        extra = timedelta(days=1) if (hour, minute) == (24, 0) else timedelta()
        return datetime(year, month, day, hour % 24, minute, min(second, 59)) + extra
    except (TypeError, ValueError, OverflowError):
        return None
