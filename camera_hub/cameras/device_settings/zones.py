"""Time zones as devices write and take them. Pure, apart from the zones that Python brings.

ONVIF asks for a POSIX TZ string (IEEE 1003.1, section 8.3), in which a zone east of Greenwich has a negative sign
(CST-8). Many devices write "GMT+08:00" for the same, and some take nothing else.
"""

import re
from datetime import datetime
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from camera_hub.cameras.onvif.device_clock import NAMED_ZONE, POSIX_ZONE, offsets
from camera_hub.errors import HubError, Kind

_MIDDLE = datetime(2026, 1, 15)
"""A winter's day, for what a zone means without its summer time."""
_EASTWARD = re.compile(r"\(?(UTC|GMT)\s*\+(\d{2})(:?)(\d{2})\)?(?:[\s,)].*)?", re.IGNORECASE)
"""Not by POSIX, where the sign means west: nobody who writes the minutes as well means that."""
MOST_ZONES = 4
"""How many ways of writing a zone are tried at a device that refuses it."""


def posix(zone: str) -> str:
    """A zone of the IANA database or a POSIX string, as a POSIX string. Raises HubError(INVALID, bad_zone)."""
    zone = zone.strip()
    if POSIX_ZONE.fullmatch(zone) and _inhabited(zone):
        return zone
    if NAMED_ZONE.fullmatch(zone) and (found := _footer(zone)):
        return found
    raise HubError(
        Kind.INVALID,
        "this is no time zone; write a name such as Asia/Shanghai, or a POSIX zone such as CST-8",
        reason="bad_zone",
    )


def of_site(zone: ZoneInfo) -> str:
    """The site's zone as a POSIX string."""
    return _footer(zone.key) or _plain(int((zone.utcoffset(_MIDDLE) or _ZERO).total_seconds()))


def meant(zone: str) -> int | None:
    """Local time minus UTC in seconds, without summer time, as a POSIX zone or one of the usual words for China's zone
    says; None where that cannot be known."""
    if match := _EASTWARD.fullmatch(zone.strip()):
        return int(match[2]) * 3600 + int(match[4]) * 60
    found = offsets(zone, _MIDDLE)
    return int(found[0].total_seconds()) if found else None


def summer(zone: str) -> bool:
    """Whether a POSIX zone has a summer time."""
    match = POSIX_ZONE.fullmatch(zone)
    return match is not None and match["dst"] is not None


def ways(zone: str, shown: str) -> list[str]:
    """How a POSIX zone may be written for a device that writes its own as `shown`; the likeliest first."""
    seconds = meant(zone)
    found = [zone]
    if seconds is not None and not summer(zone):
        sign = "-" if seconds >= 0 else "+"
        hours, minutes = divmod(abs(seconds) // 60, 60)
        match = _EASTWARD.fullmatch(shown.strip())
        if match is not None and seconds >= 0:  # in its own style, which is no POSIX
            found.insert(0, f"{match[1].upper()}+{hours:02d}{match[3]}{minutes:02d}")
        name = "CST" if seconds == 8 * 3600 else "UTC"
        short = f":{minutes:02d}" if minutes else ""
        found += [f"{name}{sign}{hours:02d}:{minutes:02d}:00", f"UTC{sign}{hours}{short}"]
    return list(dict.fromkeys(found))[:MOST_ZONES]


_ZERO = datetime.min - datetime.min
_WEST, _EAST = -12 * 3600, 14 * 3600
"""Seconds between which all zones of the world lie."""


def _inhabited(zone: str) -> bool:
    seconds = meant(zone)
    return seconds is not None and _WEST <= seconds <= _EAST and seconds % 900 == 0


def _plain(seconds: int) -> str:
    hours, minutes = divmod(abs(seconds) // 60, 60)
    east, sign = ("+", "-") if seconds >= 0 else ("-", "")
    tail = f":{minutes:02d}" if minutes else ""
    return f"<{east}{hours:02d}{minutes or ''}>{sign}{hours}{tail}"


@lru_cache(maxsize=256)
def _footer(key: str) -> str:
    """The POSIX string that ends a zone's file (RFC 8536, section 3.3); "" where there is none."""
    try:
        content = resources.files("tzdata").joinpath("zoneinfo", *key.split("/")).read_bytes()
    except (OSError, ValueError):
        return ""
    text = content.rpartition(b"\n")[0].rpartition(b"\n")[2].decode("ascii", "replace")
    return text if content.startswith(b"TZif") and POSIX_ZONE.fullmatch(text) else ""


def local_offset(utc: datetime | None, local: datetime | None) -> int | None:
    """Local time minus UTC in seconds, to the quarter of an hour, where a device tells both; None else."""
    if utc is None or local is None:
        return None
    seconds = (local.replace(tzinfo=None) - utc.replace(tzinfo=None)).total_seconds()
    return round(seconds / 900) * 900
