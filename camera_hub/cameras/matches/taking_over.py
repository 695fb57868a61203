"""What an answer changes in the register: a device at another place, one of two rows, another device at its place.

Within the caller's transaction; nothing is asked of a device here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.cameras.credentials import logins
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.logins import Sealer
from camera_hub.cameras.described import Described
from camera_hub.cameras.device_checks import place
from camera_hub.cameras.register import described_devices, proof_state
from camera_hub.cameras.register.cameras import retire
from camera_hub.cameras.register.channels import StoredUrls, take_channels
from camera_hub.cameras.register.moves import NewPlace, move, settle
from camera_hub.cameras.streams import stored_urls
from camera_hub.clock import Clock
from camera_hub.store.tables import Camera, Device, StoredLogin


@dataclass(slots=True)
class Taken:
    """What was changed, for the events that follow the commit."""

    devices: list[Device] = field(default_factory=list)
    cameras: list[Camera] = field(default_factory=list)


class TakingOver:
    """Writes rows. `trusted`: whoever decided may approve places."""

    def __init__(self, vault: Sealer, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock

    async def place(
        self, session: AsyncSession, device: Device, described: Described, *, trusted: bool, address: str | None
    ) -> Taken:
        """The device is where it was described; its login is unchanged and was accepted there."""
        there = NewPlace(
            described.host, described.port, described.rtsp_port or device.rtsp_port, device.rtsp_port_typed
        )
        await move(session, self._vault, device, there)
        device.credentials_version += 1
        return await self._described(session, device, described, trusted=trusted, address=address)

    async def row(
        self, session: AsyncSession, device: Device, other: Device, described: Described, *, trusted: bool
    ) -> Taken:
        """The device goes on where the other row is, with the logins that were entered there; that row is retired."""
        approved = trusted or other.approved_place == place(other)
        address = other.approved_address
        there = NewPlace(other.host, other.asked_port, other.rtsp_port, other.rtsp_port_typed)
        await move(session, self._vault, device, there)
        device.credentials_version += 1
        await self._take_logins(session, device, other)
        gone = list(await session.scalars(select(Camera).where(Camera.device_id == other.id)))
        other.retired_at = self._clock.now()
        for camera in gone:
            retire(camera, self._clock)
        taken = await self._described(session, device, described, trusted=approved, address=address)
        taken.devices.append(other)
        taken.cameras += gone
        return taken

    async def stranger(self, session: AsyncSession, device: Device, *, forget: bool, trusted: bool) -> Taken:
        """What answers at the device's place is the device from now on. `forget`: what was known of the former one."""
        if forget:
            device.manufacturer = device.model = device.firmware = ""
            device.serial = device.mac = device.endpoint = ""
        device.distrusted_at = None
        device.credentials_version += 1
        cameras = await self._in_service(session, device)
        settle(device, cameras, self._clock, trusted=trusted, address=device.approved_address)
        self._request_proofs(cameras)
        return Taken([device], cameras)

    async def learn(self, session: AsyncSession, device: Device, described: Described, *, trusted: bool) -> Taken:
        """What a device says about itself, and its channels."""
        described_devices.learn(device, described)
        login = await logins.open_login(session, self._vault, device, "rtsp")
        urls = StoredUrls(
            read=lambda stream: stored_urls.kept(stream, self._vault, device.id),
            keep=lambda stream, url: stored_urls.keep(stream, self._vault, device.id, url, login),
        )
        await take_channels(session, device, described, self._clock, approved=trusted, urls=urls)
        return Taken([device], await self._in_service(session, device))

    async def _described(
        self, session: AsyncSession, device: Device, described: Described, *, trusted: bool, address: str | None
    ) -> Taken:
        taken = await self.learn(session, device, described, trusted=trusted)
        device.distrusted_at = None
        settle(device, taken.cameras, self._clock, trusted=trusted, address=address)
        self._request_proofs(taken.cameras)
        return taken

    async def _take_logins(self, session: AsyncSession, device: Device, other: Device) -> None:
        for row in list(await session.scalars(select(StoredLogin).where(StoredLogin.device_id == device.id))):
            await session.delete(row)
        await session.flush()
        for row in list(await session.scalars(select(StoredLogin).where(StoredLogin.device_id == other.id))):
            session.add(
                StoredLogin(
                    device_id=device.id,
                    purpose=row.purpose,
                    username=row.username,
                    sealed=self._vault.seal(self._vault.open(row.sealed, other.id), device.id),
                    version=device.credentials_version,
                )
            )
        await session.flush()

    async def open(self, session: AsyncSession, device: Device) -> tuple[DeviceLogin, DeviceLogin]:
        """The device's logins for ONVIF and for its streams."""
        onvif = await logins.open_login(session, self._vault, device, "onvif")
        return onvif, await logins.open_login(session, self._vault, device, "rtsp")

    async def type_password(self, session: AsyncSession, device: Device, password: str) -> None:
        """The password that somebody typed who may not approve; logins for other purposes go nowhere else."""
        await logins.remove_others(session, device, "ordinary")
        await logins.change_login(session, self._vault, device, "ordinary", password=password)

    def _request_proofs(self, cameras: Sequence[Camera]) -> None:
        for camera in cameras:
            proof_state.request(camera, self._clock.now())

    @staticmethod
    async def _in_service(session: AsyncSession, device: Device) -> list[Camera]:
        await session.flush()
        found = select(Camera).where(Camera.device_id == device.id, Camera.state != "retired").order_by(Camera.id)
        return list(await session.scalars(found))
