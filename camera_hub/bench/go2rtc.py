"""go2rtc as a peer: it pulls the source over RTSP and answers WHEP offers over its HTTP API, on one UDP port."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from camera_hub.bench.foreign import Foreign, foreign, free_port
from camera_hub.bench.servers import LOOPBACK, Server
from camera_hub.errors import HubError, Kind


class Go2Rtc:
    """go2rtc with its default configuration, except for ports, loopback only, and no STUN server."""

    name = "go2rtc"
    gso: bool | None = None
    address = LOOPBACK

    def __init__(self, running: Foreign, feeds: int) -> None:
        self.pids: tuple[int, ...] = (running.pid,)
        self._server = running
        self._feeds = feeds

    async def answer(self, viewer: int, offer: str) -> str:
        reply = await self._server.request(
            "POST",
            "/api/webrtc",
            params={"src": f"camera{viewer % self._feeds}"},
            content=offer,
            headers={"Content-Type": "application/sdp"},
        )
        if reply.status_code not in (200, 201):
            raise HubError(Kind.UNAVAILABLE, f"go2rtc refused the offer with {reply.status_code}: {reply.text[:200]}")
        return reply.text


def config(source: int, feeds: int, api: int, media: int) -> dict[str, Any]:
    """The configuration: that many streams of the source, pulled while somebody watches them. Pure."""
    return {
        "api": {"listen": f"127.0.0.1:{api}"},
        "rtsp": {"listen": ""},
        "srtp": {"listen": ""},
        "webrtc": {
            "listen": f"127.0.0.1:{media}",
            "candidates": [f"127.0.0.1:{media}"],
            "ice_servers": [],
            "filters": {"loopback": True, "networks": ["udp4"]},
        },
        "streams": {f"camera{feed}": f"rtsp://127.0.0.1:{source}/{feed}" for feed in range(feeds)},
        "log": {"level": "warn"},
    }


@asynccontextmanager
async def go2rtc(port: int, feeds: int = 1) -> AsyncIterator[Server]:
    """Run go2rtc, which pulls that many feeds of the source; viewers watch them in turn."""
    api, media = free_port(), free_port(socket.SOCK_DGRAM)
    files = {"go2rtc.yaml": json.dumps(config(port, feeds, api, media))}
    async with foreign("go2rtc", files, lambda folder: ["-c", str(folder / "go2rtc.yaml")], api, "/api") as running:
        yield Go2Rtc(running, feeds)
