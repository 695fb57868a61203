"""From a described device to rows: whether it is registered already, which rows it becomes, which channels are new."""

from dataclasses import asdict

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.cameras.described import Described, Identity
from camera_hub.cameras.identity import DeviceFacts, changed, found_facts, registered_facts, same
from camera_hub.cameras.register import proof_state
from camera_hub.cameras.register.cameras import rename
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.store.tables import Camera, Device


async def refuse_duplicate(
    session: AsyncSession, actor: Actor, found: DeviceFacts, rtsp_port: int | None = None
) -> None:
    """Raise HubError(CONFLICT, duplicate) if the device is registered; names it if the actor may see it."""
    for known in await candidates(session, found, rtsp_port):
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


async def candidates(session: AsyncSession, found: DeviceFacts, rtsp_port: int | None = None) -> list[Device]:
    """Devices in service that share any fact with the one found; one at the same place comes first.

    Bounded, since hundreds of cheap cameras may share one MAC or serial number.
    """
    village_id, host, port = found.place
    # One of two that is known by RTSP alone is met at its RTSP port, whatever else the other answers.
    by_rtsp = and_(
        Device.rtsp_port == rtsp_port, Device.via == "catalogue" if port is not None else Device.via != "url"
    )
    answering = (
        or_(func.coalesce(Device.onvif_port, Device.http_port) == port, by_rtsp) if port is not None else by_rtsp
    )
    at_place = (Device.village_id == village_id) & (Device.host == host) & answering
    shared: list[ColumnElement[bool]] = [at_place]
    for column, value in ((Device.serial, found.serial), (Device.mac, found.mac), (Device.endpoint, found.endpoint)):
        if value:
            shared.append(column == value)
    where = select(Device).where(Device.retired_at.is_(None), or_(*shared)).limit(50)
    first = case((at_place, 0), (Device.endpoint == found.endpoint, 1), else_=2)
    return list(await session.scalars(where.order_by(first, Device.id)))


def refuse_impostor(device: Device, found: Identity) -> None:
    """Raise HubError(CONFLICT, identity_changed) if another device answers at this one's address."""
    differ = changed(registered_facts(device), found_facts(found, device.village_id, device.host, device.asked_port))
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
    if not device.rtsp_port_typed:
        device.rtsp_port = described.rtsp_port or device.rtsp_port
    device.via = described.via
    device.onvif_port = described.port if described.via == "onvif" else None
    device.http_port = described.port if described.via != "onvif" else None
    device.disks = [asdict(one) for one in described.disks]
    device.clock_offset_s = described.clock_offset_s
    device.onvif_path = described.path
    if described.kind == "recorder":
        device.kind = "recorder"


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
