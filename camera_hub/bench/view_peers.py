"""The foreign servers of `bench view`; they always pull the same virtual cameras, whether or not somebody watches."""

import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from camera_hub.bench import go2rtc as go2rtc_peer
from camera_hub.bench import mediamtx as mediamtx_peer
from camera_hub.bench.foreign import Foreign, foreign, free_port
from camera_hub.bench.servers import LOOPBACK
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind

READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class WhepServer:
    """A running server with WHEP. `page`: an address of its origin that answers with some words and no script.

    `urls`: the WHEP endpoints of the cameras, in the cameras' order.
    """

    name: str
    pid: int
    page: str
    urls: tuple[str, ...]


def go2rtc_config(cameras: Mapping[str, str], api: int, media: int) -> dict[str, Any]:
    """go2rtc with these cameras (RTSP URL by name), which it preloads: it pulls them without a viewer. Pure."""
    without = go2rtc_peer.config(0, 0, api, media)
    return without | {"streams": dict(cameras), "preload": dict.fromkeys(cameras, "video")}


def mediamtx_config(cameras: Mapping[str, str], web: int, media: int, api: int) -> dict[str, Any]:
    """MediaMTX with these cameras (RTSP URL by name), pulled from the start; its other protocols are off. Pure."""
    without = mediamtx_peer.config(0, 0, web, media)
    paths = {name: {"source": url, "rtspTransport": "tcp"} for name, url in cameras.items()}
    return without | {"api": True, "apiAddress": f"{LOOPBACK}:{api}", "paths": paths}


@asynccontextmanager
async def go2rtc(cameras: Mapping[str, str], clock: Clock) -> AsyncIterator[WhepServer]:
    """Run go2rtc until every camera plays. Raises MissingError, HubError."""
    api, media = free_port(), free_port(socket.SOCK_DGRAM)
    files = {"go2rtc.yaml": json.dumps(go2rtc_config(cameras, api, media))}
    async with foreign("go2rtc", files, lambda folder: ["-c", str(folder / "go2rtc.yaml")], api, "/api") as started:
        await _ready(clock, started, len(cameras), "/api/streams", go2rtc_playing)
        urls = tuple(f"/api/webrtc?src={name}" for name in cameras)
        yield WhepServer("go2rtc", started.pid, f"http://{LOOPBACK}:{api}/api", urls)


@asynccontextmanager
async def mediamtx(cameras: Mapping[str, str], clock: Clock) -> AsyncIterator[WhepServer]:
    """Run MediaMTX until every camera plays. Raises MissingError, HubError."""
    web, media, api = free_port(), free_port(socket.SOCK_DGRAM), free_port()
    files = {"mediamtx.yml": json.dumps(mediamtx_config(cameras, web, media, api))}
    paths = "/v3/paths/list"
    async with foreign("mediamtx", files, lambda folder: [str(folder / "mediamtx.yml")], api, paths) as started:
        await _ready(clock, started, len(cameras), f"{paths}?itemsPerPage=1000", mediamtx_playing)
        urls = tuple(f"/{name}/whep" for name in cameras)
        yield WhepServer("mediamtx", started.pid, f"http://{LOOPBACK}:{web}/", urls)


PEERS: dict[str, Callable[[Mapping[str, str], Clock], AbstractAsyncContextManager[WhepServer]]] = {
    "go2rtc": go2rtc,
    "mediamtx": mediamtx,
}
"""How each peer is started; the name is also that of its program."""


def go2rtc_playing(streams: Any) -> int:
    """How many of the streams that go2rtc lists receive something. Pure."""
    return sum(
        any(producer.get("bytes_recv", 0) > 0 for producer in stream["producers"] or ()) for stream in streams.values()
    )


def mediamtx_playing(paths: Any) -> int:
    """How many of the paths that MediaMTX lists receive something. Pure."""
    return sum(path["online"] and path["inboundBytes"] > 0 for path in paths["items"])


async def _ready(clock: Clock, server: Foreign, cameras: int, path: str, playing: Callable[[Any], int]) -> None:
    end = clock.monotonic() + READY_SECONDS
    while (count := playing((await server.request("GET", path)).json())) < cameras:
        if clock.monotonic() > end:
            raise HubError(Kind.TIMEOUT, f"{server.program} plays {count} of {cameras} cameras")
        await clock.sleep(0.2)
