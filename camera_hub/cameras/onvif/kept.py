"""Conversations that are kept while a camera is steered: a press of a button is one request on an open connection.

In an ordinary conversation (onvif.client) the first call goes out without a login, and the device's lock is held: each
press would cost two requests, and wait for whatever else is asked of the device. Here the login is proved once, by the
first call, and its try of the login budget ends with that; the Digest nonce goes on being counted, and every call has
a deadline of its own. A login that is refused later on is a refused try.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, Self, TypeVar

from camera_hub.cameras import addresses
from camera_hub.cameras.credentials.login_budget import Attempt, LoginBudget
from camera_hub.cameras.http.device_http import DeviceHttp
from camera_hub.cameras.http.messages import HttpLimits, HttpPeer
from camera_hub.cameras.onvif.conversation import KnownDevice, SoapConversation
from camera_hub.cameras.onvif.device import OnvifDevice
from camera_hub.cameras.onvif.lasting import LastingLine, LastingTry
from camera_hub.cameras.onvif.targets import OnvifTarget
from camera_hub.cameras.reach import Check, nowhere_local
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Reason
from camera_hub.peculiarity_kinds import PeculiarityKind

log = logging.getLogger(__name__)

REPLY_BYTES = 1024 * 1024
IDLE = 30.0
"""Seconds that a connection is kept without a request; most devices close it earlier."""

T = TypeVar("T")


class SteeredPeculiarities(Protocol):
    """What is needed of cameras.peculiarities."""

    async def of(self, device_id: int) -> Mapping[str, str]: ...


class KeptConversation:
    """`talk` with the device, which has `services` (namespace → path). Opened by KeptConversations; `close` it."""

    def __init__(
        self,
        device: OnvifDevice,
        services: Mapping[str, str],
        known: Mapping[str, str],
        line: LastingLine,
        attempt: Attempt | None,
    ) -> None:
        self.device = device
        self.talk: SoapConversation = device.conversation
        self.services = services
        self.known = known
        self._line = line
        self._attempt = attempt

    @property
    def refused(self) -> bool:
        """Whether the device refuses the login that it had accepted, or this user the call."""
        return self._line.refusals > 0

    def close(self, *, refused: bool = False) -> None:
        """Idempotent. `refused`: the login was refused, which counts as a try."""
        if self._attempt is not None:
            if refused:
                self._attempt.refused(Reason.WRONG_PASSWORD)
            self._attempt.end()
            self._attempt = None


class KeptConversations:
    """Opens conversations. An async context manager; leaving closes the connections. `call_seconds`: for each call."""

    def __init__(
        self,
        clock: Clock,
        logins: LoginBudget,
        peculiarities: SteeredPeculiarities | None = None,
        *,
        call_seconds: float = 4.0,
        check: Check = nowhere_local,
    ) -> None:
        self._clock = clock
        self._logins = logins
        self._peculiarities = peculiarities
        self._call_seconds = call_seconds
        self._check = check
        self._http = DeviceHttp(HttpLimits(reply_bytes=REPLY_BYTES, idle=IDLE))

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.__aexit__()

    async def open(
        self, target: OnvifTarget, first: Callable[[KeptConversation], Awaitable[T]]
    ) -> tuple[KeptConversation, T]:
        """A conversation, and the answer of `first`, whose calls prove the login. Raises HubError."""
        address = await addresses.resolve(target.host)
        check = target.check or self._check
        check(address, target.port)
        peer = HttpPeer(target.host, address, target.port, target.tls)
        line = LastingLine(self._http, peer, check, self._call_seconds)
        device = KnownDevice(clock_offset_s=target.clock_offset_s)
        known = await self._recalled(target, device, peer)
        attempt: Attempt | None = None
        if target.login:
            attempt = await self._logins.begin(self._logins.account(target.login, address, target.port), "onvif")
        try:
            trial = LastingTry(attempt) if attempt is not None else None
            talk = SoapConversation(line, target.login, device, self._clock.now, trial, lambda: False)
            asked = OnvifDevice(talk, target.path)
            await self._read_clock(asked, device)
            services = await asked.services()
            answer = await first(KeptConversation(asked, services, known, line, None))
        except BaseException as error:
            if attempt is not None:
                if isinstance(error, HubError) and line.refusals:
                    attempt.refused(error.reason)
                attempt.end()
            raise
        if (
            attempt is not None and trial is not None and not trial.proved
        ):  # it wants no login: none is sent from now on
            attempt.end()
            attempt = None
            asked = OnvifDevice(SoapConversation(line, None, device, self._clock.now, None, lambda: False), target.path)
        return KeptConversation(asked, services, known, line, attempt), answer

    async def _recalled(self, target: OnvifTarget, device: KnownDevice, peer: HttpPeer) -> Mapping[str, str]:
        """What was learnt of a registered device before."""
        device_id = target.login.device_id if target.login is not None else None
        if self._peculiarities is None or device_id is None:
            return {}
        known = await self._peculiarities.of(device_id)
        device.take(known)
        port = known.get(PeculiarityKind.TLS_ONLY, "")
        if port.isascii() and port.isdigit() and 0 < int(port) < 65536:
            self._http.known(peer, int(port))
        return known

    async def _read_clock(self, asked: OnvifDevice, device: KnownDevice) -> None:
        """UsernameTokens carry the device's own time. It may refuse to tell it; the next call will show."""
        before = self._clock.now()
        try:
            said = await asked.tolerant(asked.utc(), None)
        except HubError as error:
            if error.reason != Reason.LOGIN_NEEDED:
                raise
            return
        if said is not None:
            device.clock_offset_s = (said - before).total_seconds()
