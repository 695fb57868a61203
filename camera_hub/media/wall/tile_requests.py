"""The straight path of a click on a tile: authorize → choose the stream → ensure the feed → bind the tile.

Each step is one call out of this module, and none of them comes back. What relays report afterwards goes through
tile_reports, which comes here only where a tile needs another stream.
"""

from datetime import timedelta
from typing import Protocol

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.background import Background
from camera_hub.media.capacity.capacity import busy
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.interface import Quality, TileWish
from camera_hub.media.wall.authorization import CameraFacts
from camera_hub.media.wall.stream_selection import StreamSelection, StreamWish, TilePlace
from camera_hub.media.wall.tile_bindings import TileBindings
from camera_hub.media.wall.tile_state import ASK_AGAIN_SECONDS, NOT_SHOWN_HERE, QueuedTile, TileSlot, unplayable
from camera_hub.media.wall.tile_updates import TileUpdates
from camera_hub.media.wall.viewer_session import ViewerSession, ViewerSessions
from camera_hub.media.wall.watchers import Watcher

RETRIED_AT_ONCE = 16
"""Tiles that wait for room, from the front of the queue, which are tried at the same time."""


class Authorization(Protocol):
    """Who may watch what (wall.authorization)."""

    async def require(self, watcher: Watcher, camera_id: int) -> CameraFacts: ...


class TileRequests:
    """Of all viewers."""

    def __init__(
        self,
        sessions: ViewerSessions,
        authorization: Authorization,
        selection: StreamSelection,
        bindings: TileBindings,
        updates: TileUpdates,
        background: Background,
        clock: Clock,
    ) -> None:
        self._sessions = sessions
        self._authorization = authorization
        self._selection = selection
        self._bindings = bindings
        self._updates = updates
        self._background = background
        self._clock = clock

    def show(self, page: str | None, wish: TileWish) -> None:
        """Put a camera into a tile, or empty it; what becomes of it is published to the page as TileStatus.

        A page that names an unknown viewer is told ViewerEnded. Raises HubError(INVALID): the viewer has no such track.
        """
        viewer = self._sessions.get(wish.viewer)
        if viewer is None or viewer.page != page:
            self._updates.publish_unknown(page, wish.viewer)
            return
        if not viewer.carries(wish.track):
            raise HubError(Kind.INVALID, f"this viewer has {viewer.tracks} tracks, from tile {viewer.first} on")
        viewer = self._sessions.carrying(viewer, wish.track)
        tile = viewer.shown.setdefault(wish.track, TileSlot(wish.track))
        if wish.serial <= tile.serial:
            return
        tile.wish(wish)
        if wish.camera is None:
            self._background.stop(_name(viewer, tile))
            self._bindings.unbind(viewer, tile)
            self._updates.publish(viewer, tile)
            return
        self._updates.publish(viewer, tile)
        self.choose_again(viewer, tile)

    def choose_again(
        self, viewer: ViewerSession, tile: TileSlot, *, lost: str | None = None, keep: bool = False
    ) -> None:
        """Something has changed: choose a stream for the tile as if its camera was wished for just now.

        `lost`: why the stream that was chosen last cannot be shown to this viewer. With `keep` the picture that is
        there stays where there is no other one just now.
        """
        if tile.camera_id is None:
            return
        wish = self._selection.wish(viewer, tile, lost)
        before = tile.asked if keep else None
        tile.chosen_at, tile.asked = self._clock.monotonic(), wish.asked
        self._background.start(_name(viewer, tile), self._serve(viewer, tile, tile.serial, wish, before))

    def is_choosing(self, viewer: ViewerSession, tile: TileSlot) -> bool:
        """Whether a stream is being chosen for the tile just now: to ask again would begin anew."""
        return self._background.runs(_name(viewer, tile))

    def check_codec(self, viewer: ViewerSession, tile: TileSlot) -> None:
        """Choose another stream where the feed turns out not to be playable in this viewer, or playable after all."""
        report = tile.report
        if report is None:
            return
        reason = unplayable(report.state, viewer.codecs)
        if tile.stills_reason is None and reason is not None:
            self.fall_back(viewer, tile, reason)
        elif tile.stills_reason == Reason.NO_H264 and report.live and reason is None:
            tile.tried.clear()  # the camera was set to another codec
            self.choose_again(viewer, tile)

    def fall_back(self, viewer: ViewerSession, tile: TileSlot, reason: str) -> None:
        """This stream cannot be shown to this viewer: the camera's other one instead, or the reason."""
        if tile.chosen is None or tile.chosen.stream_id in tile.tried:
            return
        tile.tried.add(tile.chosen.stream_id)
        self.choose_again(viewer, tile, lost=reason)

    def release(self, viewer: ViewerSession) -> None:
        """The viewer has ended, and its feeds are not needed any longer. Its tiles move to another viewer of its page
        that has tracks for them, where there is one.
        """
        for tile in list(viewer.shown.values()):
            self._background.stop(_name(viewer, tile))
            tile.release()
        for tile in list(viewer.shown.values()):
            other = self._sessions.carrier_besides(viewer, tile.number)
            if other is not None and tile.camera_id is not None:
                self._move(viewer, tile, other)
                self._updates.publish(other, tile)
                self.choose_again(other, tile)

    async def _serve(
        self, viewer: ViewerSession, tile: TileSlot, serial: int, wish: StreamWish, before: Quality | None
    ) -> None:
        try:
            facts = await self._authorization.require(viewer.watcher, wish.camera_id)
            if tile.serial == serial:
                tile.fault_since = facts.fault_since
            carrier = self._sessions.carrier(viewer, facts.village_id, tile.number)
            place = TilePlace(carrier.relay, carrier.holder(tile), tile.key)
            held_here = tile.key is not None and tile.key.relay == place.relay
            # A player has been answered already, and was only let in because nobody waited.
            if not held_here and viewer.page is not None and self._is_behind(tile, place.relay):
                fitting = None
            else:
                pictures = viewer.page is not None
                fitting = await self._selection.fit(wish, viewer.codecs, place, pictures=pictures)
        except HubError as error:
            if tile.serial == serial:
                tile.queued = None  # no room would help: it gives up its turn
            passes = error.reason not in NOT_SHOWN_HERE or error.reason == Reason.BUSY
            if tile.serial == serial and before is not None and passes:
                tile.asked = before  # out of step, so that it is tried again
            elif tile.serial == serial:
                self._refuse(viewer, tile, error)
            return
        except Exception:
            if tile.serial == serial:
                tile.queued = None
                self._refuse(viewer, tile, HubError(Kind.INTERNAL, "the hub failed to choose a stream"))
            raise
        if tile.serial != serial or viewer not in self._sessions:
            return
        if fitting is None:
            self._enqueue(viewer, tile, place.relay)
            return
        tile.queued, tile.crowded = None, fitting.crowded
        if fitting.crowded:
            tile.asked = "sub"
            if tile.key == FeedKey(place.relay, fitting.stream.spec.feed) and tile.refusal is None:
                self._updates.publish(viewer, tile)  # there is still no room for more
                return
        carrier = self._sessions.carrier(viewer, facts.village_id, tile.number)
        if carrier is not viewer:
            if tile.lease is not None:
                self._bindings.unbind(viewer, tile)
            self._move(viewer, tile, carrier)
        self._bindings.bind(carrier, tile, fitting.stream, fitting.stills_reason)
        self.check_codec(carrier, tile)

    def _enqueue(self, viewer: ViewerSession, tile: TileSlot, relay: int) -> None:
        """The tile waits for room on that relay from now on, unless it does so already: it keeps its turn then, and the
        page has been told."""
        told = tile.queued is not None and tile.refusal is not None
        if tile.queued is None or tile.queued.relay != relay:
            tile.queued = QueuedTile(relay, self._clock.monotonic())
        if not told:
            self._refuse(viewer, tile, busy())

    def _is_behind(self, tile: TileSlot, relay: int) -> bool:
        """Whether others wait for room on the relay, who asked before."""
        first = [other for _, other in self._sessions.queue(relay)[:RETRIED_AT_ONCE]]
        return bool(first) and not any(other is tile for other in first)

    def _refuse(self, viewer: ViewerSession, tile: TileSlot, error: HubError) -> None:
        now, retry_in = self._clock.now(), error.params.get("retry_in")
        if error.reason == Reason.BUSY and tile.queued is None:
            retry_in = ASK_AGAIN_SECONDS
        tile.refusal, tile.refused_at = error.explanation, tile.refused_at or now
        tile.retry_at = now + timedelta(seconds=retry_in) if retry_in is not None else None
        tile.chosen = tile.stills_reason = None
        self._bindings.unbind(viewer, tile)
        self._updates.publish(viewer, tile)

    def _move(self, viewer: ViewerSession, tile: TileSlot, other: ViewerSession) -> None:
        """Another viewer of the page carries the tile from now on; the page reads that in the tile's `viewer`."""
        del viewer.shown[tile.number]
        other.shown[tile.number] = tile
        tile.chosen = tile.track = tile.stills_reason = tile.pictured = tile.refusal = tile.refused_at = None
        tile.tried = set()


def _name(viewer: ViewerSession, tile: TileSlot) -> str:
    return f"choose for {viewer.holder(tile)}"
