"""The proof of a camera: pending · proved · failed, and what an attempt makes of it. Pure but for the row it writes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from camera_hub.errors import DATABASE_REASONS, Kind, Reason
from camera_hub.store.tables import Camera

ProofState = Literal["pending", "proved", "failed"]

HUB_SIDE = frozenset(
    {
        *DATABASE_REASONS,
        Reason.BUSY,
        Reason.RELAY_RESTARTED,
        Reason.HUB_AWAY,
        Reason.NOT_APPROVED,
        Reason.RETIRED,  # said by a feed that was just being closed; a camera that is retired is not tried at all
        Kind.INTERNAL.value,
        Kind.UNAVAILABLE.value,
    }
)
"""Reasons that say nothing of the camera: it stays pending and is tried again, and they are never stored."""

_FIRST_PAUSE = 10.0
_LONGEST_PAUSE = 600.0


@dataclass(frozen=True, slots=True)
class ProofOutcome:
    """What becomes of a proof. `due_at`: when it is tried next, None = not again by itself."""

    state: ProofState
    reason: str | None
    attempts: int
    due_at: datetime | None


def after_attempt(reason: str | None, attempts: int, now: datetime) -> ProofOutcome:
    """What an attempt makes of a pending proof. `reason`: why no picture came, None when one did."""
    if reason is None:
        return ProofOutcome("proved", None, 0, None)
    if reason not in HUB_SIDE:
        return ProofOutcome("failed", reason, 0, None)
    pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(attempts, 16))
    return ProofOutcome("pending", None, attempts + 1, now + timedelta(seconds=pause))


def apply(camera: Camera, outcome: ProofOutcome) -> None:
    """Write the outcome into the row."""
    camera.proof_state, camera.proof_reason = outcome.state, outcome.reason
    camera.proof_attempts, camera.proof_due_at = outcome.attempts, outcome.due_at


def request(camera: Camera, now: datetime) -> None:
    """Have the camera proved (again); publish ProofRequested after the commit."""
    apply(camera, ProofOutcome("pending", None, 0, now))


def suspend(camera: Camera) -> None:
    """The camera goes out of service: a pending proof waits until it is requested again."""
    camera.proof_due_at = None
