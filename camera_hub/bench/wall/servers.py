"""The servers that `bench wall` compares, each ready to answer the light client's offers and to show its tiles."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

from camera_hub.bench import servers
from camera_hub.bench.go2rtc import go2rtc
from camera_hub.bench.janus import janus
from camera_hub.bench.mediamtx import mediamtx
from camera_hub.bench.plan import Watch
from camera_hub.bench.servers import LOOPBACK, Server
from camera_hub.bench.wall.hub_data import HubData
from camera_hub.bench.wall.hub_pages import Page, Pages, all_live, signed_in
from camera_hub.bench.wall.hub_process import hub_process
from camera_hub.bench.wall.plan import HubVariant, Load, feed_of, per_viewer

_PEERS = {"go2rtc": go2rtc, "mediamtx": mediamtx, "janus": janus}


class WallServer(Protocol):
    """A running server. `pids`: its processes; their descendants count too. `watch`: who connects to it."""

    pids: tuple[int, ...]
    address: str
    watch: Watch

    async def answer(self, viewer: int, offer: str) -> str:
        """The SDP answer for one more viewer. Raises HubError."""
        ...

    async def show(self) -> None:
        """Show all tiles, once every viewer is connected. Raises HubError."""
        ...


Start = Callable[[], AbstractAsyncContextManager[WallServer]]
"""Runs a server for the length of a block."""


class WholeHub:
    """`camera-hub serve`: a page with its WebSocket and one peer connection for several tiles."""

    address = LOOPBACK

    def __init__(self, pid: int, pages: Pages, load: Load, cameras: tuple[int, ...]) -> None:
        tiles = per_viewer(load)
        self.pids: tuple[int, ...] = (pid,)
        self.watch = Watch(-(-load.tiles // tiles), tiles, load.cipher)
        self.pages = pages
        self.opened: dict[int, Page] = {}
        """The pages by viewer."""
        self._load = load
        self._cameras = cameras

    async def answer(self, viewer: int, offer: str) -> str:
        page = self.opened[viewer] = await self.pages.open()
        return await page.offer(offer)

    async def show(self) -> None:
        for viewer, page in sorted(self.opened.items()):
            first = viewer * self.watch.tracks
            for track in range(self.watch.tracks):
                if first + track < self._load.tiles:
                    await page.show(track, self._cameras[feed_of(first + track, len(self._cameras))])
        await all_live(list(self.opened.values()))


@asynccontextmanager
async def whole_hub(hub: HubVariant, data: HubData, load: Load, viewers: int = 0) -> AsyncIterator[WholeHub]:
    """The whole hub with its data; `viewers`: how many may be connected at once, where that is more than usual."""
    async with (
        hub_process(hub, data.folder, max(viewers, -(-load.tiles // per_viewer(load)))) as process,
        signed_in(process.url, data) as pages,
    ):
        yield WholeHub(process.pid, pages, load, data.cameras)


class RelayAlone:
    """The hub's relay without the hub, controlled over its pipe."""

    def __init__(self, relay: servers.Hub, load: Load) -> None:
        tiles = per_viewer(load)
        self.pids = relay.pids
        self.address = relay.address
        self.watch = Watch(-(-load.tiles // tiles), tiles, load.cipher)
        self._relay = relay
        self._load = load

    async def answer(self, viewer: int, offer: str) -> str:
        return await self._relay.answer(viewer, offer)

    async def show(self) -> None:
        for tile in range(self._load.tiles):
            viewer, track = divmod(tile, self.watch.tracks)
            await self._relay.show(viewer, track, feed_of(tile, self._load.feeds))


@asynccontextmanager
async def relay_alone(hub: HubVariant, load: Load, port: int, data: Path) -> AsyncIterator[RelayAlone]:
    """One relay process that pulls every feed of the source."""
    command = (str(hub.python), "-m", "camera_hub.relay")
    async with servers.relays(1, -(-load.tiles // per_viewer(load)), servers.Hub, command) as relay:
        await relay.open(port, range(load.feeds))
        yield RelayAlone(relay, load)


class Peer:
    """Another server, with a peer connection for each tile."""

    def __init__(self, server: Server, load: Load) -> None:
        self.pids = server.pids
        self.address = server.address
        self.watch = Watch(load.tiles, 1, load.cipher)
        self._server = server

    async def answer(self, viewer: int, offer: str) -> str:
        return await self._server.answer(viewer, offer)

    async def show(self) -> None:
        """They show it as soon as they are connected."""


@asynccontextmanager
async def peer(name: str, load: Load, port: int) -> AsyncIterator[Peer]:
    """One of PEERS, pulling the source's feeds. Raises MissingError when it is not installed."""
    async with _PEERS[name](port, load.feeds) as server:
        yield Peer(server, load)
