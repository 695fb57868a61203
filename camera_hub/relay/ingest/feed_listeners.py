"""Who hears of a feed: those who pass its frames on, and the relay."""

from typing import Protocol

from camera_hub.relay.ingest.frame import Frame
from camera_hub.relay.messages import FeedLearnt, FeedState, KeyFrame


class FeedSubscriber(Protocol):
    """Who passes a feed's frames on: a tile's track, or a player's session."""

    def on_frame(self, frame: Frame) -> None:
        """A new frame. Called in the socket's read callback; must not block or raise."""
        ...

    def on_feed_state(self, state: FeedState) -> None:
        """The feed's state has changed. Must not block or raise."""
        ...


class FeedObserver(Protocol):
    """What a feed reports to the relay."""

    def on_feed_state(self, state: FeedState) -> None:
        """The state has changed."""
        ...

    def on_feed_learnt(self, learnt: FeedLearnt) -> None:
        """A session has found out something about the device."""
        ...

    def on_key_frame(self, head: KeyFrame, access_unit: bytes) -> None:
        """A tapped key frame: Annex B, parameter sets first."""
        ...

    def on_key_frame_wanted(self, feed: str) -> None:
        """Somebody waits for this feed's next key frame. Called repeatedly while they do."""
        ...
