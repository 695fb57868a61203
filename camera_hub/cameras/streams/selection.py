"""Which stream of a camera is shown: by the requested quality and what the viewer can decode. Pure."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Literal

from camera_hub.errors import HubError, Kind, Reason

Quality = Literal["auto", "main", "sub"]
Role = Literal["main", "sub"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stream that could be pulled. `codec` is what the stream itself said, else what the device claims, else None."""

    stream_id: int
    role: Role
    codec: str | None


def picked(candidates: Sequence[Candidate], quality: Quality, codecs: Set[str]) -> Candidate:
    """The requested stream if the viewer can decode it, else the other; one with an unknown codec is tried.

    A tile (auto) gets the sub stream. Raises HubError: UNSUPPORTED (no_h264 if there is H.265 only, codec_unsupported
    for anything else), UNAVAILABLE if there is no stream at all.
    """
    if not candidates:
        raise HubError(Kind.UNAVAILABLE, "this camera has no stream; describe its device again", reason=Reason.NO_MEDIA)
    wanted = "main" if quality == "main" else "sub"
    ordered = sorted(candidates, key=lambda one: one.role != wanted)
    for one in ordered:
        if one.codec is None or one.codec in codecs:
            return one
    if any(one.codec == "h265" for one in ordered):
        raise HubError(
            Kind.UNSUPPORTED,
            "this camera sends H.265 only, which this player cannot decode; set its sub stream to H.264",
            reason=Reason.NO_H264,
        )
    if any(one.codec == "h264" for one in ordered):  # a player that takes H.265 alone; the camera is as it should be
        raise HubError(
            Kind.UNSUPPORTED,
            "this camera sends H.264 only, which this player does not take; offer H.264 as well",
            reason=Reason.CODEC_UNSUPPORTED,
            codec="h264",
        )
    unnamed = ordered[0].codec == "unknown"  # as the relay learned it (relay.rtsp.video_sdp)
    raise HubError(
        Kind.UNSUPPORTED,
        "this camera does not say which codec its video has; set it to H.264 once more, or update its firmware"
        if unnamed
        else f"this camera sends {ordered[0].codec} only, which is not supported; set its sub stream to H.264",
        reason=Reason.CODEC_UNSUPPORTED,
        codec=ordered[0].codec,
    )
