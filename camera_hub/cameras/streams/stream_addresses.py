"""Where a stream is pulled from: the device is asked for the address each time it is needed.

Recorders renumber and platforms hand out one-time addresses, so the stored address, which is sealed, is only the last
answer: it is used while the stream plays, for a short while, and when the device does not answer ONVIF at the moment
(its RTSP often still works).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import Protocol
from weakref import WeakValueDictionary

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.cameras import urls
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.login_budget import PAUSES
from camera_hub.cameras.credentials.logins import Sealer
from camera_hub.cameras.credentials.purposes import Purpose
from camera_hub.cameras.onvif.targets import OnvifTarget
from camera_hub.cameras.reach import Check
from camera_hub.cameras.streams import stored_urls
from camera_hub.cameras.vendors import paths
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, Stream

FRESH_SECONDS = 180.0
STALE_SECONDS = 30.0
"""Seconds for which the last answer is used when the device does not answer now: its RTSP often still works."""
ASK_SECONDS = 4.0
_LIMIT = 8192
_Key = tuple[str, int, str | None]
_FINAL = PAUSES | {Reason.REDIRECTED, Reason.ADDRESS_REFUSED, Reason.ADDRESS_CHANGED, Reason.NO_RANGES}
"""Failures that pulling would meet too, or that must not be ignored."""


class Logins(Protocol):
    """What stream sources need from the register."""

    async def login(self, device_id: int, purpose: Purpose) -> DeviceLogin:
        """The device's login for that purpose. Raises HubError."""
        ...

    async def logins(
        self, session: AsyncSession, devices: Collection[Device], purpose: Purpose
    ) -> Mapping[int, Callable[[], DeviceLogin]]:
        """Of several devices, by device, read in this session; each is opened by a call. Raises HubError."""
        ...


class AddressAsker(Protocol):
    """What this needs from onvif.client."""

    async def stream_uri(self, target: OnvifTarget, profile: str, *, timeout: float | None = None) -> str:
        """The profile's RTSP URL, on the host where the device is reached."""
        ...


class StreamAddresses:
    """The addresses of all streams, as they are now."""

    def __init__(self, database: Database, clock: Clock, register: Logins, onvif: AddressAsker, vault: Sealer) -> None:
        self._database = database
        self._clock = clock
        self._register = register
        self._onvif = onvif
        self._vault = vault
        self._fresh: OrderedDict[int, tuple[_Key, float]] = OrderedDict()  # stream → asked with what, used until
        self._playing: set[int] = set()
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def plays(self, stream_id: int) -> None:
        """The stream is running: its address need not be requested until `doubt` is called."""
        self._playing.add(stream_id)

    def doubt(self, stream_id: int) -> None:
        """The stream failed: its address is requested again next time."""
        self._playing.discard(stream_id)
        self._fresh.pop(stream_id, None)

    def rest(self, stream_id: int) -> None:
        """The stream is no longer pulled; a recent answer is still used."""
        self._playing.discard(stream_id)

    async def address_of(self, stream: Stream, device: Device, check: Check) -> str:
        """The stream's RTSP URL; of several callers for one stream only the first asks the device. Raises HubError."""
        if stream.source == "vendor":
            return await self._of_catalogue(stream, device)
        last = stored_urls.kept(stream, self._vault, device.id)
        if stream.source == "url" or device.onvif_port is None or stream.profile is None:
            return last
        # A changed host, login or profile is another key: an answer to the old one is not used.
        key = (device.host, device.credentials_version, stream.profile)
        if last and (stream.id in self._playing or self._serves(stream.id, key)):
            return last
        lock = self._locks.setdefault(stream.id, asyncio.Lock())
        async with lock:
            if self._serves(stream.id, key):
                return await self._stored(stream.id, device.id) or last
            login = await self._register.login(device.id, "onvif")
            target = target_of(device, login, check)
            if target is None:
                return last
            try:
                # This also limits the wait for other calls to the device: a viewer is waiting.
                async with asyncio.timeout(ASK_SECONDS):
                    answered = await self._onvif.stream_uri(target, stream.profile, timeout=ASK_SECONDS)
            except TimeoutError:
                return self._last_answer(
                    stream.id,
                    last,
                    key,
                    HubError(
                        Kind.TIMEOUT, "the device did not give the stream address in time", reason=Reason.TIMED_OUT
                    ),
                )
            except HubError as error:
                return self._last_answer(stream.id, last, key, error)
            if device.rtsp_port_typed and device.rtsp_port is not None:  # as a person says, not as the device does
                answered = urls.at_port(answered, device.rtsp_port)
            if answered != last:
                await self._store(stream.id, device.id, answered, login)
            self._keep(stream.id, key, FRESH_SECONDS)
            return answered

    async def _of_catalogue(self, stream: Stream, device: Device) -> str:
        """The address that the catalogue makes of the channel's number, where the device is reached now."""
        async with self._database.read() as session:
            number = await session.scalar(select(Camera.number).where(Camera.id == stream.camera_id))
        role: paths.Role = "main" if stream.role == "main" else "sub"
        port = device.rtsp_port or urls.PORTS["rtsp"]
        found = paths.address(stream.profile or "", number, role, device.host, port) if number is not None else ""
        if not found:
            raise HubError(
                Kind.UNAVAILABLE,
                "this camera's stream is not known any more; describe its device again",
                reason=Reason.NO_MEDIA,
            )
        return found

    def _last_answer(self, stream_id: int, last: str, key: _Key, error: HubError) -> str:
        if error.reason in _FINAL or not last:
            raise error
        self._keep(stream_id, key, STALE_SECONDS)
        return last

    def _serves(self, stream_id: int, key: _Key) -> bool:
        asked_with, until = self._fresh.get(stream_id, (None, 0.0))
        return asked_with == key and self._clock.monotonic() < until

    def _keep(self, stream_id: int, key: _Key, seconds: float) -> None:
        self._fresh[stream_id] = (key, self._clock.monotonic() + seconds)
        self._fresh.move_to_end(stream_id)
        while len(self._fresh) > _LIMIT:
            self._fresh.popitem(last=False)

    async def _stored(self, stream_id: int, device_id: int) -> str:
        async with self._database.read() as session:
            stream = await session.get(Stream, stream_id)
        return stored_urls.kept(stream, self._vault, device_id) if stream is not None else ""

    async def _store(self, stream_id: int, device_id: int, url: str, login: DeviceLogin) -> None:
        async with self._database.write() as session:
            stream = await session.get(Stream, stream_id)
            if stream is not None:
                stored_urls.keep(stream, self._vault, device_id, url, login)


def target_of(device: Device, login: DeviceLogin, check: Check) -> OnvifTarget | None:
    """The device's ONVIF service, None if it has none."""
    if device.onvif_port is None:
        return None
    return OnvifTarget(device.host, device.onvif_port, device.onvif_path, login, device.clock_offset_s, check)
