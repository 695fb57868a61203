"""The register's rows as frozen values, read with a fixed number of queries."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.cameras.credentials.login_budget import LoginPause
from camera_hub.cameras.credentials.purposes import PURPOSES, Purpose
from camera_hub.cameras.device_checks import place
from camera_hub.cameras.register.camera_states import PENDING
from camera_hub.store.tables import (
    Alarm,
    Base,
    Camera,
    CameraState,
    Device,
    DevicePeculiarity,
    Favourite,
    StoredLogin,
    Stream,
    Village,
)


@dataclass(frozen=True, slots=True)
class VillageCounts:
    """Approved cameras by health; `waiting` are those not yet approved.

    `online`, `picture_fault` and `clock_wrong` are counted separately: a camera may count in several of them.
    """

    total: int = 0
    ok: int = 0
    fault: int = 0
    unknown: int = 0
    waiting: int = 0
    online: int = 0
    picture_fault: int = 0
    clock_wrong: int = 0


@dataclass(frozen=True, slots=True)
class VillageView:
    """A village with the counts of its cameras; `down_since` when its link has an open alarm."""

    id: int
    name: str
    kind: str
    position: int
    pinyin: str
    initials: str
    ranges: tuple[str, ...]
    longitude: float | None
    latitude: float | None
    counts: VillageCounts
    down_since: datetime | None


@dataclass(frozen=True, slots=True)
class StreamView:
    """A stream; its codec is what the stream itself said, else what the device claims."""

    role: str
    codec: str | None
    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True)
class StateView:
    """The state of one aspect of a camera (live | picture | clock), and since when; written by health."""

    aspect: str
    state: str
    cause: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class CameraView:
    """A camera. `number`: as its recorder counts it. `ptz`: whether it can be steered.

    `proof`: the Reason of a failed proof; `proving`: it waits for its proof, or is being proved.
    """

    id: int
    device_id: int
    village_id: int
    number: int | None
    ptz: bool
    name: str
    pinyin: str
    initials: str
    place_class: str
    importance: str
    position: int
    state: str
    health: str
    cause: str | None
    health_since: datetime | None
    states: tuple[StateView, ...]
    proof_state: str
    proof: str | None
    proving: bool
    picture_at: datetime | None
    favourite: bool
    streams: tuple[StreamView, ...]


@dataclass(frozen=True, slots=True)
class LoginView:
    """A login that is stored for a purpose, without its password."""

    purpose: Purpose
    username: str


@dataclass(frozen=True, slots=True)
class PeculiarityView:
    """What was learnt of a device (peculiarity_kinds), and when."""

    kind: str
    value: str
    noticed_at: datetime


@dataclass(frozen=True, slots=True)
class StreamAddressView:
    """Where a stream was pulled last: redacted, without any login; "" where it is not known."""

    camera_id: int
    role: str
    address: str


@dataclass(frozen=True, slots=True)
class DiskView:
    """A recorder's disk as it reported it last (cameras.described.Disk)."""

    name: str
    state: str
    capacity_mb: int | None
    free_mb: int | None


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A device without its passwords; `cameras` are the ids of those not retired.

    `place`: where it is reached (host:port); where `approved_place` is another one, it was moved at `moved_at` by
    somebody who may not approve, and its cameras wait.
    `login_retry_at`, `login_reason`: it refused its login, which is not tried again before then; `login_tries_left`:
    how many refusals a day are left before no login is tried. None as read: the login budget knows (`with_pause`).
    """

    id: int
    village_id: int
    kind: str
    name: str
    host: str
    via: str
    onvif_port: int | None
    http_port: int | None
    rtsp_port: int | None
    rtsp_port_typed: bool
    disks: tuple[DiskView, ...]
    manufacturer: str
    model: str
    firmware: str
    serial: str
    mac: str
    logins: tuple[LoginView, ...]
    place: str
    approved_place: str | None
    moved_at: datetime | None
    distrusted_at: datetime | None
    streams: tuple[StreamAddressView, ...]
    clock_offset_s: float | None
    created_at: datetime
    retired_at: datetime | None
    cameras: tuple[int, ...]
    peculiarities: tuple[PeculiarityView, ...]
    login_retry_at: datetime | None = None
    login_reason: str | None = None
    login_tries_left: int | None = None

    def with_pause(self, pause: LoginPause) -> "DeviceView":
        """The device, with what the login budget knows of it."""
        return replace(self, login_retry_at=pause.until, login_reason=pause.reason, login_tries_left=pause.tries_left)


_FIGURES = {("media", "ok"): "online", ("picture", "fault"): "picture_fault", ("clock", "fault"): "clock_wrong"}


async def villages(session: AsyncSession, where: ColumnElement[bool]) -> list[VillageView]:
    """These villages in their official order: four queries whatever their number, over their own cameras only."""
    rows = (await session.scalars(select(Village).where(where).order_by(Village.position, Village.id))).all()
    chosen = select(Village.id).where(where)
    counted: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    by_health = (
        select(Camera.village_id, Camera.state, Camera.health, func.count())
        .where(Camera.village_id.in_(chosen))
        .group_by(Camera.village_id, Camera.state, Camera.health)
    )
    for village_id, state, health, number in await session.execute(by_health):
        if state == "approved":
            counted[village_id][health] += number
            counted[village_id]["total"] += number
        elif state in PENDING:
            counted[village_id]["waiting"] += number
    by_aspect = (
        select(Camera.village_id, CameraState.aspect, CameraState.state, func.count())
        .join(CameraState, CameraState.camera_id == Camera.id)
        .where(Camera.state == "approved", CameraState.until.is_(None), Camera.village_id.in_(chosen))
        .group_by(Camera.village_id, CameraState.aspect, CameraState.state)
    )
    for village_id, aspect, state, number in await session.execute(by_aspect):
        if (figure := _FIGURES.get((aspect, state))) is not None:
            counted[village_id][figure] += number
    open_links = (
        select(Alarm.village_id, func.min(Alarm.opened_at))
        .where(Alarm.level == "village", Alarm.closed_at.is_(None), Alarm.village_id.in_(chosen))
        .group_by(Alarm.village_id)
    )
    down: dict[int | None, datetime] = {village: since for village, since in await session.execute(open_links)}
    return [
        _of(
            VillageView,
            one,
            ranges=tuple(one.ranges),
            counts=VillageCounts(**counted[one.id]),
            down_since=down.get(one.id),
        )
        for one in rows
    ]


async def cameras(session: AsyncSession, user_id: int, where: Sequence[ColumnElement[bool]]) -> list[CameraView]:
    """Cameras in the order of villages and of their own: four queries whatever their number."""
    rows = (
        await session.scalars(
            select(Camera)
            .join(Village, Village.id == Camera.village_id)
            .where(*where)
            .order_by(Village.position, Village.id, Camera.position, Camera.id)
        )
    ).all()
    chosen = select(Camera.id).where(*where)
    streams: dict[int, list[StreamView]] = defaultdict(list)
    listed = select(Stream.camera_id, Stream.role, Stream.codec, Stream.details, Stream.width, Stream.height).order_by(
        Stream.role
    )
    for camera_id, role, codec, details, width, height in await session.execute(
        listed.where(Stream.camera_id.in_(chosen))
    ):
        streams[camera_id].append(StreamView(role, codec or details.get("claimed"), width, height))
    states: dict[int, list[StateView]] = defaultdict(list)
    current = select(CameraState).where(CameraState.until.is_(None), CameraState.camera_id.in_(chosen))
    for row in await session.scalars(current.order_by(CameraState.aspect)):
        states[row.camera_id].append(StateView(row.aspect, row.state, row.cause, row.since))
    kept = set(await session.scalars(select(Favourite.camera_id).where(Favourite.user_id == user_id)))
    return [
        _of(
            CameraView,
            one,
            proof=one.proof_reason,
            proving=one.proof_state == "pending" and one.state != "retired",
            states=tuple(states[one.id]),
            favourite=one.id in kept,
            streams=tuple(streams[one.id]),
        )
        for one in rows
    ]


async def devices(session: AsyncSession, *where: ColumnElement[bool]) -> list[DeviceView]:
    """Devices by village and name: five queries whatever their number. No query reads what is sealed."""
    rows = (
        await session.scalars(select(Device).where(*where).order_by(Device.village_id, Device.name, Device.id))
    ).all()
    chosen = select(Device.id).where(*where)
    members: dict[int, list[int]] = defaultdict(list)
    listed = select(Camera.device_id, Camera.id).where(Camera.state != "retired").order_by(Camera.position, Camera.id)
    for device_id, camera_id in await session.execute(listed.where(Camera.device_id.in_(chosen))):
        members[device_id].append(camera_id)
    streams: dict[int, list[StreamAddressView]] = defaultdict(list)
    shown = (
        select(Camera.device_id, Camera.id, Stream.role, Stream.shown_uri)
        .join(Stream, Stream.camera_id == Camera.id)
        .where(Camera.device_id.in_(chosen), Camera.state != "retired")
        .order_by(Camera.position, Camera.id, Stream.role)
    )
    for device_id, camera_id, role, address in await session.execute(shown):
        streams[device_id].append(StreamAddressView(camera_id, role, address))
    stored: dict[int, dict[str, str]] = defaultdict(dict)
    names = select(StoredLogin.device_id, StoredLogin.purpose, StoredLogin.username)
    for device_id, purpose, username in await session.execute(names.where(StoredLogin.device_id.in_(chosen))):
        stored[device_id][purpose] = username
    peculiar: dict[int, list[PeculiarityView]] = defaultdict(list)
    noted = select(DevicePeculiarity).where(DevicePeculiarity.device_id.in_(chosen))
    for row in await session.scalars(noted.order_by(DevicePeculiarity.kind)):
        peculiar[row.device_id].append(PeculiarityView(row.kind, row.value, row.noticed_at))
    return [
        _of(
            DeviceView,
            one,
            logins=tuple(LoginView(name, stored[one.id][name]) for name in PURPOSES if name in stored[one.id]),
            place=place(one),
            disks=tuple(DiskView(**disk) for disk in one.disks),
            streams=tuple(streams[one.id]),
            cameras=tuple(members[one.id]),
            peculiarities=tuple(peculiar[one.id]),
            login_retry_at=None,
            login_reason=None,
            login_tries_left=None,
        )
        for one in rows
    ]


V = TypeVar("V", VillageView, CameraView, DeviceView)


def _of(kind: type[V], row: Base, **more: Any) -> V:
    """The view of a row: its columns of the same names, and the given values for the others."""
    own = {field.name: getattr(row, field.name) for field in fields(kind) if field.name not in more}
    return kind(**own, **more)
