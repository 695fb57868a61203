"""What devices announce by themselves: Hello when they join the network or their address changes, Bye when they leave.

Heard all the time, by multicast on every interface, and only within the hub's own networks: it does not cross routers.
Anybody there can send anything, so nothing of it is believed but that it is worth a look at that address; how much is
read is bounded in all and per sender, and what is dropped is counted.
"""

import asyncio
import contextlib
import logging
import socket
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from camera_hub.cameras.discovery.interfaces import Interface, interfaces
from camera_hub.cameras.discovery.ws_discovery import GROUP, PORT, announced, sender_host
from camera_hub.cameras.identity import endpoint_key
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import DeviceSeen, EventBus
from camera_hub.running import Backoff, keep_running, running

log = logging.getLogger(__name__)

PER_SECOND, BURST = 50.0, 200.0
"""Datagrams that are read, in all: a village after a power cut, not a flood."""
SENDER_PER_SECOND, SENDER_BURST = 4.0, 16.0
_SENDERS = 1024
REPEAT_SECONDS = 10.0
"""Devices send each announcement several times, on each of their interfaces."""
_REPEATS = 2048
INTERFACE_SECONDS = 15.0
"""How often the interfaces are read again: networks come and go."""


@dataclass(slots=True)
class Allowance:
    """So many a second, and so many at once (a token bucket). Times are monotonic seconds."""

    rate: float
    burst: float
    left: float
    at: float

    def take(self, now: float) -> bool:
        """Whether one more is allowed now."""
        self.left = min(self.burst, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left < 1.0:
            return False
        self.left -= 1.0
        return True


@dataclass(slots=True)
class AnnouncementFigures:
    """Datagrams since the start: `limited` were not read, `ignored` announce no device, `repeated` say nothing new."""

    hellos: int = 0
    byes: int = 0
    limited: int = 0
    ignored: int = 0
    repeated: int = 0


class AnnouncementReader:
    """From datagrams to what is worth telling; it keeps no more than a few thousand names."""

    def __init__(self, now: float) -> None:
        self.figures = AnnouncementFigures()
        self._all = Allowance(PER_SECOND, BURST, BURST, now)
        self._senders: OrderedDict[str, Allowance] = OrderedDict()
        self._told: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def read(self, data: bytes, sender: str, now: float) -> list[DeviceSeen]:
        """What the datagram tells. Never raises."""
        host = sender_host(sender)
        if host is None:
            self.figures.ignored += 1
            return []
        if not self._of_sender(host, now).take(now) or not self._all.take(now):
            self.figures.limited += 1
            return []
        found = [one for one in announced(data, host, ()) if one.kind != "match"][:1]
        if not found:
            self.figures.ignored += 1
            return []
        (one,) = found
        if one.kind == "hello":
            self.figures.hellos += 1
        else:
            self.figures.byes += 1
        key = (one.kind, endpoint_key(one.endpoint), host)
        if now - self._told.get(key, float("-inf")) < REPEAT_SECONDS:
            self.figures.repeated += 1
            return []
        self._told[key] = now
        self._told.move_to_end(key)
        while len(self._told) > _REPEATS:
            self._told.popitem(last=False)
        return [DeviceSeen(one.kind, host, one.port, one.path, one.endpoint, one.mac)]

    def _of_sender(self, host: str, now: float) -> Allowance:
        allowance = self._senders.get(host)
        if allowance is None:
            allowance = self._senders[host] = Allowance(SENDER_PER_SECOND, SENDER_BURST, SENDER_BURST, now)
            while len(self._senders) > _SENDERS:
                self._senders.popitem(last=False)
        return allowance


class Announcements(asyncio.DatagramProtocol):
    """An async context manager: while entered, announcements are published as DeviceSeen. `joined`: the addresses of
    the interfaces on which the group was joined."""

    def __init__(
        self,
        bus: EventBus,
        clock: Clock,
        *,
        port: int = PORT,
        read_interfaces: Callable[[], Sequence[Interface]] = interfaces,
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._port = port
        self._read_interfaces = read_interfaces
        self._reader = AnnouncementReader(clock.monotonic())
        self._stack = contextlib.AsyncExitStack()
        self.joined: set[str] = set()

    @property
    def figures(self) -> AnnouncementFigures:
        """What was heard."""
        return self._reader.figures

    async def __aenter__(self) -> Self:
        work = keep_running("announcements", self._listen, clock=self._clock, backoff=Backoff(first=1.0, cap=60.0))
        await self._stack.enter_async_context(running(work, "announcements"))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for seen in self._reader.read(data, addr[0], self._clock.monotonic()):
            self._bus.publish(seen)

    async def _listen(self) -> None:
        """Hold the socket and follow the interfaces. Raises HubError when the port cannot be had."""
        with _listener(self._port) as sock:
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, sock=sock)
            self.joined.clear()
            try:
                while True:
                    self._join(sock, {one.address for one in self._read_interfaces()})
                    await self._clock.sleep(INTERFACE_SECONDS)
            finally:
                transport.close()
                self.joined.clear()

    def _join(self, sock: socket.socket, addresses: set[str]) -> None:
        for address in self.joined - addresses:
            with contextlib.suppress(OSError):  # gone with its interface
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_DROP_MEMBERSHIP, _membership(address))
        self.joined &= addresses
        for address in sorted(addresses - self.joined):
            try:
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, _membership(address))
            except OSError as error:
                log.debug("announcements cannot be heard at %s: %s", address, error)
            else:
                self.joined.add(address)


def _listener(port: int) -> socket.socket:
    """A socket that receives the group alone, beside other programs that do. Raises HubError."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_MULTICAST_ALL", 49), 0)  # joined interfaces alone
        sock.bind((GROUP, port))
    except OSError as error:
        sock.close()
        raise HubError(
            Kind.UNAVAILABLE,
            f"UDP port {port} cannot be listened at ({error.strerror}): Hello and Bye of devices are not heard; end "
            "the program that holds it, or set discovery.announcements = false",
        ) from error
    return sock


def _membership(address: str) -> bytes:
    return socket.inet_aton(GROUP) + socket.inet_aton(address)
