"""What a registration adds to its rows for who wanted the device."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.cameras.credentials.profiles import ProfileLogin
from camera_hub.cameras.intake import candidates
from camera_hub.cameras.intake.candidates import OwnerSealer
from camera_hub.cameras.intake.wanted import WantedCamera, WantedDevice
from camera_hub.cameras.ledger.fields import ON_MAP
from camera_hub.cameras.register.camera_states import PENDING
from camera_hub.cameras.register.cameras import rename
from camera_hub.cameras.register.channels import NumberedCamera, numbered
from camera_hub.cameras.register.on_behalf import mark
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.store.tables import Camera, Device, StoredLogin


class LedgerWriter(Protocol):
    """What intake needs from cameras.ledger."""

    async def set_values(
        self, session: AsyncSession, camera: Camera, values: Mapping[str, str], actor: Actor, now: datetime
    ) -> object:
        """Store checked values within the caller's transaction."""
        ...


class TakenIn:
    """What a registration adds to the rows of its device: names, place classes, ledger values, who wanted it; and what
    became of the wanted cameras."""

    def __init__(
        self, actor: Actor, wanted: WantedDevice, clock: Clock, vault: OwnerSealer, ledger: LedgerWriter | None
    ) -> None:
        self._actor = actor
        self._wanted = wanted
        self._clock = clock
        self._vault = vault
        self._ledger = ledger
        self.camera_ids: dict[int | None, int] = {}
        self.positioned: list[int] = []  # cameras whose file has got a position
        self.unsaid: HubError | None = None
        self.profile: ProfileLogin | None = None  # where the device is registered with one

    async def finish(self, session: AsyncSession, device: Device, cameras: Sequence[NumberedCamera]) -> None:
        """Within the registration's transaction: what waited for this device is applied with it, and is gone."""
        wanted = self._wanted
        waited = await candidates.same(session, self._vault, wanted)
        for row in waited:
            before = candidates.openable(row, self._vault)
            wanted = replace(wanted, cameras=candidates.merged_cameras(before.cameras, wanted.cameras))
            await session.delete(row)
        now = self._clock.now()
        if self.profile is not None and "ordinary" in self.profile.purposes:
            login = await session.get(StoredLogin, (device.id, "ordinary"))
            if login is not None:
                login.profile_id, login.profile_version = self.profile.profile_id, self.profile.version
        if waited:
            device.added_by, device.added_by_name = waited[0].added_by, waited[0].added_by_name
            named = next((row.name for row in waited if row.name), "")
            if named and not wanted.name:
                device.name = named
            if waited[0].on_behalf:
                device.on_behalf_by, device.on_behalf_at = waited[0].added_by_name, now
        await self._apply(session, wanted, cameras)

    async def apply_to_known(self, session: AsyncSession, device_id: int) -> list[Camera]:
        """To a device that was registered before; returns the cameras that were changed."""
        rows = list(await session.scalars(select(Camera).where(Camera.device_id == device_id).order_by(Camera.id)))
        cameras = numbered(rows)
        wanted = self._wanted
        for row in await candidates.same(session, self._vault, wanted):
            before = candidates.openable(row, self._vault)
            wanted = replace(wanted, cameras=candidates.merged_cameras(before.cameras, wanted.cameras))
            await session.delete(row)
        return await self._apply(session, wanted, cameras, only_pending=True)

    async def _apply(
        self,
        session: AsyncSession,
        wanted: WantedDevice,
        cameras: Sequence[NumberedCamera],
        *,
        only_pending: bool = False,
    ) -> list[Camera]:
        of_number = {one.number: one.camera for one in cameras}
        assignment = candidates.assign(of_number, wanted.cameras)
        self.unsaid = candidates.unsaid(assignment, len(of_number))
        changed = []
        for number, one in assignment.found.items():
            camera = of_number[number]
            self.camera_ids[one.channel] = camera.id
            if only_pending and camera.state not in PENDING:
                continue
            if one.name:
                rename(camera, one.name)
            if one.place_class != "other":
                camera.place_class = one.place_class
            mark(camera, self._actor, self._clock.now())
            await self._set_ledger(session, camera, one)
            changed.append(camera)
        return changed

    async def _set_ledger(self, session: AsyncSession, camera: Camera, one: WantedCamera) -> None:
        """The ledger never keeps a device out: a value that it refuses is told instead."""
        if not one.ledger or self._ledger is None:
            return
        try:
            await self._ledger.set_values(session, camera, one.ledger, self._actor, self._clock.now())
            if not ON_MAP.isdisjoint(one.ledger):
                self.positioned.append(camera.id)
        except HubError as error:
            if error.kind is not Kind.INVALID:
                raise
            self.unsaid = self.unsaid or error
