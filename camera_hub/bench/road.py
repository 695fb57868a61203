"""A simulated network ("road") between browser and hub that loses and delays datagrams: a UDP proxy in user space.

    async with road(relay_port, seed=7) as way:
        way.down.impairment = Impairment(loss=0.05, jitter=0.05)

The browser is given `way.port` instead of the relay's port. Needs no privileges and no network namespace.
"""

import asyncio
import heapq
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from camera_hub.bench.impairment import Lane

MAX_BROWSERS = 64
MAX_WAITING = 4096
"""Datagrams in flight in one direction; more than any simulated link can hold."""
BUFFER = 4 * 1024 * 1024
"""Bytes that the kernel keeps for each socket while this process is busy; it grants net.core.rmem_max at most."""


def _nothing(data: bytes) -> bool:
    return False


@dataclass(slots=True)
class Road:
    """A running road. `down` is towards the browser, `up` towards the relay; `loses` selects what is lost downwards."""

    down: Lane
    up: Lane
    port: int = 0
    loses: Callable[[bytes], bool] = _nothing
    picked: int = 0
    refused: int = 0  # strangers beyond MAX_BROWSERS, datagrams beyond MAX_WAITING
    _ways: dict[tuple[str, int], "_Far"] = field(default_factory=dict)

    def silence(self, seconds: float) -> None:
        """Lose everything in both directions for that long."""
        until = asyncio.get_running_loop().time() + seconds
        self.down.silence(until)
        self.up.silence(until)


class _Side(asyncio.DatagramProtocol):
    """One socket, and the datagrams that it will send later, ordered by time, then by arrival."""

    def __init__(self, road: Road) -> None:
        self.road = road
        self.transport: asyncio.DatagramTransport | None = None
        self._waiting: list[tuple[float, int, bytes, tuple[str, int] | None]] = []
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def error_received(self, exc: Exception) -> None:
        """An ICMP error: nobody listens there any more, which does not matter."""

    def later(self, lane: Lane, data: bytes, address: tuple[str, int] | None) -> None:
        """Send through this socket when the lane says so, if ever."""
        at = lane.out(len(data), asyncio.get_running_loop().time())
        if at is None:
            return
        if len(self._waiting) >= MAX_WAITING:
            self.road.refused += 1
            return
        self._count += 1
        heapq.heappush(self._waiting, (at, self._count, data, address))
        self._go_on()

    def close(self) -> None:
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
        if self.transport is not None:
            self.transport.close()

    def _go_on(self) -> None:
        """Send what is due, and set the timer for the next."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._waiting and self._waiting[0][0] <= now:
            _, _, data, address = heapq.heappop(self._waiting)
            if self.transport is not None and not self.transport.is_closing():
                self.transport.sendto(data, address)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(self._waiting[0][0], self._go_on) if self._waiting else None


class _Near(_Side):
    """The browsers' side: a socket towards the relay for each of their addresses."""

    def __init__(self, road: Road, target: tuple[str, int]) -> None:
        super().__init__(road)
        self._target = target
        self._opening: dict[tuple[str, int], list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        way = self.road._ways.get(addr)
        if way is not None:
            way.later(self.road.up, data, None)
        elif addr in self._opening:
            self._opening[addr].append(data)
        elif len(self.road._ways) + len(self._opening) >= MAX_BROWSERS:
            self.road.refused += 1
        else:
            self._opening[addr] = [data]
            task = asyncio.create_task(self._open(addr), name=f"road to {addr}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _open(self, addr: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        transport, way = await loop.create_datagram_endpoint(lambda: _Far(self, addr), remote_addr=self._target)
        _enlarge_buffer(transport)
        self.road._ways[addr] = way
        for data in self._opening.pop(addr):
            way.later(self.road.up, data, None)

    async def end(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.close()


class _Far(_Side):
    """The relay's side for one browser."""

    def __init__(self, near: _Near, browser: tuple[str, int]) -> None:
        super().__init__(near.road)
        self._near, self._browser = near, browser

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.road.loses(data):
            self.road.picked += 1
        else:
            self._near.later(self.road.down, data, self._browser)


@asynccontextmanager
async def road(target_port: int, *, seed: int = 0) -> AsyncIterator[Road]:
    """A road to a port of 127.0.0.1 while the block runs; perfect until its lanes are impaired."""
    made = Road(down=Lane(seed), up=Lane(seed + 1))
    loop = asyncio.get_running_loop()
    transport, near = await loop.create_datagram_endpoint(
        lambda: _Near(made, ("127.0.0.1", target_port)), local_addr=("127.0.0.1", 0)
    )
    _enlarge_buffer(transport)
    made.port = transport.get_extra_info("sockname")[1]
    try:
        yield made
    finally:
        await near.end()
        for way in made._ways.values():
            way.close()
        await asyncio.sleep(0)  # sockets are closed in the loop's next iteration


def _enlarge_buffer(transport: asyncio.DatagramTransport) -> None:
    """Room for a burst while this process is busy: only the lanes are to lose anything."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)


def through(sdp: str, relay_port: int, road_port: int) -> str:
    """A relay's answer with its candidates redirected to the road."""
    return sdp.replace(f" {relay_port} typ host", f" {road_port} typ host")
