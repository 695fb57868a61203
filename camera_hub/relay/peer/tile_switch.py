"""A viewer's tile: its track, the feed it shows, and the one it is to show next."""

from collections.abc import Callable
from typing import Protocol

from camera_hub.errors import Reason
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.ingest.frame import Frame
from camera_hub.relay.messages import FeedPhase, FeedState, TrackPhase, TrackState
from camera_hub.relay.peer.track import PacketSender, PayloadTypes, Track

HOLD = 3.0
"""Seconds that the picture before goes on while the next one's key frame is waited for."""


class TilePeer(Protocol):
    """What a tile needs of its viewer."""

    name: str
    tell_track: Callable[[TrackState], None]

    def wake(self) -> None:
        """Something may wait to be sent, or for a key frame."""
        ...

    def deliver(self, track: Track, frame: Frame) -> None:
        """A live frame for the track."""
        ...


class _NextFeed:
    """The feed that a tile waits for while the one before goes on."""

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
            self._tile.say(TrackPhase.REFUSED, refusal)  # the hub chooses another stream; the picture goes on
        elif state.phase in (FeedPhase.FAILED, FeedPhase.STOPPED):
            self._tile.switch()


class TileSwitch:
    """A track and what it is wanted to show."""

    def __init__(
        self,
        viewer: TilePeer,
        number: int,
        types: PayloadTypes,
        outlet: PacketSender,
        now: Callable[[], float],
        *,
        ssrcs: tuple[int, int],
    ) -> None:
        self.viewer = viewer
        self.track = Track(number, types, outlet, now, on_live=lambda _: self.say(TrackPhase.LIVE))
        self.track.ssrc, self.track.rtx_ssrc = ssrcs
        self.wanted: str | None = None
        self.feed: Feed | None = None
        self._next: _NextFeed | None = None
        self._now = now
        self._said: tuple[int, TrackPhase, str | None, str | None, int | None] | None = None

    @property
    def waits_for(self) -> Feed | None:
        """The feed whose next key frame would be shown at once."""
        if self._next is not None:
            return self._next.feed
        return self.feed if self.track.waits_for_key else None

    def show(self, name: str | None, feed: Feed | None, serial: int, *, hold: bool = False) -> None:
        """Point the track at a feed; `feed` None with a name: it is not open yet.

        With `hold` a picture that plays goes on until the feed has its key frame, HOLD seconds at most.
        """
        self._forget_next()
        self.wanted, self.track.serial = name, serial
        if name is None:
            self.leave()
            self.track.point(None, serial)
            self.say(TrackPhase.EMPTY)
        elif not hold or self.track.phase is not TrackPhase.LIVE or (feed is not None and feed.gop_cache.frames):
            self._turn_to(feed)
        elif feed is not None and feed is self.feed:
            self.say(TrackPhase.LIVE)  # it plays already, and has no cache that could be replayed
        else:
            self.track.fall_out()  # each frame of the picture before asks how long it is still held
            self._next = _NextFeed(self, self._now() + HOLD)
            self.say(TrackPhase.WAITING)
            if feed is not None:
                self._next.wait_for(feed)
                self.viewer.wake()

    def join(self, feed: Feed) -> None:
        """The wanted feed is there."""
        if self._next is None:
            self._turn_to(feed)
            return
        self._next.wait_for(feed)
        self.viewer.wake()

    def switch(self) -> None:
        """No longer hold the picture before: turn to what is wanted, whatever it has."""
        feed = self._next.feed if self._next is not None else None
        self._forget_next()
        self._turn_to(feed)

    def leave(self) -> None:
        """Take no more of any feed."""
        self._forget_next()
        self.track.fall_out()
        if self.feed is not None:
            self.feed.subscribers.discard(self)
            self.feed = None

    def on_frame(self, frame: Frame) -> None:
        if self._next is not None and self._now() >= self._next.until:
            self.switch()
            return
        self.viewer.deliver(self.track, frame)
        if self._next is None and self.feed is not None:
            self.track.fall_in(self.feed.in_step, self)

    def on_feed_state(self, state: FeedState) -> None:
        if self._next is not None:  # these words are about the picture before
            if state.phase is not FeedPhase.LIVE:
                self.switch()
            return
        if state.phase is FeedPhase.STOPPED:
            self.leave()
            self.track.point(None, self.track.serial)
            self.say(TrackPhase.WAITING)
            return
        if state.phase is FeedPhase.WAITING_KEY:
            self.track.expect_key()
        if (refusal := self.refusal(state)) is not None:
            self.say(TrackPhase.REFUSED, refusal)
        elif state.phase is FeedPhase.FAILED:
            self.track.expect_key()
            self.say(TrackPhase.WAITING, state.reason)
        elif self.track.phase is not TrackPhase.LIVE:
            self.say(TrackPhase.WAITING, self.feed.last_failure if self.feed is not None else None)

    def refusal(self, state: FeedState) -> str | None:
        """Why this browser cannot be shown what the feed sends; None when it can, or nobody knows yet."""
        if state.reason == Reason.B_FRAMES:
            return state.reason
        if state.codec is None or state.codec in self.track.types.by_codec:
            return None
        return Reason.NO_H264 if state.codec == "h265" else state.reason or Reason.CODEC_UNSUPPORTED

    def say(self, phase: TrackPhase, reason: str | None = None) -> None:
        """Tell the hub, once, about the picture that is wanted."""
        first = self.track.first_rtp if phase is TrackPhase.LIVE else None
        said = (self.track.serial, phase, self.wanted, reason, first)
        if said != self._said:
            self._said = said
            self.viewer.tell_track(TrackState(self.viewer.name, self.track.number, *said))

    def _turn_to(self, feed: Feed | None) -> None:
        if self.feed is not None:
            self.feed.subscribers.discard(self)
        self.feed = feed
        self.track.point(feed, self.track.serial)
        if feed is None:
            self.say(TrackPhase.WAITING)
            return
        feed.subscribers.add(self)
        self.on_feed_state(feed.state)
        self.viewer.wake()

    def _forget_next(self) -> None:
        if self._next is not None:
            self._next.leave()
            self._next = None
