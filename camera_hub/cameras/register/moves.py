"""A device at another address: its streams' addresses follow, and its cameras wait for approval where that is due."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.cameras import urls
from camera_hub.cameras.credentials.logins import Sealer
from camera_hub.cameras.device_checks import approve_place
from camera_hub.cameras.streams import stored_urls
from camera_hub.clock import Clock
from camera_hub.store.tables import Camera, Device, Stream


async def move(session: AsyncSession, vault: Sealer, device: Device, host: str) -> None:
    """Change the host of the device and of the stream addresses that it answered last."""
    device.host = host
    streams = await session.scalars(
        select(Stream).join(Camera, Camera.id == Stream.camera_id).where(Camera.device_id == device.id)
    )
    for stream in streams:
        if url := stored_urls.kept(stream, vault, device.id):
            stored_urls.keep(stream, vault, device.id, urls.onto(url, host).url)


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
