"""Who hears what: one camera per page, out of those it shows. Whether it may be heard is decided here, by message."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from camera_hub.access.policy import Actor
from camera_hub.errors import Reason
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.feed_states import FeedOwner
from camera_hub.media.interface import AudioWish, PageAudioState, PageMessage, TileStatus
from camera_hub.media.wall.viewer_session import ViewerSessions
from camera_hub.media.wall.watchers import may_listen
from camera_hub.relay.messages import Audio, AudioState, TrackPhase
from camera_hub.settings import MediaSettings as MediaSettings

_REASONS = {
    Audio.NONE: Reason.AUDIO_NONE,
    Audio.UNSUPPORTED: Reason.AUDIO_UNSUPPORTED,
    Audio.REFUSED: Reason.AUDIO_REFUSED,
}


class RelayCommands(Protocol):
    """Where commands for a relay go (relays.link)."""

    def post(self, type_: str, values: dict[str, Any]) -> bool: ...


class Owners(Protocol):
    """Whose stream a feed is (feeds.feed_states)."""

    def owner(self, key: FeedKey) -> FeedOwner | None: ...


class Outboxes(Protocol):
    """Where messages for a page go (wall.pages)."""

    def publish(self, page: str | None, message: PageMessage) -> None: ...
    def away(self, page: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class _AudioBinding:
    """A viewer's audio track, bound to the feed of one of its tiles."""

    viewer: str
    track: int
    key: FeedKey


@dataclass(slots=True)
class _PageWish:
    """What a page wants to hear, where that comes from, what the relay reported and what was published of it last."""

    wish: AudioWish
    binding: _AudioBinding | None = None
    state: AudioState | None = None
    published: PageAudioState | None = None

    def page_state(self, reason: str | None) -> PageAudioState:
        """What is published. A wish without a binding is waiting: its tile is about to come (back)."""
        camera, serial = self.wish.camera, self.wish.serial
        if camera is None or reason is not None:
            return PageAudioState(serial, camera, "off", reason=reason)
        live = self.state is not None and self.state.phase is TrackPhase.LIVE
        viewer = self.binding.viewer if self.binding else None
        return PageAudioState(serial, camera, "live" if live else "waiting", viewer)

    def is_left_by(self, tile: TileStatus) -> bool:
        """Whether another camera, or none, is now in the tile whose audio is heard."""
        bound = self.binding
        there = bound is not None and (tile.viewer, tile.track) == (bound.viewer, bound.track)
        return there and tile.camera != self.wish.camera


class PageAudio:
    """Of all pages. It follows their tiles (`on_tile`); rights are checked again by `sweep`, each second."""

    def __init__(
        self,
        settings: MediaSettings,
        sessions: ViewerSessions,
        owners: Owners,
        relays: Sequence[RelayCommands],
        pages: Outboxes,
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._owners = owners
        self._relays = relays
        self._pages = pages
        self._wishes: dict[str, _PageWish] = {}

    def may(self, actor: Actor) -> bool:
        """Whether this person's pages have a switch for audio."""
        return may_listen(self._settings, actor)

    def listen(self, page: str, wish: AudioWish) -> None:
        """The page switches audio on for a camera, or off. A wish that is no newer than the last is ignored."""
        known = self._wishes.setdefault(page, _PageWish(AudioWish(-1, None)))
        if wish.serial > known.wish.serial:
            known.wish, known.published = wish, None
            self._bind(page, None)
            self._settle(page)

    def on_tile(self, page: str, tile: TileStatus) -> None:
        """A tile of the page was published. Another camera in the tile that is heard ends the wish."""
        if (known := self._wishes.get(page)) is None:
            return
        if known.is_left_by(tile):
            known.wish, known.published = replace(known.wish, camera=None), None
        self._settle(page)

    def on_viewer_ended(self, page: str | None) -> None:
        """A viewer of the page has ended."""
        if page is not None:
            self._settle(page)

    def on_audio_state(self, state: AudioState) -> None:
        """An audio.state message; late reports about an earlier wish or feed are ignored."""
        for page, known in self._wishes.items():
            bound = known.binding
            if bound is None or (bound.viewer, known.wish.serial) != (state.viewer, state.serial):
                continue
            if state.feed == bound.key.source_id:
                known.state = state
                self._settle(page)

    def publish_again(self, page: str) -> None:
        """The page has (re)connected: tell it what it hears."""
        if (known := self._wishes.get(page)) is not None:
            known.published = None
            self._settle(page)

    def forget(self, page: str) -> None:
        """Somebody else sits at the page, or nobody any more."""
        if page in self._wishes:
            self._bind(page, None)
            del self._wishes[page]

    def sweep(self) -> None:
        """Check all pages again; forget those that have neither a connection nor a viewer."""
        for page in list(self._wishes):
            if self._pages.away(page) and not self._sessions.of_page(page):
                self.forget(page)
            else:
                self._settle(page)

    def _settle(self, page: str) -> None:
        """Bind the wished audio to where it is to be had now, and say so. A wish that must be refused is over."""
        known = self._wishes.get(page)
        if known is None or (known.wish.camera is None and known.published is not None):
            return
        binding, reason = self._find(page, known.wish)
        if known.state is not None and known.state.phase is TrackPhase.REFUSED:
            binding, reason = None, known.state.reason or Reason.AUDIO_UNSUPPORTED
        if binding != known.binding:
            self._bind(page, binding)
        self._publish(page, known, known.page_state(reason))
        if reason is not None:
            known.wish = replace(known.wish, camera=None)

    def _find(self, page: str, wish: AudioWish) -> tuple[_AudioBinding | None, str | None]:
        """Where the audio is to be had, or why it is not; neither while the tile is not there yet."""
        if wish.camera is None:
            return None, None
        if not self._settings.audio:
            return None, Reason.AUDIO_FORBIDDEN
        for viewer in self._sessions.of_page(page):
            for tile in viewer.shown.values():
                if tile.key is None or tile.camera_id != wish.camera:
                    continue
                owner, report = self._owners.owner(tile.key), tile.report
                if not may_listen(self._settings, viewer.watcher, owner.village_id if owner is not None else None):
                    return None, Reason.AUDIO_FORBIDDEN
                if report is not None and report.state.audio in _REASONS:
                    return None, _REASONS[report.state.audio]
                return _AudioBinding(viewer.id, tile.number, tile.key), None
        return None, None

    def _bind(self, page: str, binding: _AudioBinding | None) -> None:
        """The page's audio comes from there from now on."""
        known = self._wishes[page]
        before, known.binding, known.state = known.binding, binding, None
        stands = before is not None and self._sessions.get(before.viewer) is not None
        if before is not None and stands and (binding is None or before.viewer != binding.viewer):
            self._post(before, None, known.wish.serial)
        if binding is not None:
            self._post(binding, binding.key.source_id, known.wish.serial)

    def _post(self, binding: _AudioBinding, feed: str | None, serial: int) -> None:
        message = {"viewer": binding.viewer, "feed": feed, "serial": serial}
        self._relays[binding.key.relay].post("audio.listen", message)

    def _publish(self, page: str, known: _PageWish, state: PageAudioState) -> None:
        if state != known.published:
            known.published = state
            self._pages.publish(page, state)
