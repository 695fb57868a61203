"""An aiortc client as a viewer of the relay."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from av import VideoFrame

from tests.relay.hub import Hub


class Peer:
    """One connection with its incoming tracks."""

    def __init__(self, connection: RTCPeerConnection) -> None:
        self.connection = connection
        self.tracks: list[MediaStreamTrack] = []
        self.answer: dict[str, Any] = {}
        connection.on("track", self.tracks.append)

    async def width(self, track: int, *, deadline: float = 60.0) -> int:
        """Decode one picture of a track."""
        async with asyncio.timeout(deadline):
            frame = await self.tracks[track].recv()
        assert isinstance(frame, VideoFrame)
        return frame.width

    async def until_width(self, track: int, width: int) -> None:
        """Decode until the picture has that width."""
        async with asyncio.timeout(60):
            while await self.width(track) != width:
                pass


@asynccontextmanager
async def viewer(
    hub: Hub,
    name: str = "v",
    tracks: int = 1,
    *,
    port: int | None = None,
    audio: bool = False,
    before: Callable[[str], Awaitable[None]] | None = None,
    awaited: tuple[str, ...] = ("connected",),
) -> AsyncIterator[Peer]:
    """Offer and connect. `audio`: offer a line for sound, too. `port`: connect through a proxy on this
    port of 127.0.0.1 instead.

    `awaited`: viewer states that end the wait. `before`: what happens between the answer (it is given its SDP) and
    the first check.
    """
    connection = RTCPeerConnection()
    try:
        peer = Peer(connection)
        for _ in range(tracks):
            connection.addTransceiver("video", direction="recvonly")
        if audio:
            connection.addTransceiver("audio", direction="recvonly")
        await connection.setLocalDescription(await connection.createOffer())
        sdp = connection.localDescription.sdp
        peer.answer = await hub.call("viewer.offer", viewer=name, sdp=sdp, audio=audio)
        sdp = peer.answer["sdp"]
        if before is not None:
            await before(sdp)
        if port is not None:
            candidate = next(line for line in sdp.split("\r\n") if line.startswith("a=candidate"))
            words = candidate.split(" ")
            words[5] = str(port)
            sdp = sdp.replace(candidate, " ".join(words))
        await connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        await hub.until("viewer.state", lambda head: head["viewer"] == name and head["state"] in awaited)
        yield peer
    finally:
        await connection.close()
