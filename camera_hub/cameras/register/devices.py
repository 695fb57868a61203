"""Devices: registered over ONVIF or by URL, changed, described again, retired.

No transaction is open while a device is queried.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor, require_village
from camera_hub.cameras import urls
from camera_hub.cameras.credentials import logins
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.logins import Sealer
from camera_hub.cameras.credentials.purposes import Purpose
from camera_hub.cameras.described import Described
from camera_hub.cameras.device_checks import DeviceChecks, approve_place, place, trusted
from camera_hub.cameras.identity import found_facts
from camera_hub.cameras.onvif.describe import clean
from camera_hub.cameras.peculiarities import Peculiarities
from camera_hub.cameras.register import asking, described_devices, proof_state, views
from camera_hub.cameras.register.asking import Describer, DescribeRequest
from camera_hub.cameras.register.camera_states import PENDING
from camera_hub.cameras.register.cameras import retire
from camera_hub.cameras.register.channels import NumberedCamera, StoredUrls, TakenChannels, numbered, take_channels
from camera_hub.cameras.register.moves import move, new_place, settle
from camera_hub.cameras.register.on_behalf import mark
from camera_hub.cameras.register.views import CameraView, DeviceView
from camera_hub.cameras.streams import stored_urls
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import (
    CameraChanged,
    DeviceChanged,
    EventBus,
    MatchChanged,
    ProofRequested,
    StrangerFound,
    VillageChanged,
)
from camera_hub.peculiarity_kinds import PeculiarityKind
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, StoredLogin, Stream, Village

_USUAL_PORT = 80


@dataclass(frozen=True, slots=True)
class Registered:
    """A device and its cameras, as they are now."""

    device: DeviceView
    cameras: list[CameraView]


Finish = Callable[[AsyncSession, Device, Sequence[NumberedCamera]], Awaitable[None]]
"""What whoever registers a device adds to its rows, within the same transaction."""


class Devices:
    """Operations on devices. Each publishes DeviceChanged, CameraChanged and VillageChanged after its commit."""

    def __init__(
        self,
        database: Database,
        bus: EventBus,
        clock: Clock,
        vault: Sealer,
        describer: Describer,
        checks: DeviceChecks,
        peculiarities: Peculiarities,
    ) -> None:
        self._peculiarities = peculiarities
        self._database = database
        self._bus = bus
        self._clock = clock
        self._vault = vault
        self._describer = describer
        self._checks = checks

    async def all(self, actor: Actor) -> list[DeviceView]:
        """Devices in service in the actor's scope."""
        async with self._database.read() as session:
            return await views.devices(session, Device.retired_at.is_(None), in_scope(actor, Device.village_id))

    async def get(self, actor: Actor, device_id: int) -> DeviceView:
        """One device, in service or retired. Raises HubError(NOT_FOUND)."""
        async with self._database.read() as session:
            found = await views.devices(session, Device.id == device_id)
        if not found:
            raise _unknown()
        require_village(actor, found[0].village_id, "device")
        return found[0]

    async def registered(self, actor: Actor, device_id: int) -> Registered:
        """A device with its cameras that are not retired. Raises HubError(NOT_FOUND)."""
        view = await self.get(actor, device_id)
        async with self._database.read() as session:
            where = [Camera.device_id == device_id, Camera.state != "retired"]
            return Registered(view, await views.cameras(session, actor.user_id, where))

    async def register(
        self,
        actor: Actor,
        village_id: int,
        host: str,
        port: int | None = None,
        *,
        username: str = "",
        password: str = "",
        name: str = "",
        endpoint: str = "",
        rtsp_port: int | None = None,
        approved: bool = True,
        finish: Finish | None = None,
    ) -> Registered:
        """Describe the device and add it with all its cameras; their pictures are proved afterwards. The ports given
        count for more than what the device reports.

        A township admin's registration is approved at once unless `approved` is false; anybody else's waits for
        approval and must be within the village's ranges.

        Raises HubError: NOT_FOUND (village), INVALID (bad_host, address_refused, no_ranges), CONFLICT (duplicate), or
        the error of describing.
        """
        await self._require_place(actor, village_id)
        host = urls.host(host)
        username, password = logins.checked(username, password)
        address = await self._checks.address_for(
            actor, village_id, host, [port or _USUAL_PORT, *([rtsp_port] if rtsp_port else [])]
        )
        login = DeviceLogin(username, password) if username else None
        check = await self._checks.of_actor(actor, village_id)
        described = await asking.ask(
            self._describer, actor, DescribeRequest(host, port, login, rtsp_port=rtsp_port), check
        )
        if not described.identity.endpoint:
            described = replace(described, identity=replace(described.identity, endpoint=clean(endpoint, 128)))
        async with self._database.write() as session:
            await self._locked(session, village_id)
            found = found_facts(described.identity, village_id, host, described.port)
            doubts = await described_devices.refuse_duplicate(session, actor, found, described.rtsp_port)
            device = Device(
                village_id=village_id,
                kind=described.kind,
                name=clean(name, 128) or described.name,
                host=host,
                rtsp_port_typed=rtsp_port is not None,
                rtsp_port=rtsp_port,
                credentials_version=1,
                created_at=self._clock.now(),
            )
            described_devices.learn(device, described)
            await self._add(session, actor, device, address, username, password)
            asked = await described_devices.ask_about(session, device, doubts, self._clock.now())
            taken = await self._take_channels(session, actor, device, described, login, approved=approved)
            if finish is not None:
                await finish(session, device, numbered(taken.added))
        await asking.keep_noticed(self._peculiarities, device.id, described, taken.added, taken.listed)
        for match in asked:
            self._bus.publish(MatchChanged(match.id, match.village_id, match.other_village_id))
        return await self._done(actor, device, taken.added)

    async def register_url(
        self,
        actor: Actor,
        village_id: int,
        name: str,
        main_url: str,
        sub_url: str = "",
        *,
        username: str = "",
        password: str = "",
        place_class: str = "other",
        approved: bool = True,
        finish: Finish | None = None,
    ) -> Registered:
        """Add a camera that is known by its RTSP URL only; a login in the URL is moved out of it and sealed.

        Raises HubError: NOT_FOUND (village), INVALID (bad_url, address_refused, no_ranges), CONFLICT (duplicate).
        """
        await self._require_place(actor, village_id)
        main = urls.stream_url(main_url.strip())
        sub = urls.stream_url(sub_url.strip()) if sub_url.strip() else None
        if sub is not None and sub.host != main.host:
            raise HubError(Kind.INVALID, "both streams of a camera must be at the same address", reason="bad_url")
        username, password = logins.checked(username or main.username, password if username else main.password)
        ports = {main.port, sub.port if sub is not None else main.port}
        address = await self._checks.address_for(actor, village_id, main.host, sorted(ports))
        async with self._database.write() as session:
            await self._locked(session, village_id)
            await described_devices.refuse_known_stream(session, self._vault, village_id, main)
            device = Device(
                village_id=village_id,
                kind="camera",
                name=name,
                host=main.host,
                via="url",
                rtsp_port=main.port,
                credentials_version=1,
                created_at=self._clock.now(),
            )
            await self._add(session, actor, device, address, username, password)
            last = await session.scalar(select(func.max(Camera.position)).where(Camera.village_id == village_id))
            camera = described_devices.new_camera(
                device,
                "rtsp",
                name,
                (last or 0) + 1,
                self._clock,
                approved=trusted(actor) and approved,
                place_class=place_class,
            )
            mark(camera, actor, self._clock.now())
            session.add(camera)
            await session.flush()
            keep = self._keeping(device, DeviceLogin(username, password))
            for role, url in (("main", main), ("sub", sub)):
                if url is not None:
                    stream = Stream(camera_id=camera.id, role=role, source="url", details={})
                    keep(stream, url.url)
                    session.add(stream)
            if finish is not None:
                await finish(session, device, [NumberedCamera(1, camera)])
        return await self._done(actor, device, [camera])

    async def change(
        self,
        actor: Actor,
        device_id: int,
        *,
        name: str | None = None,
        host: str | None = None,
        onvif_port: int | None = None,
        rtsp_port: int | None = None,
        purpose: Purpose = "ordinary",
        username: str | None = None,
        password: str | None = None,
    ) -> DeviceView:
        """Change what is given; user name and password are those for `purpose`, and an empty name removes them.

        A new password without a name keeps the name. A user who may not approve must type the password again when the
        address changes: otherwise they could read it by having the hub log in to a device of their own. The device's
        logins for other purposes are deleted then, the new address must be within the village's ranges, and the cameras
        wait for approval again. An RTSP port counts for more than what the device reports; 0 leaves it to the device
        again. Raises HubError: NOT_FOUND, INVALID (bad_host, address_refused, no_ranges,
        password_needed).
        """
        host = urls.host(host) if host is not None else None
        address = await self._new_address(actor, device_id, host, onvif_port, rtsp_port)
        async with self._database.write() as session:
            device = await self._mine(session, actor, device_id)
            mark(device, actor, self._clock.now())
            if name is not None:
                device.name = clean(name, 128) or device.name
            wanted = new_place(device, host, onvif_port, rtsp_port)
            moved = wanted.differs(device)
            if moved and address is None:
                raise HubError(Kind.BUSY, "somebody else changes this device just now; try again", reason=Reason.BUSY)
            if moved and not trusted(actor) and password is None and await logins.has_login(session, device):
                raise HubError(
                    Kind.INVALID,
                    "the address changes: type the device's password again, so that it goes to no other device",
                    reason="password_needed",
                )
            await move(session, self._vault, device, wanted)
            credentials = username is not None or password is not None
            if credentials or moved:  # whether another address accepts the login is not known
                device.credentials_version += 1
            if moved and not trusted(actor):
                await logins.remove_others(session, device, purpose)
            if credentials:
                await logins.change_login(session, self._vault, device, purpose, username=username, password=password)
            cameras = await _in_service(session, device_id)
            if moved:
                settle(device, cameras, self._clock, trusted=trusted(actor), address=address)
            if credentials or moved:
                for camera in cameras:
                    proof_state.request(camera, self._clock.now())
        if moved or credentials:
            self._publish(cameras)  # first: tiles of cameras that wait for approval now must not follow to the address
        self._bus.publish(DeviceChanged(device_id, device.village_id, credentials=credentials))
        if moved or credentials:
            self._bus.publish(ProofRequested())
        if moved:
            self._bus.publish(VillageChanged(device.village_id))
        return await self.get(actor, device_id)

    async def describe(self, actor: Actor, device_id: int) -> Registered:
        """Describe the device again: new channels are added, known ones keep their names.

        Raises HubError: NOT_FOUND, UNSUPPORTED (known by URL), CONFLICT (retired, identity_changed), or the error of
        describing.
        """
        async with self._database.read() as session:
            device = await self._mine(session, actor, device_id)
            login = await logins.open_login(session, self._vault, device, "onvif")
            ordinary = await logins.open_login(session, self._vault, device, "http")
            for_onvif = await session.get(StoredLogin, (device_id, "onvif"))
        if device.via == "url":
            raise HubError(
                Kind.UNSUPPORTED,
                "this camera is known by its RTSP URL only and cannot be described; register it over ONVIF instead",
                reason="url_only",
            )
        if trusted(actor):
            check = await self._checks.of_actor(actor, device.village_id)
        else:
            check = await self._checks.of_device(device_id)
        # ONVIF has refused the ordinary user: it is not told it again, since each refusal rests the login everywhere.
        own_users = (await self._peculiarities.of(device_id)).get(PeculiarityKind.ONVIF_UNUSED) == "own_user"
        asked = DescribeRequest(
            device.host,
            device.asked_port,
            None if own_users and for_onvif is None else login,
            device.onvif_path,
            rtsp_port=device.rtsp_port if device.rtsp_port_typed or device.via == "catalogue" else None,
            ordinary=ordinary,
        )
        described = await asking.ask(self._describer, actor, asked, check)
        async with self._database.write() as session:
            device = await self._mine(session, actor, device_id)
            self._refuse_impostor(device, described)
            approved_here = device.approved_place == place(device)
            described_devices.learn(device, described)
            if approved_here:  # it is asked at another port of the same device now
                device.approved_place = place(device)
            taken = await self._take_channels(session, actor, device, described, login)
            cameras = await _in_service(session, device_id)
        await asking.keep_noticed(self._peculiarities, device_id, described, cameras, taken.listed)
        return await self._done(actor, device, cameras)

    def _refuse_impostor(self, device: Device, described: Described) -> None:
        try:
            described_devices.refuse_impostor(device, described.identity)
        except HubError:
            said = described.identity
            self._bus.publish(
                StrangerFound(device.id, said.manufacturer, said.model, said.serial, said.mac, said.endpoint)
            )
            raise

    async def _take_channels(
        self,
        session: AsyncSession,
        actor: Actor,
        device: Device,
        described: Described,
        login: DeviceLogin | None,
        *,
        approved: bool = True,
    ) -> TakenChannels:
        urls = StoredUrls(
            read=lambda stream: stored_urls.kept(stream, self._vault, device.id), keep=self._keeping(device, login)
        )
        approved = trusted(actor) and approved
        taken = await take_channels(session, device, described, self._clock, approved=approved, urls=urls)
        for camera in taken.added:
            mark(camera, actor, self._clock.now())
        return taken

    async def _add(
        self, session: AsyncSession, actor: Actor, device: Device, address: str, username: str, password: str
    ) -> None:
        """Add the row of a new device, with who adds it, and its login."""
        device.added_by, device.added_by_name = actor.user_id, actor.display_name
        mark(device, actor, self._clock.now())
        if trusted(actor):
            approve_place(device, address)
        session.add(device)
        await session.flush()
        await logins.change_login(session, self._vault, device, "ordinary", username=username, password=password)

    async def retire(self, actor: Actor, device_id: int) -> None:
        """Take the device and all its cameras out of service; history is kept.

        Whoever may not retire cameras (`Action.APPROVE`) may only take back a device of which none is approved yet;
        moving it, whereupon its cameras wait again, is no way around that.
        Raises HubError: NOT_FOUND, FORBIDDEN (approved_cameras).
        """
        async with self._database.write() as session:
            device = await self._mine(session, actor, device_id)
            cameras = await _in_service(session, device_id)
            if not trusted(actor) and cameras and device.approved_place is not None:
                raise HubError(
                    Kind.FORBIDDEN,
                    "this device has approved cameras, which only the township retires; ask it to do so first",
                    reason="approved_cameras",
                )
            device.retired_at = self._clock.now()
            for camera in cameras:
                retire(camera, self._clock)
        self._bus.publish(DeviceChanged(device_id, device.village_id))
        self._publish(cameras)
        self._bus.publish(VillageChanged(device.village_id))

    async def _new_address(
        self, actor: Actor, device_id: int, host: str | None, onvif_port: int | None, rtsp_port: int | None
    ) -> str | None:
        """The IP address at which the device will be reached, once that was allowed; None when it does not move."""
        async with self._database.read() as session:
            device = await self._mine(session, actor, device_id)
        wanted = new_place(device, host, onvif_port, rtsp_port)
        if not wanted.differs(device):
            return None
        ports = [one for one in (wanted.port, wanted.rtsp_port) if one is not None]
        return await self._checks.address_for(actor, device.village_id, wanted.host, ports or [_USUAL_PORT])

    def _keeping(self, device: Device, login: DeviceLogin | None) -> Callable[[Stream, str], None]:
        return lambda stream, url: stored_urls.keep(stream, self._vault, device.id, url, login)

    async def _require_place(self, actor: Actor, village_id: int) -> None:
        require_village(actor, village_id, "village")
        async with self._database.read() as session:
            if await session.get(Village, village_id) is None:
                raise HubError(Kind.NOT_FOUND, "there is no such village")

    async def _locked(self, session: AsyncSession, village_id: int) -> None:
        """Lock the village: registrations there happen one after the other, so a double click finds a duplicate."""
        row = await session.scalar(select(Village).where(Village.id == village_id).with_for_update())
        if row is None:
            raise HubError(Kind.NOT_FOUND, "there is no such village")

    async def _mine(self, session: AsyncSession, actor: Actor, device_id: int) -> Device:
        device = await session.get(Device, device_id)
        if device is None:
            raise _unknown()
        require_village(actor, device.village_id, "device")
        if actor.only_pending and await _has_approved(session, device_id):
            raise _unknown()
        if device.retired_at is not None:
            raise HubError(Kind.CONFLICT, "this device is retired; register it again", reason=Reason.RETIRED)
        return device

    async def _done(self, actor: Actor, device: Device, cameras: Iterable[Camera]) -> Registered:
        self._bus.publish(ProofRequested())
        self._bus.publish(DeviceChanged(device.id, device.village_id))
        self._publish(cameras)
        self._bus.publish(VillageChanged(device.village_id))
        return await self.registered(actor, device.id)

    def _publish(self, cameras: Iterable[Camera]) -> None:
        for camera in cameras:
            self._bus.publish(CameraChanged(camera.id, camera.village_id))


async def _in_service(session: AsyncSession, device_id: int) -> list[Camera]:
    await session.flush()
    return list(
        await session.scalars(
            select(Camera).where(Camera.device_id == device_id, Camera.state != "retired").order_by(Camera.id)
        )
    )


async def _has_approved(session: AsyncSession, device_id: int) -> bool:
    approved = select(Camera.id).where(Camera.device_id == device_id, Camera.state.not_in(PENDING)).limit(1)
    return await session.scalar(approved) is not None


def _unknown() -> HubError:
    return HubError(Kind.NOT_FOUND, "there is no such device")
