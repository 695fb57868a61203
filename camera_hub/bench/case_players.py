"""Who decodes the cases: FFmpeg as a foreign player of RTSP out, aiortc as a browser's stand-in on the wall."""

import asyncio
import json
import threading
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import av
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from camera_hub.demo.api import Api
from camera_hub.demo.webrtc import WallPeer
from camera_hub.running import running

_OPTIONS = {"rtsp_transport": "tcp", "timeout": "5000000", "analyzeduration": "100000", "probesize": "100000"}
_PAUSE = 0.5


class Player(Protocol):
    """Decodes every camera while it runs."""

    def decoded(self, camera: int) -> int:
        """Undamaged pictures of a camera so far."""
        ...


class RtspPlayers:
    """One thread per camera with FFmpeg, which opens the stream again whenever it ends."""

    def __init__(self, addresses: Mapping[int, str]) -> None:
        self._counts = dict.fromkeys(addresses, 0)
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._play, args=(camera, url), name=f"player-{camera}", daemon=True)
            for camera, url in addresses.items()
        ]

    async def __aenter__(self) -> "RtspPlayers":
        for thread in self._threads:
            thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            await asyncio.to_thread(thread.join, 10.0)

    def decoded(self, camera: int) -> int:
        return self._counts[camera]

    def _play(self, camera: int, url: str) -> None:
        while not self._stop.is_set():
            try:
                with av.open(url, options=_OPTIONS, timeout=(8.0, 5.0)) as container:
                    stream = container.streams.video[0]
                    stream.codec_context.thread_count = 1
                    for frame in container.decode(stream):
                        self._counts[camera] += not frame.is_corrupt
                        if self._stop.is_set():
                            return
            except (av.FFmpegError, IndexError):
                self._stop.wait(_PAUSE)


@dataclass(slots=True)
class Tile:
    """What the wall says of one camera, and pictures decoded."""

    track: int
    decoded: int = 0
    state: str = ""
    reason: str | None = None
    detail: str = ""


@dataclass(slots=True)
class Wall:
    """One wall that shows all cameras of a batch."""

    api: Api
    viewer: str
    tiles: dict[int, Tile]

    def decoded(self, camera: int) -> int:
        return self.tiles[camera].decoded

    async def figures(self) -> dict[int, dict[str, Any]]:
        """The feed's counters of each camera that has any."""
        by_track = {tile.track: camera for camera, tile in self.tiles.items()}
        read = await self.api("GET", f"/api/viewers/{self.viewer}/figures")
        return {by_track[one["track"]]: one["feed"] for one in read if one["feed"] is not None}


@asynccontextmanager
async def wall(api: Api, cameras: Sequence[int]) -> AsyncIterator[Wall]:
    """The cameras' sub streams on one wall, at most 16, while the block runs. Raises HubError."""
    page = str(uuid.uuid4())
    async with AsyncExitStack() as stack:
        address = f"{api.url.replace('http', 'ws', 1)}/api/live"
        socket = await stack.enter_async_context(
            connect(
                address,
                subprotocols=[Subprotocol("camera-hub"), Subprotocol(f"page.{page}")],
                additional_headers={"Cookie": api.cookie},
                proxy=None,
                open_timeout=10.0,
            )
        )
        peer = await stack.enter_async_context(WallPeer(len(cameras)))
        answer = await api("POST", "/api/viewers", {"page": page, "relay": 0, "sdp": await peer.offer()})
        await peer.accept(answer["sdp"])
        made = Wall(api, str(answer["viewer"]), {camera: Tile(track) for track, camera in enumerate(cameras)})
        await stack.enter_async_context(running(_listen(socket, made), "bench messages"))
        for camera, tile in made.tiles.items():
            await stack.enter_async_context(running(_decode(peer, tile), f"bench tile {camera}"))
            request = {"type": "show", "viewer": made.viewer, "track": tile.track, "serial": 1, "camera": camera}
            await socket.send(json.dumps(request | {"quality": "sub"}))
        yield made


async def _decode(peer: WallPeer, tile: Tile) -> None:
    while True:
        try:
            await peer.picture(tile.track)
        except ConnectionError:
            return
        tile.decoded += 1


async def _listen(socket: ClientConnection, made: Wall) -> None:
    async for text in socket:
        message = json.loads(text)
        if message.get("type") != "tile":
            continue
        for tile in made.tiles.values():
            if tile.track == message["track"]:
                tile.state, tile.reason, tile.detail = message["state"], message["reason"], message["detail"]
