"""Pure: whether a camera that a running tour has sent to a preset is there."""

from dataclasses import dataclass

from camera_hub.cameras.ptz import lock as locks
from camera_hub.cameras.ptz.lock import PtzHolder, PtzLock
from camera_hub.cameras.ptz.state import BY_ITSELF, PresetPlace, locked
from camera_hub.cameras.ptz.watchdog import Motion
from camera_hub.errors import Explanation


@dataclass(frozen=True, slots=True)
class SentTo:
    """The preset to which a camera was told to go last (None: elsewhere, or that failed, with `failure`).
    `taken`: the device has taken the call."""

    token: str | None = None
    taken: bool = False
    failure: Explanation | None = None


def place_of(
    sent: SentTo,
    motion: Motion,
    lock: PtzLock | None,
    *,
    holder: PtzHolder,
    token: str,
    now: float,
    lock_seconds: float,
) -> PresetPlace | None:
    """Where the camera is that `holder` wants at the preset; None: it was not sent there."""
    held = locks.held(lock, now)
    if held is not None and not held.holder.same(holder):
        return PresetPlace("taken", locked(held, now, lock_seconds).explanation)
    if sent.token == token:
        if motion.phase == "by_itself":
            return PresetPlace("failed", BY_ITSELF)
        return PresetPlace("reached" if sent.taken and motion.phase == "still" else "moving")
    return PresetPlace("failed", sent.failure) if sent.failure is not None else None
