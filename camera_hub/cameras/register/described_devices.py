"""From a described device to rows: whether it is registered already, which rows it becomes, which channels are new."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.cameras.credentials.logins import Sealer
from camera_hub.cameras.described import Channel, Described, DescribedStream, Identity
from camera_hub.cameras.identity import DeviceFacts, changed, found_facts, registered_facts, same, same_stream
from camera_hub.cameras.register import proof_state
from camera_hub.cameras.register.cameras import rename
from camera_hub.cameras.streams import stored_urls
from camera_hub.cameras.urls import StreamUrl
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.store.tables import Camera, Device, Stream


async def refuse_duplicate(session: AsyncSession, actor: Actor, found: DeviceFacts) -> None:
    """Raise HubError(CONFLICT, duplicate) if the device is registered; names it if the actor may see it."""
    for known in await candidates(session, found):
        if not same(registered_facts(known), found):
            continue
        if not actor.sees(known.village_id):
            raise HubError(
                Kind.CONFLICT,
                "this device is registered already, in another village; ask a township admin",
                reason=Reason.DUPLICATE,
                other_village=True,
            )
        raise HubError(
            Kind.CONFLICT,
            f"this device is registered already as “{known.name}” at {known.host}",
            reason=Reason.DUPLICATE,
            device=known.id,
            name=known.name,
            host=known.host,
            village=known.village_id,
        )


async def refuse_known_stream(session: AsyncSession, vault: Sealer, village_id: int, url: StreamUrl) -> None:
    """Raise HubError(CONFLICT, duplicate) if a camera of the village has this stream address."""
    streams = await session.execute(
        select(Camera, Stream)
        .join(Stream, Stream.camera_id == Camera.id)
        .join(Device, Device.id == Camera.device_id)
        .where(Camera.village_id == village_id, Camera.state != "retired", Device.host == url.host)
    )
    for known, stream in streams:
        if same_stream(stored_urls.kept(stream, vault, known.device_id), url.url):
            raise HubError(
                Kind.CONFLICT,
                f"this stream is registered already as “{known.name}”",
                reason=Reason.DUPLICATE,
                device=known.device_id,
                camera=known.id,
                name=known.name,
            )


async def candidates(session: AsyncSession, found: DeviceFacts) -> list[Device]:
    """Devices in service that share any fact with the one found; one at the same place comes first.

    Bounded, since hundreds of cheap cameras may share one MAC or serial number.
    """
    village_id, host, port = found.place
    at_place = (Device.village_id == village_id) & (Device.host == host) & (Device.onvif_port == port)
    shared: list[ColumnElement[bool]] = [at_place]
    for column, value in ((Device.serial, found.serial), (Device.mac, found.mac), (Device.endpoint, found.endpoint)):
        if value:
            shared.append(column == value)
    where = select(Device).where(Device.retired_at.is_(None), or_(*shared)).limit(50)
    first = case((at_place, 0), (Device.endpoint == found.endpoint, 1), else_=2)
    return list(await session.scalars(where.order_by(first, Device.id)))


def refuse_impostor(device: Device, found: Identity) -> None:
    """Raise HubError(CONFLICT, identity_changed) if another device answers at this one's address."""
    differ = changed(registered_facts(device), found_facts(found, device.village_id, device.host, device.onvif_port))
    if differ:
        raise HubError(
            Kind.CONFLICT,
            "another device answers at this address (its serial number or MAC differs); nothing was changed",
            reason=Reason.IDENTITY_CHANGED,
            device=device.id,
            differs=sorted(differ),
        )


def learn(device: Device, described: Described) -> None:
    """Store what the device says about itself; what it does not say is left unchanged."""
    identity = described.identity
    device.manufacturer = identity.manufacturer or device.manufacturer or ""
    device.model = identity.model or device.model or ""
    device.firmware = identity.firmware or device.firmware or ""
    device.serial = identity.serial or device.serial or ""
    device.mac = identity.mac or device.mac or ""
    device.endpoint = identity.endpoint or device.endpoint or ""
    device.rtsp_port = described.rtsp_port or device.rtsp_port
    device.clock_offset_s = described.clock_offset_s
    device.onvif_path = described.path
    if described.kind == "recorder":
        device.kind = "recorder"


async def add_channels(
    session: AsyncSession,
    device: Device,
    channels: Iterable[Channel],
    clock: Clock,
    *,
    approved: bool,
    keep: Callable[[Stream, str], None],
) -> list[Camera]:
    """Add rows for new channels; known ones keep name, place and state, and their streams are updated.

    `keep` writes a stream's address (cameras.streams.stored_urls).
    """
    known = {one.channel: one for one in await session.scalars(select(Camera).where(Camera.device_id == device.id))}
    last = await session.scalar(select(func.max(Camera.position)).where(Camera.village_id == device.village_id))
    position = last or 0
    added = []
    for channel in channels:
        camera = known.get(channel.token)
        if camera is None:
            position += 1
            camera = new_camera(device, channel.token, channel.name, position, clock, approved=approved)
            session.add(camera)
            await session.flush()
            added.append(camera)
        await _set_streams(session, camera, channel, keep)
    return added


@dataclass(frozen=True, slots=True)
class NumberedCamera:
    """A camera and the number of its channel, as people count them at the recorder: from 1."""

    number: int
    camera: Camera


def numbered(channels: Sequence[Channel], cameras: Iterable[Camera]) -> list[NumberedCamera]:
    """The cameras of these channels; a channel whose number is not known counts by its place in the list."""
    of_token = {camera.channel: camera for camera in cameras}
    return [
        NumberedCamera(channel.number if channel.number is not None else place, of_token[channel.token])
        for place, channel in enumerate(channels, 1)
        if channel.token in of_token
    ]


def new_camera(
    device: Device, channel: str, name: str, position: int, clock: Clock, *, approved: bool, place_class: str = "other"
) -> Camera:
    """The row of a camera, not yet in a session."""
    camera = Camera(
        device_id=device.id,
        village_id=device.village_id,
        channel=channel,
        place_class=place_class,
        position=position,
        state="approved" if approved else "waiting",
        health="unknown",
        created_at=clock.now(),
        approved_at=clock.now() if approved else None,
    )
    rename(camera, name)
    proof_state.request(camera, clock.now())
    return camera


async def _set_streams(
    session: AsyncSession, camera: Camera, channel: Channel, keep: Callable[[Stream, str], None]
) -> None:
    known = {one.role: one for one in await session.scalars(select(Stream).where(Stream.camera_id == camera.id))}
    for role, described in (("main", channel.main), ("sub", channel.sub)):
        stream = known.get(role)
        if described is None:
            if stream is not None:
                await session.delete(stream)
            continue
        if stream is None:
            stream = _stream(camera, role, described)
            keep(stream, described.url)
            session.add(stream)
            continue
        if stream.profile != described.profile or stream.details.get("claimed") != described.codec:
            stream.codec = None  # another encoding: the codec seen before no longer applies
        stream.source, stream.profile = "onvif", described.profile
        if described.url:
            keep(stream, described.url)
        stream.details = {**stream.details, "claimed": described.codec}
        stream.width, stream.height = described.width, described.height


def _stream(camera: Camera, role: str, described: DescribedStream) -> Stream:
    return Stream(
        camera_id=camera.id,
        role=role,
        source="onvif",
        profile=described.profile,
        width=described.width,
        height=described.height,
        details={"claimed": described.codec},
    )
