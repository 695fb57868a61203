"""Replacing a camera: it keeps its id, name, place, tours, orders and history, and goes on with another device.

The new device is registered first, as any other; then the camera takes over one of its channels, and the camera that
had that channel takes the old one and goes out of service. So nothing is deleted, and undoing is the same the other
way round.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor, require_village
from camera_hub.cameras.device_checks import DeviceChecks, approve_place, place, trusted
from camera_hub.cameras.matches.questions import close_open
from camera_hub.cameras.register import proof_state
from camera_hub.cameras.register.cameras import retire
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import CameraChanged, DeviceChanged, EventBus, MatchChanged, ProofRequested, VillageChanged
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, CameraReplacement, Device, DeviceMatch, Stream, User

log = logging.getLogger(__name__)

LISTED = 200


class LedgerValues(Protocol):
    """What is needed of cameras.ledger: what is kept of a camera beside what the hub needs, with its history."""

    async def set_values(
        self, session: AsyncSession, camera: Camera, values: Mapping[str, str], actor: Actor, now: datetime
    ) -> object:
        """Give the camera these values. Raises HubError for one that cannot be."""
        ...


@dataclass(frozen=True, slots=True)
class ReplacementView:
    """One replacement. `old_device_id` is out of service if none of its cameras is left; `other_camera_id` had the new
    channel before."""

    id: int
    camera_id: int
    other_camera_id: int
    village_id: int
    old_device_id: int
    old_device: str
    new_device_id: int
    new_device: str
    replaced_at: datetime
    replaced_by: str
    undone_at: datetime | None


class Replacements:
    """Operations on replacements; each publishes what it changed after its commit."""

    def __init__(
        self,
        database: Database,
        bus: EventBus,
        clock: Clock,
        checks: DeviceChecks,
        ledger: LedgerValues | None = None,
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._checks = checks
        self._ledger = ledger

    async def all(self, actor: Actor, *, camera_id: int | None = None) -> list[ReplacementView]:
        """Replacements in the actor's scope, of one camera or of all, the newest first."""
        where: list[ColumnElement[bool]] = [in_scope(actor, CameraReplacement.village_id)]
        if camera_id is not None:
            where.append(CameraReplacement.camera_id == camera_id)
        return await self._views(where)

    async def replace(self, actor: Actor, pairs: Sequence[tuple[int, int]]) -> list[ReplacementView]:
        """Each first camera goes on with the channel of the second one; all or none.

        Raises HubError: NOT_FOUND, CONFLICT (retired), INVALID (other_village, same_camera: a camera named twice).
        """
        numbers = [number for pair in pairs for number in pair]
        if len(set(numbers)) != len(numbers):
            raise HubError(Kind.INVALID, "each camera can be named once only", reason="same_camera")
        async with self._database.read() as session:
            hosts = await session.scalars(
                select(Device.host).join(Camera, Camera.device_id == Device.id).where(Camera.id.in_(numbers)).distinct()
            )
            led = await self._checks.lead(list(hosts))
        now = self._clock.now()
        changed = _Changed()
        async with self._database.write() as session:
            rows = []
            for camera_id, other_id in pairs:
                camera, other = await self._mine(session, actor, camera_id), await self._mine(session, actor, other_id)
                rows.append(await self._replace(session, actor, camera, other, led, changed))
            await session.flush()
            ids = [row.id for row in rows]
            old = {row.old_device_id for row in rows}
            changed.matches += await close_open(session, old, now)
        self._publish(changed)
        return await self._views([CameraReplacement.id.in_(ids)])

    async def undo(self, actor: Actor, replacement_id: int) -> ReplacementView:
        """Put the old device back. Raises HubError: NOT_FOUND, CONFLICT (decided_already: undone, or replaced again
        since)."""
        changed = _Changed()
        async with self._database.write() as session:
            row = await session.scalar(
                select(CameraReplacement).where(
                    CameraReplacement.id == replacement_id, in_scope(actor, CameraReplacement.village_id)
                )
            )
            if row is None:
                raise HubError(Kind.NOT_FOUND, "there is no such replacement")
            camera = await session.get_one(Camera, row.camera_id)
            other = await session.get_one(Camera, row.other_camera_id)
            moved_on = (camera.device_id, other.device_id) != (row.new_device_id, row.old_device_id)
            if row.undone_at is not None or moved_on:
                raise HubError(
                    Kind.CONFLICT,
                    "this was undone already, or the camera has been replaced again since",
                    reason=Reason.DECIDED_ALREADY,
                )
            await self._undo(session, actor, row, camera, other, changed)
        self._publish(changed)
        return (await self._views([CameraReplacement.id == replacement_id]))[0]

    async def _replace(
        self,
        session: AsyncSession,
        actor: Actor,
        camera: Camera,
        other: Camera,
        led: Mapping[str, str],
        changed: "_Changed",
    ) -> CameraReplacement:
        for one in (camera, other):
            if one.state == "retired":
                raise HubError(
                    Kind.CONFLICT, "this camera is retired; put it back into service first", reason=Reason.RETIRED
                )
        if camera.village_id != other.village_id:
            raise HubError(
                Kind.INVALID,
                "both cameras must be of one village; register the new device in the village of the old one",
                reason="other_village",
            )
        old, new = await session.get_one(Device, camera.device_id), await session.get_one(Device, other.device_id)
        before = {"camera_state": camera.state, "other_state": other.state}
        await _swap(session, camera, other)
        if trusted(actor):
            approve_place(new, led.get(new.host))
            new.moved_at = None
        elif new.approved_place != place(new):
            _wait(camera)
        _begin_again(camera, self._clock)
        retire(other, self._clock)
        await session.flush()
        if old.id != new.id and await _is_empty(session, old.id):
            old.retired_at = self._clock.now()
            before["old_device"] = "retired"
        await self._note(session, camera, new, actor, enabled=True)
        row = CameraReplacement(
            camera_id=camera.id,
            other_camera_id=other.id,
            village_id=camera.village_id,
            old_device_id=old.id,
            new_device_id=new.id,
            before=before,
            replaced_at=self._clock.now(),
            replaced_by=actor.user_id or None,
        )
        session.add(row)
        changed.add([old, new], [camera, other])
        return row

    async def _undo(
        self,
        session: AsyncSession,
        actor: Actor,
        row: CameraReplacement,
        camera: Camera,
        other: Camera,
        changed: "_Changed",
    ) -> None:
        old, new = await session.get_one(Device, row.old_device_id), await session.get_one(Device, row.new_device_id)
        await _swap(session, camera, other)
        if row.before.get("old_device") == "retired":
            old.retired_at = None
        other.state, other.retired_at = str(row.before.get("other_state", "waiting")), None
        _begin_again(other, self._clock)
        if not trusted(actor) and old.approved_place != place(old):
            _wait(camera)
        elif row.before.get("camera_state") == "approved" and camera.state != "approved":
            camera.state, camera.approved_at = "approved", self._clock.now()
        _begin_again(camera, self._clock)
        await self._note(session, camera, old, actor, enabled=False)
        row.undone_at, row.undone_by = self._clock.now(), actor.user_id or None
        changed.add([old, new], [camera, other])

    async def _note(
        self, session: AsyncSession, camera: Camera, device: Device, actor: Actor, *, enabled: bool
    ) -> None:
        """Keep in the camera's file which device it has, value by value: one that cannot be is left as it was."""
        now = self._clock.now()
        values = {"mac": device.mac, "model": device.model}
        if enabled:
            values["enabled_on"] = now.date().isoformat()
        for key, value in values.items():
            if self._ledger is None or not value:
                continue
            try:
                await self._ledger.set_values(session, camera, {key: value}, actor, now)
            except HubError as error:
                log.info("the file of camera %d does not take %s: %s", camera.id, key, error.reason)

    async def _mine(self, session: AsyncSession, actor: Actor, camera_id: int) -> Camera:
        camera = await session.scalar(select(Camera).where(Camera.id == camera_id).with_for_update())
        if camera is None:
            raise HubError(Kind.NOT_FOUND, "there is no such camera")
        require_village(actor, camera.village_id, "camera")
        return camera

    async def _views(self, where: Sequence[ColumnElement[bool]]) -> list[ReplacementView]:
        newest = select(CameraReplacement).where(*where).order_by(CameraReplacement.id.desc()).limit(LISTED)
        async with self._database.read() as session:
            rows = (await session.scalars(newest)).all()
            ids = {number for row in rows for number in (row.old_device_id, row.new_device_id)}
            devices = {one.id: one for one in await session.scalars(select(Device).where(Device.id.in_(ids)))}
            people = {row.replaced_by for row in rows if row.replaced_by is not None}
            named = await session.execute(select(User.id, User.display_name).where(User.id.in_(people)))
            names: dict[int, str] = {number: name for number, name in named}
        return [
            ReplacementView(
                row.id,
                row.camera_id,
                row.other_camera_id,
                row.village_id,
                row.old_device_id,
                _shown(devices[row.old_device_id]),
                row.new_device_id,
                _shown(devices[row.new_device_id]),
                row.replaced_at,
                names.get(row.replaced_by or 0, ""),
                row.undone_at,
            )
            for row in rows
        ]

    def _publish(self, changed: "_Changed") -> None:
        for camera in changed.cameras.values():
            self._bus.publish(CameraChanged(camera.id, camera.village_id))
        for device in changed.devices.values():
            self._bus.publish(DeviceChanged(device.id, device.village_id))
        for match in changed.matches:
            self._bus.publish(MatchChanged(match.id, match.village_id, match.other_village_id))
        self._bus.publish(ProofRequested())
        for village_id in {camera.village_id for camera in changed.cameras.values()}:
            self._bus.publish(VillageChanged(village_id))


class _Changed:
    """What is told after the commit."""

    def __init__(self) -> None:
        self.devices: dict[int, Device] = {}
        self.cameras: dict[int, Camera] = {}
        self.matches: list[DeviceMatch] = []

    def add(self, devices: Iterable[Device], cameras: Iterable[Camera]) -> None:
        self.devices |= {one.id: one for one in devices}
        self.cameras |= {one.id: one for one in cameras}


async def _swap(session: AsyncSession, one: Camera, other: Camera) -> None:
    """Exchange device, channel (with its number) and streams. Sealed addresses of streams stay with their device, which
    they are bound to."""
    own, theirs = (one.device_id, one.channel), (other.device_id, other.channel)
    one.channel = f"\x1f{one.id}"  # for a moment: device and channel are unique together
    await session.flush()
    other.device_id, other.channel = own
    await session.flush()
    one.device_id, one.channel = theirs
    one.number, other.number = other.number, one.number
    streams = {
        camera.id: list(await session.scalars(select(Stream).where(Stream.camera_id == camera.id)))
        for camera in (one, other)
    }
    for stream in streams[one.id]:  # camera and role are unique together, too
        stream.role = f"~{stream.role}"
    await session.flush()
    for stream in streams[other.id]:
        stream.camera_id = one.id
    await session.flush()
    for stream in streams[one.id]:
        stream.camera_id, stream.role = other.id, stream.role[1:]
    await session.flush()


def _begin_again(camera: Camera, clock: Clock) -> None:
    """Nothing that was seen of the former device says anything about this one; its last picture stays to compare."""
    camera.health, camera.cause, camera.health_since = "unknown", None, None
    if camera.state != "retired":
        proof_state.request(camera, clock.now())


def _wait(camera: Camera) -> None:
    if camera.state == "approved":
        camera.state, camera.approved_at = "waiting", None


async def _is_empty(session: AsyncSession, device_id: int) -> bool:
    in_service = select(Camera.id).where(Camera.device_id == device_id, Camera.state != "retired").limit(1)
    return await session.scalar(in_service) is None


def _shown(device: Device) -> str:
    return f"{place(device)} {device.manufacturer} {device.model}".strip()
