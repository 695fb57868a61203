"""Cameras that the township returns to their village with a note, and that the village submits again."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor, require_village
from camera_hub.cameras.register.camera_states import PENDING, Step, after
from camera_hub.cameras.register.on_behalf import mark
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import CameraChanged, EventBus, VillageChanged
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera


class Returns:
    """Returning and submitting again. Each publishes CameraChanged and VillageChanged after its commit."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock

    async def send_back(self, actor: Actor, ids: Sequence[int], note: str) -> None:
        """Return cameras that are not approved yet; `note` tells the village what to correct.

        All or none. Raises HubError: NOT_FOUND, CONFLICT (not_waiting) for one that was approved or retired meanwhile.
        """
        async with self._database.write() as session:
            cameras = await self._stepped(session, actor, ids, "return")
            for camera in cameras:
                camera.returned_note, camera.returned_by = note, actor.display_name
                camera.returned_at = self._clock.now()
        self._publish(cameras)

    async def submit(self, actor: Actor, ids: Sequence[int]) -> None:
        """Submit returned cameras again. One that waits or is approved already is left as it is.

        All or none. Raises HubError: NOT_FOUND, CONFLICT (not_waiting) for a retired one.
        """
        async with self._database.write() as session:
            cameras = await self._stepped(session, actor, ids, "submit")
            for camera in cameras:
                if camera.state in PENDING:
                    camera.returned_note, camera.returned_by, camera.returned_at = "", "", None
                    mark(camera, actor, self._clock.now())
        self._publish(cameras)

    async def _stepped(self, session: AsyncSession, actor: Actor, ids: Sequence[int], step: Step) -> list[Camera]:
        query = select(Camera).where(Camera.id.in_(ids)).order_by(Camera.id).with_for_update()
        cameras = list(await session.scalars(query))
        if len(cameras) != len(set(ids)):
            raise _unknown()
        for camera in cameras:
            require_village(actor, camera.village_id, "camera")
            if actor.only_pending and camera.state not in PENDING:
                raise _unknown()
            state = after(camera.state, step)
            if state is None:
                raise HubError(
                    Kind.CONFLICT,
                    f"“{camera.name}” no longer waits for approval ({camera.state}); look at it again",
                    reason=Reason.NOT_WAITING,
                    camera=camera.id,
                    name=camera.name,
                    state=camera.state,
                )
            camera.state = state
        return cameras

    def _publish(self, cameras: Sequence[Camera]) -> None:
        for camera in cameras:
            self._bus.publish(CameraChanged(camera.id, camera.village_id))
        for village_id in {one.village_id for one in cameras}:
            self._bus.publish(VillageChanged(village_id))


def _unknown() -> HubError:
    return HubError(Kind.NOT_FOUND, "there is no such camera")
