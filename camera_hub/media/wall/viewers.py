"""Viewers: one browser peer each, with a track per tile. What is shown in a track is decided here, by message."""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.background import Background
from camera_hub.media.decoders.stills import Stills
from camera_hub.media.feeds.desired_state import FeedKey, relay_of
from camera_hub.media.feeds.feeds import Feeds
from camera_hub.media.interface import (
    OfferAnswer,
    Present,
    PullableStream,
    Quality,
    RelayReplaced,
    Sources,
    TileWish,
    ViewerEnded,
)
from camera_hub.media.readings import TileReading
from camera_hub.media.wall.authorization import may_listen, watchable
from camera_hub.media.wall.pages import OpenPages
from camera_hub.media.wall.quality import adapted, note, out_of_step
from camera_hub.media.wall.stream_selection import choose_stream
from camera_hub.media.wall.tile_state import CODEC_REASONS, REFUSALS, FeedNews, TileSlot, plays, tile
from camera_hub.media.wall.viewer_session import ViewerSession, in_the_way
from camera_hub.relay.messages import FeedPhase, LinkState, TrackPhase, TrackState, ViewerAnswer
from camera_hub.settings import MediaSettings as MediaSettings
from camera_hub.store.database import Database

_ASK_AGAIN_SECONDS = 10.0


class Viewers:
    """All viewers of this hub."""

    def __init__(
        self,
        settings: MediaSettings,
        clock: Clock,
        database: Database,
        sources: Sources,
        feeds: Feeds,
        stills: Stills,
        pages: OpenPages,
        background: Background,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._database = database
        self._sources = sources
        self._feeds = feeds
        self._stills = stills
        self._pages = pages
        self._background = background
        self._viewers: dict[str, ViewerSession] = {}

    def __len__(self) -> int:
        return len(self._viewers)

    # Coming and going

    async def offer(
        self, actor: Actor, page: str | None, relay: int, sdp: str, present: Present | None = None, first: int = 0
    ) -> OfferAnswer:
        """Answer a browser's offer. Raises HubError: BUSY, NOT_FOUND, UNAVAILABLE, and the relay's own."""
        if not 0 <= relay < len(self._feeds.relays):
            raise HubError(Kind.NOT_FOUND, f"there is no relay {relay}")
        if page is not None:
            self._pages.forget_stranger(page, actor.user_id)
            self._pages.expect(page, actor.user_id, self._clock.monotonic())
            same = (v for v in self._viewers.values() if (v.page, v.relay, v.first) == (page, relay, first))
            self.close_all(same, "replaced")
        own = [one for one in self._viewers.values() if one.actor.user_id == actor.user_id]
        self.close_all(in_the_way(page, own, len(self._viewers), self._settings, self._pages.away), "replaced")
        # Counted before the relay is asked, so that many offers at once cannot slip through together.
        viewer = ViewerSession(secrets.token_urlsafe(12), page, relay, actor, present, first)
        self._viewers[viewer.id] = viewer
        return await self._answer(viewer, sdp)

    async def _answer(self, viewer: ViewerSession, sdp: str) -> OfferAnswer:
        at = self._feeds.relays[viewer.relay]
        epoch = at.epoch
        audio = viewer.page is not None and may_listen(self._settings, viewer.actor)
        try:
            reply = ViewerAnswer.of(await at.call("viewer.offer", {"viewer": viewer.id, "sdp": sdp, "audio": audio}))
        except BaseException:
            self._viewers.pop(viewer.id, None)
            at.post("viewer.close", {"viewer": viewer.id})
            raise
        if self._viewers.get(viewer.id) is not viewer:
            raise HubError(Kind.UNAVAILABLE, "the connection was closed while it was being answered; offer again")
        viewer.codecs, viewer.tracks = frozenset(reply.codecs), reply.tracks
        return OfferAnswer(viewer.id, viewer.relay, epoch, reply.sdp, reply.tracks, list(reply.codecs))

    async def close(self, viewer_id: str, actor: Actor) -> None:
        """The user closes a viewer of theirs. Raises HubError(NOT_FOUND)."""
        viewer = self._viewers.get(viewer_id)
        if viewer is None or viewer.actor.user_id != actor.user_id:
            raise HubError(Kind.NOT_FOUND, "there is no such viewer")
        self.close_all([viewer], "closed")

    async def figures(self, viewer_id: str, actor: Actor) -> list[TileReading]:
        """A reading for each tile of the user's viewer that shows something. HubError: NOT_FOUND, UNAVAILABLE."""
        viewer = self._viewers.get(viewer_id)
        if viewer is None or viewer.actor.user_id != actor.user_id:
            raise HubError(Kind.NOT_FOUND, "there is no such viewer")
        pictured = {n: track.key.name for n, track in viewer.shown.items() if track.key is not None and track.stills}
        wanted = {"viewer": viewer.id, "feeds": list(pictured.values())}
        reply = await self._feeds.relays[viewer.relay].call("viewer.figures", wanted)
        at, feeds = float(reply["at"]), reply["feeds"]
        shown = enumerate(reply["viewer"]["tracks"], viewer.first)
        video = [TileReading(n, at, feeds.get(sent["feed"]), sent) for n, sent in shown if sent["feed"] is not None]
        return video + [TileReading(n, at, feeds.get(feed), None) for n, feed in pictured.items()]

    def close_all(self, viewers: Iterable[ViewerSession], reason: str, *, ask: bool = True) -> None:
        """End viewers, let go of their feeds and tell their pages; with `ask` the relay is told, too."""
        for viewer in list(viewers):
            if self._viewers.pop(viewer.id, None) is None:
                continue
            if ask:
                self._feeds.relays[viewer.relay].post("viewer.close", {"viewer": viewer.id})
            for track in viewer.shown.values():
                self._background.stop(f"choose for {viewer.holder(track)}")
                if track.key is not None:
                    self._let_go(viewer, track, track.key)
            self._pages.tell(viewer.page, ViewerEnded(viewer.id, reason))
            self._take_over(viewer)

    def of_page(self, page: str) -> list[ViewerSession]:
        """The page's viewers."""
        return [viewer for viewer in self._viewers.values() if viewer.page == page]

    def all(self) -> list[ViewerSession]:
        """All viewers there are."""
        return list(self._viewers.values())

    def tell_tiles(self, page: str) -> None:
        """Put all tiles of the page into its outbox: it has just (re)connected."""
        for viewer in self.of_page(page):
            for track in viewer.shown.values():
                track.told = None
                self.tell(viewer, track)

    # Showing

    def show(self, page: str | None, wish: TileWish) -> None:
        """Put a camera into a tile; one of an unknown viewer is answered by ViewerGone. Raises HubError(INVALID)."""
        viewer = self._viewers.get(wish.viewer)
        if viewer is None or viewer.page != page:
            self._pages.tell(page, ViewerEnded(wish.viewer, "unknown"))
            return
        if not viewer.carries(wish.track):
            raise HubError(Kind.INVALID, f"this viewer has {viewer.tracks} tracks, from tile {viewer.first} on")
        if page is not None:  # with several relays another viewer of the page may carry this tile just now
            viewer = next((other for other in self.of_page(page) if wish.track in other.shown), viewer)
        track = viewer.shown.setdefault(wish.track, TileSlot(wish.track))
        if wish.serial <= track.serial:
            return
        track.wish(wish.serial, wish.camera, wish.quality)
        if wish.camera is None:
            self._background.stop(f"choose for {viewer.holder(track)}")
            self._show_nothing(viewer, track)
            self.tell(viewer, track)
            return
        self.tell(viewer, track)
        self._start_choice(viewer, track, wish.quality)

    def choose_again(self, viewer: ViewerSession, track: TileSlot) -> None:
        """Something has changed: choose a stream for the tile as if it was asked for just now."""
        self._start_choice(viewer, track, track.quality)

    def _start_choice(
        self, viewer: ViewerSession, track: TileSlot, quality: Quality, lost: str | None = None, *, keep: bool = False
    ) -> None:
        before = track.asked if keep else None
        track.asked_at = self._clock.monotonic()
        if lost is None:
            quality = adapted(quality, viewer.link, rests=self._rests(track))
        track.asked = quality
        name = f"choose for {viewer.holder(track)}"
        self._background.start(name, self._choose(viewer, track, track.serial, quality, lost, before))

    async def _choose(
        self,
        viewer: ViewerSession,
        track: TileSlot,
        serial: int,
        quality: Quality,
        lost: str | None,
        before: Quality | None,
    ) -> None:
        """Choose a stream and show it. `lost`: why the stream chosen before cannot be shown to this viewer.

        `before`: what was asked for before, if that picture shall stay where there is no other one just now.
        """
        camera_id = track.camera_id
        if camera_id is None:
            return
        try:
            facts = await watchable(self._database, viewer.actor, camera_id)
            track.fault_since = facts.fault_since
            if (carrier := self._carrier(viewer, facts.village_id, track.number)) is not viewer:
                self._hand_over(viewer, track, carrier)
                return
            chosen, stills = await choose_stream(
                self._sources, track, viewer.codecs, instead=quality, lost=lost, pictures=viewer.page is not None
            )
        except HubError as error:
            if track.serial == serial and before is not None and error.reason not in REFUSALS:
                track.asked = before  # out of step, so that it is tried again
            elif track.serial == serial:
                self._refuse(viewer, track, error)
            return
        except Exception:
            if track.serial == serial:
                self._refuse(viewer, track, HubError(Kind.INTERNAL, "the hub failed to choose a stream"))
            raise
        if track.serial == serial and viewer.id in self._viewers:
            self._place(viewer, track, chosen, stills)

    def _carrier(self, viewer: ViewerSession, village_id: int, number: int) -> ViewerSession:
        """The page's viewer on the relay that has the village; this one where the page has no such viewer."""
        relay = relay_of(village_id, len(self._feeds.relays))
        if viewer.page is None or viewer.relay == relay:
            return viewer
        others = (other for other in self.of_page(viewer.page) if other.relay == relay and other.carries(number))
        return next(others, viewer)

    def _hand_over(self, viewer: ViewerSession, track: TileSlot, carrier: ViewerSession) -> None:
        """Another viewer of the page shows the tile from now on; the page is told by the tile's `viewer`."""
        if track.key is not None:
            self._show_nothing(viewer, track)
        del viewer.shown[track.number]
        moved = carrier.shown[track.number] = TileSlot(track.number)
        moved.wish(track.serial, track.camera_id, track.quality)
        self.tell(carrier, moved)
        self._start_choice(carrier, moved, moved.quality)

    def _take_over(self, gone: ViewerSession) -> None:
        """The page's tiles on a viewer that is gone move to one of its viewers with another relay, if it has one."""
        others = self.of_page(gone.page) if gone.page is not None else []
        for track in list(gone.shown.values()):
            track.key = None
            other = next((viewer for viewer in others if viewer.carries(track.number)), None)
            if other is not None and track.camera_id is not None:
                self._hand_over(gone, track, other)

    def _place(self, viewer: ViewerSession, track: TileSlot, chosen: PullableStream, stills: str | None) -> None:
        earlier, holder = track.key, viewer.holder(track)
        track.key = self._feeds.hold(viewer.relay, chosen, holder)
        track.chosen, track.refusal, track.heard, track.stills = chosen, None, None, stills
        self._post_show(viewer, track)
        if earlier is not None and earlier != track.key:
            self._let_go(viewer, track, earlier)
        if stills is None:
            self._stills.release(track.key, holder)
        else:
            self._stills.hold(track.key, chosen.camera_id, holder, large=track.quality == "main")
        self.tell(viewer, track)
        if (news := self._feeds.news(track.key)) is not None:
            self._check_codec(viewer, track, news)

    def _refuse(self, viewer: ViewerSession, track: TileSlot, error: HubError) -> None:
        track.refusal, track.refused_at = (error.reason, error.detail), track.refused_at or self._clock.now()
        retry_in = error.params.get("retry_in")
        track.retry_at = self._clock.now() + timedelta(seconds=retry_in) if retry_in is not None else None
        track.chosen = track.stills = None
        if viewer.page is None and error.reason in CODEC_REASONS:
            self.close_all([viewer], error.reason)  # a standard player is told nothing but the end
            return
        self._show_nothing(viewer, track)
        self.tell(viewer, track)

    def _show_nothing(self, viewer: ViewerSession, track: TileSlot) -> None:
        if track.key is not None:
            self._let_go(viewer, track, track.key)
            track.key = None
        self._post_show(viewer, track)

    def _let_go(self, viewer: ViewerSession, track: TileSlot, key: FeedKey) -> None:
        self._stills.release(key, viewer.holder(track))
        self._feeds.release(key, viewer.holder(track))

    def _post_show(self, viewer: ViewerSession, track: TileSlot) -> None:
        key = track.key if track.stills is None else None
        message: dict[str, Any] = {
            "viewer": viewer.id,
            "track": track.number - viewer.first,
            "feed": key.name if key is not None else None,
            "serial": track.serial,
            "hold": key is not None and track.pictured == track.camera_id,
        }
        track.pictured = track.camera_id if key is not None else None
        self._feeds.relays[viewer.relay].post("track.show", message)

    def tell(self, viewer: ViewerSession, track: TileSlot) -> None:
        """Tell the page what the tile shows, if that is new."""
        news = self._feeds.news(track.key) if track.key is not None else None
        still = self._stills.of(track.key) if track.key is not None else None
        now = tile(viewer.id, track, news, still)
        if now.state == "live":
            late = news is not None and news.reason == Reason.LATE
            now = replace(now, note=note(track, viewer.link, late=late))
        if now != track.told:
            track.told = now
            self._pages.tell(viewer.page, now)

    # What relays say

    def heard_track(self, state: TrackState) -> None:
        """A track.state message; late words about an earlier camera are ignored."""
        viewer = self._viewers.get(state.viewer)
        track = viewer.shown.get(viewer.first + state.track) if viewer is not None else None
        if viewer is None or track is None or state.serial != track.serial or track.stills is not None:
            return
        if track.key is not None and state.feed not in (None, track.key.name):
            return
        track.heard = state
        if state.phase is TrackPhase.REFUSED:
            self._fall_back(viewer, track, state.reason or Reason.NO_H264)
        else:
            self.tell(viewer, track)

    def heard_link(self, state: LinkState) -> None:
        """A viewer's link bears more than before, or less."""
        if (viewer := self._viewers.get(state.viewer)) is not None:
            viewer.link = state.level
            for track in viewer.shown.values():
                self._keep_step(viewer, track)
                self.tell(viewer, track)

    def _keep_step(self, viewer: ViewerSession, track: TileSlot) -> None:
        """Choose again where the way to the browser or from the camera now bears more or less."""
        if out_of_step(track, viewer.link, rests=self._rests(track)):
            self._start_choice(viewer, track, track.quality, keep=track.chosen is not None)

    def _rests(self, track: TileSlot) -> bool:
        return track.camera_id is not None and self._feeds.rests(track.camera_id)

    def heard_closed(self, viewer_id: str, reason: str) -> None:
        """The relay has ended a viewer."""
        if (viewer := self._viewers.get(viewer_id)) is not None:
            self.close_all([viewer], reason, ask=False)

    def heard_feed(self, key: FeedKey, news: FeedNews) -> None:
        """A feed changed: tell every tile that shows it, and choose again where it cannot be shown."""
        for viewer in list(self._viewers.values()):
            for track in viewer.shown.values():
                if track.key == key:
                    self.tell(viewer, track)
                    self._check_codec(viewer, track, news)
                    self._keep_step(viewer, track)

    def heard_still(self, key: FeedKey) -> None:
        """A feed has a new key-frame picture, or none for a new reason."""
        for viewer in list(self._viewers.values()):
            for track in viewer.shown.values():
                if track.key == key and track.stills is not None:
                    self.tell(viewer, track)

    def _check_codec(self, viewer: ViewerSession, track: TileSlot, news: FeedNews) -> None:
        state = news.state
        if track.stills is None and not plays(state, viewer.codecs):
            unknown = Reason.NO_H264 if state.codec == "h265" else Reason.CODEC_UNSUPPORTED
            self._fall_back(viewer, track, state.reason if state.reason in CODEC_REASONS and state.reason else unknown)
        elif track.stills == Reason.NO_H264 and state.phase is FeedPhase.LIVE and plays(state, viewer.codecs):
            track.tried.clear()  # the camera was set to another codec
            self._start_choice(viewer, track, track.quality)

    def _fall_back(self, viewer: ViewerSession, track: TileSlot, reason: str) -> None:
        """This stream cannot be shown to this viewer: the sub stream instead, or the reason."""
        if track.chosen is None or track.chosen.stream_id in track.tried:
            return
        track.tried.add(track.chosen.stream_id)
        self._start_choice(viewer, track, "sub" if track.chosen.role == "main" else "main", reason)

    def relay_started(self, relay: int, epoch: int) -> None:
        """A new process: its viewers are gone, and every page is told at once."""
        self.close_all([v for v in self._viewers.values() if v.relay == relay], Reason.RELAY_RESTARTED, ask=False)
        self._pages.tell_all(RelayReplaced(relay, epoch))

    def sweep(self) -> None:
        """Close viewers of pages that are gone; ask again for streams that could not be asked for, or had to rest."""
        for page in self._pages.lost(self._clock.monotonic()):
            self.close_all(self.of_page(page), "page_gone")
        due = self._clock.monotonic() - _ASK_AGAIN_SECONDS
        for viewer in self._viewers.values():
            for track in viewer.shown.values():
                failed = track.refusal is not None and track.refusal[0] not in REFUSALS
                if track.asked_at > due:
                    continue
                if failed:
                    self._start_choice(viewer, track, track.quality)
                else:
                    self._keep_step(viewer, track)
