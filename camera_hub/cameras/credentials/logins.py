"""Logins of devices: sealed when stored, opened only for a call or a pull, never told to a page."""

from typing import Protocol

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.errors import HubError, Kind
from camera_hub.store.tables import Device


class Sealer(Protocol):
    """What the register needs of access.vault."""

    def seal(self, text: str, device_id: int) -> bytes:
        """Bytes that only this vault opens again, for this device alone."""
        ...

    def open(self, sealed: bytes, device_id: int) -> str:
        """The text. Raises HubError(UNAVAILABLE, credential_locked) when it does not open."""
        ...


def checked(username: str, password: str) -> tuple[str, str]:
    """A login as a person typed it. Raises HubError(INVALID, bad_login) for what no protocol carries."""
    if any(not (c.isprintable()) for c in username + password) or ":" in username:
        raise HubError(
            Kind.INVALID,
            "the user name or password holds characters that no device takes (line breaks, or : in the name)",
            reason="bad_login",
        )
    return username.strip(), password


def open_login(vault: Sealer, device: Device) -> DeviceLogin:
    """The device's login; its user name is empty when it has none."""
    password = vault.open(device.password_sealed, device.id) if device.password_sealed is not None else ""
    return DeviceLogin(device.username or "", password, device.credentials_version, device.id)


def set_login(vault: Sealer, device: Device, username: str, password: str) -> None:
    """Store a login in the row (which has its id); an empty name removes it."""
    device.username = username or None
    device.password_sealed = vault.seal(password, device.id) if username else None
