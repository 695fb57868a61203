"""What a tile says: from what was wished, what the feed does and what the relay's track shows. Pure."""

from collections.abc import Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from camera_hub.errors import Reason
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.interface import PullableStream, Quality, Still, TileStatus, is_codec
from camera_hub.relay.messages import FeedPhase, FeedState, TrackPhase, TrackState

REFUSALS = frozenset(
    {
        Reason.NO_H264,
        Reason.B_FRAMES,
        Reason.CODEC_UNSUPPORTED,
        Reason.NOT_APPROVED,
        Reason.RETIRED,
        Reason.BUSY,
        "not_found",
        "forbidden",
    }
)
"""Reasons why a camera cannot be shown here, though nothing is wrong with it."""

CODEC_REASONS = frozenset({Reason.NO_H264, Reason.B_FRAMES, Reason.CODEC_UNSUPPORTED})
"""Reasons that another stream of the same camera may cure."""


@dataclass(frozen=True, slots=True)
class FeedNews:
    """A feed's last word, and since when it has been failing (until it is live again)."""

    state: FeedState
    failing_since: datetime | None = None
    reason: str | None = None
    detail: str = ""
    failures: int = 0
    retry_at: datetime | None = None  # when a refused login is tried again
    was_live: bool = False


def follow(before: FeedNews | None, state: FeedState, now: datetime) -> FeedNews:
    """The news after `state`. A retry that only connects does not make a failing feed a fresh one."""
    state = _with_known(before.state if before else None, state)
    if state.phase is FeedPhase.LIVE:
        return FeedNews(state, reason=Reason.LATE if state.reason == Reason.LATE else None, was_live=True)
    if state.phase is FeedPhase.STOPPED:
        return FeedNews(state)
    earlier = before or FeedNews(state)
    if state.phase is not FeedPhase.FAILED:
        return replace(earlier, state=state)
    return FeedNews(
        state,
        failing_since=earlier.failing_since or now,
        reason=state.reason or Reason.UNREACHABLE,
        detail=state.detail,
        failures=earlier.failures + 1,
        retry_at=now + timedelta(seconds=state.retry_in) if state.retry_in is not None else None,
        was_live=earlier.was_live,
    )


def _with_known(before: FeedState | None, state: FeedState) -> FeedState:
    """What a stream is (codec, size, delays) is told once per open and stays true in between."""
    if before is None:
        return state
    names = (
        "codec",
        "profile",
        "width",
        "height",
        "signalling_ms",
        "stream_ms",
        "key_frame_ms",
        "audio",
        "audio_codec",
    )
    kept = {name: getattr(before, name) for name in names if getattr(state, name) is None}
    return replace(state, **kept)


@dataclass(slots=True)
class TileSlot:
    """One tile's slot in a viewer: what was wished, what was chosen for it, what was heard of it."""

    number: int
    serial: int = -1
    camera_id: int | None = None
    quality: Quality = "auto"
    chosen: PullableStream | None = None
    key: FeedKey | None = None
    pictured: int | None = None  # the camera of the feed that the relay was last told to show
    refusal: tuple[str, str] | None = None  # reason, detail
    refused_at: datetime | None = None
    retry_at: datetime | None = None  # when a login that was refused is tried again
    asked_at: float = 0.0  # monotonic, when a stream was last asked for
    fault_since: datetime | None = None  # the camera's, as health has it
    stills: str | None = None  # why the chosen stream is shown as key-frame pictures, if it is
    heard: TrackState | None = None
    told: TileStatus | None = None  # to the page, last
    tried: set[int] = field(default_factory=set)  # streams that cannot be shown to this viewer
    asked: Quality = "auto"  # what was last asked for; not what was wished where the link does not bear that

    def wish(self, serial: int, camera_id: int | None, quality: Quality) -> None:
        """A new wish: whatever was known of the last camera is forgotten; its feed is still held by `key`."""
        self.serial, self.camera_id, self.quality = serial, camera_id, quality
        self.chosen = self.refusal = self.refused_at = self.fault_since = self.stills = self.heard = None
        self.tried, self.asked = set(), quality


def plays(state: FeedState, codecs: Set[str]) -> bool:
    """Whether a viewer that takes these codecs can be shown the stream as video, as far as it is known."""
    return state.reason not in CODEC_REASONS and is_codec(state.codec, codecs)


def tile(viewer: str, track: TileSlot, news: FeedNews | None, still: Still | None = None) -> TileStatus:
    """What the page is told. `news` is of the feed that was chosen for the track, `still` its key-frame picture."""
    base = TileStatus(viewer, track.number, track.serial, track.camera_id, "empty")
    if track.camera_id is None:
        return base
    if track.refusal is not None:
        reason, detail = track.refusal
        if reason in REFUSALS:
            return replace(base, state="refused", reason=reason, detail=detail)
        since = track.fault_since or track.refused_at
        return replace(base, state="failed", reason=reason, detail=detail, since=since, retry_at=track.retry_at)
    if track.chosen is None:
        return replace(base, state="connecting")
    state = news.state if news is not None else None
    base = replace(
        base, stream=track.chosen.role, codec=(state.codec if state is not None else None) or track.chosen.codec
    )
    if state is not None:
        base = replace(base, audio=state.audio, audio_codec=state.audio_codec)
    heard = track.heard if track.heard is not None and track.heard.serial == track.serial else None
    if heard is not None and heard.phase is TrackPhase.REFUSED:
        return replace(base, state="refused", reason=heard.reason)
    if news is None or state is None:
        return replace(base, state="connecting")
    if news.failing_since is not None:
        return _failing(base, news, track)
    if track.stills is not None:
        if still is not None and still.trouble is not None:
            return replace(base, state="failed", reason=still.trouble, since=track.fault_since)
        if still is None or not still.number:
            return replace(base, state="waiting")
        return replace(base, state="pictures", reason=track.stills, picture=still.number, interval=still.interval)
    if state.phase is FeedPhase.LIVE:
        if heard is not None and heard.phase is TrackPhase.LIVE:
            return replace(base, state="live", first_rtp=heard.first_rtp)
        return replace(base, state="waiting")
    return replace(base, state="waiting" if state.phase is FeedPhase.WAITING_KEY else "connecting")


def _failing(base: TileStatus, news: FeedNews, track: TileSlot) -> TileStatus:
    """A picture that broke off is waited for at first; only when a retry fails, too, it is a failed tile."""
    broke_off = news.was_live and news.failures == 1 and not news.state.final
    waits = broke_off or news.state.phase is FeedPhase.WAITING_KEY
    return replace(
        base,
        state="waiting" if waits else "failed",
        reason=news.reason,
        detail=news.detail,
        since=track.fault_since or news.failing_since,
        retry_at=news.retry_at,
    )
