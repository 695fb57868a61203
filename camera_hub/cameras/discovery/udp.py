"""A UDP socket that sends WS-Discovery messages and collects the answers, bounded."""

import asyncio
import socket
import uuid
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from camera_hub.cameras.discovery.ws_discovery import KINDS, Announced, announced, probe, sender_host
from camera_hub.cameras.identity import endpoint_key

MAX_MATCHES = 1024
MAX_PER_HOST = 64
"""Datagrams of one host that are read: a device answers each kind of Probe once, a few times over."""
_MAX_IDS = 16384

OnAnnouncement = Callable[[Announced], None]


class AnnouncementReceiver(asyncio.DatagramProtocol):
    """Calls `on_announcement` once per endpoint and address. `ignored` counts datagrams that announce no device."""

    def __init__(self, on_announcement: OnAnnouncement) -> None:
        self._on_announcement = on_announcement
        self._ours: OrderedDict[str, None] = OrderedDict()
        self._seen: set[tuple[str, str]] = set()
        self._read: Counter[str] = Counter()
        self.ignored = 0
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # asyncio's own does not derive from it in 3.11

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        host = sender_host(addr[0])
        found = announced(data, host, self._ours) if host is not None and self._reads(host) else []
        if not found:
            self.ignored += 1
        for one in found:
            key = (endpoint_key(one.endpoint), one.host)
            if one.kind == "match" and key not in self._seen and len(self._seen) < MAX_MATCHES:
                self._seen.add(key)
                self._on_announcement(one)

    def _reads(self, host: str) -> bool:
        """Whether one more datagram of that host is looked at: reading takes a millisecond, and a flood is not read."""
        if len(self._seen) >= MAX_MATCHES or (host not in self._read and len(self._read) >= _MAX_IDS):
            return False
        self._read[host] += 1
        return self._read[host] <= MAX_PER_HOST

    def error_received(self, exc: Exception) -> None:
        """An ICMP error from one host; the others may still answer."""

    def ask(self, address: tuple[str, int]) -> None:
        """Send one Probe of each kind. An address that cannot be sent to is skipped."""
        if self._transport is None or self._transport.is_closing():
            return
        for kind in KINDS:
            message_id = f"urn:uuid:{uuid.uuid4()}"
            self._ours[message_id] = None
            if len(self._ours) > _MAX_IDS:
                self._ours.popitem(last=False)
            self._transport.sendto(probe(message_id, kind), address)


@asynccontextmanager
async def listening(
    on_announcement: OnAnnouncement, interface: str | None = None
) -> AsyncIterator[AnnouncementReceiver]:
    """Open a socket for the block: for multicast on `interface` (its address), else for unicast."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if interface is not None:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 4)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        sock.bind((interface or "0.0.0.0", 0))
    except BaseException:
        sock.close()
        raise
    transport, receiver = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: AnnouncementReceiver(on_announcement), sock=sock
    )
    try:
        yield receiver
    finally:
        transport.close()
