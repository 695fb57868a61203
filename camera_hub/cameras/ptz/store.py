"""What is stored of cameras that are steered, and where their devices are reached."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlalchemy import select, update

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.purposes import Purpose
from camera_hub.cameras.onvif.targets import OnvifTarget
from camera_hub.cameras.reach import Check
from camera_hub.cameras.streams.stream_addresses import target_of
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, PtzCamera, Stream


class SteeredLogins(Protocol):
    """What is needed of the register."""

    async def login(self, device_id: int, purpose: Purpose) -> DeviceLogin: ...


class SteeredChecks(Protocol):
    """What is needed of cameras.device_checks."""

    async def of_device(self, device_id: int) -> Check: ...


@dataclass(frozen=True, slots=True)
class SteeredCamera:
    """A camera of a device that is asked over ONVIF. `source`: its video source; `profile`: of its main stream;
    `address`: host and ONVIF port."""

    camera_id: int
    village_id: int
    device_id: int
    source: str
    profile: str
    address: tuple[str, int]


@dataclass(frozen=True, slots=True)
class HomePlan:
    """When and to where the camera returns. `token`: a preset, None: the device's own home position. `seconds`: without
    a command, 0: never. `names`: token → (the device's name of a preset, a person's)."""

    token: str | None
    seconds: float | None
    suspended_until: datetime | None
    names: Mapping[str, tuple[str, str]] = field(default_factory=dict)


NO_PLAN = HomePlan(None, None, None)


def ptz_none() -> HubError:
    """The error for a camera that nothing can move."""
    return HubError(Kind.UNSUPPORTED, "this camera cannot be steered: it has no PTZ node", reason=Reason.PTZ_NONE)


class PtzStore:
    """Reads and writes; no transaction is open while a device is asked."""

    def __init__(self, database: Database, logins: SteeredLogins, checks: SteeredChecks) -> None:
        self._database = database
        self._logins = logins
        self._checks = checks

    async def village_of(self, camera_id: int) -> int | None:
        """None: there is no such camera."""
        async with self._database.read() as session:
            return await session.scalar(select(Camera.village_id).where(Camera.id == camera_id))

    async def camera(self, camera_id: int) -> SteeredCamera:
        """Raises HubError: NOT_FOUND, RETIRED, PTZ_NONE for one that is not asked over ONVIF."""
        async with self._database.read() as session:
            row = (
                await session.execute(
                    select(Camera, Device).join(Device, Device.id == Camera.device_id).where(Camera.id == camera_id)
                )
            ).one_or_none()
            streams = (await session.scalars(select(Stream).where(Stream.camera_id == camera_id))).all()
        if row is None:
            raise HubError(Kind.NOT_FOUND, "there is no such camera")
        camera, device = row
        if camera.state == "retired":
            raise HubError(Kind.CONFLICT, "this camera is retired", reason=Reason.RETIRED)
        profiles = {one.role: one.profile for one in streams if one.source == "onvif" and one.profile}
        profile = profiles.get("main") or profiles.get("sub")
        if device.onvif_port is None or profile is None:
            raise ptz_none()
        address = (device.host, device.onvif_port)
        return SteeredCamera(camera.id, camera.village_id, device.id, camera.channel, profile, address)

    async def target(self, camera: SteeredCamera) -> OnvifTarget:
        """Where its device is reached now. Raises HubError."""
        async with self._database.read() as session:
            device = await session.get(Device, camera.device_id)
        if device is None:
            raise HubError(Kind.NOT_FOUND, "there is no such device")
        login = await self._logins.login(device.id, "onvif")
        target = target_of(device, login, await self._checks.of_device(device.id))
        if target is None:
            raise ptz_none()
        return target

    async def found(self, camera_id: int) -> None:
        """The camera turns out to have a PTZ node, which was not known when it was described."""
        async with self._database.write() as session:
            await session.execute(update(Camera).where(Camera.id == camera_id, ~Camera.ptz).values(ptz=True))

    async def plan(self, camera_id: int) -> HomePlan:
        async with self._database.read() as session:
            row = await session.get(PtzCamera, camera_id)
        if row is None:
            return NO_PLAN
        names = {token: (str(pair[0]), str(pair[1])) for token, pair in row.preset_names.items()}
        return HomePlan(row.home_token, row.home_seconds, row.suspended_until, names)

    async def keep_plan(self, camera_id: int, plan: HomePlan) -> None:
        async with self._database.write() as session:
            row = await session.get(PtzCamera, camera_id)
            if row is None:
                row = PtzCamera(camera_id=camera_id)
                session.add(row)
            row.home_token = plan.token
            row.home_seconds = None if plan.seconds is None else round(plan.seconds)
            row.suspended_until = plan.suspended_until
            row.preset_names = {token: list(pair) for token, pair in plan.names.items()}

    async def steered(self, camera_id: int, since: datetime | None) -> None:
        """It may be moved from now on; None: it stands, and has returned home."""
        async with self._database.write() as session:
            row = await session.get(PtzCamera, camera_id)
            if row is None and since is not None:
                session.add(PtzCamera(camera_id=camera_id, preset_names={}, steered_since=since))
            elif row is not None:
                row.steered_since = since

    async def left_steered(self) -> list[int]:
        """Cameras that a hub which died may have left moving."""
        async with self._database.read() as session:
            return list(await session.scalars(select(PtzCamera.camera_id).where(PtzCamera.steered_since.is_not(None))))
