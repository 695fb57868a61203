"""Addresses of streams as they are stored: sealed like passwords, beside the redacted form that people see."""

import contextlib
import logging

from sqlalchemy import select

from camera_hub.cameras import urls
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.logins import Sealer, open_login
from camera_hub.errors import HubError
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, Stream

log = logging.getLogger(__name__)

_BATCH = 500


def keep(stream: Stream, vault: Sealer, device_id: int, url: str, login: DeviceLogin | None = None) -> None:
    """Write the address (checked, without user-info; "" = not known). What is known of the login is not shown."""
    stream.plain_uri = ""
    stream.sealed_uri = vault.seal(url, device_id) if url else None
    secrets = (login.username, login.password) if login is not None else ()
    stream.shown_uri = urls.redacted(url, *secrets) if url else ""


def kept(stream: Stream, vault: Sealer, device_id: int) -> str:
    """The address, "" where it is not known. Raises HubError(UNAVAILABLE, credential_locked).

    Of a device that can be asked again, one that cannot be opened counts as not known.
    """
    if stream.sealed_uri is None:
        return stream.plain_uri
    try:
        return vault.open(stream.sealed_uri, device_id)
    except HubError:
        if stream.source in ("onvif", "vendor"):
            return ""
        raise


async def seal_plain(database: Database, vault: Sealer) -> int:
    """Seal what earlier versions stored in clear text, in bounded steps; the number of streams. To be run at start."""
    sealed = 0
    while True:
        async with database.write() as session:
            await database.overwrite_deleted(session)
            rows = (
                await session.execute(
                    select(Stream, Device)
                    .join(Camera, Camera.id == Stream.camera_id)
                    .join(Device, Device.id == Camera.device_id)
                    .where(Stream.plain_uri != "")
                    .order_by(Stream.id)
                    .limit(_BATCH)
                )
            ).all()
            for stream, device in rows:
                login: DeviceLogin | None = None
                with contextlib.suppress(HubError):  # one that cannot be opened only helps to hide less
                    login = await open_login(session, vault, device, "rtsp")
                keep(stream, vault, device.id, stream.plain_uri, login)
        sealed += len(rows)
        if len(rows) < _BATCH:
            break
    if sealed:
        await database.checkpoint()
        log.info("the addresses of %d streams were sealed", sealed)
    return sealed
