"""What is known of devices' settings, in the database: whom to ask, what was read last, how clocks were."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, cast

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor
from camera_hub.cameras.device_settings.clock_checks import ClockCheck, ClockVerdict
from camera_hub.cameras.device_settings.recorders import CameraBehind, recorders_of
from camera_hub.cameras.device_settings.values import (
    PARTS,
    BehindRecorder,
    CameraSettings,
    ClockState,
    Part,
    SettingsCamera,
    SettingsDevice,
    SettingsProblem,
    SettingsReading,
    merged,
)
from camera_hub.cameras.identity import registered_facts
from camera_hub.errors import HubError, Kind
from camera_hub.store.database import Database
from camera_hub.store.tables import (
    Camera,
    CameraSettingsRow,
    ClockCheckRow,
    Device,
    DeviceSettingsRow,
    LedgerFile,
    Stream,
)

_CLOCK: TypeAdapter[ClockState] = TypeAdapter(ClockState)
_CAMERA: TypeAdapter[CameraSettings] = TypeAdapter(CameraSettings)
_PROBLEMS: TypeAdapter[tuple[SettingsProblem, ...]] = TypeAdapter(tuple[SettingsProblem, ...])
_AT_ONCE = 500
"""Ids in one query."""


@dataclass(frozen=True, slots=True)
class StoredSettings:
    """What was read of a device last, and the last check of its clock; None: never."""

    device: SettingsDevice
    read_at: datetime | None
    reading: SettingsReading
    check: ClockCheck | None


@dataclass(frozen=True, slots=True)
class CheckedDevice:
    """A device's clock as it was checked last."""

    device_id: int
    village_id: int
    name: str
    host: str
    recorder_id: int | None
    check: ClockCheck


class SettingsStore:
    """Reads and writes the rows; out of an actor's scope nothing is found."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def chosen(
        self,
        actor: Actor,
        *,
        device_ids: Collection[int] = (),
        camera_ids: Collection[int] = (),
        village_id: int | None = None,
    ) -> list[SettingsDevice]:
        """The devices in service among these, or those of the village. Of chosen cameras their devices, with these
        cameras alone. Raises HubError(NOT_FOUND) where one is not there for the actor."""
        where: list[ColumnElement[bool]] = [Device.retired_at.is_(None), in_scope(actor, Device.village_id)]
        async with self._database.read() as session:
            if camera_ids:
                found: dict[int, int] = {}
                for some in _pieces(camera_ids):
                    query = select(Camera.id, Camera.device_id).where(
                        Camera.id.in_(some), Camera.state != "retired", in_scope(actor, Camera.village_id)
                    )
                    found |= {camera: device for camera, device in await session.execute(query)}
                if len(found) != len(set(camera_ids)):
                    raise _unknown("camera")
                devices = await _devices(session, where, set(found.values()), set(found))
            elif device_ids:
                devices = await _devices(session, where, set(device_ids))
                if len(devices) != len(set(device_ids)):
                    raise _unknown("device")
            elif village_id is not None:
                if not actor.sees(village_id):
                    raise _unknown("village")
                devices = await _devices(session, [*where, Device.village_id == village_id])
            else:
                devices = await _devices(session, where)
        return devices

    async def all(self) -> list[SettingsDevice]:
        """All devices in service, with their cameras."""
        async with self._database.read() as session:
            return await _devices(session, [Device.retired_at.is_(None)])

    async def device(self, actor: Actor, device_id: int) -> SettingsDevice:
        """One device in service. Raises HubError(NOT_FOUND)."""
        return (await self.chosen(actor, device_ids=[device_id]))[0]

    async def stored(self, actor: Actor, device_id: int) -> StoredSettings:
        """What was read of the device last. Raises HubError(NOT_FOUND)."""
        device = await self.device(actor, device_id)
        async with self._database.read() as session:
            row = await session.get(DeviceSettingsRow, device_id)
            check = await session.get(ClockCheckRow, device_id)
            rows = await _camera_rows(session, device_id)
        return StoredSettings(
            device, row.read_at if row is not None else None, _reading_of(row, rows), _check_of(check)
        )

    async def keep(self, device_id: int, reading: SettingsReading, parts: Collection[Part], at: datetime) -> None:
        """Keep these parts as they were read, where the device and its cameras are still there."""
        async with self._database.write() as session:
            if await session.get(Device, device_id) is None:
                return
            row = await session.get(DeviceSettingsRow, device_id)
            rows = {one.camera_id: one for one in await _camera_rows(session, device_id)}
            new = merged(_reading_of(row, rows.values()), reading, parts)
            row = row or DeviceSettingsRow(device_id=device_id, listed=[])
            row.read_at = at
            row.clock = _CLOCK.dump_python(new.clock, mode="json") if new.clock is not None else None
            row.can = list(new.can)
            row.problems = _PROBLEMS.dump_python(new.problems, mode="json")
            session.add(row)
            there = set(await session.scalars(select(Camera.id).where(Camera.device_id == device_id)))
            read = {one.camera_id for one in reading.cameras}
            for one in new.cameras:
                if one.camera_id in there & read:
                    kept = rows.get(one.camera_id) or CameraSettingsRow(camera_id=one.camera_id)
                    kept.read_at, kept.settings = at, _CAMERA.dump_python(one, mode="json")
                    session.add(kept)

    async def keep_list(self, device_id: int, listed: Collection[BehindRecorder], at: datetime) -> None:
        """Keep which cameras a recorder lists."""
        async with self._database.write() as session:
            if await session.get(Device, device_id) is None:
                return
            row = await session.get(DeviceSettingsRow, device_id)
            row = row or DeviceSettingsRow(device_id=device_id, read_at=at, clock=None, can=[], problems=[])
            row.listed = [asdict(one) for one in listed]
            session.add(row)

    async def keep_sub(self, device_id: int, camera_id: int, codec: str, width: int | None, height: int | None) -> None:
        """How a sub stream is encoded from now on: by that viewers' streams are chosen, before it is pulled again."""
        async with self._database.write() as session:
            query = (
                select(Stream)
                .join(Camera, Camera.id == Stream.camera_id)
                .where(Camera.id == camera_id, Camera.device_id == device_id, Stream.role == "sub")
            )
            if (stream := await session.scalar(query)) is not None:
                stream.codec, stream.width, stream.height = codec, width or stream.width, height or stream.height

    async def check_of(self, device_id: int) -> ClockCheck | None:
        """The last check of the device's clock."""
        async with self._database.read() as session:
            return _check_of(await session.get(ClockCheckRow, device_id))

    async def keep_check(self, device_id: int, check: ClockCheck) -> None:
        """Keep a check, and what it says of the device's clock for signing."""
        async with self._database.write() as session:
            device = await session.get(Device, device_id)
            if device is None:
                return
            row = await session.get(ClockCheckRow, device_id) or ClockCheckRow(device_id=device_id)
            for name, value in asdict(check).items():
                setattr(row, name, value)
            session.add(row)
            if check.offset_s is not None:
                device.clock_offset_s = check.offset_s

    async def unchecked(self, since: datetime, now: datetime) -> list[SettingsDevice]:
        """Devices in service that were there at that time and have not been checked since then, without cameras.

        What is later than `now` was written while the hub's clock was wrong, and does not count.
        """
        query = (
            select(Device)
            .outerjoin(ClockCheckRow, ClockCheckRow.device_id == Device.id)
            .where(
                Device.retired_at.is_(None),
                (Device.created_at < since) | (Device.created_at > now),
                ClockCheckRow.checked_at.is_(None)
                | (ClockCheckRow.checked_at < since)
                | (ClockCheckRow.checked_at > now),
            )
            .order_by(Device.id)
        )
        async with self._database.read() as session:
            return [_device(one, (), None) for one in await session.scalars(query)]

    async def checks(
        self, actor: Actor, *, village_id: int | None = None, verdicts: Collection[str] = ()
    ) -> list[CheckedDevice]:
        """The last checks in the actor's scope, the worst first."""
        query = (
            select(Device, ClockCheckRow)
            .join(ClockCheckRow, ClockCheckRow.device_id == Device.id)
            .where(Device.retired_at.is_(None), in_scope(actor, Device.village_id))
        )
        if village_id is not None:
            query = query.where(Device.village_id == village_id)
        if verdicts:
            query = query.where(ClockCheckRow.verdict.in_(list(verdicts)))
        async with self._database.read() as session:
            rows = (await session.execute(query)).all()
            recorders = await _recorders(session, [device for device, _ in rows])
        found = [
            CheckedDevice(
                device.id, device.village_id, device.name, device.host, recorders.get(device.id), _some_check(row)
            )
            for device, row in rows
        ]
        order = {"lies": 0, "wrong": 1, "warn": 2, "unknown": 3, "ok": 4}
        return sorted(
            found, key=lambda one: (order.get(one.check.verdict, 5), -abs(one.check.offset_s or 0.0), one.device_id)
        )


async def _devices(
    session: AsyncSession,
    where: Sequence[ColumnElement[bool]],
    ids: Collection[int] | None = None,
    camera_ids: Collection[int] | None = None,
) -> list[SettingsDevice]:
    devices: list[Device] = []
    for some in [None] if ids is None else _pieces(ids):
        more = [] if some is None else [Device.id.in_(some)]
        devices += await session.scalars(select(Device).where(*where, *more))
    devices.sort(key=lambda one: (one.village_id, one.id))
    cameras: dict[int, list[SettingsCamera]] = defaultdict(list)
    for some in _pieces([one.id for one in devices]):
        query = (
            select(Camera, Stream.profile)
            .outerjoin(Stream, (Stream.camera_id == Camera.id) & (Stream.role == "sub") & (Stream.source == "onvif"))
            .where(Camera.device_id.in_(some), Camera.state != "retired")
            .order_by(Camera.id)
        )
        for camera, profile in await session.execute(query):
            if camera_ids is None or camera.id in camera_ids:
                cameras[camera.device_id].append(
                    SettingsCamera(camera.id, camera.name, camera.channel, camera.number, profile)
                )
    recorders = await _recorders(session, devices)
    return [_device(one, tuple(cameras[one.id]), recorders.get(one.id)) for one in devices]


async def _recorders(session: AsyncSession, devices: Sequence[Device]) -> dict[int, int]:
    """Device → the registered recorder that it hangs on (recorders.recorders_of)."""
    single = {one.id: registered_facts(one) for one in devices if one.kind == "camera"}
    if not single:
        return {}
    recorder = (Device.kind == "recorder", Device.retired_at.is_(None))
    lists = (
        select(Device.id, Device.village_id, DeviceSettingsRow.listed)
        .join(DeviceSettingsRow, DeviceSettingsRow.device_id == Device.id)
        .where(*recorder)
    )
    files = (
        select(Device.id, Device.village_id, LedgerFile.details)
        .join(Camera, Camera.device_id == Device.id)
        .join(LedgerFile, LedgerFile.camera_id == Camera.id)
        .where(*recorder, Camera.state != "retired")
    )
    listed = [
        CameraBehind(device_id, village_id, str(one.get("host")), str(one.get("serial")), str(one.get("mac")))
        for device_id, village_id, found in await session.execute(lists)
        for one in found
    ]
    for device_id, village_id, details in await session.execute(files):
        if mac := (details or {}).get("mac"):
            listed.append(CameraBehind(device_id, village_id, mac=str(mac)))
    return recorders_of(single, listed)


def _device(row: Device, cameras: tuple[SettingsCamera, ...], recorder_id: int | None) -> SettingsDevice:
    return SettingsDevice(
        row.id,
        row.village_id,
        row.name,
        row.host,
        row.asked_port,
        row.onvif_path,
        row.via,
        cameras,
        row.clock_offset_s,
        recorder_id,
        row.kind,
    )


async def _camera_rows(session: AsyncSession, device_id: int) -> Sequence[CameraSettingsRow]:
    query = (
        select(CameraSettingsRow)
        .join(Camera, Camera.id == CameraSettingsRow.camera_id)
        .where(Camera.device_id == device_id, Camera.state != "retired")
        .order_by(Camera.id)
    )
    return (await session.scalars(query)).all()


def _reading_of(row: DeviceSettingsRow | None, rows: Iterable[CameraSettingsRow]) -> SettingsReading:
    cameras = tuple(found for one in rows if (found := _read(_CAMERA, one.settings)) is not None)
    if row is None:
        return SettingsReading(None, cameras)
    can = tuple(part for part in PARTS if part in row.can)
    return SettingsReading(_read(_CLOCK, row.clock), cameras, can, _read(_PROBLEMS, row.problems) or ())


def _read(adapter: TypeAdapter[Any], value: Any) -> Any:
    """A stored value; None where an earlier version wrote another shape: the next reading overwrites it."""
    if value is None:
        return None
    try:
        return adapter.validate_python(value)
    except ValidationError:
        return None


def camera_settings(row: CameraSettingsRow | None) -> CameraSettings | None:
    """What was read of a camera last, None where nothing was."""
    found: CameraSettings | None = _read(_CAMERA, row.settings) if row is not None else None
    return found


def clock_state(value: dict[str, Any] | None) -> ClockState | None:
    """What was read of a device's clock last, None where nothing was."""
    found: ClockState | None = _read(_CLOCK, value)
    return found


def _check_of(row: ClockCheckRow | None) -> ClockCheck | None:
    return _some_check(row) if row is not None else None


def _some_check(row: ClockCheckRow) -> ClockCheck:
    return ClockCheck(
        row.checked_at,
        row.offset_s,
        cast(Literal["ntp", "manual"] | None, row.source),
        cast(ClockVerdict, row.verdict),
        row.since,
        row.reason,
        row.set_at,
    )


def _pieces(ids: Collection[int]) -> Iterable[list[int]]:
    ordered = sorted(ids)
    return (ordered[start : start + _AT_ONCE] for start in range(0, len(ordered), _AT_ONCE))


def _unknown(what: str) -> HubError:
    return HubError(Kind.NOT_FOUND, f"there is no such {what}")
