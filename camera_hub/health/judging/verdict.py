"""Pure: from the last observations of one camera to a verdict, with N-of-M confirmation and hysteresis.

Three aspects of a camera are judged apart, because they are measured by different looks: whether it is live (every
look), its picture (only looks with scores), its clock (only looks that read it). Black must not be voted down by the
signalling looks in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from camera_hub.errors import Reason


class Aspect(StrEnum):
    """What is judged apart; in the order of weight."""

    LIVE = "live"
    PICTURE = "picture"
    CLOCK = "clock"


AWAY = frozenset({Reason.UNREACHABLE, Reason.PORT_CLOSED, Reason.TIMED_OUT})
"""No answer from its address: the only reasons that may be a device's or village's."""

LOGIN = frozenset({Reason.WRONG_PASSWORD, Reason.LOGIN_NEEDED, Reason.LOCKED_OUT})
PICTURE = frozenset({Reason.BLACK, Reason.FROZEN, Reason.UNDECODABLE, Reason.QUARANTINED})

NO_FAULT = frozenset({Reason.NO_H264, Reason.B_FRAMES})
"""The camera is well; only browsers cannot show this stream."""

NOT_ITS_FAULT = frozenset(
    {Reason.BUSY, Reason.RELAY_RESTARTED, Reason.NOT_APPROVED, Reason.RETIRED, "credential_locked"}
)
"""The hub could not look: nothing is known of the camera, nothing is recorded."""


def aspect_of(reason: str) -> Aspect:
    """The aspect that a reason speaks of."""
    if reason in PICTURE:
        return Aspect.PICTURE
    return Aspect.CLOCK if reason == Reason.CLOCK_WRONG else Aspect.LIVE


@dataclass(frozen=True, slots=True)
class Mark:
    """One observation as far as one aspect goes: when (monotonic seconds), and why it was bad (None = good)."""

    at: float
    reason: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is held to be true. `since`: when the first of the deciding observations was made (monotonic seconds)."""

    state: str = "unknown"  # unknown | ok | fault
    cause: str | None = None
    since: float | None = None


UNKNOWN = Verdict()


def judge(marks: Sequence[Mark], before: Verdict, *, bad: int, bad_of: int) -> Verdict:
    """The verdict after the newest of `marks` (oldest first; only the last `bad_of` count).

    ok → fault: `bad` of the last `bad_of` were bad. fault → ok: the last `bad_of` were all good, so that a camera that
    comes and goes stays one fault. unknown → ok: the first good one. While a fault lasts, its cause follows the facts.
    """
    window = marks[-bad_of:]
    worse = [mark for mark in window if mark.reason is not None]
    if len(worse) >= min(bad, bad_of):
        cause = cause_of(worse)
        if before.state == "fault":
            return before if before.cause == cause else Verdict("fault", cause, before.since)
        return Verdict("fault", cause, worse[0].at)
    if before.state == "fault":
        if len(window) < bad_of or worse:
            return before
        return Verdict("ok", None, window[0].at)
    if before.state == "unknown" and window and not worse:
        return Verdict("ok", None, window[0].at)
    return before


def surprising(marks: Sequence[Mark], verdict: Verdict) -> bool:
    """Whether the newest mark speaks against the verdict: then the next look should come soon, to settle it."""
    if not marks:
        return False
    return (marks[-1].reason is None) == (verdict.state == "fault") or (
        verdict.state == "unknown" and marks[-1].reason is not None
    )


def cause_of(worse: Sequence[Mark]) -> str:
    """The most specific reason among bad marks, of equals the most recent: a password is refused only by one that
    answers, so it says more than a time-out before or after it."""
    return str(max(enumerate(worse), key=lambda item: (_weight(str(item[1].reason)), item[0]))[1].reason)


def _weight(reason: str) -> int:
    if reason == Reason.STALLED:  # what every cut link begins with: anything else explains it
        return 0
    if reason == Reason.TIMED_OUT:
        return 1
    if reason in AWAY:
        return 2
    if reason == Reason.LOCKED_OUT:  # follows from a wrong password, and hides it
        return 4
    return 5 if reason in LOGIN else 3
