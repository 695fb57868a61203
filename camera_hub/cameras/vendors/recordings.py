"""What vendors' interfaces tell of recordings, the same for every vendor: times by the device's own clock and zone.

`DeviceTime` turns those into true ones. Of a clock that is wrong now, what was recorded is taken to have been written
by the same wrong clock.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from camera_hub.cameras.vendors.answers import moment
from camera_hub.errors import HubError, Kind, Reason

MOST_PAGES = 40
"""Answers to one search: a day of one-minute files at 64 an answer has 23."""
_ZONE = re.compile(r"\s*(?:Z|[+-]\d{2}:?\d{2})$", re.IGNORECASE)
_EARLIEST, _LATEST = 1969, 2100
"""Years that a clock can show, be it never so wrong: days are counted back and forth from there."""
MOST_FOUND = 5_000
"""Files of one search."""


@dataclass(frozen=True, slots=True)
class DeviceTime:
    """`error_s`: what its clock shows in the zone of the site, minus the true time."""

    zone: tzinfo
    error_s: float

    def true(self, text: str) -> datetime | None:
        """A time as the device writes it: its local time, whatever "Z" or offset stands behind it."""
        found = moment(local_part(text), self.zone)
        try:
            return found - timedelta(seconds=self.error_s) if found is not None else None
        except OverflowError:
            return None

    def from_shown(self, shown: datetime) -> datetime:
        """The true time at which the device's clock shows that; naive."""
        return shown.replace(tzinfo=self.zone).astimezone(UTC) - timedelta(seconds=self.error_s)

    def shown(self, at: datetime) -> datetime:
        """What the device's clock shows at a true time, naive."""
        return (at + timedelta(seconds=self.error_s)).astimezone(self.zone).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """Of a search: begin and end of each file, in true time. `whole`: whether the device told all of them."""

    files: tuple[tuple[datetime, datetime], ...]
    whole: bool = True


def no_search() -> HubError:
    """The error for a device whose interface knows no search of recordings: it has no disk and no card, or is old."""
    return HubError(
        Kind.UNSUPPORTED,
        "the device does not tell what it has recorded; look at it on the device's own page",
        reason=Reason.RECORDING_UNKNOWN,
    )


def local_part(text: str) -> str:
    """What a device writes as its local time, without a zone behind it."""
    return _ZONE.sub("", text.strip()[:40])


def clock_error(text: str, middle: datetime, zone: tzinfo) -> float:
    """Seconds by which a device's local time is off at the true time `middle`. Raises HubError(CLOCK_UNREADABLE)."""
    found = moment(local_part(text), zone)
    if found is None or not _EARLIEST <= found.year <= _LATEST:
        raise HubError(
            Kind.UNREACHABLE,
            "the device's time cannot be read, so that its recordings belong to no day",
            reason=Reason.CLOCK_UNREADABLE,
        )
    return (found - middle.astimezone(UTC)).total_seconds() + 0.5  # whole seconds
