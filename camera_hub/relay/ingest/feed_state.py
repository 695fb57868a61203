"""Feed states that follow from failures and measurements: what is final, what a lost link is, what is said. Pure."""

from dataclasses import replace

from camera_hub.errors import HubError, Reason
from camera_hub.relay.messages import FeedPhase, FeedState

FINAL = frozenset(
    {
        Reason.CODEC_UNSUPPORTED,
        Reason.SOURCE_UNSUPPORTED,
        Reason.LOGIN_NEEDED,
        Reason.WRONG_PASSWORD,
        Reason.LOCKED_OUT,
        Reason.LOGIN_PAUSED,
        Reason.REDIRECTED,
    }
)
"""Failures that no retry cures: the relay waits until the hub reopens the feed."""

LINK_LOST = frozenset({Reason.UNREACHABLE, Reason.PORT_CLOSED, Reason.TIMED_OUT, Reason.NO_MEDIA, Reason.STALLED})
"""What a lost link looks like: such feeds retry early once their village is reachable again."""

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
        final=failure.reason in FINAL,
        retry_in=failure.params.get("retry_in"),
        codec=failure.params.get("codec") or codec,
    )


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
