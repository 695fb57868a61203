"""What is told of a camera that is steered, and why it cannot be."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from camera_hub.cameras.ptz.lock import PtzHolder, PtzLock
from camera_hub.errors import Explanation, HubError, Kind, Reason


@dataclass(frozen=True, slots=True)
class PtzState:
    """What pages show. `until`: of the holder's lock. `error`: what failed last, None once something was done."""

    moving: bool
    holder: PtzHolder | None
    until: datetime | None
    home_at: datetime | None
    suspended_until: datetime | None
    error: Explanation | None


@dataclass(frozen=True, slots=True)
class PresetPlace:
    """Whether a camera that a running tour has sent to a preset is there. `taken`: somebody else steers it, for as long
    as that lasts; `failed`: it is not going there any more. `why`: of these two."""

    state: Literal["reached", "moving", "taken", "failed"]
    why: Explanation | None = None


IDLE = PtzState(False, None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Commanded:
    """What became of a command. `begins`: it is not only another of the same; `lost`: who has lost the lock by it."""

    begins: bool = False
    lost: PtzHolder | None = None


@dataclass(slots=True)
class PtzFigures:
    """Totals since the start, except `sessions` (now)."""

    sessions: int = 0
    commands: int = 0
    deadline_stops: int = 0
    stubborn_stops: int = 0
    failed_stops: int = 0


def to_second(moment: datetime) -> datetime:
    """To the second: it is computed anew each time, and must not count as a change."""
    return (moment + timedelta(milliseconds=500)).replace(microsecond=0)


def unsupported() -> HubError:
    return HubError(Kind.UNSUPPORTED, "this camera cannot move so; steer it another way", reason=Reason.PTZ_UNSUPPORTED)


def no_rights() -> HubError:
    return HubError(
        Kind.UNREACHABLE,
        "the device refuses this user to steer the camera; give the user that right, or correct the login",
        reason=Reason.PTZ_NO_RIGHTS,
    )


def preset_gone() -> HubError:
    """The error for a preset that the device does not keep (any more)."""
    return HubError(
        Kind.NOT_FOUND,
        "the camera has no such preset any more; read its presets again",
        reason=Reason.PTZ_PRESET_GONE,
    )


def locked(lock: PtzLock, now: float, seconds: float) -> HubError:
    """The error for who must wait for the holder of the lock."""
    return HubError(
        Kind.CONFLICT,
        f"“{lock.holder.name}” steers this camera; wait until {seconds:g} s after their last command",
        reason=Reason.PTZ_LOCKED,
        name=lock.holder.name,
        holder=lock.holder.kind,
        seconds=max(1, round(lock.until - now)),
    )


def stop_failed(cause: HubError) -> Explanation:
    """What is told while a camera may go on moving."""
    return Explanation(
        Reason.PTZ_STOP_FAILED,
        f"the camera could not be stopped and may still move; it is tried again ({cause.detail})",
        {"cause": cause.reason},
    )


BY_ITSELF = Explanation(
    Reason.PTZ_MOVES_BY_ITSELF,
    "the camera moves though nobody steers it here: by a tour of its own, or somebody else steers it; switch that off "
    "in the device",
)
