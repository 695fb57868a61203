"""Pure: what one look found, in the words of health."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from camera_hub.errors import Explanation, Param, Reason
from camera_hub.eye.messages import Seen, picture_fault
from camera_hub.health.judging.verdict import NO_FAULT, NOT_ITS_FAULT, OFFLINE, Aspect, aspect_of

GOOD = "ok"
"""An aspect that was judged and found well (store.tables.Observation)."""


class MeasuredStream(Protocol):
    """What a stream really delivered, as far as it could be measured: since the look before, or for this look."""

    @property
    def fps(self) -> float | None: ...
    @property
    def bitrate_kbit(self) -> float | None: ...
    @property
    def gop_seconds(self) -> float | None: ...
    @property
    def gaps(self) -> int | None: ...
    @property
    def received_bytes(self) -> int | None: ...


class CameraLook(Protocol):
    """What health reads of a look that media took."""

    @property
    def reason(self) -> str | None: ...
    @property
    def detail(self) -> str: ...
    @property
    def params(self) -> Mapping[str, Param]: ...
    @property
    def signalling_ms(self) -> float | None: ...
    @property
    def stream_ms(self) -> float | None: ...
    @property
    def key_frame_ms(self) -> float | None: ...
    @property
    def seen(self) -> Seen | None: ...
    @property
    def weakness(self) -> Explanation | None: ...
    @property
    def late(self) -> bool: ...
    @property
    def figures(self) -> MeasuredStream: ...


@dataclass(frozen=True, slots=True)
class LookResult:
    """One look at one camera: `at` monotonic seconds, `wall` for the record. Delays in ms.

    `media` and `picture` are why that aspect is bad; an aspect that the look could not judge says nothing. `asked`: the
    camera itself was asked now (a running feed may not have noticed yet that its link is dead). `fetched`: a key frame
    was asked for, so that this is a look; else it is a signalling beat, or what the running feed reports.

    `signalling_ms`: from dialling to the device's answer to OPTIONS, where it was asked that; else to PLAY.
    """

    camera_id: int
    at: float
    wall: datetime
    media: str | None = None
    picture: str | None = None
    media_judged: bool = True
    picture_judged: bool = False
    asked: bool = True
    fetched: bool = False
    detail: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)
    signalling_ms: float | None = None
    stream_ms: float | None = None
    key_frame_ms: float | None = None
    clock_error_s: float | None = None
    scores: dict[str, float] = field(default_factory=dict)
    memory: str | None = None
    profile: str | None = None
    fps: float | None = None
    bitrate_kbit: float | None = None
    gop_seconds: float | None = None
    gaps: int | None = None
    received_bytes: int | None = None

    @property
    def answered(self) -> bool:
        """Whether its device was asked and answered."""
        return self.asked and not self.silent

    @property
    def reachable(self) -> str | None:
        """None = not judged, "ok" = its address answers, else why not."""
        if not self.asked:
            return None
        return self.media if self.silent else GOOD

    @property
    def silent(self) -> bool:
        """Whether its address did not answer."""
        return self.media in OFFLINE

    def aspects(self, clock_limit: float) -> tuple[str | None, str | None, str | None]:
        """(media, picture, clock): None = not judged by this look, "ok" = good, else the reason."""
        clock = None
        if self.clock_error_s is not None:
            clock = Reason.CLOCK_WRONG.value if abs(self.clock_error_s) > clock_limit else GOOD
        media = (self.media or GOOD) if self.media_judged else None
        return media, (self.picture or GOOD) if self.picture_judged else None, clock

    def reason(self, clock_limit: float) -> str | None:
        """The one reason of the look in the record: the weightiest."""
        return next((found for found in self.aspects(clock_limit) if found not in (None, GOOD)), None)


def from_look(
    camera_id: int, look: CameraLook, at: float, wall: datetime, clock_error_s: float | None
) -> LookResult | None:
    """The result of a look; None when the hub could not look, which says nothing about the camera."""
    reason, detail, params = look.reason, look.detail, look.params
    if reason in NOT_ITS_FAULT:
        return None
    if reason in NO_FAULT:
        reason = None
    scores: dict[str, float] = {}
    picture: str | None = None
    if look.seen is not None:
        scores, picture = look.seen.scores, picture_fault(look.seen.scores)
    if reason is None and look.weakness is not None:
        reason, detail, params = look.weakness.reason, look.weakness.detail, look.weakness.params
    elif reason is None and look.late:
        reason = Reason.LATE
    if reason is not None and aspect_of(reason) is Aspect.PICTURE:
        reason, picture = None, reason
    return LookResult(
        camera_id,
        at,
        wall,
        media=reason,
        picture=picture,
        fetched=True,
        # Without an earlier picture nobody can say that it is not frozen.
        picture_judged=picture is not None or Reason.FROZEN.value in scores,
        detail=detail[:255],
        params=params,
        signalling_ms=look.signalling_ms,
        stream_ms=look.stream_ms,
        key_frame_ms=look.key_frame_ms,
        clock_error_s=clock_error_s,
        scores=scores,
        memory=look.seen.memory if look.seen is not None else None,
        profile=look.seen.profile if look.seen is not None else None,
        fps=look.figures.fps,
        bitrate_kbit=look.figures.bitrate_kbit,
        gop_seconds=look.figures.gop_seconds,
        gaps=look.figures.gaps,
        received_bytes=look.figures.received_bytes,
    )


def quarantined(camera_id: int, at: float, wall: datetime) -> LookResult:
    """What a quarantine says of a camera: its picture is a fault. Nothing was asked, so nothing else is judged."""
    return LookResult(
        camera_id,
        at,
        wall,
        picture=Reason.QUARANTINED,
        media_judged=False,
        picture_judged=True,
        asked=False,
        detail="its pictures ended the decoder again and again",
    )
