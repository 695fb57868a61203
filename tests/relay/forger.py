"""Somebody on the road between a viewer and the relay: hears what the viewer sends, and sends in its name."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast


@dataclass
class Forger:
    """`meets(data)` is told of each datagram of the viewer before it goes on. The viewer is given `port`."""

    relay_port: int
    port: int = 0
    meets: Callable[[bytes], None] = lambda data: None
    ways: dict[tuple[str, int], asyncio.DatagramTransport] = field(default_factory=dict)
    near: asyncio.DatagramTransport | None = None
    opening: dict[tuple[str, int], list[bytes]] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def forge(self, data: bytes) -> None:
        """Send a datagram to the relay from every address that it knows the viewer by."""
        for way in self.ways.values():
            way.sendto(data)

    async def open(self, viewer: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        target = ("127.0.0.1", self.relay_port)
        way, _ = await loop.create_datagram_endpoint(lambda: _Far(self, viewer), remote_addr=target)
        self.ways[viewer] = way
        for data in self.opening.pop(viewer):
            self.meets(data)
            way.sendto(data)


class _Near(asyncio.DatagramProtocol):
    def __init__(self, forger: Forger) -> None:
        self.forger = forger

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.forger.near = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        forger = self.forger
        if (way := forger.ways.get(addr)) is not None:
            forger.meets(data)
            way.sendto(data)
        elif addr in forger.opening:
            forger.opening[addr].append(data)
        else:
            forger.opening[addr] = [data]
            forger.tasks.add(asyncio.create_task(forger.open(addr)))


class _Far(asyncio.DatagramProtocol):
    def __init__(self, forger: Forger, viewer: tuple[str, int]) -> None:
        self.forger, self.viewer = forger, viewer

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.forger.near is not None:
            self.forger.near.sendto(data, self.viewer)


@asynccontextmanager
async def forger(relay_port: int) -> AsyncIterator[Forger]:
    """Stand on the road while the block runs."""
    made = Forger(relay_port)
    loop = asyncio.get_running_loop()
    near, _ = await loop.create_datagram_endpoint(lambda: _Near(made), local_addr=("127.0.0.1", 0))
    made.port = near.get_extra_info("sockname")[1]
    try:
        yield made
    finally:
        await asyncio.gather(*made.tasks)
        for way in (near, *made.ways.values()):
            way.close()
        await asyncio.sleep(0)
