"""What a tile reports: from what was wished, what its feed does and what the relay's track shows. Pure."""

from collections.abc import Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from camera_hub.errors import Explanation, Reason
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.feed_states import CODEC_REASONS, FeedReport
from camera_hub.media.interface import PullableStream, Quality, Still, TileStatus, TileWish, is_codec
from camera_hub.relay.messages import FeedPhase, FeedState, TrackPhase, TrackState

NOT_SHOWN_HERE = frozenset(
    {
        Reason.NO_H264,
        Reason.B_FRAMES,
        Reason.CODEC_UNSUPPORTED,
        Reason.SOURCE_UNSUPPORTED,
        Reason.PLAYBACK_UNSUPPORTED,
        Reason.NOT_APPROVED,
        Reason.RETIRED,
        Reason.BUSY,
        "not_found",
        "forbidden",
    }
)
"""Reasons why a camera cannot be shown here, though nothing is wrong with it. BUSY alone passes by itself."""

ASK_AGAIN_SECONDS = 10.0
"""A stream that could not be had is asked for again after so long."""


class HeldFeed(Protocol):
    """A lease on a feed (feeds.feeds.FeedLease)."""

    @property
    def key(self) -> FeedKey: ...
    @property
    def report(self) -> FeedReport | None: ...
    def release(self) -> None: ...


class HeldStills(Protocol):
    """A lease on a feed's key-frame pictures (decoders.stills.StillLease)."""

    @property
    def still(self) -> Still: ...
    def release(self) -> None: ...


@dataclass(frozen=True, slots=True)
class QueuedTile:
    """A tile that waits for room on a relay, since then (monotonic seconds)."""

    relay: int
    since: float


@dataclass(slots=True)
class TileSlot:
    """One tile's slot in a viewer: what was wished, what was chosen for it, what was reported of it."""

    number: int
    serial: int = -1
    camera_id: int | None = None
    quality: Quality = "auto"
    position: datetime | None = None  # None: live
    chosen: PullableStream | None = None
    lease: HeldFeed | None = None
    stills: HeldStills | None = None
    stills_reason: str | None = None  # why the chosen stream is shown as key-frame pictures, if it is
    pictured: int | None = None  # the camera of the feed that the relay was last asked to show
    refusal: Explanation | None = None
    refused_at: datetime | None = None
    retry_at: datetime | None = None  # when a login that was refused, or what was busy, is tried again
    chosen_at: float = 0.0  # monotonic, when a stream was last chosen
    fault_since: datetime | None = None  # the camera's, as health has it
    track: TrackState | None = None  # reported by the relay
    published: TileStatus | None = None  # to the page, last
    tried: set[int] = field(default_factory=set)  # streams that cannot be shown to this viewer
    asked: Quality = "auto"  # what was last asked for; not what was wished where the link does not carry that
    crowded: bool = False  # the machine had no room for the stream that was wished, so the sub stream is shown
    queued: "QueuedTile | None" = None  # the machine had no room for any: it is asked again in turn

    @property
    def key(self) -> FeedKey | None:
        """The feed that is shown."""
        return self.lease.key if self.lease is not None else None

    @property
    def report(self) -> FeedReport | None:
        """What was last reported of that feed."""
        return self.lease.report if self.lease is not None else None

    def wish(self, wish: TileWish) -> None:
        """A new wish: whatever was known of the last camera is forgotten; its feed is held until another is bound."""
        self.serial, self.camera_id, self.quality, self.position = wish.serial, wish.camera, wish.quality, wish.position
        self.chosen = self.refusal = self.refused_at = self.fault_since = self.stills_reason = self.track = None
        self.tried, self.asked = set(), wish.quality
        self.crowded, self.queued = False, None

    def release(self) -> None:
        """End the leases of what is shown."""
        if self.stills is not None:
            self.stills.release()
        if self.lease is not None:
            self.lease.release()
        self.lease = self.stills = None


def unplayable(state: FeedState, codecs: Set[str]) -> str | None:
    """Why a viewer with these codecs cannot be shown the stream as video; None as far as is known."""
    if state.reason is not None and state.reason in CODEC_REASONS:
        return state.reason
    if is_codec(state.codec, codecs):
        return None
    return Reason.NO_H264 if state.codec == "h265" else Reason.CODEC_UNSUPPORTED


def tile_status(viewer: str, tile: TileSlot, report: FeedReport | None, still: Still | None = None) -> TileStatus:
    """What is published of the tile. `report` is of the feed that was chosen for it, `still` its key-frame picture."""
    base = TileStatus(viewer, tile.number, tile.serial, tile.camera_id, "empty")
    if tile.camera_id is None:
        return base
    if tile.refusal is not None:
        said = explained(base, tile.refusal)
        if tile.refusal.reason in NOT_SHOWN_HERE:
            return replace(said, state="refused", retry_at=tile.retry_at)
        return replace(said, state="failed", since=tile.fault_since or tile.refused_at, retry_at=tile.retry_at)
    if tile.chosen is None:
        return replace(base, state="connecting")
    state = report.state if report is not None else None
    base = replace(
        base, stream=tile.chosen.role, codec=(state.codec if state is not None else None) or tile.chosen.codec
    )
    if state is not None:
        base = replace(base, audio=state.audio, audio_codec=state.audio_codec)
    track = tile.track if tile.track is not None and tile.track.serial == tile.serial else None
    if track is not None and track.phase is TrackPhase.REFUSED:
        return replace(base, state="refused", reason=track.reason)
    if report is None or state is None:
        return replace(base, state="connecting")
    if report.failing_since is not None:
        return _failing(base, report, tile)
    if tile.stills_reason is not None:
        if still is not None and still.trouble is not None:
            return replace(base, state="failed", reason=still.trouble, since=tile.fault_since)
        if still is None or not still.number:
            return replace(base, state="waiting")
        return replace(base, state="pictures", reason=tile.stills_reason, picture=still.number, interval=still.interval)
    if state.phase is FeedPhase.LIVE:
        if track is not None and track.phase is TrackPhase.LIVE:
            return replace(base, state="live", first_rtp=track.first_rtp)
        return replace(base, state="waiting")
    if state.phase is FeedPhase.WAITING_KEY:
        if report.reason is not None:
            base = explained(base, Explanation(report.reason, report.detail, report.params))
        return replace(base, state="waiting")
    return replace(base, state="connecting")


def explained(status: TileStatus, why: Explanation) -> TileStatus:
    """The status with what is wrong."""
    return replace(status, reason=why.reason, detail=why.detail, params=why.params)


def _failing(base: TileStatus, report: FeedReport, tile: TileSlot) -> TileStatus:
    """A picture that broke off is waited for at first; only when a retry fails, too, it is a failed tile."""
    broke_off = report.was_live and report.failures == 1 and not report.state.final
    waits = broke_off or report.state.phase is FeedPhase.WAITING_KEY
    return replace(
        base,
        state="waiting" if waits else "failed",
        reason=report.reason,
        detail=report.detail,
        params=report.params,
        since=tile.fault_since or report.failing_since,
        retry_at=report.retry_at,
    )
