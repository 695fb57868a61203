"""The ICE-lite agent of one peer: it only answers checks, and is what RTCDtlsTransport needs of an ICE transport."""

import asyncio
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable

from camera_hub.relay.fanout.interface import Address, ReturnRoute
from camera_hub.relay.webrtc.udp_port import UdpPort

QUEUE = 256
MAX_ADDRESSES = 32
REMEMBERED = 512
"""Checks whose senders are remembered: some minutes of a browser's, 2 s of one that still looks for a pair."""
ALIVE_SECONDS = 10.0
"""Browsers check every 2.5 s."""


class IcePeer:
    """Registered at the port until `close`. aiortc calls `role`, `state`, `_recv` and `_send`.
    `on_route_changed`: `route` has become another one."""

    role = "controlled"
    state = "completed"

    def __init__(
        self,
        port: UdpPort,
        remote_ufrag: str,
        now: Callable[[], float],
        on_route_changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.ufrag = secrets.token_hex(4)
        self.password = secrets.token_hex(16)
        self.remote_ufrag = remote_ufrag
        self.route: ReturnRoute | None = None
        self.seen = now()
        self.selected = asyncio.Event()
        self._on_route_changed = on_route_changed
        self._on_media: Callable[[bytes], str | None] | None = None
        self._port = port
        self._now = now
        self._known: set[Address] = set()
        self._checks: OrderedDict[bytes, Address] = OrderedDict()
        self._queue: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False
        port.add(self)

    def on_check(self, route: ReturnRoute, nominated: bool, transaction: bytes) -> str | None:
        # Integrity does not cover the source address: a check that was overheard and replayed from elsewhere would
        # redirect the pictures there. A browser never uses one transaction for two addresses.
        if self._checks.setdefault(transaction, route.address) != route.address:
            return "replayed"
        if len(self._checks) > REMEMBERED:
            self._checks.popitem(last=False)
        if route.address not in self._known:
            if len(self._known) >= MAX_ADDRESSES:
                return "too_many_addresses"
            self._known.add(route.address)
        self.seen = self._now()
        if nominated or self.route is None:
            changed = self.route is not None and route != self.route
            self.route = route
            self.selected.set()
            if changed:
                self._on_route_changed()
        return None

    @property
    def alive(self) -> bool:
        return not self._closed and self._now() - self.seen < ALIVE_SECONDS

    def receive_media(self, handler: Callable[[bytes], str | None] | None) -> None:
        """Pass SRTP and SRTCP to `handler` from now on, which says why it drops one; None: drop all."""
        self._on_media = handler

    def on_datagram(self, data: bytes) -> str | None:
        if data[0] > 127:
            return self._on_media(data) if self._on_media is not None else "no_keys_yet"
        if len(self._queue) >= QUEUE:
            return "queue_full"
        self._queue.append(data)
        self._wake_receiver()
        return None

    def close(self) -> None:
        """Leave the port; a waiting `_recv` raises ConnectionError."""
        self._closed = True
        self._port.remove(self)
        self._wake_receiver()

    async def _recv(self) -> bytes:
        while not self._queue:
            if self._closed:
                raise ConnectionError
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._queue.popleft()

    async def _send(self, data: bytes) -> None:
        if self._closed or self.route is None:
            raise ConnectionError
        self._port.send(data, self.route)

    def _wake_receiver(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
