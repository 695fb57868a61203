"""What is watched, authorized again when cameras or rights have changed."""

from typing import Protocol

from camera_hub.access.policy import Actor
from camera_hub.media.wall.authorization import CameraFacts
from camera_hub.media.wall.tile_requests import TileRequests
from camera_hub.media.wall.tile_state import NOT_SHOWN_HERE
from camera_hub.media.wall.tile_updates import TileUpdates
from camera_hub.media.wall.viewer_session import ViewerSessions
from camera_hub.media.wall.viewers import Viewers


class Authorization(Protocol):
    """Rights and cameras as they are now (wall.authorization)."""

    async def facts_or_none(self, camera_id: int) -> CameraFacts | None: ...
    async def current_actor(self, user_id: int) -> Actor | None: ...


class Reauthorization:
    """Of all viewers."""

    def __init__(
        self,
        sessions: ViewerSessions,
        viewers: Viewers,
        requests: TileRequests,
        updates: TileUpdates,
        authorization: Authorization,
    ) -> None:
        self._sessions = sessions
        self._viewers = viewers
        self._requests = requests
        self._updates = updates
        self._authorization = authorization

    async def on_camera_changed(self, camera_id: int) -> bool:
        """Check the tiles that show the camera. Answers whether the camera may be pulled at all.

        Raises HubError when the database fails: what is shown stays then.
        """
        facts = await self._authorization.facts_or_none(camera_id)
        for viewer, tile in self._sessions.watching(camera_id):
            refused = tile.refusal is not None and tile.refusal.reason in NOT_SHOWN_HERE
            if facts is None or facts.state != "approved" or refused or tile.stills_reason is not None:
                self._requests.choose_again(viewer, tile)
            elif tile.fault_since != facts.fault_since:
                tile.fault_since = facts.fault_since
                self._updates.publish(viewer, tile)
        return facts is not None and facts.state != "retired"

    async def on_access_changed(self, user_id: int) -> None:
        """Check the user's viewers: closed when they may not watch at all, each tile otherwise."""
        if not self._sessions.of_user(user_id):
            return
        actor = await self._authorization.current_actor(user_id)
        own = self._sessions.of_user(user_id)
        if actor is None:
            self._viewers.close_all(own, "signed_out")
            return
        for viewer in own:
            if viewer.watcher == actor:
                continue
            viewer.watcher = actor
            for tile in list(viewer.shown.values()):
                self._requests.choose_again(viewer, tile)

    async def on_events_lost(self) -> None:
        """Check everybody and everything that is watched."""
        for user_id in {one.watcher.user_id for one in self._sessions if isinstance(one.watcher, Actor)}:
            await self.on_access_changed(user_id)
        for camera_id in {tile.camera_id for viewer in self._sessions for tile in viewer.shown.values()}:
            if camera_id is not None:
                await self.on_camera_changed(camera_id)
