"""What is known of devices' recordings, in the database: whom to ask, the days, the last checks."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor
from camera_hub.cameras.addresses import NO_HOST
from camera_hub.cameras.recordings.days import RecordingDay
from camera_hub.cameras.recordings.schedule import day_span
from camera_hub.cameras.recordings.values import (
    DiskState,
    KnownRecording,
    RecordedCamera,
    RecordingDevice,
    RecordingRoad,
    RecordingState,
    RecordingStatus,
)
from camera_hub.errors import HubError, Kind
from camera_hub.store.database import Database
from camera_hub.store.retention import ExpiryRule
from camera_hub.store.tables import Camera, Device, RecordingCheckRow, RecordingDayRow, Stream, Village
from camera_hub.store.tables.base import table_of

KEEP = timedelta(days=400)
_AT_ONCE = 500
"""Ids in one query."""


@dataclass(frozen=True, slots=True)
class ListedRecording:
    """A camera in service, what its recording was like when it was checked last, and its days of late."""

    camera_id: int
    village_id: int
    device_id: int
    name: str
    device_name: str
    status: RecordingStatus
    days: tuple[RecordingDay, ...]


class RecordingStore:
    """Reads and writes the rows; out of an actor's scope nothing is found."""

    def __init__(self, database: Database, zone: ZoneInfo) -> None:
        self._database = database
        self._zone = zone

    async def devices(self, device_ids: Collection[int] | None = None) -> list[RecordingDevice]:
        """All devices in service that have approved cameras, or those of these ids."""
        async with self._database.read() as session:
            return await _devices(session, [Device.id.in_(some) for some in _pieces(device_ids)] if device_ids else [])

    async def chosen(self, actor: Actor, camera_ids: Collection[int]) -> list[RecordingDevice]:
        """The devices of these cameras, with all their cameras. Raises HubError(NOT_FOUND) where one is not there."""
        found: dict[int, int] = {}
        async with self._database.read() as session:
            for some in _pieces(camera_ids):
                query = select(Camera.id, Camera.device_id).where(
                    Camera.id.in_(some), Camera.state == "approved", in_scope(actor, Camera.village_id)
                )
                found |= {camera: device for camera, device in await session.execute(query)}
            if len(found) != len(set(camera_ids)):
                raise HubError(Kind.NOT_FOUND, "there is no such camera")
            return await _devices(session, [Device.id.in_(some) for some in _pieces(set(found.values()))])

    async def known(self, camera_ids: Collection[int], first: date) -> dict[int, KnownRecording]:
        """What is kept of these cameras, their days from `first` on."""
        async with self._database.read() as session:
            statuses = await _statuses(session, camera_ids)
            days = await _days(session, camera_ids, first, None)
        return {
            one: KnownRecording(statuses.get(one, RecordingStatus(one)), tuple(days.get(one, ()))) for one in camera_ids
        }

    async def checked(self) -> dict[int, tuple[datetime | None, datetime | None]]:
        """Device → when its cameras were checked, the longest ago first (None: one never was), and when a fault was
        first unconfirmed that is not confirmed yet."""
        query = (
            select(Camera.device_id, RecordingCheckRow.checked_at, RecordingCheckRow.unconfirmed_at)
            .outerjoin(RecordingCheckRow, RecordingCheckRow.camera_id == Camera.id)
            .where(Camera.state == "approved")
        )
        found: dict[int, tuple[datetime | None, datetime | None]] = {}
        async with self._database.read() as session:
            for device_id, checked_at, unconfirmed_at in await session.execute(query):
                if device_id in found:
                    other, unconfirmed = found[device_id]
                    checked_at = None if checked_at is None or other is None else min(checked_at, other)
                    both = [one for one in (unconfirmed, unconfirmed_at) if one is not None]
                    unconfirmed_at = min(both, default=None)
                found[device_id] = (checked_at, unconfirmed_at)
        return found

    async def keep(
        self, statuses: Sequence[RecordingStatus], days: Mapping[int, Sequence[RecordingDay]] | None = None
    ) -> None:
        """Keep these checks and days, where the cameras are still there: a day that is known is overwritten."""
        async with self._database.write() as session:
            ids = [one.camera_id for one in statuses]
            there = set(await session.scalars(select(Camera.id).where(Camera.id.in_(ids))))
            rows = {
                one.camera_id: one
                for one in await session.scalars(select(RecordingCheckRow).where(RecordingCheckRow.camera_id.in_(ids)))
            }
            for status in statuses:
                if status.camera_id not in there:
                    continue
                row = rows.get(status.camera_id) or RecordingCheckRow(camera_id=status.camera_id)
                for name, value in asdict(status).items():
                    setattr(row, name, value)
                session.add(row)
            await self._keep_days(session, {one: found for one, found in (days or {}).items() if one in there})

    async def listed(
        self, actor: Actor, first: date, last: date, village_id: int | None = None
    ) -> list[ListedRecording]:
        """All cameras in service in the actor's scope with their days from `first` to `last`; those with faults first.

        Raises HubError(NOT_FOUND) for a village that is not there for the actor.
        """
        if village_id is not None and not actor.sees(village_id):
            raise HubError(Kind.NOT_FOUND, "there is no such village")
        query = (
            select(Camera, Device.name)
            .join(Device, Device.id == Camera.device_id)
            .where(
                Camera.state == "approved",
                Device.retired_at.is_(None),
                Device.host != NO_HOST,
                in_scope(actor, Camera.village_id),
            )
            .order_by(Camera.village_id, Camera.id)
        )
        if village_id is not None:
            query = query.where(Camera.village_id == village_id)
        async with self._database.read() as session:
            cameras = (await session.execute(query)).all()
            ids = [camera.id for camera, _ in cameras]
            statuses, days = await _statuses(session, ids), await _days(session, ids, first, last)
        found = [
            ListedRecording(
                camera.id,
                camera.village_id,
                camera.device_id,
                camera.name,
                device_name,
                statuses.get(camera.id, RecordingStatus(camera.id)),
                tuple(days.get(camera.id, ())),
            )
            for camera, device_name in cameras
        ]
        order = {"fault": 0, "ok": 1, "unknown": 2}
        return sorted(found, key=lambda one: order[one.status.state])

    async def of_camera(self, actor: Actor, camera_id: int, first: date, last: date) -> ListedRecording:
        """One camera with its days, in service or not. Raises HubError(NOT_FOUND)."""
        query = (
            select(Camera, Device.name)
            .join(Device, Device.id == Camera.device_id)
            .where(Camera.id == camera_id, in_scope(actor, Camera.village_id))
        )
        async with self._database.read() as session:
            found = (await session.execute(query)).first()
            if found is None:
                raise HubError(Kind.NOT_FOUND, "there is no such camera")
            statuses, days = await _statuses(session, [camera_id]), await _days(session, [camera_id], first, last)
        camera, name = found
        status = statuses.get(camera_id, RecordingStatus(camera_id))
        return ListedRecording(
            camera_id, camera.village_id, camera.device_id, camera.name, name, status, tuple(days.get(camera_id, ()))
        )

    async def _keep_days(self, session: AsyncSession, days: Mapping[int, Sequence[RecordingDay]]) -> None:
        wanted = {(camera, one.date): one for camera, found in days.items() for one in found}
        if not wanted:
            return
        dates = [day for _, day in wanted]
        query = select(RecordingDayRow.camera_id, RecordingDayRow.date, RecordingDayRow.id).where(
            RecordingDayRow.camera_id.in_(list(days)), RecordingDayRow.date.between(min(dates), max(dates))
        )
        ids = {(camera, day): number for camera, day, number in await session.execute(query)}
        old = [(ids[key], one) for key, one in wanted.items() if key in ids]
        new = [(key[0], one) for key, one in wanted.items() if key not in ids]
        if old:
            table = table_of(RecordingDayRow)
            values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("read_at", "seconds", "due", "gaps")}
            await (await session.connection()).execute(
                update(table).where(table.c.id == bindparam("row")).values(values),
                [
                    {
                        "row": number,
                        "new_read_at": one.read_at,
                        "new_seconds": one.seconds,
                        "new_due": one.due,
                        "new_gaps": one.gaps,
                    }
                    for number, one in old
                ],
            )
        if new:
            rows: list[dict[str, Any]] = [
                {**asdict(one), "camera_id": camera, "begins": day_span(one.date, self._zone).begin}
                for camera, one in new
            ]
            await session.execute(insert(RecordingDayRow), rows)


def recording_expiry() -> ExpiryRule:
    """Days go after 400 days, so that two years can be compared month by month."""
    return ExpiryRule("recording days", RecordingDayRow, RecordingDayRow.id, RecordingDayRow.begins, KEEP)


async def _devices(session: AsyncSession, where: Sequence[ColumnElement[bool]]) -> list[RecordingDevice]:
    in_service = (Camera.state == "approved", Device.retired_at.is_(None), Device.host != NO_HOST)
    devices: dict[int, Device] = {}
    cameras: dict[int, list[RecordedCamera]] = defaultdict(list)
    roads: dict[int, str] = {}
    plans: dict[int, str] = {}
    for more in [[one] for one in where] or [[]]:
        profiles: dict[int, list[str]] = defaultdict(list)
        streams = (
            select(Stream.camera_id, Stream.profile)
            .join(Camera, Camera.id == Stream.camera_id)
            .join(Device, Device.id == Camera.device_id)
            .where(*in_service, *more, Stream.source == "onvif")
        )
        for camera_id, profile in await session.execute(streams):
            if profile:
                profiles[camera_id].append(profile)
        query = (
            select(Camera, Device, Village.round_plan, RecordingCheckRow.road)
            .join(Device, Device.id == Camera.device_id)
            .join(Village, Village.id == Device.village_id)
            .outerjoin(RecordingCheckRow, RecordingCheckRow.camera_id == Camera.id)
            .where(*in_service, *more)
            .order_by(Camera.id)
        )
        for camera, device, plan, road in await session.execute(query):
            devices[device.id] = device
            plans[device.id] = plan
            if road is not None:
                roads[device.id] = road
            cameras[device.id].append(
                RecordedCamera(
                    camera.id, camera.name, camera.channel, camera.number, tuple(profiles[camera.id]), camera.created_at
                )
            )
    return [
        RecordingDevice(
            one.id,
            one.village_id,
            one.name,
            one.host,
            one.asked_port,
            one.onvif_path,
            one.via,
            one.kind,
            one.clock_offset_s,
            tuple(cameras[one.id]),
            cast(RecordingRoad | None, roads.get(one.id)),
            plans[one.id] == "thrifty",
        )
        for one in sorted(devices.values(), key=lambda one: (one.village_id, one.id))
    ]


async def _statuses(session: AsyncSession, ids: Collection[int]) -> dict[int, RecordingStatus]:
    found: dict[int, RecordingStatus] = {}
    for some in _pieces(ids):
        for row in await session.scalars(select(RecordingCheckRow).where(RecordingCheckRow.camera_id.in_(some))):
            found[row.camera_id] = _status(row)
    return found


async def _days(
    session: AsyncSession, ids: Collection[int], first: date, last: date | None
) -> dict[int, list[RecordingDay]]:
    found: dict[int, list[RecordingDay]] = defaultdict(list)
    row = RecordingDayRow
    for some in _pieces(ids):
        query = (
            select(row.camera_id, row.date, row.read_at, row.seconds, row.due, row.gaps)
            .where(row.camera_id.in_(some), row.date >= first)
            .order_by(row.camera_id, row.date)
        )
        if last is not None:
            query = query.where(row.date <= last)
        for camera_id, day, read_at, seconds, due, gaps in await session.execute(query):
            found[camera_id].append(RecordingDay(day, read_at, seconds, due, gaps))
    return found


def _status(row: RecordingCheckRow) -> RecordingStatus:
    return RecordingStatus(
        row.camera_id,
        row.checked_at,
        row.told_at,
        cast(RecordingState, row.state),
        row.reason,
        row.params,
        row.since,
        row.unconfirmed,
        row.unconfirmed_at,
        row.oldest,
        row.latest,
        cast(RecordingRoad | None, row.road),
        cast(DiskState | None, row.disk),
        row.problem,
        row.clock_offset_s,
        row.overwrites,
    )


def _pieces(ids: Collection[int] | None) -> Iterable[list[int]]:
    ordered = sorted(ids or ())
    return (ordered[start : start + _AT_ONCE] for start in range(0, len(ordered), _AT_ONCE))
