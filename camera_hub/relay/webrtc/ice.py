"""One peer's ICE-lite end: it only answers checks, and is what RTCDtlsTransport needs of an ICE transport."""

import asyncio
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable

from camera_hub.relay.fanout.sendmmsg import Address
from camera_hub.relay.webrtc.udp_port import ReturnRoute, UdpPort

QUEUE = 256
MAX_ADDRESSES = 32
REMEMBERED = 512
"""Checks whose senders are remembered: some minutes of a browser's, 2 s of one that is searching."""
LIVELY = 10.0
"""Seconds; browsers check every 2.5 s."""


class IcePeer:
    """Registered at the port while it lives. `role`, `state`, `_recv` and `_send` are aiortc's side of the seam."""

    role = "controlled"
    state = "completed"

    def __init__(self, port: UdpPort, remote_ufrag: str, now: Callable[[], float]) -> None:
        self.ufrag = secrets.token_hex(4)
        self.password = secrets.token_hex(16)
        self.remote_ufrag = remote_ufrag
        self.way: ReturnRoute | None = None
        self.seen = now()
        self.selected = asyncio.Event()
        self.hears: Callable[[bytes], str | None] | None = None
        """Who takes SRTP and SRTCP, once there are keys for it; says why not when it does not."""
        self.moved: Callable[[], None] | None = None
        """Called when `way` has become another one."""
        self._port = port
        self._now = now
        self._known: set[Address] = set()
        self._checks: OrderedDict[bytes, Address] = OrderedDict()
        self._queue: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False
        port.add(self)

    def checked(self, way: ReturnRoute, nominated: bool, transaction: bytes) -> str | None:
        # Integrity does not cover where a check came from: one that was overheard and sent again from elsewhere would
        # draw the pictures there. A browser never uses a transaction for two addresses.
        if self._checks.setdefault(transaction, way.address) != way.address:
            return "replayed"
        if len(self._checks) > REMEMBERED:
            self._checks.popitem(last=False)
        if way.address not in self._known:
            if len(self._known) >= MAX_ADDRESSES:
                return "too_many_addresses"
            self._known.add(way.address)
        self.seen = self._now()
        if nominated or self.way is None:
            moved = self.way is not None and way != self.way
            self.way = way
            self.selected.set()
            if moved and self.moved is not None:
                self.moved()
        return None

    @property
    def lively(self) -> bool:
        return not self._closed and self._now() - self.seen < LIVELY

    def datagram(self, data: bytes) -> str | None:
        if data[0] > 127:
            return self.hears(data) if self.hears is not None else "no_keys_yet"
        if len(self._queue) >= QUEUE:
            return "queue_full"
        self._queue.append(data)
        self._wake()
        return None

    def close(self) -> None:
        """Leave the port; whoever waits for a datagram gets ConnectionError."""
        self._closed = True
        self._port.remove(self)
        self._wake()

    async def _recv(self) -> bytes:
        while not self._queue:
            if self._closed:
                raise ConnectionError
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._queue.popleft()

    async def _send(self, data: bytes) -> None:
        if self._closed or self.way is None:
            raise ConnectionError
        self._port.send(data, self.way)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
