"""go2rtc as a peer: it pulls the source over RTSP and answers WHEP offers over its HTTP API, on one UDP port."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from camera_hub.bench.foreign import Foreign, foreign, free_port
from camera_hub.bench.servers import LOOPBACK, Server
from camera_hub.errors import HubError, Kind


class Go2Rtc:
    """go2rtc with its default configuration, except for ports, loopback only, and no STUN server."""

    name = "go2rtc"
    gso: bool | None = None
    address = LOOPBACK

    def __init__(self, running: Foreign) -> None:
        self.pids: tuple[int, ...] = (running.pid,)
        self._server = running

    async def answer(self, viewer: int, offer: str) -> str:
        reply = await self._server.request(
            "POST", "/api/webrtc", params={"src": "bench"}, content=offer, headers={"Content-Type": "application/sdp"}
        )
        if reply.status_code not in (200, 201):
            raise HubError(Kind.UNAVAILABLE, f"go2rtc refused the offer with {reply.status_code}: {reply.text[:200]}")
        return reply.text


@asynccontextmanager
async def go2rtc(port: int) -> AsyncIterator[Server]:
    """Run go2rtc, pulling the source's first lane."""
    api, media = free_port(), free_port(socket.SOCK_DGRAM)
    config = {
        "api": {"listen": f"127.0.0.1:{api}"},
        "rtsp": {"listen": ""},
        "srtp": {"listen": ""},
        "webrtc": {
            "listen": f"127.0.0.1:{media}",
            "candidates": [f"127.0.0.1:{media}"],
            "ice_servers": [],
            "filters": {"loopback": True, "networks": ["udp4"]},
        },
        "streams": {"bench": f"rtsp://127.0.0.1:{port}/0"},
        "log": {"level": "warn"},
    }
    files = {"go2rtc.yaml": json.dumps(config)}
    async with foreign("go2rtc", files, lambda folder: ["-c", str(folder / "go2rtc.yaml")], api, "/api") as running:
        yield Go2Rtc(running)
