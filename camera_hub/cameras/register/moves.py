"""A device at another address or port: its streams' addresses follow, and its cameras wait for approval where that is
due."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.cameras import urls
from camera_hub.cameras.credentials.logins import Sealer
from camera_hub.cameras.device_checks import approve_place
from camera_hub.cameras.streams import stored_urls
from camera_hub.clock import Clock
from camera_hub.store.tables import Camera, Device, Stream


@dataclass(frozen=True, slots=True)
class NewPlace:
    """Where a device is to be reached. `port`: of ONVIF or its vendor's interface, None where it is known by RTSP
    alone. `rtsp_port_typed`: a person gave the RTSP port, so what the device reports does not count."""

    host: str
    port: int | None
    rtsp_port: int | None
    rtsp_port_typed: bool

    def differs(self, device: Device) -> bool:
        """Whether something else may answer there than where the device is reached now."""
        return (self.host, self.port, self.rtsp_port) != (device.host, device.asked_port, device.rtsp_port)


def new_place(device: Device, host: str | None, port: int | None, rtsp_port: int | None) -> NewPlace:
    """The device's place with what is given of it; an RTSP port of 0 leaves it to the device again."""
    return NewPlace(
        host or device.host,
        port if port is not None and device.asked_port is not None else device.asked_port,
        rtsp_port or device.rtsp_port,
        device.rtsp_port_typed if rtsp_port is None else rtsp_port > 0,
    )


async def move(session: AsyncSession, vault: Sealer, device: Device, place: NewPlace) -> None:
    """Change host and ports of the device, and of the stream addresses that it answered last."""
    if device.onvif_port is not None:
        device.onvif_port = place.port
    else:
        device.http_port = place.port
    device.rtsp_port_typed = place.rtsp_port_typed
    before = device.host, device.rtsp_port
    device.host, device.rtsp_port = place.host, place.rtsp_port
    if before == (place.host, place.rtsp_port):
        return
    streams = await session.scalars(
        select(Stream).join(Camera, Camera.id == Stream.camera_id).where(Camera.device_id == device.id)
    )
    for stream in streams:
        if url := stored_urls.kept(stream, vault, device.id):
            moved = urls.onto(url, place.host).url
            if place.rtsp_port is not None and place.rtsp_port != before[1]:
                moved = urls.at_port(moved, place.rtsp_port)
            stored_urls.keep(stream, vault, device.id, moved)


def settle(device: Device, cameras: Iterable[Camera], clock: Clock, *, trusted: bool, address: str | None) -> None:
    """What a device's new place means: whoever may approve has approved it, anybody else's waits for approval.

    A camera that was in service would else show another village's picture under its name.
    """
    if trusted:
        approve_place(device, address)
        device.moved_at = None
        return
    device.moved_at = clock.now()
    for camera in cameras:
        if camera.state == "approved":
            camera.state, camera.approved_at = "waiting", None
            camera.health, camera.cause, camera.health_since = "unknown", None, None
