"""One player's TCP connection: bytes in, whole requests out; writes that tell when the player does not read."""

import asyncio
import ipaddress
import socket
from collections import deque
from typing import cast

from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.relay.rtsp.message import Parser, Request

MAX_BODY = 4096
MAX_REQUESTS = 16
"""Requests that may wait for their answers; players ask one at a time."""
HIGH_WATER = 256 * 1024
_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 20), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 4))
"""A player whose machine has gone without a word is found within 40 s, also while its camera sends nothing."""


class PlayerConnection(asyncio.Protocol):
    """`over` is set to the reason when it has ended, by whichever side."""

    def __init__(self, clock: Clock) -> None:
        self.writable = asyncio.Event()
        self.writable.set()
        self.address = ""
        self.local = ""
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.heard = clock.monotonic()
        self.unfinished_since: float | None = None
        self.blocked_since: float | None = None
        self.leaving_since: float | None = None  # it has said TEARDOWN
        self._clock = clock
        self._parser = Parser(MAX_BODY)
        self._transport: asyncio.Transport | None = None
        self._requests: deque[Request] = deque()
        self._asked = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)  # not every event loop's derives from it
        transport.set_write_buffer_limits(HIGH_WATER)
        self.address = plain_address(transport.get_extra_info("peername"))
        self.local = plain_address(transport.get_extra_info("sockname"))
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEP_ALIVE:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)

    def data_received(self, data: bytes) -> None:
        now = self._clock.monotonic()
        try:
            for message in self._parser.feed(data):
                self.heard = now
                if isinstance(message, Request):
                    self._requests.append(message)
                    self._asked.set()
                elif not isinstance(message, tuple):  # a `$` frame is a receiver report: a sign of life, no more
                    self.end("protocol")
                    return
        except HubError:
            self.end("protocol")
            return
        if len(self._requests) > MAX_REQUESTS:
            self.end("protocol")
        if not self._parser.unfinished:
            self.unfinished_since = None
        elif self.unfinished_since is None:
            self.unfinished_since = now

    def connection_lost(self, exc: Exception | None) -> None:
        self._over("closed")

    def pause_writing(self) -> None:
        self.blocked_since = self._clock.monotonic()
        self.writable.clear()

    def resume_writing(self) -> None:
        self.blocked_since = None
        self.writable.set()

    async def request(self) -> Request:
        """The next request."""
        while not self._requests:
            self._asked.clear()
            await self._asked.wait()
        return self._requests.popleft()

    def write_all(self, parts: list[bytes]) -> None:
        """One write; what comes after the end is dropped."""
        if self._transport is not None and not self.over.done():
            self._transport.writelines(parts)

    def end(self, reason: str) -> None:
        """End at once, without waiting for a player that does not read."""
        self._over(reason)
        if self._transport is not None:
            self._transport.abort()

    def close(self, reason: str) -> None:
        """End after what has been written; the server's sweep ends it for good where the player does not read."""
        self._over(reason)
        if self._transport is not None:
            self._transport.close()

    def _over(self, reason: str) -> None:
        if not self.over.done():
            self.over.set_result(reason)
        self.writable.set()  # whoever waits to write must see the end


def plain_address(name: tuple[str, int] | None) -> str:
    """The IP address of a socket name, an IPv4 one also where it came over an IPv6 socket."""
    if not name:
        return ""
    address = ipaddress.ip_address(name[0].partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
