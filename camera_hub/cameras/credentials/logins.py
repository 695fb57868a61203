"""Logins of devices: sealed when stored, opened only for a call or a pull, never sent to a page."""

from collections import defaultdict
from collections.abc import Callable, Collection
from functools import partial
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.purposes import Purpose, serving
from camera_hub.errors import HubError, Kind
from camera_hub.store.tables import Device, StoredLogin


class Sealer(Protocol):
    """What the register needs from access.vault."""

    def seal(self, text: str, owner: int | str, /) -> bytes:
        """Bytes that only this vault can open, and only for this owner (a device's number, or a text)."""
        ...

    def open(self, sealed: bytes, owner: int | str, /) -> str:
        """The text. Raises HubError(UNAVAILABLE, credential_locked) when it cannot be opened."""
        ...


def checked(username: str, password: str) -> tuple[str, str]:
    """A login as a person typed it. Raises HubError(INVALID, bad_login) for characters that no protocol can carry."""
    if any(not (c.isprintable()) for c in username + password) or ":" in username:
        raise HubError(
            Kind.INVALID,
            "the user name or password contains characters that no device accepts (line breaks, or : in the name);"
            " type it again",
            reason="bad_login",
        )
    return username.strip(), password


async def open_login(session: AsyncSession, vault: Sealer, device: Device, purpose: Purpose) -> DeviceLogin:
    """The login to use for that purpose; its user name is empty when there is none. Raises HubError."""
    return (await sealed_logins(session, vault, [device], purpose))[device.id]()


async def sealed_logins(
    session: AsyncSession, vault: Sealer, devices: Collection[Device], purpose: Purpose
) -> dict[int, Callable[[], DeviceLogin]]:
    """As `open_login`, by device, with one statement for all of them; each is opened by a call, which may raise."""
    rows = defaultdict[int, dict[str, StoredLogin]](dict)
    for row in await session.scalars(select(StoredLogin).where(StoredLogin.device_id.in_([one.id for one in devices]))):
        rows[row.device_id][row.purpose] = row
    return {device.id: partial(_opened, vault, device, serving(purpose, rows[device.id])) for device in devices}


def _opened(vault: Sealer, device: Device, row: StoredLogin | None) -> DeviceLogin:
    return DeviceLogin(
        row.username if row is not None else "",
        vault.open(row.sealed, device.id) if row is not None else "",
        device.credentials_version,
        device.id,
        ports=frozenset(port for port in (device.asked_port, device.rtsp_port) if port is not None),
        identity=frozenset(text for text in (device.serial, device.mac, device.endpoint) if text),
    )


async def has_login(session: AsyncSession, device: Device) -> bool:
    """Whether any login of the device is stored."""
    return bool(await _stored(session, device.id))


async def change_login(
    session: AsyncSession,
    vault: Sealer,
    device: Device,
    purpose: Purpose,
    *,
    username: str | None = None,
    password: str | None = None,
) -> None:
    """Store a login of the device's own in one of its rows; an empty name removes it, None keeps the name or the
    password.

    `credentials_version` must have been raised before. Raises HubError: INVALID (bad_login), UNAVAILABLE
    (credential_locked).
    """
    row = (await _stored(session, device.id)).get(purpose)
    name, secret = checked(
        username if username is not None else row.username if row is not None else "",
        password if password is not None else vault.open(row.sealed, device.id) if row is not None else "",
    )
    if not name:
        if row is not None:
            await session.delete(row)
        return
    if row is None:
        row = StoredLogin(device_id=device.id, purpose=purpose)
        session.add(row)
    row.username, row.sealed, row.version = name, vault.seal(secret, device.id), device.credentials_version
    row.profile_id = row.profile_version = None  # a login of the device's own


async def remove_others(session: AsyncSession, device: Device, kept: Purpose) -> None:
    """Delete the logins for all other purposes."""
    for purpose, row in (await _stored(session, device.id)).items():
        if purpose != kept:
            await session.delete(row)


async def _stored(session: AsyncSession, device_id: int) -> dict[str, StoredLogin]:
    rows = await session.scalars(select(StoredLogin).where(StoredLogin.device_id == device_id))
    return {row.purpose: row for row in rows}
