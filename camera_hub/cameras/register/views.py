"""What the register tells about its rows: frozen values, read with a fixed number of queries."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.store.tables import Alarm, Camera, CameraState, Device, Favourite, LoginAccount, Stream, Village


@dataclass(frozen=True, slots=True)
class VillageCounts:
    """Approved cameras by health; `waiting` are those not yet approved.

    `online`, `picture_fault` and `clock_wrong` are figures of their own: a camera may count in several.
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
    counts: VillageCounts
    down_since: datetime | None


@dataclass(frozen=True, slots=True)
class StreamView:
    """A stream; its codec is what the stream said, else what the device claims."""

    role: str
    codec: str | None
    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True)
class StateView:
    """What is true of one aspect of a camera (live | picture | clock) since when; health writes it."""

    aspect: str
    state: str
    cause: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class CameraView:
    """A camera as everybody sees it; `proving` while its picture is being tried."""

    id: int
    device_id: int
    village_id: int
    name: str
    pinyin: str
    initials: str
    place_class: str
    position: int
    state: str
    health: str
    cause: str | None
    health_since: datetime | None
    states: tuple[StateView, ...]
    proof: str | None
    proving: bool
    picture_at: datetime | None
    favourite: bool
    streams: tuple[StreamView, ...]


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A device without its password; `cameras` are the ids of those not retired.

    `login_retry_at`: it has refused its login, and is not asked again before then.
    """

    id: int
    village_id: int
    kind: str
    name: str
    host: str
    onvif_port: int | None
    rtsp_port: int | None
    manufacturer: str
    model: str
    firmware: str
    serial: str
    mac: str
    username: str | None
    has_password: bool
    clock_offset_s: float | None
    created_at: datetime
    retired_at: datetime | None
    login_retry_at: datetime | None
    cameras: tuple[int, ...]


_FIGURES = {("live", "ok"): "online", ("picture", "fault"): "picture_fault", ("clock", "fault"): "clock_wrong"}


async def villages(session: AsyncSession, *where: ColumnElement[bool]) -> list[VillageView]:
    """Villages in their official order: four queries whatever their number."""
    rows = (await session.scalars(select(Village).where(*where).order_by(Village.position, Village.id))).all()
    counted: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    by_health = select(Camera.village_id, Camera.state, Camera.health, func.count()).group_by(
        Camera.village_id, Camera.state, Camera.health
    )
    for village_id, state, health, number in await session.execute(by_health):
        if state == "approved":
            counted[village_id][health] += number
            counted[village_id]["total"] += number
        elif state in ("found", "waiting"):
            counted[village_id]["waiting"] += number
    by_aspect = (
        select(Camera.village_id, CameraState.aspect, CameraState.state, func.count())
        .join(CameraState, CameraState.camera_id == Camera.id)
        .where(Camera.state == "approved", CameraState.until.is_(None))
        .group_by(Camera.village_id, CameraState.aspect, CameraState.state)
    )
    for village_id, aspect, state, number in await session.execute(by_aspect):
        if (figure := _FIGURES.get((aspect, state))) is not None:
            counted[village_id][figure] += number
    open_links = (
        select(Alarm.village_id, func.min(Alarm.opened_at))
        .where(Alarm.level == "village", Alarm.closed_at.is_(None))
        .group_by(Alarm.village_id)
    )
    down: dict[int | None, datetime] = {village: since for village, since in await session.execute(open_links)}
    return [
        VillageView(
            one.id,
            one.name,
            one.kind,
            one.position,
            one.pinyin,
            one.initials,
            tuple(one.ranges),
            VillageCounts(**counted[one.id]),
            down.get(one.id),
        )
        for one in rows
    ]


async def cameras(
    session: AsyncSession, user_id: int, proving: Callable[[int], bool], where: Sequence[ColumnElement[bool]]
) -> list[CameraView]:
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
        CameraView(
            one.id,
            one.device_id,
            one.village_id,
            one.name,
            one.pinyin,
            one.initials,
            one.place_class,
            one.position,
            one.state,
            one.health,
            one.cause,
            one.health_since,
            tuple(states[one.id]),
            one.proof,
            proving(one.id),
            one.picture_at,
            one.id in kept,
            tuple(streams[one.id]),
        )
        for one in rows
    ]


async def devices(session: AsyncSession, *where: ColumnElement[bool]) -> list[DeviceView]:
    """Devices by village and name: three queries whatever their number."""
    rows = (
        await session.scalars(select(Device).where(*where).order_by(Device.village_id, Device.name, Device.id))
    ).all()
    members: dict[int, list[int]] = defaultdict(list)
    listed = select(Camera.device_id, Camera.id).where(Camera.state != "retired").order_by(Camera.position, Camera.id)
    for device_id, camera_id in await session.execute(listed.where(Camera.device_id.in_(_ids(rows)))):
        members[device_id].append(camera_id)
    accounts = select(LoginAccount).where(LoginAccount.device_id.in_(_ids(rows)))
    refused = {(one.device_id, one.credentials_version): one.blocked_until for one in await session.scalars(accounts)}
    return [_device(one, members[one.id], refused.get((one.id, one.credentials_version))) for one in rows]


def _device(device: Device, cameras: Iterable[int], login_retry_at: datetime | None) -> DeviceView:
    """The device without its secret."""
    return DeviceView(
        device.id,
        device.village_id,
        device.kind,
        device.name,
        device.host,
        device.onvif_port,
        device.rtsp_port,
        device.manufacturer,
        device.model,
        device.firmware,
        device.serial,
        device.mac,
        device.username,
        device.password_sealed is not None,
        device.clock_offset_s,
        device.created_at,
        device.retired_at,
        login_retry_at,
        tuple(cameras),
    )


def _ids(rows: Sequence[Device]) -> list[int]:
    return [one.id for one in rows]
