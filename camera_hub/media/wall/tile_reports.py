"""What relays report of tiles, links and feeds: it is published, and a tile that needs another stream gets one."""

from camera_hub.clock import Clock
from camera_hub.errors import Reason
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.wall.stream_selection import StreamSelection
from camera_hub.media.wall.tile_requests import RETRIED_AT_ONCE, TileRequests
from camera_hub.media.wall.tile_state import ASK_AGAIN_SECONDS, NOT_SHOWN_HERE, TileSlot
from camera_hub.media.wall.tile_updates import TileUpdates
from camera_hub.media.wall.viewer_session import ViewerSession, ViewerSessions
from camera_hub.relay.messages import LinkState, TrackPhase, TrackState


class TileReports:
    """Of all viewers."""

    def __init__(
        self,
        sessions: ViewerSessions,
        requests: TileRequests,
        selection: StreamSelection,
        updates: TileUpdates,
        clock: Clock,
    ) -> None:
        self._sessions = sessions
        self._requests = requests
        self._selection = selection
        self._updates = updates
        self._clock = clock

    def on_track_state(self, state: TrackState) -> None:
        """A track.state message; late reports about an earlier camera are ignored."""
        viewer = self._sessions.get(state.viewer)
        tile = viewer.shown.get(viewer.first + state.track) if viewer is not None else None
        if viewer is None or tile is None or state.serial != tile.serial or tile.stills_reason is not None:
            return
        if tile.key is not None and state.feed not in (None, tile.key.source_id):
            return
        tile.track = state
        if state.phase is TrackPhase.REFUSED:
            self._requests.fall_back(viewer, tile, state.reason or Reason.NO_H264)
        else:
            self._updates.publish(viewer, tile)

    def on_link_state(self, state: LinkState) -> None:
        """A viewer's link carries more than before, or less."""
        if (viewer := self._sessions.get(state.viewer)) is not None:
            viewer.link = state.level
            for tile in list(viewer.shown.values()):
                self._keep_in_step(viewer, tile)
                self._updates.publish(viewer, tile)

    def on_feed_changed(self, key: FeedKey) -> None:
        """A feed changed: every tile that shows it follows, and gets another stream where it cannot be shown."""
        for viewer, tile in self._sessions.showing(key):
            self._updates.publish(viewer, tile)
            self._requests.check_codec(viewer, tile)
            self._keep_in_step(viewer, tile)

    def sweep(self) -> None:
        """Ask again for streams that could not be had, or had to rest. Each second."""
        self._try_queued()
        due = self._clock.monotonic() - ASK_AGAIN_SECONDS
        for viewer in self._sessions:
            for tile in list(viewer.shown.values()):
                if tile.chosen_at > due or self._requests.is_choosing(viewer, tile):
                    continue
                if _asks_again(tile):
                    self._requests.choose_again(viewer, tile)
                else:
                    self._keep_in_step(viewer, tile)

    def _try_queued(self) -> None:
        """Where a relay has room again, those that have waited longest for it are asked for again, a few at a time."""
        relays = {tile.queued.relay for viewer in self._sessions for tile in viewer.shown.values() if tile.queued}
        for relay in sorted(relays):
            if self._selection.has_room(relay):
                for viewer, tile in self._sessions.queue(relay)[:RETRIED_AT_ONCE]:
                    if not self._requests.is_choosing(viewer, tile):  # a slow device is waited for
                        self._requests.choose_again(viewer, tile)

    def _keep_in_step(self, viewer: ViewerSession, tile: TileSlot) -> None:
        if self._selection.is_out_of_step(viewer, tile):
            self._requests.choose_again(viewer, tile, keep=tile.chosen is not None)


def _asks_again(tile: TileSlot) -> bool:
    """Whether what it was refused for may have passed: also what was busy, unless it waits in the queue for room."""
    if tile.refusal is None:
        return False
    return tile.refusal.reason not in NOT_SHOWN_HERE or (tile.refusal.reason == Reason.BUSY and tile.queued is None)
