"""From a described device to rows: whether it is registered already, which rows it becomes, which channels are new."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.cameras.credentials.logins import Sealer
from camera_hub.cameras.described import Described, Identity
from camera_hub.cameras.identity import DeviceFacts, Likeness, changed, found_facts, registered_facts, same_stream
from camera_hub.cameras.matches.questions import Doubt, OtherSide, ask, known_devices, likenesses
from camera_hub.cameras.register import proof_state
from camera_hub.cameras.register.cameras import rename
from camera_hub.cameras.streams import stored_urls
from camera_hub.cameras.urls import StreamUrl
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.store.tables import Camera, Device, DeviceMatch, Stream

_ASKED = 2
"""Of a hundred cameras that share a mark, a person is not asked about each pair."""


async def refuse_duplicate(
    session: AsyncSession, actor: Actor, found: DeviceFacts, rtsp_port: int | None = None
) -> list[Doubt]:
    """Raise HubError(CONFLICT, duplicate) if the device is registered; names it if the actor may see it. Answers the
    devices that it may be, which only a person can tell."""
    likely = await likenesses(session, await known_devices(session, found, rtsp_port), found)
    if not likely or likely[0].comparison.likeness is not Likeness.SAME:
        return likely
    known = likely[0].device
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


async def ask_about(session: AsyncSession, device: Device, doubts: Sequence[Doubt], now: datetime) -> list[DeviceMatch]:
    """Ask a person whether the device that was just registered is one of those that it may be: the likeliest."""
    asked = []
    for doubt in doubts[:_ASKED]:
        other = OtherSide(registered_facts(device), device.onvif_path, device.name, device)
        if (match := await ask(session, "may_be_same", doubt, other, "register", now)) is not None:
            asked.append(match)
    return asked


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
