"""Pure: from the latest observations of one camera to a verdict, with N-of-M confirmation and hysteresis.

Aspects of a camera are judged separately, because different looks measure them: whether its address answers and media
comes (every look), its picture (only looks with scores), its clock (only looks that read it). A black picture must not
be outvoted by the looks in between that fetched no picture.
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
PICTURE = frozenset(
    {
        *(Reason.BLACK, Reason.NO_SIGNAL, Reason.FROZEN, Reason.COVERED, Reason.MOVED, Reason.BLURRED),
        *(Reason.OVEREXPOSED, Reason.UNDEREXPOSED, Reason.LOW_CONTRAST, Reason.COLOUR_CAST),
        *(Reason.NOISY, Reason.STRIPED),
        *(Reason.UNDECODABLE, Reason.QUARANTINED),
    }
)
RECORDING = frozenset({Reason.NO_RECORDING, Reason.RECORDING_GAPS, Reason.RECORDING_SHORT})
CLOCK = frozenset({Reason.CLOCK_WRONG, Reason.CLOCK_DRIFTS, Reason.CLOCK_LIES, Reason.CLOCK_NTP_UNHEARD})
OSD = frozenset({Reason.OSD_NAME_WRONG, Reason.OSD_NAME_MISSING, Reason.OSD_TIME_MISSING, Reason.OSD_CLOCK_WRONG})
LOAD = frozenset({Reason.OVERLOADED, Reason.ROUNDS_LATE, Reason.ROUNDS_STOPPED})

NO_FAULT = frozenset({Reason.NO_H264, Reason.B_FRAMES, Reason.RECORDING_UNKNOWN})
"""The camera is well: only browsers cannot show this stream, or nobody can tell."""

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


_OWN = {
    Aspect.PICTURE: PICTURE,
    Aspect.RECORDING: RECORDING,
    Aspect.CLOCK: CLOCK,
    Aspect.OSD: OSD,
    Aspect.LOAD: LOAD,
}


def aspect_of(reason: str) -> Aspect:
    """The aspect that a reason belongs to; of all that keeps a picture from coming it is media."""
    return next((aspect for aspect, reasons in _OWN.items() if reason in reasons), Aspect.MEDIA)


@dataclass(frozen=True, slots=True)
class Sample:
    """One observation of one aspect: when (monotonic seconds), and why it was bad (None = good), with its words and
    values."""

    at: float
    reason: str | None
    detail: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Whether nothing was wrong."""
        return self.reason is None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is taken to be true. All times in monotonic seconds.

    `since`: when the first of the deciding samples was taken. `detail` and `params` are of the sample that gave the
    cause, `cause_since` is when the first one gave it. `before`: when the last sample before the deciding ones was
    taken, None where there was none. `flapping`: it comes and goes (judging.flapping).
    """

    state: str = "unknown"  # unknown | ok | fault
    cause: str | None = None
    since: float | None = None
    detail: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)
    flapping: bool = False
    cause_since: float | None = field(default=None, compare=False)
    before: float | None = field(default=None, compare=False)


UNKNOWN = Verdict()


def judge(samples: Sequence[Sample], before: Verdict, *, bad: int, bad_of: int) -> Verdict:
    """The verdict after the newest of `samples` (oldest first; only the last `bad_of` count).

    ok → fault: `bad` of the last `bad_of` were bad. fault → ok: the last `bad_of` were all good, so that a camera that
    comes and goes stays one fault. unknown → ok: the first good one. While a fault lasts its cause follows the facts:
    at once where a look says more (`most_telling`), and else when no look of the window gives the old one any more, so
    that two causes by turns are one.
    """
    window = samples[-bad_of:]
    worse = [sample for sample in window if sample.reason is not None]
    if len(worse) >= min(bad, bad_of):
        telling = most_telling(worse)
        now = _of(samples, worse[0], "fault", telling)
        if before.state != "fault":
            return now
        old_stands = any(sample.reason == before.cause for sample in worse)
        if (
            old_stands
            and _weight(str(telling.reason)) <= _weight(before.cause or "")
            and telling.reason != before.cause
        ):
            return before
        if is_same_fault(before, now):
            return before
        since = before.cause_since if before.cause == now.cause else now.cause_since
        return replace(now, since=before.since, before=before.before, cause_since=since)
    if before.state == "fault":
        if len(window) < bad_of or worse:
            return before
        return _of(samples, window[0], "ok")
    if before.state == "unknown" and window and not worse:
        return _of(samples, window[0], "ok")
    return before


def _of(samples: Sequence[Sample], first: Sample, state: str, telling: Sample | None = None) -> Verdict:
    """The verdict that begins with the sample `first`."""
    earlier = max((sample.at for sample in samples if sample.at < first.at), default=None)
    if telling is None:
        return Verdict(state, None, first.at, cause_since=first.at, before=earlier)
    named = min(sample.at for sample in samples if sample.at >= first.at and sample.reason == telling.reason)
    return Verdict(state, telling.reason, first.at, telling.detail, telling.params, cause_since=named, before=earlier)


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
    if reason == Reason.NOT_ACTIVATED:  # why it refuses every login
        return 6
    return 5 if reason in LOGIN else 3
