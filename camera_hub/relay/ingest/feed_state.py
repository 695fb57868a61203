"""Feed states that follow from failures and measurements: what is final, what a lost link is, what is said. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.relay.ingest.losses import Loss, LossCause
from camera_hub.relay.messages import FeedPhase, FeedState

FINAL = frozenset(
    {
        Reason.CODEC_UNSUPPORTED,
        Reason.SOURCE_UNSUPPORTED,
        Reason.LOGIN_NEEDED,
        Reason.WRONG_PASSWORD,
        Reason.LOCKED_OUT,
        Reason.LOGIN_PAUSED,
        Reason.CLOCK_REFUSED,
        Reason.REDIRECTED,
    }
)
"""Failures that no retry cures: the relay waits until the hub reopens the feed."""

LINK_LOST = frozenset({Reason.UNREACHABLE, Reason.PORT_CLOSED, Reason.TIMED_OUT, Reason.NO_MEDIA, Reason.STALLED})
"""What a lost link looks like: such feeds retry early once their village is reachable again."""

MAX_PARAMS = 8

INTRA_REFRESH = (
    "the camera refreshes its picture bit by bit and sends hardly any key frames; switch off its smart coding (Smart "
    "H.264+, H.265+, Smart Codec, intra refresh), or shorten its I-frame interval"
)
_NOT_SENT = (
    "the camera leaves packets out before it sends them over TCP; it is overloaded: watch fewer of its streams, lower "
    "its bit rate, or restart it"
)
_LOST_BY = {
    LossCause.GAP: "packets are lost on the way; check the network to the camera, or set its transport to TCP",
    LossCause.BROKEN: "the camera's packets do not make whole pictures; restart it, or update its firmware",
    LossCause.RESTART: "the camera begins its stream anew without a key frame; restart it, or update its firmware",
    LossCause.NO_PARAMETER_SETS: "key frames come without parameter sets (SPS, PPS); restart the camera",
    LossCause.NO_KEY_FRAME: "no key frame has come; shorten the camera's I-frame interval",
}

UNEXPECTED = "the relay failed unexpectedly; its log says why"
_B_FRAMES = "the stream has B-frames, which browsers do not show live; switch them off in the camera"


def failed(feed: str, failure: Exception, codec: str | None) -> FeedState:
    """FAILED, with the failure's reason and sentence. `codec`: as far as it is known without the failure."""
    if not isinstance(failure, HubError):
        return FeedState(feed, FeedPhase.FAILED, reason=Reason.BAD_REPLY, detail=UNEXPECTED, codec=codec)
    return FeedState(
        feed,
        FeedPhase.FAILED,
        reason=failure.reason,
        detail=str(failure),
        params=shown_params(failure.params),
        final=failure.reason in FINAL,
        retry_in=failure.params.get("retry_in"),
        codec=failure.params.get("codec") or codec,
    )


def shown_params(params: Mapping[str, Any]) -> dict[str, str | int | float]:
    """The values of an error that pages insert into their words, as far as a state carries them."""
    found: dict[str, str | int | float] = {}
    for name, value in params.items():
        if name == "retry_in" or len(found) >= MAX_PARAMS or isinstance(value, bool):
            continue
        if isinstance(value, str):
            found[name] = value[:64]
        elif isinstance(value, int | float):
            found[name] = value
    return found


def loss_error(loss: Loss, *, ordered: bool) -> HubError:
    """What is said of a feed that loses so much, with the remedy for its cause. `ordered`: it comes over TCP, where no
    packet is lost on the way: what is missing the camera has not sent."""
    at_camera = ordered and loss.cause is LossCause.GAP
    return HubError(
        Kind.TIMEOUT,
        f"{loss.percent} % of the frames are lost: {_NOT_SENT if at_camera else _LOST_BY[loss.cause]}",
        reason=Reason.NO_PARAMETER_SETS if loss.cause is LossCause.NO_PARAMETER_SETS else Reason.LOSSY,
        cause="gap_tcp" if at_camera else loss.cause.value,
        percent=loss.percent,
    )


def with_loss(state: FeedState, error: HubError | None) -> FeedState:
    """The state of a feed that has become lossy (see `loss_error`), or is not any longer (None)."""
    if error is None:
        return replace(state, reason=None, detail="", params={})
    return replace(state, reason=Reason.LOSSY, detail=str(error), params=shown_params(error.params))


def with_wait(state: FeedState, why: HubError) -> FeedState:
    """The state of a feed whose packets come, and no key frame."""
    return replace(state, reason=why.reason, detail=str(why), params=shown_params(why.params))


def with_b_frames(state: FeedState) -> FeedState:
    """The state of a feed that no track can show; its key frames are still handed out."""
    return replace(state, reason=Reason.B_FRAMES, detail=_B_FRAMES)


def with_lateness(state: FeedState, late: bool, seconds: float) -> FeedState:
    """The state of a feed whose frames have become `late` (by `seconds`), or are in time again."""
    detail = (
        f"the picture is {seconds:.0f} s late: the camera's link is too slow for its bit rate; lower the bit rate or "
        "show the sub stream"
    )
    return replace(state, reason=Reason.LATE if late else None, detail=detail if late else "")
