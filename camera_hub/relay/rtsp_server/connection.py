"""One player's TCP connection: bytes in, complete requests out; writes that notice a player that does not read."""

import asyncio
import ipaddress
import socket
from collections import deque
from enum import StrEnum
from typing import cast

from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.relay.rtsp.message import Parser, Request

MAX_BODY = 4096
MAX_REQUESTS = 16
"""Requests that may wait for their answers; players send one at a time."""
HIGH_WATER = 256 * 1024
_TCP_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 20), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 4))
"""A player whose machine has vanished is noticed within 40 s, also while its camera sends nothing."""


class EndReason(StrEnum):
    """Why the relay or the player ended a session. Others are the hub's (rtsp.end), or the feed's `errors.Reason`."""

    CLOSED = "closed"  # by the player
    TIMEOUT = "timeout"
    STALLED = "stalled"  # it does not read
    PROTOCOL = "protocol"  # what it sends is not RTSP, or not a client's
    REFUSED = "refused"
    BUSY = "busy"  # too many connections; never reported to the hub
    STOPPED = "stopped"  # RTSP out was switched off
    CODEC_CHANGED = "codec_changed"  # the stream is no longer as described
    INTERNAL = "internal"  # the relay failed; its log says why


class PlayerConnection(asyncio.Protocol):
    """`over` gets the reason when it has ended, whichever side ended it.

    Times are monotonic seconds: `last_message_at` of a complete message, `incomplete_since` part of a message is
    buffered, `blocked_since` the send buffer is full, `teardown_at` TEARDOWN was received.
    """

    def __init__(self, clock: Clock) -> None:
        self.writable = asyncio.Event()
        self.writable.set()
        self.address = ""
        self.asked_for = False  # the hub is asked for a camera, or has granted one: it does not just idle
        self.local_address = ""
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.last_message_at = clock.monotonic()
        self.incomplete_since: float | None = None
        self.blocked_since: float | None = None
        self.teardown_at: float | None = None
        self._clock = clock
        self._parser = Parser(MAX_BODY)
        self._transport: asyncio.Transport | None = None
        self._requests: deque[Request] = deque()
        self._request_queued = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)  # not every event loop's derives from it
        transport.set_write_buffer_limits(HIGH_WATER)
        self.address = plain_address(transport.get_extra_info("peername"))
        self.local_address = plain_address(transport.get_extra_info("sockname"))
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _TCP_KEEP_ALIVE:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)

    def data_received(self, data: bytes) -> None:
        now = self._clock.monotonic()
        try:
            for message in self._parser.feed(data):
                self.last_message_at = now
                if isinstance(message, Request):
                    self._requests.append(message)
                    self._request_queued.set()
                elif not isinstance(message, tuple):  # an interleaved frame is a receiver report: a sign of life
                    self.end(EndReason.PROTOCOL)
                    return
        except HubError:
            self.end(EndReason.PROTOCOL)
            return
        if len(self._requests) > MAX_REQUESTS:
            self.end(EndReason.PROTOCOL)
        if not self._parser.unfinished:
            self.incomplete_since = None
        elif self.incomplete_since is None:
            self.incomplete_since = now

    def connection_lost(self, exc: Exception | None) -> None:
        self._set_over(EndReason.CLOSED)

    def pause_writing(self) -> None:
        self.blocked_since = self._clock.monotonic()
        self.writable.clear()

    def resume_writing(self) -> None:
        self.blocked_since = None
        self.writable.set()

    async def next_request(self) -> Request:
        """Wait for the next request. The session's timeouts end the wait."""
        while not self._requests:
            self._request_queued.clear()
            await self._request_queued.wait()
        return self._requests.popleft()

    def write_all(self, parts: list[bytes]) -> None:
        """Send the parts in one write; nothing after the end."""
        if self._transport is not None and not self.over.done():
            self._transport.writelines(parts)

    def end(self, reason: str) -> None:
        """End at once; what is not sent yet is dropped."""
        self._set_over(reason)
        if self._transport is not None:
            self._transport.abort()

    def close(self, reason: str) -> None:
        """End after what has been written is sent; the session aborts the connection when its task ends."""
        self._set_over(reason)
        if self._transport is not None:
            self._transport.close()

    def _set_over(self, reason: str) -> None:
        if not self.over.done():
            self.over.set_result(reason)
        self.writable.set()  # whoever waits to write must notice the end


def plain_address(name: tuple[str, int] | None) -> str:
    """The IP address of a socket name; an IPv4-mapped IPv6 address as IPv4."""
    if not name:
        return ""
    address = ipaddress.ip_address(name[0].partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
