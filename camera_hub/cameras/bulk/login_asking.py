"""Whether a device accepts a login, asked before the login is stored."""

from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from sqlalchemy import select

from camera_hub.cameras import addresses, urls
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.login_budget import PlaceTrust
from camera_hub.cameras.credentials.logins import Sealer
from camera_hub.cameras.credentials.purposes import Purpose
from camera_hub.cameras.described import Described
from camera_hub.cameras.describing.rtsp_describe import LoginTry, RtspDescriber, RtspPeer
from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.http.deadline import Deadline
from camera_hub.cameras.reach import Check
from camera_hub.cameras.register.described_devices import refuse_impostor
from camera_hub.cameras.streams import stored_urls
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, Stream

RTSP_SECONDS = 15.0


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


class LoginTries(Protocol):
    """What this needs of the login budget."""

    def account(self, login: DeviceLogin, address: str, port: int) -> Any: ...
    def trying(self, account: Any, service: Literal["rtsp"]) -> AbstractAsyncContextManager[LoginTry]: ...


class StreamUrls(Protocol):
    """What this needs of StoredStreamUrls."""

    async def of_device(self, device_id: int) -> str:
        """The address of one of its streams, without login; "" where none is known."""
        ...


class StoredStreamUrls:
    """Reads the stream addresses that devices answered last."""

    def __init__(self, database: Database, vault: Sealer) -> None:
        self._database = database
        self._vault = vault

    async def of_device(self, device_id: int) -> str:
        """The address of one of its streams, without login; "" where none is known. Raises HubError."""
        query = (
            select(Stream)
            .join(Camera, Camera.id == Stream.camera_id)
            .where(Camera.device_id == device_id, Camera.state != "retired", Stream.sealed_uri.is_not(None))
            .order_by(Camera.id, Stream.role)
            .limit(1)
        )
        async with self._database.read() as session:
            stream = await session.scalar(query)
        return stored_urls.kept(stream, self._vault, device_id) if stream is not None else ""


class DeviceLoginAsker:
    """Implements login_changes.LoginAsker: a device that is described has accepted the login, and tells who it is.

    A camera that is known by its RTSP address only, and a login for RTSP alone, are asked by one DESCRIBE.
    """

    def __init__(
        self,
        describer: DeviceDescription,
        onvif: DeviceDescription,
        tries: LoginTries,
        streams: StreamUrls,
        checks: DeviceChecks,
        trust: PlaceTrust | None = None,
    ) -> None:
        """`onvif`: for the login of a separate ONVIF user, which nothing else accepts. `trust` is asked first: another
        device at a registered one's place gets no login."""
        self._describer = describer
        self._onvif = onvif
        self._tries = tries
        self._streams = streams
        self._checks = checks
        self._trust = trust

    async def ask(self, device: Device, login: DeviceLogin, purpose: Purpose) -> bool:
        """Raises HubError: the error of describing or of DESCRIBE; CONFLICT (identity_changed)."""
        if self._trust is not None:
            await self._trust.clear(device.id)
        check = await self._checks.of_device(device.id)
        if purpose != "onvif" and (device.onvif_port is None or purpose == "rtsp"):
            return await self._by_rtsp(device, login, check)
        describer = self._onvif if purpose == "onvif" else self._describer
        described = await describer.describe(device.host, device.asked_port, login, device.onvif_path, check=check)
        refuse_impostor(device, described.identity)
        return True

    async def _by_rtsp(self, device: Device, login: DeviceLogin, check: Check) -> bool:
        url = await self._streams.of_device(device.id)
        if not url.startswith("rtsp://"):
            return False  # not known yet, or encrypted
        parts = urlsplit(urls.onto(url, device.host).url)
        port = parts.port or urls.PORTS["rtsp"]
        address = await addresses.resolve(device.host)
        check(address, port)
        peer = RtspPeer(device.host, address, port)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        account = self._tries.account(login, address, port)
        async with (
            self._tries.trying(account, "rtsp") as attempt,
            RtspDescriber(peer, check, Deadline(RTSP_SECONDS), login, attempt) as rtsp,
        ):
            await rtsp.ask(path, RTSP_SECONDS)
        return True
