"""What is watched, judged again when cameras, rights or sessions have changed."""

from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.media.wall.authorization import actor_of, facts_of
from camera_hub.media.wall.tile_state import REFUSALS
from camera_hub.media.wall.viewers import Viewers
from camera_hub.store.database import Database


class Reauthorization:
    """Of all viewers."""

    def __init__(self, viewers: Viewers, database: Database, clock: Clock) -> None:
        self._viewers = viewers
        self._database = database
        self._clock = clock

    async def camera_changed(self, camera_id: int) -> bool:
        """Judge the tiles that show the camera again. Answers whether the camera may run at all."""
        showing = [(v, t) for v in self._viewers.all() for t in v.shown.values() if t.camera_id == camera_id]
        try:
            facts = await facts_of(self._database, camera_id)
        except HubError:
            facts = None
        for viewer, track in showing:
            if track.camera_id != camera_id:
                continue
            refused = track.refusal is not None and track.refusal[0] in REFUSALS
            if facts is None or facts.state != "approved" or refused or track.stills is not None:
                self._viewers.choose_again(viewer, track)
            elif track.fault_since != facts.fault_since:
                track.fault_since = facts.fault_since
                self._viewers.tell(viewer, track)
        return facts is not None and facts.state != "retired"

    async def access_changed(self, user_id: int) -> None:
        """Judge the user's viewers again: closed when they may not watch, each tile otherwise."""
        if not any(viewer.actor.user_id == user_id for viewer in self._viewers.all()):
            return
        actor = await actor_of(self._database, user_id, self._clock.now())
        own = [viewer for viewer in self._viewers.all() if viewer.actor.user_id == user_id]
        if actor is None:
            self._viewers.close_all(own, "signed_out")
            return
        for viewer in own:
            if viewer.actor == actor:
                continue
            viewer.actor = actor
            for track in viewer.shown.values():
                if track.camera_id is not None:
                    self._viewers.choose_again(viewer, track)

    async def everything(self) -> None:
        """Events were lost: judge everybody and everything that is watched."""
        for user_id in {viewer.actor.user_id for viewer in self._viewers.all()}:
            await self.access_changed(user_id)
        for camera_id in {track.camera_id for viewer in self._viewers.all() for track in viewer.shown.values()}:
            if camera_id is not None:
                await self.camera_changed(camera_id)

    async def sessions(self) -> None:
        """Close viewers without a page whose session has ended."""
        for viewer in self._viewers.all():
            if viewer.present is not None and not await viewer.present():
                self._viewers.close_all([viewer], "signed_out")
