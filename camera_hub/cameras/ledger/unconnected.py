"""Cameras that the hub cannot reach and that only have a file: on an operator's cloud platform, behind no line at all.

They stand in the register as channels of a platform without a host, one per village: approved like any camera, without
streams, left out of rounds and proofs, and counted as not connected, with their reason. When such a camera is connected
later, it is registered over its device, and this entry is retired.
"""

from collections.abc import Mapping
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor, require_village
from camera_hub.cameras.addresses import NO_HOST
from camera_hub.cameras.device_checks import trusted
from camera_hub.cameras.ledger.fields import ON_MAP
from camera_hub.cameras.ledger.ledgers import Ledgers
from camera_hub.cameras.register.cameras import rename
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import CameraChanged, CameraPositionChanged, DeviceChanged, EventBus, VillageChanged
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, Village

PLATFORM_NAME = "未联网点位"


class UnconnectedCameras:
    """Adds them."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock, ledgers: Ledgers) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._ledgers = ledgers

    async def add(
        self,
        actor: Actor,
        village_id: int,
        name: str,
        place_class: str,
        values: Mapping[str, str],
        *,
        approved: bool = True,
        once: bool = False,
    ) -> int:
        """Register a camera that is not connected, with its file; returns its id. `values` say how it would be
        reached (`access_kind`) and why it is not (`no_access_reason`).

        Township staff's is approved at once unless `approved` is false, anybody else's waits. With `once` nothing is
        added where the village has one of that name. Raises HubError: NOT_FOUND (village), INVALID
        (a value's error).
        """
        require_village(actor, village_id, "village")
        now, approved = self._clock.now(), approved and trusted(actor)
        async with self._database.write() as session:
            village = await session.scalar(select(Village).where(Village.id == village_id).with_for_update())
            if village is None:
                raise HubError(Kind.NOT_FOUND, "there is no such village")
            platform = await self._platform(session, village_id)
            if once and (known := await self._named(session, platform.id, name)) is not None:
                return known
            last = await session.scalar(select(func.max(Camera.position)).where(Camera.village_id == village_id))
            camera = Camera(
                device_id=platform.id,
                village_id=village_id,
                channel=uuid4().hex,
                place_class=place_class,
                position=(last or 0) + 1,
                state="approved" if approved else "waiting",
                proof_state="failed",
                proof_reason=Reason.NOT_CONNECTED,
                created_at=now,
                approved_at=now if approved else None,
            )
            rename(camera, name)
            session.add(camera)
            await session.flush()
            await self._ledgers.set_values(session, camera, values, actor, now)
        self._bus.publish(DeviceChanged(platform.id, village_id))
        self._bus.publish(CameraChanged(camera.id, village_id))
        if not ON_MAP.isdisjoint(values):
            self._bus.publish(CameraPositionChanged(camera.id, village_id))
        self._bus.publish(VillageChanged(village_id))
        return camera.id

    @staticmethod
    async def _named(session: AsyncSession, platform_id: int, name: str) -> int | None:
        return await session.scalar(
            select(Camera.id)
            .where(Camera.device_id == platform_id, Camera.name == name, Camera.state != "retired")
            .limit(1)
        )

    async def _platform(self, session: AsyncSession, village_id: int) -> Device:
        known = await session.scalar(
            select(Device).where(
                Device.village_id == village_id,
                Device.kind == "platform",
                Device.host == NO_HOST,
                Device.retired_at.is_(None),
            )
        )
        if known is not None:
            return known
        device = Device(
            village_id=village_id, kind="platform", name=PLATFORM_NAME, host=NO_HOST, created_at=self._clock.now()
        )
        device.approved_place = NO_HOST
        session.add(device)
        await session.flush()
        return device
