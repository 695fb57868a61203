"""The relay's unasked messages to the hub, one method for each: what feeds and viewers know of the hub."""

from camera_hub.clock import Clock
from camera_hub.relay.messages import (
    AudioState,
    FeedLearnt,
    FeedState,
    KeyFrame,
    LinkState,
    SyncWanted,
    TrackState,
    ViewerState,
)
from camera_hub.relay.process.outbox import HubOutbox

SYNC_EVERY = 2.0
"""Seconds between two requests for a synchronization point of one feed."""


class HubNotifier:
    """Implements peer.events.ViewerEvents, and what a feed reports to."""

    def __init__(self, outbox: HubOutbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock
        self._sync_at: dict[str, float] = {}

    def on_feed_state(self, state: FeedState) -> None:
        """A feed's state has changed."""
        self._outbox.post(state.head("feed.state"))

    def on_feed_learnt(self, learnt: FeedLearnt) -> None:
        """A feed's session has found out something about its device."""
        self._outbox.post(learnt.head("feed.learnt"))

    def on_key_frame(self, head: KeyFrame, body: bytes) -> None:
        """A key frame that the hub has asked for; `body` is Annex B."""
        self._outbox.post(head.head("key_frame"), body)

    def on_key_frame_wanted(self, feed: str) -> None:
        """Someone waits for this feed's key frame: the hub may request one from the camera."""
        now = self._clock.monotonic()
        if now - self._sync_at.get(feed, -SYNC_EVERY) >= SYNC_EVERY:
            self._sync_at[feed] = now
            self._outbox.post(SyncWanted(feed).head("sync.wanted"))

    def forget(self, feed: str) -> None:
        """The feed has been closed."""
        self._sync_at.pop(feed, None)

    def on_viewer_state(self, state: ViewerState) -> None:
        """A viewer is connected, or closed."""
        self._outbox.post(state.head("viewer.state"))

    def on_link_state(self, state: LinkState) -> None:
        """The level of a viewer's link has changed."""
        self._outbox.post(state.head("viewer.link"))

    def on_track_state(self, state: TrackState) -> None:
        """What a track shows has changed."""
        self._outbox.post(state.head("track.state"))

    def on_audio_state(self, state: AudioState) -> None:
        """What a viewer hears has changed."""
        self._outbox.post(state.head("audio.state"))
