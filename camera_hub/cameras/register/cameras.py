"""Cameras: what operators name and watch. Their states: register.camera_states."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import ColumnElement, select

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor, require_village
from camera_hub.cameras.device_checks import DeviceChecks, approve_place, place
from camera_hub.cameras.register import proof_state, views
from camera_hub.cameras.register.camera_states import PENDING
from camera_hub.cameras.register.on_behalf import mark
from camera_hub.cameras.register.pinyin import pinyin_of
from camera_hub.cameras.register.views import CameraView
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import CameraChanged, DeviceChanged, EventBus, ProofRequested, VillageChanged
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device


class Cameras:
    """Operations on cameras. Each publishes CameraChanged (and VillageChanged if counts change) after its commit."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock, checks: DeviceChecks) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._checks = checks

    async def all(self, actor: Actor, *, state: str | None = None, village_id: int | None = None) -> list[CameraView]:
        """Cameras in the actor's scope, in the order of villages and their own; by default all but retired ones."""
        where = [
            Camera.state == state if state is not None else Camera.state != "retired",
            in_scope(actor, Camera.village_id),
        ]
        if village_id is not None:
            where.append(Camera.village_id == village_id)
        return await self._views(actor, where)

    async def get(self, actor: Actor, camera_id: int) -> CameraView:
        """One camera, in any state. Raises HubError(NOT_FOUND)."""
        found = await self.some(actor, [camera_id])
        if not found:
            raise _unknown()
        return found[0]

    async def some(self, actor: Actor, ids: Iterable[int]) -> list[CameraView]:
        """The cameras with these ids that exist and are in the actor's scope."""
        return await self._views(actor, [Camera.id.in_(list(ids)), in_scope(actor, Camera.village_id)])

    async def change(
        self,
        actor: Actor,
        camera_id: int,
        *,
        name: str | None = None,
        place_class: str | None = None,
        position: int | None = None,
    ) -> CameraView:
        """Change what is given. Raises HubError(NOT_FOUND)."""
        async with self._database.write() as session:
            camera = await session.get(Camera, camera_id)
            if camera is None:
                raise _unknown()
            _theirs(actor, camera)
            mark(camera, actor, self._clock.now())
            if name is not None:
                rename(camera, name)
            if place_class is not None:
                camera.place_class = place_class
            if position is not None:
                camera.position = position
        self._bus.publish(CameraChanged(camera_id, camera.village_id))
        return await self.get(actor, camera_id)

    async def order(self, actor: Actor, ids: Sequence[int]) -> None:
        """Put these cameras into this order within their villages, before all others."""
        async with self._database.write() as session:
            rows = {one.id: one for one in await session.scalars(select(Camera).where(Camera.id.in_(ids)))}
            self._known(actor, rows, ids)
            villages = {one.village_id for one in rows.values()}
            others = await session.scalars(
                select(Camera)
                .where(Camera.village_id.in_(villages), Camera.id.not_in(ids))
                .order_by(Camera.position, Camera.id)
            )
            moved = []
            for position, camera in enumerate([*(rows[one] for one in dict.fromkeys(ids)), *others], 1):
                if camera.position != position:
                    camera.position = position
                    moved.append(camera)
        self._publish(moved)

    async def approve(
        self,
        actor: Actor,
        ids: Sequence[int],
        place_class: str | None = None,
        places: Mapping[int, str] = MappingProxyType({}),
    ) -> list[CameraView]:
        """Put them into service, retired ones too, and approve the place where their devices are now.

        `places`: where the approver saw their devices to be, by device; nothing is approved unseen. Raises HubError:
        NOT_FOUND, CONFLICT (device retired, address_changed).
        """
        async with self._database.read() as session:
            hosts = await session.scalars(
                select(Device.host).join(Camera, Camera.device_id == Device.id).where(Camera.id.in_(ids)).distinct()
            )
            led = await self._checks.lead(list(hosts))
        async with self._database.write() as session:
            rows = {one.id: one for one in await session.scalars(select(Camera).where(Camera.id.in_(ids)))}
            self._known(actor, rows, ids)
            devices = await session.scalars(
                select(Device).where(Device.id.in_({one.device_id for one in rows.values()}))
            )
            renewed = []
            for device in devices:
                if device.retired_at is not None:
                    raise HubError(
                        Kind.CONFLICT,
                        "the device of this camera is retired; register it again",
                        reason=Reason.RETIRED,
                        device=device.id,
                    )
                if places.get(device.id, place(device)) != place(device):
                    raise HubError(
                        Kind.CONFLICT,
                        f"the device was moved to {place(device)} meanwhile; check that address and approve again",
                        reason=Reason.ADDRESS_CHANGED,
                        device=device.id,
                        place=place(device),
                    )
                before = (device.approved_place, device.approved_address)
                approve_place(device, led.get(device.host))
                device.moved_at = None
                if (device.approved_place, device.approved_address) != before:
                    renewed.append(device)
            for camera in rows.values():
                if camera.state != "approved":
                    camera.state = "approved"
                    camera.returned_note, camera.returned_by, camera.returned_at = "", "", None
                    camera.approved_at = self._clock.now()
                    if camera.retired_at is not None and camera.proof_state == "pending":
                        proof_state.request(camera, self._clock.now())
                    camera.retired_at = None
                if place_class is not None:
                    camera.place_class = place_class
        self._bus.publish(ProofRequested())
        for device in renewed:
            self._bus.publish(DeviceChanged(device.id, device.village_id))
        self._publish(rows.values(), counts=True)
        return await self.some(actor, ids)

    async def weigh(self, actor: Actor, ids: Sequence[int], importance: str) -> list[CameraView]:
        """Say how much their faults weigh ("key" | "normal"). Raises HubError(NOT_FOUND)."""
        async with self._database.write() as session:
            rows = {one.id: one for one in await session.scalars(select(Camera).where(Camera.id.in_(ids)))}
            self._known(actor, rows, ids)
            for camera in rows.values():
                camera.importance = importance
        self._publish(rows.values())
        return await self.some(actor, ids)

    async def retire(self, actor: Actor, ids: Sequence[int]) -> list[CameraView]:
        """Take them out of service; their history is kept. Raises HubError(NOT_FOUND)."""
        async with self._database.write() as session:
            rows = {one.id: one for one in await session.scalars(select(Camera).where(Camera.id.in_(ids)))}
            self._known(actor, rows, ids)
            for camera in rows.values():
                retire(camera, self._clock)
        self._publish(rows.values(), counts=True)
        return await self.some(actor, ids)

    async def prove(self, actor: Actor, camera_id: int) -> CameraView:
        """Have the camera proved again, in the background. Raises HubError: NOT_FOUND, CONFLICT (retired)."""
        async with self._database.write() as session:
            camera = await session.get(Camera, camera_id)
            if camera is None:
                raise _unknown()
            _theirs(actor, camera)
            if camera.state == "retired":
                raise HubError(
                    Kind.CONFLICT, "this camera is retired; put it back into service first", reason=Reason.RETIRED
                )
            proof_state.request(camera, self._clock.now())
        self._bus.publish(ProofRequested())
        self._bus.publish(CameraChanged(camera_id, camera.village_id))
        return await self.get(actor, camera_id)

    async def _views(self, actor: Actor, where: Sequence[ColumnElement[bool]]) -> list[CameraView]:
        async with self._database.read() as session:
            return await views.cameras(session, actor.user_id, where)

    def _known(self, actor: Actor, rows: dict[int, Camera], ids: Iterable[int]) -> None:
        for camera_id in ids:
            if camera_id not in rows:
                raise _unknown()
            require_village(actor, rows[camera_id].village_id, "camera")

    def _publish(self, cameras: Iterable[Camera], *, counts: bool = False) -> None:
        cameras = list(cameras)
        for camera in cameras:
            self._bus.publish(CameraChanged(camera.id, camera.village_id))
        if counts:
            for village_id in {one.village_id for one in cameras}:
                self._bus.publish(VillageChanged(village_id))


def _theirs(actor: Actor, camera: Camera) -> None:
    """Raise HubError(NOT_FOUND) unless the actor may change the camera."""
    require_village(actor, camera.village_id, "camera")
    if actor.only_pending and camera.state not in PENDING:
        raise _unknown()


def rename(camera: Camera, name: str) -> None:
    """Set the name and the pinyin by which it is found."""
    camera.name = name
    full, initials = pinyin_of(name)
    camera.pinyin, camera.initials = full[:512], initials[:128]


def retire(camera: Camera, clock: Clock) -> None:
    """Take the camera out of service, which also ends its fault."""
    if camera.state == "retired":
        return
    camera.state = "retired"
    camera.retired_at = clock.now()
    camera.health, camera.cause, camera.health_since = "unknown", None, None
    proof_state.suspend(camera)


def _unknown() -> HubError:
    return HubError(Kind.NOT_FOUND, "there is no such camera")
