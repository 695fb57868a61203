"""What WHEP players hear: the sound of the camera that they are shown, where they take it and may hear it."""

from collections.abc import Sequence
from typing import Any, Protocol

from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.feed_states import FeedOwner
from camera_hub.media.wall.viewer_session import ViewerSession, ViewerSessions
from camera_hub.media.wall.watchers import may_listen
from camera_hub.settings import MediaSettings as MediaSettings


class RelayCommands(Protocol):
    """Where commands for a relay go (relays.link)."""

    def post(self, type_: str, values: dict[str, Any]) -> bool: ...


class Owners(Protocol):
    """Whose stream a feed is (feeds.feed_states)."""

    def owner(self, key: FeedKey) -> FeedOwner | None: ...


class PlayerAudio:
    """Of all viewers without a page, which have nobody to switch sound on or off."""

    def __init__(
        self, settings: MediaSettings, sessions: ViewerSessions, owners: Owners, relays: Sequence[RelayCommands]
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._owners = owners
        self._relays = relays

    def sweep(self) -> None:
        """Follow what players are shown and what they may hear. Each second."""
        for viewer in self._sessions:
            if viewer.page is None and viewer.takes_audio and (feed := self._audible(viewer)) != viewer.heard:
                viewer.heard = feed
                message = {"viewer": viewer.id, "feed": feed.source_id if feed is not None else None, "serial": 1}
                self._relays[viewer.relay].post("audio.listen", message)

    def _audible(self, viewer: ViewerSession) -> FeedKey | None:
        key = next((tile.key for tile in viewer.shown.values() if tile.key is not None), None)
        owner = self._owners.owner(key) if key is not None else None
        if owner is None or not may_listen(self._settings, viewer.watcher, owner.village_id):
            return None
        return key
