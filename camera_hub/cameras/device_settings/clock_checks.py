"""What one check of a device's clock says, given the one before. Pure.

A clock that was set and proved right, and is wrong again sooner than a crystal drifts, was not really set: the device
lies. One that says that it follows NTP and is wrong does not hear its server.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from camera_hub.cameras.device_settings.values import ClockState
from camera_hub.errors import Reason

ClockVerdict = Literal["ok", "warn", "wrong", "lies", "unknown"]

CRYSTAL_SECONDS_A_DAY = 10.0
"""How far a clock that is left to itself may drift in a day: 100 ppm and a little."""


@dataclass(frozen=True, slots=True)
class ClockLimits:
    """From how many seconds on a clock is told (`warn`), and counts as wrong (`fail`)."""

    warn_s: float
    fail_s: float


@dataclass(frozen=True, slots=True)
class ClockCheck:
    """The last check. `since`: since when the clock has been off, None while it is right. `reason`: why it is not ok,
    or why it could not be read. `set_at`: when the hub set it last and read back that it was right."""

    checked_at: datetime | None = None
    offset_s: float | None = None
    source: Literal["ntp", "manual"] | None = None
    verdict: ClockVerdict = "unknown"
    since: datetime | None = None
    reason: str | None = None
    set_at: datetime | None = None


def judged(before: ClockCheck | None, state: ClockState, at: datetime, limits: ClockLimits) -> ClockCheck:
    """The check that read `state`."""
    before = before or ClockCheck()
    offset = state.offset_s
    found = replace(before, checked_at=at, offset_s=offset, source=state.source)
    if offset is None:
        return replace(found, verdict="unknown", since=None, reason=Reason.CLOCK_UNREADABLE.value)
    if abs(offset) <= limits.warn_s:
        return replace(found, verdict="ok", since=None, reason=None)
    verdict: ClockVerdict = "wrong" if abs(offset) > limits.fail_s else "warn"
    since = min(before.since or at, at)
    # Set in the future: the hub's own clock was wrong then, and so is what it set.
    if before.set_at is not None and before.set_at <= at:
        days = (at - before.set_at).total_seconds() / 86400
        if abs(offset) > limits.warn_s + CRYSTAL_SECONDS_A_DAY * days:
            return replace(found, verdict="lies", since=since, reason=Reason.CLOCK_LIES.value)
    reason = Reason.CLOCK_NTP_UNHEARD if state.source == "ntp" else Reason.CLOCK_DRIFTS
    return replace(found, verdict=verdict, since=since, reason=reason.value)


def unread(before: ClockCheck | None, reason: str, at: datetime) -> ClockCheck:
    """The check of a device that could not be asked: since when its clock was off is kept, and what was set."""
    before = before or ClockCheck()
    return replace(before, checked_at=at, verdict="unknown", reason=reason)


def was_set(before: ClockCheck | None, state: ClockState, at: datetime) -> ClockCheck:
    """A clock that was set and read back as right, just now."""
    before = before or ClockCheck()
    return replace(
        before,
        checked_at=at,
        offset_s=state.offset_s,
        source=state.source,
        verdict="ok",
        since=None,
        reason=None,
        set_at=at,
    )
