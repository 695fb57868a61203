"""Pure: from the latest observations of one camera to a verdict, with N-of-M confirmation and hysteresis.

Three aspects of a camera are judged separately, because different looks measure them: whether media comes (every look),
its picture (only looks with scores), its clock (only looks that read it). A black picture must not be outvoted by the
looks in between that fetched no picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from camera_hub.errors import DATABASE_REASONS, Kind, Param, Reason


class Aspect(StrEnum):
    """What is judged separately; the weightiest first."""

    REACHABLE = "reachable"  # its address answers; a state only: alarms of what does not are of media
    MEDIA = "media"  # a key frame came
    PICTURE = "picture"
    RECORDING = "recording"
    CLOCK = "clock"
    OSD = "osd"
    LOAD = "load"  # of the hub itself


LOOKED_AT = (Aspect.MEDIA, Aspect.PICTURE, Aspect.CLOCK)
"""What a look of the rounds judges."""

OFFLINE = frozenset({Reason.UNREACHABLE, Reason.PORT_CLOSED, Reason.TIMED_OUT})
"""Its address does not answer: the only reasons that may be a device's or a village's."""

LOGIN = frozenset({Reason.WRONG_PASSWORD, Reason.LOGIN_NEEDED, Reason.LOCKED_OUT, Reason.LOGIN_PAUSED})
PICTURE = frozenset({Reason.BLACK, Reason.FROZEN, Reason.UNDECODABLE, Reason.QUARANTINED})

NO_FAULT = frozenset({Reason.NO_H264, Reason.B_FRAMES})
"""The camera is well; only browsers cannot show this stream."""

NOT_ITS_FAULT = frozenset(
    {
        *DATABASE_REASONS,
        Reason.BUSY,
        Reason.OVERLOADED,
        Reason.RELAY_RESTARTED,
        Reason.HUB_AWAY,
        Reason.NOT_APPROVED,
        Reason.RETIRED,
        Kind.INTERNAL.value,
        Kind.UNAVAILABLE.value,
        "credential_locked",
    }
)
"""The hub could not look: this says nothing about the camera, and nothing is recorded."""


def aspect_of(reason: str) -> Aspect:
    """The aspect that a reason belongs to."""
    if reason in PICTURE:
        return Aspect.PICTURE
    return Aspect.CLOCK if reason == Reason.CLOCK_WRONG else Aspect.MEDIA


@dataclass(frozen=True, slots=True)
class Sample:
    """One observation of one aspect: when (monotonic seconds), and why it was bad (None = good), with its words and
    values."""

    at: float
    reason: str | None
    detail: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is taken to be true. `since`: when the first of the deciding samples was taken (monotonic seconds). `detail`
    and `params` are of the sample that gave the cause."""

    state: str = "unknown"  # unknown | ok | fault
    cause: str | None = None
    since: float | None = None
    detail: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)


UNKNOWN = Verdict()


def judge(samples: Sequence[Sample], before: Verdict, *, bad: int, bad_of: int) -> Verdict:
    """The verdict after the newest of `samples` (oldest first; only the last `bad_of` count).

    ok → fault: `bad` of the last `bad_of` were bad. fault → ok: the last `bad_of` were all good, so that a camera that
    comes and goes stays one fault. unknown → ok: the first good one. While a fault lasts, its cause is kept up to date.
    """
    window = samples[-bad_of:]
    worse = [sample for sample in window if sample.reason is not None]
    if len(worse) >= min(bad, bad_of):
        telling = most_telling(worse)
        now = Verdict("fault", telling.reason, worse[0].at, telling.detail, telling.params)
        if before.state != "fault":
            return now
        return before if is_same_fault(before, now) else replace(now, since=before.since)
    if before.state == "fault":
        if len(window) < bad_of or worse:
            return before
        return Verdict("ok", None, window[0].at)
    if before.state == "unknown" and window and not worse:
        return Verdict("ok", None, window[0].at)
    return before


def contradicts(samples: Sequence[Sample], verdict: Verdict) -> bool:
    """Whether the newest sample contradicts the verdict: then the next look should come soon, to decide it."""
    if not samples:
        return False
    return (samples[-1].reason is None) == (verdict.state == "fault") or (
        verdict.state == "unknown" and samples[-1].reason is not None
    )


def is_same_fault(before: Verdict, now: Verdict) -> bool:
    """Whether nothing new is said by `now`: numbers within a detail change with each look."""
    told = bool(before.detail) or not now.detail
    return told and before.cause == now.cause and before.params.get("cause") == now.params.get("cause")


def most_telling(worse: Sequence[Sample]) -> Sample:
    """Of bad samples the one with the most specific reason, of equals the most recent: only a device that answers can
    refuse a password, so that says more than a time-out before or after it."""
    return max(enumerate(worse), key=lambda item: (_weight(str(item[1].reason)), item[0]))[1]


def _weight(reason: str) -> int:
    if reason == Reason.STALLED:  # what every cut link begins with: anything else explains it
        return 0
    if reason == Reason.TIMED_OUT:
        return 1
    if reason in OFFLINE:
        return 2
    if reason in (Reason.LOCKED_OUT, Reason.LOGIN_PAUSED):  # follow from a wrong password, and hide it
        return 4
    return 5 if reason in LOGIN else 3
