"""What feeds report, as messages to the hub: states, tapped key frames, wishes for a synchronization point."""

from camera_hub.clock import Clock
from camera_hub.relay.messages import FeedState, KeyFrame
from camera_hub.relay.process.outbox import HubOutbox

SYNC_INTERVAL = 2.0
"""Seconds between two requests for a synchronization point of one feed."""


class FeedReports:
    """The `FeedObserver` of all feeds of a relay."""

    def __init__(self, outbox: HubOutbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock
        self._sync_requested: dict[str, float] = {}

    def on_feed_state(self, state: FeedState) -> None:
        """Send feed.state."""
        self._outbox.post(state.head("feed.state"))

    def on_key_frame(self, head: KeyFrame, access_unit: bytes) -> None:
        """Send key_frame; the body is Annex B, parameter sets first."""
        self._outbox.post(head.head("key_frame"), access_unit)

    def on_key_frame_wanted(self, feed: str) -> None:
        """Send sync.wanted, at most once per SYNC_INTERVAL: the hub then asks the camera over ONVIF."""
        now = self._clock.monotonic()
        if now - self._sync_requested.get(feed, -SYNC_INTERVAL) >= SYNC_INTERVAL:
            self._sync_requested[feed] = now
            self._outbox.post({"type": "sync.wanted", "feed": feed})

    def forget(self, feed: str) -> None:
        """The feed is closed."""
        self._sync_requested.pop(feed, None)
