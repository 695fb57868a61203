"""What relays report of feeds, and what follows from it: the state is kept, learned from, and passed on to tiles."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from camera_hub.cameras.credentials.login_budget import PAUSES
from camera_hub.errors import Reason
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.feed_logins import FeedLogins
from camera_hub.media.feeds.feed_states import FeedStates
from camera_hub.media.feeds.feeds import Feeds
from camera_hub.media.feeds.key_frames import KeyFrames
from camera_hub.media.feeds.source_feedback import SourceFeedback
from camera_hub.media.feeds.sub_stream_fallback import LateCameras
from camera_hub.relay.messages import FeedLearnt, FeedPhase, FeedState, KeyFrame


class FeedReports:
    """Of all relays. `on_change` is called in the loop after each change of a feed: its tiles follow it."""

    def __init__(
        self,
        feeds: Feeds,
        states: FeedStates,
        key_frames: KeyFrames,
        late: LateCameras,
        logins: FeedLogins,
        sources: SourceFeedback,
        *,
        on_change: Callable[[FeedKey], None],
    ) -> None:
        self._feeds = feeds
        self._states = states
        self._key_frames = key_frames
        self._late = late
        self._logins = logins
        self._sources = sources
        self._on_change = on_change

    def on_feed_state(self, relay: int, state: FeedState) -> None:
        """A feed.state message."""
        key = FeedKey(relay, state.feed)
        owner = self._states.owner(key)
        if owner is None or self._feeds.waits(key):
            return  # a late report of a feed that is closed
        if state.phase is FeedPhase.FAILED and state.reason in PAUSES:
            state = replace(state, retry_in=self._logins.wait(key) or None)
        report = self._states.record(key, state)
        if report.reason == Reason.LATE and owner.role == "main":
            self._late.found(owner.camera_id)
        self._sources.on_phase(owner.stream_id, report)
        if state.phase is FeedPhase.FAILED:
            self._key_frames.fail(key, report.error())
        self._feeds.learn_limit(key, report)
        self._sources.learn(owner.stream_id, report, partial(self._on_change, key))

    def on_key_frame(self, relay: int, frame: KeyFrame, data: bytes) -> None:
        """A key_frame message."""
        key = FeedKey(relay, frame.feed)
        if self._states.owner(key) is not None and not self._feeds.waits(key):
            self._key_frames.on_key_frame(key, frame, data)

    def on_sync_wanted(self, relay: int, feed: str) -> None:
        """A sync.wanted message: a tile waits for a key frame."""
        owner = self._states.owner(FeedKey(relay, feed))
        if owner is not None:
            self._sources.want_key_frame(owner.stream_id)

    def on_feed_learnt(self, relay: int, learnt: FeedLearnt) -> None:
        """A feed.learnt message: a session has found out something about its device."""
        owner = self._states.owner(FeedKey(relay, learnt.feed))
        if owner is not None:
            self._sources.peculiar(owner.device_id, learnt.kind, learnt.value)
