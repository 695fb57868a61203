"""The proof of a camera: pending · proved · failed, and how an attempt changes it. Pure except for writing the row."""

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
        Reason.OVERLOADED,
        Reason.RELAY_RESTARTED,
        Reason.HUB_AWAY,
        Reason.NOT_APPROVED,
        Reason.RETIRED,  # from a feed that was just being closed; a retired camera is not tried at all
        Kind.INTERNAL.value,
        Kind.UNAVAILABLE.value,
    }
)
"""Reasons that say nothing about the camera: it stays pending and is tried again, and they are never stored."""

_FIRST_PAUSE = 10.0
_LONGEST_PAUSE = 600.0


@dataclass(frozen=True, slots=True)
class ProofOutcome:
    """The result of an attempt. `due_at`: when the next one is due, None = none without a request."""

    state: ProofState
    reason: str | None
    attempts: int
    due_at: datetime | None


def after_attempt(reason: str | None, attempts: int, now: datetime) -> ProofOutcome:
    """The state of a pending proof after an attempt. `reason`: why no picture came, None when one did."""
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
    """Have the camera proved (again); the caller publishes ProofRequested after the commit."""
    apply(camera, ProofOutcome("pending", None, 0, now))


def suspend(camera: Camera) -> None:
    """The camera goes out of service: a pending proof waits until it is requested again."""
    camera.proof_due_at = None
