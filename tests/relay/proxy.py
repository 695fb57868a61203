"""A road between a viewer and the relay that loses packets by plan: a UDP proxy in user space."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast


@dataclass
class Road:
    """`loses(data)` says which datagrams towards the viewer are lost.

    `meets(data)` sees those of the viewer before they go on; `forge` sends others in the viewer's name.
    """

    port: int = 0
    meets: Callable[[bytes], None] = lambda data: None
    loses: Callable[[bytes], bool] = lambda data: False
    lost: int = 0
    passed: int = 0
    _ways: dict[tuple[str, int], asyncio.DatagramTransport] = field(default_factory=dict)

    def forge(self, data: bytes) -> None:
        """Send a datagram to the relay from every address that the relay knows the viewer by."""
        for way in self._ways.values():
            way.sendto(data)


class _Near(asyncio.DatagramProtocol):
    """The viewer's side: one way to the relay for each of its addresses."""

    def __init__(self, road: Road, target: tuple[str, int]) -> None:
        self.road, self.target = road, target
        self.transport: asyncio.DatagramTransport | None = None
        self.waiting: dict[tuple[str, int], list[bytes]] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.road.meets(data)
        way = self.road._ways.get(addr)
        if way is not None:
            way.sendto(data)
        elif addr in self.waiting:
            self.waiting[addr].append(data)
        else:
            self.waiting[addr] = [data]
            self.tasks.add(asyncio.create_task(self._open(addr)))

    async def _open(self, addr: tuple[str, int]) -> None:
        way, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Far(self, addr), remote_addr=self.target
        )
        self.road._ways[addr] = way
        for data in self.waiting.pop(addr):
            way.sendto(data)


class _Far(asyncio.DatagramProtocol):
    def __init__(self, near: _Near, viewer: tuple[str, int]) -> None:
        self.near, self.viewer = near, viewer

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.near.road.loses(data):
            self.near.road.lost += 1
        elif self.near.transport is not None:
            self.near.road.passed += 1
            self.near.transport.sendto(data, self.viewer)


@asynccontextmanager
async def road(target_port: int) -> AsyncIterator[Road]:
    """A road to a port of 127.0.0.1 while the block runs."""
    made = Road()
    near = _Near(made, ("127.0.0.1", target_port))
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: near, local_addr=("127.0.0.1", 0))
    made.port = transport.get_extra_info("sockname")[1]
    try:
        yield made
    finally:
        transport.close()
        for way in made._ways.values():
            way.close()


def every(count: int) -> Callable[[bytes], bool]:
    """Lose each `count`-th RTP packet."""
    seen = 0

    def loses(data: bytes) -> bool:
        nonlocal seen
        is_rtp = 127 < data[0] < 192 and not 191 < data[1] < 224
        seen += is_rtp
        return is_rtp and seen % count == 0

    return loses
