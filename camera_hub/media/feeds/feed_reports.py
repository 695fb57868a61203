"""What relays report of feeds, and what follows from it: the state is kept, learned from, and passed on to tiles."""

from collections.abc import Callable
from dataclasses import replace

from camera_hub.cameras.credentials.login_budget import REFUSALS
from camera_hub.errors import Reason
from camera_hub.media.background import Background
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.feed_logins import FeedLogins
from camera_hub.media.feeds.feed_states import FeedReport, FeedStates
from camera_hub.media.feeds.feeds import Feeds
from camera_hub.media.feeds.key_frames import KeyFrames
from camera_hub.media.feeds.late_cameras import LateCameras
from camera_hub.media.interface import Sources
from camera_hub.relay.messages import FeedPhase, FeedState, KeyFrame

NOT_THE_ADDRESS = frozenset({Reason.UNREACHABLE, Reason.PORT_CLOSED, Reason.TIMED_OUT, Reason.STALLED})
"""What a device or its link is the cause of; the relay's own tries are enough."""


class FeedReports:
    """Of all relays. `on_change` is called in the loop after each change of a feed: its tiles follow it.

    Eight arguments: a report is where feeds, sources, logins, key frames and tiles meet, and it is passed on to each.
    """

    def __init__(
        self,
        feeds: Feeds,
        states: FeedStates,
        key_frames: KeyFrames,
        late: LateCameras,
        logins: FeedLogins,
        sources: Sources,
        background: Background,
        *,
        on_change: Callable[[FeedKey], None],
    ) -> None:
        self._feeds = feeds
        self._states = states
        self._key_frames = key_frames
        self._late = late
        self._logins = logins
        self._sources = sources
        self._background = background
        self._on_change = on_change
        self._known: dict[int, tuple[str, int | None, int | None]] = {}

    def on_feed_state(self, relay: int, state: FeedState) -> None:
        """A feed.state message."""
        key = FeedKey(relay, state.feed)
        owner = self._states.owner(key)
        if owner is None or self._feeds.waits(key):
            return  # a late report of a feed that is closed
        if state.phase is FeedPhase.FAILED and state.reason in REFUSALS:
            state = replace(state, retry_in=self._logins.wait(key) or None)
        report = self._states.record(key, state)
        if report.reason == Reason.LATE and owner.role == "main":
            self._late.found(owner.camera_id)
        if state.phase is FeedPhase.LIVE:
            self._sources.plays(owner.stream_id)
            self._feeds.on_playing(key)
        elif state.phase is FeedPhase.FAILED:
            if state.reason in NOT_THE_ADDRESS:
                self._sources.rest(owner.stream_id)
            else:
                self._sources.doubt(owner.stream_id)
            self._key_frames.fail(key, report.error())
            if state.reason == Reason.DEVICE_FULL:
                self._feeds.on_device_full(key)
        self._learn(key, owner.stream_id, report)

    def on_key_frame(self, relay: int, frame: KeyFrame, data: bytes) -> None:
        """A key_frame message."""
        key = FeedKey(relay, frame.feed)
        if self._states.owner(key) is not None and not self._feeds.waits(key):
            self._key_frames.on_key_frame(key, frame, data)

    def on_sync_wanted(self, relay: int, feed: str) -> None:
        """A sync.wanted message: the camera is asked for a key frame, once at a time."""
        owner = self._states.owner(FeedKey(relay, feed))
        if owner is not None and not self._background.runs(name := f"sync point of stream {owner.stream_id}"):
            self._background.start(name, self._sources.sync_point(owner.stream_id))

    def _learn(self, key: FeedKey, stream_id: int, report: FeedReport) -> None:
        """Keep what the stream reports of itself before any tile chooses again because of it."""
        codec, size = report.state.codec, (report.state.width, report.state.height)
        if codec is None or self._known.get(stream_id) == (codec, *size):
            self._on_change(key)
            return
        self._known[stream_id] = (codec, *size)

        async def learn() -> None:
            try:
                await self._sources.learned(stream_id, codec, *size)
            finally:
                self._on_change(key)

        self._background.start(f"learn about stream {stream_id} {codec} {size}", learn())
