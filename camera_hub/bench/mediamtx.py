"""MediaMTX as a peer: it pulls the source over RTSP and answers WHEP offers, on one UDP port."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from camera_hub.bench.foreign import Foreign, foreign, free_port
from camera_hub.bench.servers import LOOPBACK, Server
from camera_hub.errors import HubError, Kind


class MediaMtx:
    """MediaMTX with its default configuration, except for ports, loopback only, and every other protocol off."""

    name = "mediamtx"
    gso: bool | None = None
    address = LOOPBACK

    def __init__(self, running: Foreign, feeds: int) -> None:
        self.pids: tuple[int, ...] = (running.pid,)
        self._server = running
        self._feeds = feeds

    async def answer(self, viewer: int, offer: str) -> str:
        reply = await self._server.request(
            "POST",
            f"/camera{viewer % self._feeds}/whep",
            content=offer,
            headers={"Content-Type": "application/sdp"},
        )
        if reply.status_code != 201:
            raise HubError(Kind.UNAVAILABLE, f"mediamtx refused the offer with {reply.status_code}: {reply.text[:200]}")
        return reply.text


def config(source: int, feeds: int, api: int, media: int) -> dict[str, Any]:
    """The configuration: that many paths, pulled over TCP while somebody watches them. Pure."""
    return {
        "logLevel": "warn",
        **{name: False for name in ("api", "metrics", "pprof", "playback", "rtsp", "rtmp", "hls", "srt", "moq")},
        "webrtc": True,
        "webrtcAddress": f"{LOOPBACK}:{api}",
        "webrtcLocalUDPAddress": f"{LOOPBACK}:{media}",
        "webrtcLocalTCPAddress": "",
        "webrtcIPsFromInterfaces": False,
        "webrtcAdditionalHosts": [LOOPBACK],
        "webrtcICEServers2": [],
        "paths": {
            f"camera{feed}": {
                "source": f"rtsp://{LOOPBACK}:{source}/{feed}",
                "rtspTransport": "tcp",
                "sourceOnDemand": True,
            }
            for feed in range(feeds)
        },
    }


@asynccontextmanager
async def mediamtx(port: int, feeds: int = 1) -> AsyncIterator[Server]:
    """Run MediaMTX, which pulls that many feeds of the source; viewers watch them in turn."""
    api, media = free_port(), free_port(socket.SOCK_DGRAM)
    files = {"mediamtx.yml": json.dumps(config(port, feeds, api, media))}
    async with foreign("mediamtx", files, lambda folder: [str(folder / "mediamtx.yml")], api, "/") as running:
        yield MediaMtx(running, feeds)
