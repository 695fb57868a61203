"""Whether a device accepts a login, asked before the login is stored."""

from typing import Protocol

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.purposes import Purpose
from camera_hub.cameras.described import Described
from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.reach import Check
from camera_hub.cameras.register.described_devices import refuse_impostor
from camera_hub.store.tables import Device


class DeviceDescription(Protocol):
    """What asking needs of the describer."""

    async def describe(
        self,
        host: str,
        port: int | None = None,
        login: DeviceLogin | None = None,
        path: str = ...,
        *,
        check: Check | None = None,
    ) -> Described:
        """What the device is and which cameras it has. Raises HubError with the Reason."""
        ...


class DescribingAsker:
    """Implements login_changes.LoginAsker: a device that is described has accepted the login, and tells who it is.

    A camera that is known by its RTSP address only, and the login for RTSP alone, cannot be asked this way.
    """

    def __init__(self, describer: DeviceDescription, onvif: DeviceDescription, checks: DeviceChecks) -> None:
        """`onvif`: for the login of a separate ONVIF user, which nothing else accepts."""
        self._describer = describer
        self._onvif = onvif
        self._checks = checks

    async def ask(self, device: Device, login: DeviceLogin, purpose: Purpose) -> bool:
        """Raises HubError: the error of describing; CONFLICT (identity_changed)."""
        if device.onvif_port is None or purpose == "rtsp":
            return False
        check = await self._checks.of_device(device.id)
        describer = self._onvif if purpose == "onvif" else self._describer
        described = await describer.describe(device.host, device.onvif_port, login, device.onvif_path, check=check)
        refuse_impostor(device, described.identity)
        return True
