"""Which devices are listened to: those with approved cameras and ONVIF, as many as there is room for."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import select

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.purposes import Purpose
from camera_hub.cameras.device_events.topics import ReportedCamera
from camera_hub.cameras.onvif.targets import OnvifTarget
from camera_hub.cameras.reach import Check
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, Village


@dataclass(frozen=True, slots=True)
class ListenedDevice:
    """What listening to a device depends on: any change of it begins anew."""

    device_id: int
    village_id: int
    host: str
    port: int
    path: str
    login_version: int
    thrifty: bool
    cameras: tuple[ReportedCamera, ...]


class EventLogins(Protocol):
    """What is needed of the register."""

    async def login(self, device_id: int, purpose: Purpose) -> DeviceLogin: ...


class EventChecks(Protocol):
    """What is needed of cameras.device_checks."""

    async def of_device(self, device_id: int) -> Check: ...


class ListeningTargets:
    """Where devices are reached, with the login and the check of the moment."""

    def __init__(self, logins: EventLogins, checks: EventChecks) -> None:
        self._logins = logins
        self._checks = checks

    async def of(self, device: ListenedDevice) -> OnvifTarget:
        """Raises HubError when its login cannot be opened, or the device is gone."""
        login = await self._logins.login(device.device_id, "onvif")
        check = await self._checks.of_device(device.device_id)
        return OnvifTarget(device.host, device.port, device.path, login or None, check=check)


async def listened_devices(
    database: Database, thrifty_villages: Collection[str], *, thrifty: bool
) -> list[ListenedDevice]:
    """Every device with at least one approved camera and a port of ONVIF, by id.

    A camera that was renamed, or a clock that was set, is no reason to begin anew.
    """
    async with database.read() as session:
        rows = (
            await session.execute(
                select(Device, Village.name, Camera.id, Camera.channel)
                .join(Village, Village.id == Device.village_id)
                .join(Camera, Camera.device_id == Device.id)
                .where(Device.retired_at.is_(None), Device.onvif_port.is_not(None), Camera.state == "approved")
                .order_by(Device.id, Camera.id)
            )
        ).all()
    cameras: dict[int, list[ReportedCamera]] = {}
    devices: dict[int, tuple[Device, str]] = {}
    for device, village, camera_id, channel in rows:
        devices[device.id] = (device, village)
        cameras.setdefault(device.id, []).append(ReportedCamera(camera_id, channel))
    return [
        ListenedDevice(
            device.id,
            device.village_id,
            device.host,
            device.onvif_port or 0,
            device.onvif_path,
            device.credentials_version,
            thrifty or village in thrifty_villages,
            tuple(cameras[device.id]),
        )
        for device, village in devices.values()
    ]


def with_room(devices: Iterable[ListenedDevice], at_once: int, at_once_per_village: int) -> list[ListenedDevice]:
    """Those that are listened to, in their order; the villages share by their own bound."""
    per_village: Counter[int] = Counter()
    chosen: list[ListenedDevice] = []
    for one in devices:
        if len(chosen) < at_once and per_village[one.village_id] < at_once_per_village:
            per_village[one.village_id] += 1
            chosen.append(one)
    return chosen
