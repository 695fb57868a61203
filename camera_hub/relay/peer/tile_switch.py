"""A viewer's tile: its track, the feed that it shows, and the one that it is to show next."""

from collections.abc import Callable
from typing import Protocol

from camera_hub.errors import Reason
from camera_hub.relay.fanout.interface import PacketSender
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.ingest.frame import Frame
from camera_hub.relay.messages import FeedPhase, FeedState, TrackPhase, TrackState
from camera_hub.relay.peer.track import PayloadTypes, Track

HOLD_SECONDS = 3.0
"""Seconds that the previous picture goes on while the next feed's key frame is waited for."""


class TilePeer(Protocol):
    """What a tile needs of its viewer."""

    name: str

    def on_track_state(self, state: TrackState) -> None:
        """What the tile shows has changed."""
        ...

    def on_feed_changed(self) -> None:
        """Something may wait to be sent, or for a key frame."""
        ...

    def deliver(self, track: Track, frame: Frame) -> None:
        """A live frame for the track."""
        ...


class _NextFeed:
    """The feed that a tile waits for while the previous one goes on."""

    def __init__(self, tile: "TileSwitch", until: float) -> None:
        self._tile = tile
        self.until = until
        self.feed: Feed | None = None

    def wait_for(self, feed: Feed) -> None:
        self.feed = feed
        feed.subscribers.add(self)
        self.on_feed_state(feed.state)

    def leave(self) -> None:
        if self.feed is not None:
            self.feed.subscribers.discard(self)

    def on_frame(self, frame: Frame) -> None:
        if frame.key:
            self._tile.switch()

    def on_feed_state(self, state: FeedState) -> None:
        if (refusal := self._tile.refusal(state)) is not None:
            self._tile.report(
                TrackPhase.REFUSED, refusal
            )  # the hub chooses another stream; the previous picture goes on
        elif state.phase in (FeedPhase.FAILED, FeedPhase.STOPPED):
            self._tile.switch()


class TileSwitch:
    """A track and the feed that it is to show."""

    def __init__(
        self,
        viewer: TilePeer,
        number: int,
        types: PayloadTypes,
        sender: PacketSender,
        now: Callable[[], float],
        *,
        ssrcs: tuple[int, int],
    ) -> None:
        self.viewer = viewer
        self.track = Track(number, types, sender, now, on_live=lambda _: self.report(TrackPhase.LIVE))
        self.track.ssrc, self.track.rtx_ssrc = ssrcs
        self.wanted: str | None = None
        self.feed: Feed | None = None
        self._next: _NextFeed | None = None
        self._now = now
        self._reported: tuple[int, TrackPhase, str | None, str | None, int | None] | None = None

    @property
    def waits_for(self) -> Feed | None:
        """The feed whose next key frame would be shown at once."""
        if self._next is not None:
            return self._next.feed
        return self.feed if self.track.waits_for_key else None

    def show(self, name: str | None, feed: Feed | None, serial: int, *, hold: bool = False) -> None:
        """Switch the track to a feed; `feed` None with a name: it is not open yet.

        With `hold` a picture that plays goes on until the feed has its key frame, HOLD_SECONDS at most.
        """
        self._forget_next()
        self.wanted, self.track.serial = name, serial
        if name is None:
            self.leave()
            self.track.show(None, serial)
            self.report(TrackPhase.EMPTY)
        elif not hold or self.track.phase is not TrackPhase.LIVE or (feed is not None and feed.gop_cache.frames):
            self._switch_to(feed)
        elif feed is not None and feed is self.feed:
            self.report(TrackPhase.LIVE)  # it plays already, and has no GOP cache to replay
        else:
            self.track.leave_in_step()  # each frame of the previous picture checks how long it is still held
            self._next = _NextFeed(self, self._now() + HOLD_SECONDS)
            self.report(TrackPhase.WAITING)
            if feed is not None:
                self._next.wait_for(feed)
                self.viewer.on_feed_changed()

    def join(self, feed: Feed) -> None:
        """The wanted feed is there."""
        if self._next is None:
            self._switch_to(feed)
            return
        self._next.wait_for(feed)
        self.viewer.on_feed_changed()

    def switch(self) -> None:
        """Stop holding the previous picture: switch to the wanted feed, whatever it has."""
        feed = self._next.feed if self._next is not None else None
        self._forget_next()
        self._switch_to(feed)

    def leave(self) -> None:
        """Unsubscribe from every feed."""
        self._forget_next()
        self.track.leave_in_step()
        if self.feed is not None:
            self.feed.subscribers.discard(self)
            self.feed = None

    def on_frame(self, frame: Frame) -> None:
        if self._next is not None and self._now() >= self._next.until:
            self.switch()
            return
        self.viewer.deliver(self.track, frame)
        if self._next is None and self.feed is not None:
            self.track.join_in_step(self.feed.in_step, self)

    def on_feed_state(self, state: FeedState) -> None:
        if self._next is not None:  # this is about the previous picture
            if state.phase is not FeedPhase.LIVE:
                self.switch()
            return
        if state.phase is FeedPhase.STOPPED:
            self.leave()
            self.track.show(None, self.track.serial)
            self.report(TrackPhase.WAITING)
            return
        if state.phase is FeedPhase.WAITING_KEY:
            self.track.expect_key()
        if (refusal := self.refusal(state)) is not None:
            self.report(TrackPhase.REFUSED, refusal)
        elif state.phase is FeedPhase.FAILED:
            self.track.expect_key()
            self.report(TrackPhase.WAITING, state.reason)
        elif self.track.phase is not TrackPhase.LIVE:
            self.report(TrackPhase.WAITING, self.feed.last_failure if self.feed is not None else None)

    def refusal(self, state: FeedState) -> str | None:
        """Why this browser cannot show what the feed sends; None when it can, or when that is not known yet."""
        if state.reason == Reason.B_FRAMES:
            return state.reason
        if state.codec is None or state.codec in self.track.types.by_codec:
            return None
        return Reason.NO_H264 if state.codec == "h265" else state.reason or Reason.CODEC_UNSUPPORTED

    def report(self, phase: TrackPhase, reason: str | None = None) -> None:
        """Report the state of the wanted picture, once."""
        first = self.track.first_rtp if phase is TrackPhase.LIVE else None
        state = (self.track.serial, phase, self.wanted, reason, first)
        if state != self._reported:
            self._reported = state
            self.viewer.on_track_state(TrackState(self.viewer.name, self.track.number, *state))

    def _switch_to(self, feed: Feed | None) -> None:
        if self.feed is not None:
            self.feed.subscribers.discard(self)
        self.feed = feed
        self.track.show(feed, self.track.serial)
        if feed is None:
            self.report(TrackPhase.WAITING)
            return
        feed.subscribers.add(self)
        self.on_feed_state(feed.state)
        self.viewer.on_feed_changed()

    def _forget_next(self) -> None:
        if self._next is not None:
            self._next.leave()
            self._next = None
