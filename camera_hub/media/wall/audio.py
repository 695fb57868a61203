"""Who hears what: one camera per page, out of those it shows. Whether it may be heard is decided here, by message."""

from dataclasses import dataclass, replace

from camera_hub.access.policy import Actor
from camera_hub.errors import Reason
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.feeds import Feeds
from camera_hub.media.interface import AudioWish, PageAudioState, PageNews, TileStatus, ViewerEnded
from camera_hub.media.wall.authorization import may_listen
from camera_hub.media.wall.pages import OpenPages
from camera_hub.media.wall.viewers import Viewers
from camera_hub.relay.messages import Audio, AudioState, TrackPhase
from camera_hub.settings import MediaSettings as MediaSettings

_REASONS = {
    Audio.NONE: Reason.AUDIO_NONE,
    Audio.UNSUPPORTED: Reason.AUDIO_UNSUPPORTED,
    Audio.REFUSED: Reason.AUDIO_REFUSED,
}


@dataclass(frozen=True, slots=True)
class _AudioBinding:
    """A viewer's ear, pointed at the feed of one of its tiles."""

    viewer: str
    track: int
    key: FeedKey


@dataclass(slots=True)
class _PageWish:
    """What a page wants to hear, where that is taken from, and what the relay and we said of it last."""

    wish: AudioWish
    place: _AudioBinding | None = None
    heard: AudioState | None = None
    told: PageAudioState | None = None

    def news(self, reason: str | None) -> PageAudioState:
        """What the page is told. A wish without a place is waiting: its tile is about to come (back)."""
        camera, serial = self.wish.camera, self.wish.serial
        if camera is None or reason is not None:
            return PageAudioState(serial, camera, "off", reason=reason)
        live = self.heard is not None and self.heard.phase is TrackPhase.LIVE
        return PageAudioState(serial, camera, "live" if live else "waiting", self.place.viewer if self.place else None)

    def is_left_by(self, tile: TileStatus) -> bool:
        """Whether another camera, or none, is in the tile now whose sound is heard."""
        place = self.place
        there = place is not None and (tile.viewer, tile.track) == (place.viewer, place.track)
        return there and tile.camera != self.wish.camera


class PageAudio:
    """Of all pages. What is told of a page's tiles is `noticed`; rights are judged again by `sweep`, each second."""

    def __init__(self, settings: MediaSettings, viewers: Viewers, feeds: Feeds, pages: OpenPages) -> None:
        self._settings = settings
        self._viewers = viewers
        self._feeds = feeds
        self._pages = pages
        self._wishes: dict[str, _PageWish] = {}
        pages.on_news = self.noticed

    def may(self, actor: Actor) -> bool:
        """Whether this person's pages have a switch for sound."""
        return may_listen(self._settings, actor)

    def listen(self, page: str, wish: AudioWish) -> None:
        """The page switches sound on for a camera, or off. A wish that is no newer than the last is ignored."""
        known = self._wishes.setdefault(page, _PageWish(AudioWish(-1, None)))
        if wish.serial > known.wish.serial:
            known.wish, known.told = wish, None
            self._point(page, None)
            self.settle(page)

    def settle(self, page: str) -> None:
        """Take the wished sound from where it may be had now, and say so. A wish that must be refused is over."""
        known = self._wishes.get(page)
        if known is None or (known.wish.camera is None and known.told is not None):
            return
        place, reason = self._judge(page, known.wish)
        if known.heard is not None and known.heard.phase is TrackPhase.REFUSED:
            place, reason = None, known.heard.reason or Reason.AUDIO_UNSUPPORTED
        if place != known.place:
            self._point(page, place)
        self._tell(page, known, known.news(reason))
        if reason is not None:
            known.wish = replace(known.wish, camera=None)

    def noticed(self, page: str, news: PageNews) -> None:
        """The page was told something. Another camera in the tile that is heard ends the wish."""
        known = self._wishes.get(page)
        if known is None or not isinstance(news, TileStatus | ViewerEnded):
            return
        if isinstance(news, TileStatus) and known.is_left_by(news):
            known.wish, known.told = replace(known.wish, camera=None), None
        self.settle(page)

    def heard_audio(self, state: AudioState) -> None:
        """An audio.state message; late words about an earlier wish or feed are ignored."""
        for page, known in self._wishes.items():
            place = known.place
            if place is None or (place.viewer, known.wish.serial) != (state.viewer, state.serial):
                continue
            if state.feed == place.key.name:
                known.heard = state
                self.settle(page)

    def tell(self, page: str) -> None:
        """The page has (re)connected: say again what it hears."""
        if (known := self._wishes.get(page)) is not None:
            known.told = None
            self.settle(page)

    def forget(self, page: str) -> None:
        """Somebody else sits at the page, or nobody any more."""
        if page in self._wishes:
            self._point(page, None)
            del self._wishes[page]

    def sweep(self) -> None:
        """Judge all pages again; forget those that have neither a connection nor a viewer."""
        for page in list(self._wishes):
            if self._pages.away(page) and not self._viewers.of_page(page):
                self.forget(page)
            else:
                self.settle(page)

    def _judge(self, page: str, wish: AudioWish) -> tuple[_AudioBinding | None, str | None]:
        """Where the sound can be had, or why it cannot; neither while the tile is not there yet."""
        if wish.camera is None:
            return None, None
        if not self._settings.audio:
            return None, Reason.AUDIO_FORBIDDEN
        for viewer in self._viewers.of_page(page):
            for track in viewer.shown.values():
                if track.key is None or track.camera_id != wish.camera:
                    continue
                about, news = self._feeds.about(track.key), self._feeds.news(track.key)
                if not may_listen(self._settings, viewer.actor, about.village_id if about is not None else None):
                    return None, Reason.AUDIO_FORBIDDEN
                if news is not None and news.state.audio in _REASONS:
                    return None, _REASONS[news.state.audio]
                return _AudioBinding(viewer.id, track.number, track.key), None
        return None, None

    def _point(self, page: str, place: _AudioBinding | None) -> None:
        """Take the page's sound from there from now on."""
        known = self._wishes[page]
        before, known.place, known.heard = known.place, place, None
        stands = before is not None and any(one.id == before.viewer for one in self._viewers.of_page(page))
        if before is not None and stands and (place is None or before.viewer != place.viewer):
            self._post(before, None, known.wish.serial)
        if place is not None:
            self._post(place, place.key.name, known.wish.serial)

    def _post(self, place: _AudioBinding, feed: str | None, serial: int) -> None:
        message = {"viewer": place.viewer, "feed": feed, "serial": serial}
        self._feeds.relays[place.key.relay].post("audio.listen", message)

    def _tell(self, page: str, known: _PageWish, news: PageAudioState) -> None:
        if news != known.told:
            known.told = news
            self._pages.tell(page, news)
