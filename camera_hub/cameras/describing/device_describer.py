"""Describing a device: over ONVIF first, since that tells most; else over what the device answers instead."""

from typing import Protocol

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.described import Described
from camera_hub.cameras.onvif.client import PATH
from camera_hub.cameras.reach import Check


class OnvifDescriber(Protocol):
    """What describing needs of onvif.client."""

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


class DeviceDescriber:
    """Implements register.devices.Describer."""

    def __init__(self, onvif: OnvifDescriber) -> None:
        self._onvif = onvif

    async def describe(
        self,
        host: str,
        port: int | None = None,
        login: DeviceLogin | None = None,
        path: str = PATH,
        *,
        check: Check | None = None,
    ) -> Described:
        """What the device is and which cameras it has; `check` is asked before each connect. Raises HubError."""
        return await self._onvif.describe(host, port, login, path, check=check)
