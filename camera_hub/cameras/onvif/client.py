"""ONVIF for the rest of the hub: a few coroutines over a bounded pool of threads, one call per device at a time."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self, TypeVar
from weakref import WeakValueDictionary

from camera_hub.cameras import addresses, urls
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.login_budget import REFUSALS, LoginBudget
from camera_hub.cameras.onvif import wsdl
from camera_hub.cameras.onvif.describe import Described, Profile, Said, described
from camera_hub.cameras.onvif.device import MEDIA1, OnvifDevice, readable
from camera_hub.cameras.onvif.exchange import Deadline, PinnedPeer
from camera_hub.cameras.onvif.media2 import MEDIA2
from camera_hub.cameras.onvif.transport import SoapConversation
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.settings import DiscoverySettings

PATH = "/onvif/device_service"
_THREADS = 16
_KNOWN_SECONDS = 600.0
_KNOWN_LIMIT = 4096
_DESCRIBE_FACTOR = 2.0
"""Describing takes up to a hundred calls (a recorder of 32 channels); all together they get this many deadlines."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OnvifTarget:
    """A device's ONVIF service: the address where it is reached, its login, what is known of its clock."""

    host: str
    port: int
    path: str = PATH
    login: DeviceLogin | None = None
    clock_offset_s: float | None = None


@dataclass(frozen=True, slots=True)
class ClockReading:
    """A device's clock against ours: `offset_s` = device minus hub, None when its answer contains no usable time."""

    offset_s: float | None
    took_ms: float
    at: datetime


@dataclass(frozen=True, slots=True)
class _DeviceMemory:
    """Answers of a device that need not be requested again for each stream."""

    services: dict[str, str]
    offset_s: float | None
    until: float


class Onvif:
    """The ONVIF client. An async context manager; leaving ends the threads and waits for them."""

    def __init__(self, settings: DiscoverySettings, clock: Clock, logins: LoginBudget | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._logins = logins or LoginBudget(clock)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="onvif")
        self._free = asyncio.Semaphore(_THREADS)
        self._locks: WeakValueDictionary[tuple[str, int], asyncio.Lock] = WeakValueDictionary()
        self._known: OrderedDict[tuple[str, int, str], _DeviceMemory] = OrderedDict()
        self._running: set[Deadline] = set()
        self._warmed: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._pool, wsdl.folder)  # raises at once when the files are missing
        return self

    async def __aexit__(self, *_: object) -> None:
        for deadline in self._running:
            deadline.stop()
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)

    async def clock(self, host: str, port: int, path: str = PATH, *, timeout: float | None = None) -> ClockReading:
        """Read the device's clock without a login: reachability, ONVIF or not, and clock error in one call."""
        target = OnvifTarget(host, port, path)
        seconds = timeout or self._settings.onvif_timeout
        return await self._call(target, seconds, lambda device, _: self._read_clock(device))

    async def describe(
        self, host: str, port: int | None = None, login: DeviceLogin | None = None, path: str = PATH
    ) -> Described:
        """What the device is and which cameras it has; without a port the usual ones are tried in order.

        Raises HubError with the Reason of a port that answered at all, else with that of the first one.
        """
        if port is not None:
            return await self._describe(OnvifTarget(host, port, path, login))
        errors = await asyncio.gather(*(self._greeted(host, usual, path) for usual in self._settings.ports))
        for usual, error in zip(self._settings.ports, errors, strict=True):
            if error is None or error.reason == Reason.LOGIN_NEEDED:
                return await self._describe(OnvifTarget(host, usual, path, login))
        answered = [error for error in errors if error is not None and error.reason not in _NO_ANSWER]
        raise next(iter([*answered, *(error for error in errors if error is not None)]), _no_ports())

    async def _greeted(self, host: str, port: int, path: str) -> HubError | None:
        """Why the port does not speak ONVIF, None when it does."""
        try:
            await self.clock(host, port, path, timeout=self._settings.host_timeout)
        except HubError as error:
            return error
        return None

    async def stream_uri(self, target: OnvifTarget, profile: str, *, timeout: float | None = None) -> str:
        """The profile's RTSP URL, on the host where the device is reached, without login. Raises HubError."""

        def ask(device: OnvifDevice, services: dict[str, str]) -> str:
            if (path := services.get(MEDIA1)) is not None:
                return device.stream_uri(path, profile)
            return device.media2(services[MEDIA2]).stream_uri(profile)

        seconds = timeout or self._settings.onvif_timeout
        return urls.onto(await self._media(target, seconds, ask, patience=timeout), target.host).url

    async def sync_point(self, target: OnvifTarget, profile: str) -> None:
        """Ask the device for a key frame now (SetSynchronizationPoint). Raises HubError."""

        def ask(device: OnvifDevice, services: dict[str, str]) -> None:
            if (path := services.get(MEDIA1)) is not None:
                device.synchronize(path, profile)
            else:
                device.media2(services[MEDIA2]).synchronize(profile)

        await self._media(target, self._settings.onvif_timeout, ask)

    async def _describe(self, target: OnvifTarget) -> Described:
        def ask(device: OnvifDevice, conversation: SoapConversation) -> tuple[Said, float | None, dict[str, str]]:
            conversation.clock_offset_s = self._read_clock(device).offset_s
            services = device.services()
            return _said(device, services), conversation.clock_offset_s, services

        said, offset_s, services = await self._call(target, self._settings.onvif_timeout * _DESCRIBE_FACTOR, ask)
        self._remember(target, services, offset_s)
        return described(said, host=target.host, port=target.port, path=target.path, clock_offset_s=offset_s)

    async def _media(
        self,
        target: OnvifTarget,
        seconds: float,
        ask: Callable[[OnvifDevice, dict[str, str]], T],
        *,
        patience: float | None = None,
    ) -> T:
        known = self._known.get((target.host, target.port, target.path))
        fresh = known if known is not None and self._clock.monotonic() < known.until else None

        def work(device: OnvifDevice, conversation: SoapConversation) -> tuple[T, dict[str, str], float | None]:
            if fresh is not None:
                conversation.clock_offset_s = fresh.offset_s
                return ask(device, fresh.services), fresh.services, fresh.offset_s
            conversation.clock_offset_s = target.clock_offset_s
            with suppress(HubError):  # it may refuse its clock but not its media; the next call will show
                conversation.clock_offset_s = self._read_clock(device).offset_s
            services = device.services()
            return ask(device, services), services, conversation.clock_offset_s

        try:
            answer, services, offset_s = await self._call(target, seconds, work, patience=patience)
        except HubError:
            self._known.pop((target.host, target.port, target.path), None)
            raise
        if fresh is None:
            self._remember(target, services, offset_s)
        return answer

    async def _call(
        self,
        target: OnvifTarget,
        seconds: float,
        work: Callable[[OnvifDevice, SoapConversation], T],
        *,
        patience: float | None = None,
    ) -> T:
        """Run `work` in a thread under one deadline of that many seconds, while holding the device's lock.

        Raises HubError(BUSY) when lock, login and thread are not free within `patience` seconds.
        """
        address = await addresses.resolve(target.host)
        loop = asyncio.get_running_loop()
        if self._warmed is None:  # takes up to a second, which must not count against the first devices' deadlines
            self._warmed = loop.run_in_executor(self._pool, wsdl.warm)
            self._warmed.add_done_callback(lambda done: done.cancelled() or done.exception())  # a call raises it again
        if not self._warmed.done():
            await asyncio.wait([self._warmed])
        lock = self._locks.setdefault((target.host, target.port), asyncio.Lock())
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(patience or self._settings.onvif_timeout * _DESCRIBE_FACTOR):
                    await held.enter_async_context(lock)
                    attempt = None
                    if target.login:
                        account = self._logins.account(target.login, address, target.port)
                        attempt = await held.enter_async_context(self._logins.trying(account, "onvif"))
                    await held.enter_async_context(self._free)
            except TimeoutError as error:
                raise HubError(
                    Kind.BUSY, "too many slow devices are being queried right now; try again", reason=Reason.BUSY
                ) from error
            deadline = Deadline(seconds)
            conversation = SoapConversation(
                PinnedPeer(target.host, address, target.port, tls=target.port == 443),
                target.login,
                deadline=deadline,
                per_call=min(seconds, self._settings.onvif_timeout),
                limit=self._settings.reply_bytes,
                now=self._clock.now,
                accepted=(lambda: loop.call_soon_threadsafe(attempt.accepted)) if attempt is not None else None,
            )
            self._running.add(deadline)
            try:
                return await loop.run_in_executor(
                    self._pool, lambda: readable(lambda: work(OnvifDevice(conversation, target.path), conversation))
                )
            except asyncio.CancelledError:
                deadline.stop()
                raise
            finally:
                self._running.discard(deadline)

    def _read_clock(self, device: OnvifDevice) -> ClockReading:
        began, before = self._clock.monotonic(), self._clock.now()
        device_time = device.utc()
        took = self._clock.monotonic() - began
        middle = before + timedelta(seconds=took / 2)
        # Devices answer in whole seconds: they cut off half a second on average.
        offset = (device_time - middle).total_seconds() + 0.5 if device_time is not None else None
        return ClockReading(offset, took * 1000, before)

    def _remember(self, target: OnvifTarget, services: dict[str, str], offset_s: float | None) -> None:
        key = (target.host, target.port, target.path)
        self._known[key] = _DeviceMemory(services, offset_s, self._clock.monotonic() + _KNOWN_SECONDS)
        self._known.move_to_end(key)
        while len(self._known) > _KNOWN_LIMIT:
            self._known.popitem(last=False)


_NO_ANSWER = {Reason.PORT_CLOSED, Reason.UNREACHABLE, Reason.TIMED_OUT}


def _no_ports() -> HubError:
    return HubError(
        Kind.INVALID, "no ONVIF ports are configured to be tried; give the device's port", reason=Reason.UNREACHABLE
    )


def _said(device: OnvifDevice, services: dict[str, str]) -> Said:
    """Request everything that describing needs; only identity and profiles are required."""
    identity = device.identity()
    none: list[Profile] = []
    scopes: tuple[str, ...] = device.tolerant(device.scopes, tuple[str, ...]())
    hostname = device.tolerant(device.hostname, "")
    media1, media2 = services.get(MEDIA1), services.get(MEDIA2)
    modern = device.tolerant(device.media2(media2).profiles, none) if media2 is not None else none
    profiles = device.tolerant(lambda: device.profiles(media1), none) if media1 is not None else none
    uris: dict[str, str] = {}
    osd: dict[str, str] = {}
    if profiles and media1 is not None:
        profiles = _with_claims(profiles, modern)
        osd = device.tolerant(lambda: device.osd(media1), {})
    elif modern:
        profiles = modern
    else:
        raise HubError(Kind.UNREACHABLE, "the device answers ONVIF but lists no video profile", reason=Reason.NO_MEDIA)
    for profile in profiles:
        try:
            if media1 is not None and profiles is not modern:
                uris[profile.token] = device.stream_uri(media1, profile.token)
            elif media2 is not None:
                uris[profile.token] = device.media2(media2).stream_uri(profile.token)
        except HubError as error:
            # Addresses are requested again when pulled; a dead channel or slow recorder must not spoil the description.
            if error.reason in REFUSALS:
                raise
            if error.reason == Reason.TIMED_OUT:
                break
    return Said(identity, tuple(profiles), scopes, hostname, uris, osd)


def _with_claims(profiles: list[Profile], modern: list[Profile]) -> list[Profile]:
    """Media1 profiles with the codec that Media2 reports for the same token: Media1 has no value for H.265."""
    claims = {one.token: one for one in modern}
    return [
        Profile(
            one.token,
            one.name,
            one.source,
            one.source_name,
            one.configuration,
            claim.codec or one.codec if (claim := claims.get(one.token)) is not None else one.codec,
            one.width or (claim.width if claim is not None else None),
            one.height or (claim.height if claim is not None else None),
        )
        for one in profiles
    ]
