"""Viewers: one browser peer each, with a track per tile. They come by an offer and end for one of many reasons."""

import secrets
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.feeds.feed_states import CODEC_REASONS
from camera_hub.media.interface import RELAYED_CODECS, OfferAnswer, RelayReplaced, ViewerEnded
from camera_hub.media.readings import TileReading
from camera_hub.media.wall.pages import OpenPages
from camera_hub.media.wall.viewer_session import PlayerTerms, ViewerSession, ViewerSessions, in_the_way
from camera_hub.media.wall.watchers import Watcher, may_listen
from camera_hub.message_decoder import MessageError
from camera_hub.relay.messages import ViewerAnswer
from camera_hub.settings import MediaSettings as MediaSettings


class Relay(Protocol):
    """A relay that answers offers (relays.link)."""

    epoch: int

    async def call(self, type_: str, values: dict[str, Any]) -> dict[str, Any]: ...
    def post(self, type_: str, values: dict[str, Any]) -> bool: ...


class Tiles(Protocol):
    """Whose tiles an ended viewer carried (wall.tile_requests)."""

    def release(self, viewer: ViewerSession) -> None: ...


class AudioOfPages(Protocol):
    """Who hears what (wall.audio)."""

    def on_viewer_ended(self, page: str | None) -> None: ...


class Viewers:
    """All viewers of this hub."""

    def __init__(
        self,
        settings: MediaSettings,
        sessions: ViewerSessions,
        relays: Sequence[Relay],
        pages: OpenPages,
        tiles: Tiles,
        audio: AudioOfPages,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._relays = relays
        self._pages = pages
        self._tiles = tiles
        self._audio = audio
        self._clock = clock

    def __len__(self) -> int:
        return len(self._sessions)

    async def offer(
        self, watcher: Watcher, page: str | None, relay: int, sdp: str, terms: PlayerTerms | None = None, first: int = 0
    ) -> OfferAnswer:
        """Answer a browser's offer. Raises HubError: BUSY, NOT_FOUND, UNAVAILABLE, INVALID (the SDP).

        An earlier viewer of the same page, relay and first tile ends. One without a page has one track, and ends by its
        `terms`.
        """
        if not 0 <= relay < len(self._relays):
            raise HubError(Kind.NOT_FOUND, f"there is no relay {relay}")
        if page is not None and isinstance(watcher, Actor):
            self._pages.forget_stranger(page, watcher.user_id)
            self._pages.expect(page, watcher.user_id, self._clock.monotonic())
            same = (v for v in self._sessions if (v.page, v.relay, v.first) == (page, relay, first))
            self.close_all(same, "replaced")
        own = self._sessions.of_user(watcher.user_id) if isinstance(watcher, Actor) else []  # a token has its own limit
        self.close_all(in_the_way(page, own, len(self._sessions), self._settings, self._pages.away), "replaced")
        # Counted before the relay is asked, so that many offers at once cannot slip through together.
        viewer = ViewerSession(secrets.token_urlsafe(16), page, relay, watcher, terms, first)
        self._sessions.add(viewer)
        return await self._answer(viewer, sdp)

    async def close(self, viewer_id: str, watcher: Watcher) -> None:
        """The watcher closes a viewer of theirs. Raises HubError(NOT_FOUND)."""
        self.close_all([self._sessions.owned(viewer_id, watcher)], "closed")

    def close_by_id(self, viewer_id: str, reason: str) -> None:
        """End a viewer, whosever it is, and tell the relay."""
        if (viewer := self._sessions.get(viewer_id)) is not None:
            self.close_all([viewer], reason)

    def close_all(self, viewers: Iterable[ViewerSession], reason: str, *, ask: bool = True) -> None:
        """End viewers, tell their pages and release their feeds; with `ask` the relay closes them, too."""
        for viewer in list(viewers):
            if not self._sessions.remove(viewer):
                continue
            if ask:
                self._relays[viewer.relay].post("viewer.close", {"viewer": viewer.id})
            self._pages.publish(viewer.page, ViewerEnded(viewer.id, reason))
            self._tiles.release(viewer)
            self._audio.on_viewer_ended(viewer.page)
            if viewer.terms is not None:
                viewer.terms.on_end(reason)

    async def readings(self, viewer_id: str, actor: Actor) -> list[TileReading]:
        """A reading for each tile of the user's viewer that shows something. HubError: NOT_FOUND, UNAVAILABLE."""
        viewer = self._sessions.owned(viewer_id, actor)
        pictured = {
            n: tile.key.source_id for n, tile in viewer.shown.items() if tile.key is not None and tile.stills_reason
        }
        wanted = {"viewer": viewer.id, "feeds": list(pictured.values())}
        reply = await self._relays[viewer.relay].call("viewer.figures", wanted)
        at, feeds = float(reply["at"]), reply["feeds"]
        shown = enumerate(reply["viewer"]["tracks"], viewer.first)
        video = [TileReading(n, at, feeds.get(sent["feed"]), sent) for n, sent in shown if sent["feed"] is not None]
        return video + [TileReading(n, at, feeds.get(feed), None) for n, feed in pictured.items()]

    def on_viewer_closed(self, viewer_id: str, reason: str) -> None:
        """The relay has ended a viewer."""
        if (viewer := self._sessions.get(viewer_id)) is not None:
            self.close_all([viewer], reason, ask=False)

    def on_relay_replaced(self, relay: int, epoch: int) -> None:
        """A new process: its viewers are gone, and every page is told at once."""
        self.close_all([v for v in self._sessions if v.relay == relay], Reason.RELAY_RESTARTED, ask=False)
        self._pages.publish_to_all(RelayReplaced(relay, epoch))

    async def sweep(self) -> None:
        """Close viewers of pages that are gone, and those without a page that have nothing to stay for. Each second."""
        for page in self._pages.lost(self._clock.monotonic()):
            self.close_all(self._sessions.of_page(page), "page_gone")
        for viewer in self._sessions:
            if viewer.terms is None:
                continue
            if not await viewer.terms.present():
                self.close_all([viewer], "signed_out")
            # A standard player is told nothing but the end.
            elif (refused := _unplayable(viewer)) is not None:
                self.close_all([viewer], refused)

    async def _answer(self, viewer: ViewerSession, sdp: str) -> OfferAnswer:
        relay = self._relays[viewer.relay]
        epoch = relay.epoch
        offer = {"viewer": viewer.id, "sdp": sdp, "audio": may_listen(self._settings, viewer.watcher)}
        if viewer.terms is not None:
            codec = viewer.terms.audio
            offer |= {"tracks": 1, "audio": offer["audio"] and codec != "", "audio_codec": codec or None}
        try:
            reply = ViewerAnswer.of(await relay.call("viewer.offer", offer))
        except BaseException as error:
            self._sessions.remove(viewer)
            relay.post("viewer.close", {"viewer": viewer.id})
            if isinstance(error, MessageError):
                raise HubError(Kind.INTERNAL, f"the relay's answer cannot be read: {error}") from error
            raise
        if viewer not in self._sessions:
            raise HubError(Kind.UNAVAILABLE, "the connection was closed while it was being answered; offer again")
        viewer.codecs, viewer.tracks, viewer.takes_audio = frozenset(reply.codecs), reply.tracks, reply.audio
        if viewer.page is None and reply.audio and not reply.tracks:  # a player that wants to hear only
            viewer.codecs, viewer.tracks, viewer.takes_video = RELAYED_CODECS, 1, False
        return OfferAnswer(viewer.id, viewer.relay, epoch, reply.sdp, viewer.tracks, sorted(viewer.codecs))


def _unplayable(viewer: ViewerSession) -> str | None:
    """Why none of the viewer's tiles can be played; None while one may be."""
    refusals = [tile.refusal for tile in viewer.shown.values()]
    reasons = [one.reason for one in refusals if one is not None and one.reason in CODEC_REASONS]
    return reasons[0] if reasons and len(reasons) == len(refusals) else None
