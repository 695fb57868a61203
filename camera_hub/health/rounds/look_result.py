"""Pure: what one look found, in the words of health."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from camera_hub.errors import Reason
from camera_hub.eye.messages import Seen
from camera_hub.health.judging.verdict import AWAY, NO_FAULT, NOT_ITS_FAULT, Aspect, aspect_of

FAULT_BELOW = 60.0
"""Scores are 0–100, below this is a fault (standards 5.4)."""


class SeenByLook(Protocol):
    """What health reads of a look that media made."""

    @property
    def reason(self) -> str | None: ...
    @property
    def detail(self) -> str: ...
    @property
    def signalling_ms(self) -> float | None: ...
    @property
    def stream_ms(self) -> float | None: ...
    @property
    def key_frame_ms(self) -> float | None: ...
    @property
    def seen(self) -> Seen | None: ...
    @property
    def late(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class LookResult:
    """One look at one camera: `at` monotonic seconds, `wall` for the record. Delays in ms.

    `live` and `picture` are why that aspect is bad; `picture_judged` is false when the look could not tell. `asked`:
    the camera itself was asked now (a running feed may not have noticed yet that its link is dead).
    """

    camera_id: int
    at: float
    wall: datetime
    live: str | None = None
    picture: str | None = None
    picture_judged: bool = False
    asked: bool = True
    detail: str = ""
    signalling_ms: float | None = None
    stream_ms: float | None = None
    key_frame_ms: float | None = None
    clock_error_s: float | None = None
    scores: dict[str, float] = field(default_factory=dict)
    signature: str | None = None

    @property
    def silent(self) -> bool:
        """Whether its address gave no answer."""
        return self.live in AWAY

    def reason(self, clock_limit: float) -> str | None:
        """The one reason that stands in the record: the weightiest."""
        wrong_clock = self.clock_error_s is not None and abs(self.clock_error_s) > clock_limit
        return self.live or self.picture or (Reason.CLOCK_WRONG if wrong_clock else None)


def of_sight(
    camera_id: int, sight: SeenByLook, at: float, wall: datetime, clock_error_s: float | None
) -> LookResult | None:
    """The finding of a look; None when the hub could not look, which says nothing about the camera."""
    reason = sight.reason
    if reason in NOT_ITS_FAULT:
        return None
    if reason in NO_FAULT:
        reason = None
    scores: dict[str, float] = {}
    picture: str | None = None
    if sight.seen is not None:
        named = {Reason.BLACK: sight.seen.black, Reason.FROZEN: sight.seen.frozen}
        scores = {name.value: score for name, score in named.items() if score is not None}
        picture = next((name for name, score in named.items() if score is not None and score < FAULT_BELOW), None)
    if reason is None and sight.late:
        reason = Reason.LATE
    if reason is not None and aspect_of(reason) is Aspect.PICTURE:
        reason, picture = None, reason
    return LookResult(
        camera_id,
        at,
        wall,
        live=reason,
        picture=picture,
        # Without an earlier picture nobody can say that it is not frozen.
        picture_judged=picture is not None or "frozen" in scores,
        detail=sight.detail[:255],
        signalling_ms=sight.signalling_ms,
        stream_ms=sight.stream_ms,
        key_frame_ms=sight.key_frame_ms,
        clock_error_s=clock_error_s,
        scores=scores,
        signature=sight.seen.signature if sight.seen is not None else None,
    )
