"""ONVIF for the rest of the hub: a few coroutines, one call per device at a time, under one deadline each."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol, Self, TypeVar
from weakref import WeakValueDictionary

from camera_hub.cameras import addresses, urls
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.cameras.described import Described, Identity
from camera_hub.cameras.http.deadline import Deadline
from camera_hub.cameras.http.device_http import DeviceHttp
from camera_hub.cameras.http.endings import ENVELOPE
from camera_hub.cameras.http.messages import HttpLimits, HttpPeer, HttpReply, HttpRequest
from camera_hub.cameras.onvif import describing_calls, wsdl
from camera_hub.cameras.onvif.conversation import KnownDevice, SoapConversation
from camera_hub.cameras.onvif.describe import Said, clean, described
from camera_hub.cameras.onvif.device import MEDIA1, OnvifDevice
from camera_hub.cameras.onvif.media2 import MEDIA2, Media2
from camera_hub.cameras.onvif.targets import PATH, ClockReading, OnvifTarget
from camera_hub.cameras.reach import Check, nowhere_local
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.peculiarity_kinds import MAX_VALUE, PeculiarityKind
from camera_hub.settings import DiscoverySettings

log = logging.getLogger(__name__)

_AT_ONCE = 32
_KNOWN_SECONDS = 600.0
_KNOWN_LIMIT = 4096
_DESCRIBE_FACTOR = 2.0
"""Describing takes up to a hundred calls (a recorder of 32 channels); all together they get this many deadlines."""
_HIDDEN_TRIES = 4
_HIDDEN_SECONDS = 24 * 3600.0
"""How often in a day a device that answers nothing of ONVIF is sent a login that it has not asked for."""

T = TypeVar("T")


class DevicePeculiarities(Protocol):
    """What the client needs of cameras.peculiarities."""

    async def of(self, device_id: int) -> Mapping[str, str]: ...
    async def note(self, device_id: int, kind: PeculiarityKind | str, value: str) -> None: ...


@dataclass(slots=True)
class _DeviceMemory:
    """What need not be found out again. `services`, used until `until`: answers of the device."""

    device: KnownDevice = field(default_factory=KnownDevice)
    services: dict[str, str] = field(default_factory=dict)
    until: float = 0.0
    recalled: bool = False
    noted: dict[str, str] = field(default_factory=dict)
    hidden_tries: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _DeviceLine:
    """Implements conversation.SoapLine."""

    http: DeviceHttp
    peer: HttpPeer
    deadline: Deadline
    per_call: float
    check: Check

    async def send(self, request: HttpRequest) -> HttpReply:
        self.deadline.check()
        within = self.deadline.within(self.per_call)
        return await self.http.exchange(self.peer, request, within, check=self.check, ending=ENVELOPE)


class Onvif:
    """The ONVIF client. An async context manager; leaving closes the connections."""

    def __init__(
        self,
        settings: DiscoverySettings,
        clock: Clock,
        logins: LoginBudget | None = None,
        http: DeviceHttp | None = None,
        peculiarities: DevicePeculiarities | None = None,
        *,
        check: Check = nowhere_local,
    ) -> None:
        self._check = check
        self._settings = settings
        self._clock = clock
        self._logins = logins or LoginBudget(clock)
        self._http = http or DeviceHttp(HttpLimits(reply_bytes=settings.reply_bytes))
        self._peculiarities = peculiarities
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._locks: WeakValueDictionary[tuple[str, int], asyncio.Lock] = WeakValueDictionary()
        self._memories: OrderedDict[tuple[str, int, str], _DeviceMemory] = OrderedDict()
        self._warmed: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(wsdl.folder)  # raises at once when the files are missing
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._warmed is not None and not self._warmed.done():
            await asyncio.wait([self._warmed])
        await self._http.__aexit__()

    async def clock(
        self,
        host: str,
        port: int,
        path: str = PATH,
        *,
        timeout: float | None = None,
        check: Check | None = None,
        tls: bool | None = None,
    ) -> ClockReading:
        """Read the device's clock without a login: reachability, ONVIF or not, and clock error in one call."""
        target = OnvifTarget(host, port, path, check=check, tls=tls)
        return await self._call(
            target, timeout or self._settings.onvif_timeout, lambda device, _: self._clock_of(device)
        )

    async def identity(
        self,
        host: str,
        port: int,
        path: str = PATH,
        *,
        known_endpoint: str = "",
        timeout: float | None = None,
        check: Check | None = None,
    ) -> Identity:
        """Who the device is, as far as it tells without a login; none is ever sent. One that has the known endpoint is
        asked no more. Raises HubError where nothing there speaks ONVIF."""
        target = OnvifTarget(host, port, path, check=check)
        seconds = timeout or self._settings.onvif_timeout
        return await self._call(target, seconds, lambda device, _: device.open_identity(known_endpoint))

    async def describe(
        self,
        host: str,
        port: int | None = None,
        login: DeviceLogin | None = None,
        path: str = PATH,
        *,
        check: Check | None = None,
    ) -> Described:
        """What the device is and which cameras it has; without a port the usual ones are tried in order.

        Raises HubError with the Reason of a port that answered at all, else with that of the first one.
        """
        if port is not None:
            return await self._describe(OnvifTarget(host, port, path, login, check=check))
        targets = [OnvifTarget(host, usual, path, login, check=check) for usual in self._settings.ports]
        errors = await asyncio.gather(*(self._greeted(target) for target in targets))
        answers = sorted(zip(targets, errors, strict=True), key=lambda one: _unlikely(one[1]))
        if _unlikely(answers[0][1]) < _UNANSWERED if answers else False:
            return await self._describe(answers[0][0])
        answered = [error for error in errors if error is not None and error.reason not in _NO_ANSWER]
        raise next(iter([*answered, *(error for error in errors if error is not None)]), _no_ports())

    async def _greeted(self, target: OnvifTarget) -> HubError | None:
        """Why the port does not speak ONVIF, None when it does."""
        try:
            await self.clock(
                target.host, target.port, target.path, timeout=self._settings.host_timeout, check=target.check
            )
        except HubError as error:
            return error
        return None

    async def stream_uri(self, target: OnvifTarget, profile: str, *, timeout: float | None = None) -> str:
        """The profile's RTSP URL, on the host where the device is reached, without login. Raises HubError."""

        async def ask(device: OnvifDevice, services: Mapping[str, str]) -> str:
            if (path := services.get(MEDIA1)) is not None:
                answered = await device.stream_uri(path, profile)
            else:
                answered = await Media2(device.conversation, services[MEDIA2]).stream_uri(profile)
            taken = urls.onto(answered, target.host)
            if taken.repaired:
                self._memory(target).device.learnt[PeculiarityKind.URI_REPAIRED] = clean(taken.repaired, MAX_VALUE)
            return taken.url

        seconds = timeout or self._settings.onvif_timeout
        return await self.talk(target, seconds, ask, patience=timeout)

    async def sync_point(self, target: OnvifTarget, profile: str) -> None:
        """Ask the device for a key frame now (SetSynchronizationPoint). Raises HubError."""

        async def ask(device: OnvifDevice, services: Mapping[str, str]) -> None:
            if (path := services.get(MEDIA1)) is not None:
                await device.synchronize(path, profile)
            else:
                await Media2(device.conversation, services[MEDIA2]).synchronize(profile)

        await self.talk(target, self._settings.onvif_timeout, ask)

    async def talk(
        self,
        target: OnvifTarget,
        seconds: float,
        work: Callable[[OnvifDevice, Mapping[str, str]], Awaitable[T]],
        *,
        patience: float | None = None,
    ) -> T:
        """Run `work` with the device and its services (namespace → path): under one deadline of that many seconds, one
        at a time per device, with its login where the budget allows a try. What lies behind each service's calls stands
        in modules of their own, built on `OnvifDevice.call` and `OnvifDevice.conversation`.

        Raises HubError: BUSY when the device is not free within `patience` seconds; what `work` raises.
        """

        async def known(device: OnvifDevice, memory: _DeviceMemory) -> T:
            if self._clock.monotonic() < memory.until:
                return await work(device, memory.services)
            memory.device.clock_offset_s = target.clock_offset_s
            with suppress(HubError):  # it may refuse its clock but not its media; the next call will show
                await self._set_clock(device, memory.device)
            services = await device.services()
            answer = await work(device, services)
            memory.services, memory.until = services, self._clock.monotonic() + _KNOWN_SECONDS
            return answer

        try:
            return await self._call(target, seconds, known, patience=patience)
        except HubError:
            self._memory(target).until = 0.0
            raise

    async def _describe(self, target: OnvifTarget) -> Described:
        async def ask(device: OnvifDevice, memory: _DeviceMemory) -> Said:
            await self._set_clock(device, memory.device)
            services = await device.services()
            said = await describing_calls.said(device, services)
            memory.services, memory.until = services, self._clock.monotonic() + _KNOWN_SECONDS
            return said

        said = await self._call(target, self._settings.onvif_timeout * _DESCRIBE_FACTOR, ask)
        memory = self._memory(target)
        return described(
            said,
            host=target.host,
            port=target.port,
            path=target.path,
            clock_offset_s=memory.device.clock_offset_s,
            peculiarities=dict(memory.device.learnt),
        )

    async def _call(
        self,
        target: OnvifTarget,
        seconds: float,
        work: Callable[[OnvifDevice, _DeviceMemory], Awaitable[T]],
        *,
        patience: float | None = None,
    ) -> T:
        """Run `work` under one deadline of that many seconds, while holding the device's lock.

        Raises HubError(BUSY) when lock, login and a free place are not had within `patience` seconds.
        """
        address = await addresses.resolve(target.host)
        check = target.check or self._check
        check(address, target.port)  # before anything is spent on it; asked again right before each connect
        await self._warm()
        memory = self._memory(target)
        peer = HttpPeer(target.host, address, target.port, target.tls)
        await self._recall(target, memory, peer)
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
            line = _DeviceLine(self._http, peer, deadline, min(seconds, self._settings.onvif_timeout), check)
            conversation = SoapConversation(
                line, target.login, memory.device, self._clock.now, attempt, lambda: self._may_try_hidden(memory)
            )
            try:
                return await work(OnvifDevice(conversation, target.path), memory)
            finally:
                await self._note(target, memory, peer)

    async def _warm(self) -> None:
        """Load zeep and its WSDLs: up to a second, which must not count against the first devices' deadlines."""
        if self._warmed is None:
            self._warmed = asyncio.ensure_future(asyncio.to_thread(wsdl.warm))
            self._warmed.add_done_callback(lambda done: done.cancelled() or done.exception())  # a call raises it again
        if not self._warmed.done():
            await asyncio.wait([self._warmed])

    async def _recall(self, target: OnvifTarget, memory: _DeviceMemory, peer: HttpPeer) -> None:
        """Take what is stored of a registered device, once."""
        device_id = target.login.device_id if target.login is not None else None
        if self._peculiarities is None or device_id is None or memory.recalled:
            return
        try:
            known = await self._peculiarities.of(device_id)
        except HubError as error:
            log.warning("peculiarities of device %d cannot be read: %s", device_id, error)
            return
        memory.recalled = True
        memory.noted |= known
        memory.device.take(known)
        port = known.get(PeculiarityKind.TLS_ONLY, "")
        if port.isascii() and port.isdigit() and 0 < int(port) < 65536:
            self._http.known(peer, int(port))

    async def _note(self, target: OnvifTarget, memory: _DeviceMemory, peer: HttpPeer) -> None:
        """Store what was learnt of a registered device."""
        learnt = memory.device.learnt
        if (port := self._http.tls_port(peer)) is not None:
            learnt[PeculiarityKind.TLS_ONLY] = str(port)
        device_id = target.login.device_id if target.login is not None else None
        if self._peculiarities is None or device_id is None:
            return
        for kind, value in learnt.items():
            if memory.noted.get(kind) != value:
                memory.noted[kind] = value
                try:
                    await self._peculiarities.note(device_id, kind, value)
                except HubError as error:  # what was asked of the device counts more
                    log.warning("a peculiarity of device %d cannot be kept: %s", device_id, error)

    def _may_try_hidden(self, memory: _DeviceMemory) -> bool:
        now = self._clock.monotonic()
        memory.hidden_tries = [at for at in memory.hidden_tries if now - at < _HIDDEN_SECONDS]
        if len(memory.hidden_tries) >= _HIDDEN_TRIES:
            return False
        memory.hidden_tries.append(now)
        return True

    async def _set_clock(self, device: OnvifDevice, known: KnownDevice) -> None:
        """Read the device's clock; what garbles it may still answer other calls."""
        try:
            known.clock_offset_s = (await self._clock_of(device)).offset_s
        except HubError as error:
            if error.reason != Reason.BAD_REPLY:
                raise

    async def _clock_of(self, device: OnvifDevice) -> ClockReading:
        began, before = self._clock.monotonic(), self._clock.now()
        device_time = await device.utc()
        took = self._clock.monotonic() - began
        middle = before + timedelta(seconds=took / 2)
        # Devices answer in whole seconds: they cut off half a second on average.
        offset = (device_time - middle).total_seconds() + 0.5 if device_time is not None else None
        return ClockReading(offset, took * 1000, before)

    def _memory(self, target: OnvifTarget) -> _DeviceMemory:
        memory = self._memories.setdefault(target.key, _DeviceMemory())
        self._memories.move_to_end(target.key)
        while len(self._memories) > _KNOWN_LIMIT:
            self._memories.popitem(last=False)
        return memory


_UNANSWERED = 3


def _unlikely(error: HubError | None) -> int:
    """How unlikely a port is to speak ONVIF, by how it greeted; below _UNANSWERED it is worth asking."""
    if error is None:
        return 0
    if error.reason == Reason.LOGIN_NEEDED:
        return 1 if error.params.get("speaks_onvif") else 2
    return _UNANSWERED


_NO_ANSWER = {Reason.PORT_CLOSED, Reason.UNREACHABLE, Reason.TIMED_OUT}


def _no_ports() -> HubError:
    return HubError(
        Kind.INVALID, "no ONVIF ports are configured to be tried; give the device's port", reason=Reason.UNREACHABLE
    )
