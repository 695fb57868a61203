"""What WHEP players hear: the sound of the camera that they are shown, where they take it and may hear it."""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.feed_states import FeedOwner, FeedReport
from camera_hub.media.interface import PullableStream
from camera_hub.media.wall.tile_state import HeldFeed
from camera_hub.media.wall.viewer_session import ViewerSession, ViewerSessions
from camera_hub.media.wall.watchers import Watcher, may_listen
from camera_hub.relay.messages import Audio
from camera_hub.settings import MediaSettings as MediaSettings

SOUND_SECONDS = 3.0
"""So long an answer waits for what a camera's sound is; an opened stream says it at once, others when they open."""


class RelayCommands(Protocol):
    """Where commands for a relay go (relays.link)."""

    def post(self, type_: str, values: dict[str, Any]) -> bool: ...


class FeedKnowledge(Protocol):
    """Whose stream a feed is, and what is reported of it (feeds.feed_states)."""

    def owner(self, key: FeedKey) -> FeedOwner | None: ...
    async def next_report(self, key: FeedKey) -> FeedReport: ...


class FeedLeases(Protocol):
    """Who keeps feeds running (feeds.feeds)."""

    def acquire(self, relay: int, stream: PullableStream, holder: str) -> HeldFeed: ...


class PlayerAudio:
    """Of all viewers without a page, which have nobody to switch sound on or off."""

    def __init__(
        self,
        settings: MediaSettings,
        sessions: ViewerSessions,
        states: FeedKnowledge,
        feeds: FeedLeases,
        relays: Sequence[RelayCommands],
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._states = states
        self._feeds = feeds
        self._relays = relays

    async def codec(self, watcher: Watcher, village_id: int, relay: int, stream: PullableStream) -> str | None:
        """In which codec the stream's sound comes, "" = in none that players take, None = not known in time.

        The stream is pulled for that: whoever asks is about to be shown it.
        """
        if not may_listen(self._settings, watcher, village_id):
            return ""
        lease = self._feeds.acquire(relay, stream, "whep sound")
        try:
            async with asyncio.timeout(SOUND_SECONDS):
                while (report := lease.report) is None or report.state.audio is None:
                    if report is not None and report.failing_since is not None:
                        return None
                    await self._states.next_report(lease.key)  # others may have come when this one is read
        except TimeoutError:
            return None
        finally:
            lease.release()  # it lingers until the player is shown it
        return report.state.audio_codec or "" if report.state.audio is Audio.PLAYS else ""

    def sweep(self) -> None:
        """Follow what players are shown and what they may hear. Each second."""
        for viewer in self._sessions:
            if viewer.page is None and viewer.takes_audio and (feed := self._audible(viewer)) != viewer.heard:
                viewer.heard = feed
                message = {"viewer": viewer.id, "feed": feed.source_id if feed is not None else None, "serial": 1}
                self._relays[viewer.relay].post("audio.listen", message)

    def _audible(self, viewer: ViewerSession) -> FeedKey | None:
        key = next((tile.key for tile in viewer.shown.values() if tile.key is not None), None)
        owner = self._states.owner(key) if key is not None else None
        if owner is None or not may_listen(self._settings, viewer.watcher, owner.village_id):
            return None
        return key
