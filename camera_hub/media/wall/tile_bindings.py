"""Tiles bound to feeds: the leases that a tile holds, and what its relay is asked to show in it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.interface import PullableStream, Role
from camera_hub.media.wall.tile_state import HeldFeed, HeldStills, TileSlot
from camera_hub.media.wall.tile_updates import TileUpdates
from camera_hub.media.wall.viewer_session import ViewerSession


class RelayCommands(Protocol):
    """Where commands for a relay go (relays.link)."""

    def post(self, type_: str, values: dict[str, Any]) -> bool: ...


class FeedLeases(Protocol):
    """Who keeps feeds running (feeds.feeds)."""

    def acquire(self, relay: int, stream: PullableStream, holder: str) -> HeldFeed: ...


class StillLeases(Protocol):
    """Who makes key-frame pictures (decoders.stills)."""

    def acquire(
        self, key: FeedKey, camera_id: int, role: Role, *, large: bool, on_change: Callable[[], None]
    ) -> HeldStills: ...


class TileBindings:
    """Of all viewers."""

    def __init__(
        self, feeds: FeedLeases, stills: StillLeases, relays: Sequence[RelayCommands], updates: TileUpdates
    ) -> None:
        self._feeds = feeds
        self._stills = stills
        self._relays = relays
        self._updates = updates

    def bind(self, viewer: ViewerSession, tile: TileSlot, stream: PullableStream, stills_reason: str | None) -> None:
        """Show the stream in the tile: as video, or as key-frame pictures for that reason."""
        feed, stills = tile.lease, tile.stills
        tile.lease = self._feeds.acquire(viewer.relay, stream, viewer.holder(tile))
        tile.chosen, tile.refusal, tile.track, tile.stills_reason = stream, None, None, stills_reason
        self._post_show(viewer, tile)
        tile.stills = self._pictures(viewer, tile, stream) if stills_reason is not None else None
        if stills is not None:
            stills.release()
        if feed is not None and feed.key != tile.lease.key:
            feed.release()
        self._updates.publish(viewer, tile)

    def unbind(self, viewer: ViewerSession, tile: TileSlot) -> None:
        """Show nothing in the tile."""
        tile.release()
        self._post_show(viewer, tile)

    def _pictures(self, viewer: ViewerSession, tile: TileSlot, stream: PullableStream) -> HeldStills:
        assert tile.lease is not None
        on_change = partial(self._updates.publish, viewer, tile)
        large = tile.quality == "main"
        return self._stills.acquire(tile.lease.key, stream.camera_id, stream.role, large=large, on_change=on_change)

    def _post_show(self, viewer: ViewerSession, tile: TileSlot) -> None:
        if not viewer.takes_video:
            return
        key = tile.key if tile.stills_reason is None else None
        message: dict[str, Any] = {
            "viewer": viewer.id,
            "track": tile.number - viewer.first,
            "feed": key.source_id if key is not None else None,
            "serial": tile.serial,
            "hold": key is not None and tile.pictured == tile.camera_id,
        }
        tile.pictured = tile.camera_id if key is not None else None
        self._relays[viewer.relay].post("track.show", message)
