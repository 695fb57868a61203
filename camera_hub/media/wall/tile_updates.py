"""What pages are told of their tiles: the state of each tile becomes a message whenever it has changed."""

from dataclasses import replace
from typing import Protocol

from camera_hub.media.interface import PageMessage, TileStatus, ViewerEnded
from camera_hub.media.wall.quality_adaptation import note
from camera_hub.media.wall.tile_state import TileSlot, explained, tile_status
from camera_hub.media.wall.viewer_session import ViewerSession


class Outboxes(Protocol):
    """Where messages for a page go (wall.pages)."""

    def publish(self, page: str | None, message: PageMessage) -> None: ...


class TileObserver(Protocol):
    """Who follows a page's tiles (wall.audio)."""

    def on_tile(self, page: str, tile: TileStatus) -> None: ...


class TileUpdates:
    """Of all viewers."""

    def __init__(self, pages: Outboxes, observer: TileObserver) -> None:
        self._pages = pages
        self._observer = observer

    def publish(self, viewer: ViewerSession, tile: TileSlot) -> None:
        """Tell the page what the tile shows, if that is new."""
        now = self._status(viewer, tile)
        if now == tile.published:
            return
        tile.published = now
        if viewer.page is not None:
            self._pages.publish(viewer.page, now)
            self._observer.on_tile(viewer.page, now)

    def publish_unknown(self, page: str | None, viewer_id: str) -> None:
        """Tell a page that it speaks of a viewer that there is not: it offers again."""
        self._pages.publish(page, ViewerEnded(viewer_id, "unknown"))

    def publish_again(self, viewer: ViewerSession) -> None:
        """Tell the page all that the viewer shows: it has just (re)connected."""
        for tile in list(viewer.shown.values()):
            tile.published = None
            self.publish(viewer, tile)

    def _status(self, viewer: ViewerSession, tile: TileSlot) -> TileStatus:
        report = tile.report
        status = tile_status(viewer.id, tile, report, tile.stills.still if tile.stills is not None else None)
        if status.state != "live":
            return status
        weakness = report.weakness if report is not None else None
        said = note(tile, viewer.link, weakness=weakness.reason if weakness is not None else None)
        if weakness is not None and said == weakness.reason:
            status = explained(status, weakness)
        return replace(status, note=said)
