"""`python -m camera_hub.bench.baseline --fd N`: stock aiortc passing one RTSP stream through, as its examples do it.

open  {url}    reply {}; MediaPlayer without decoding
offer {sdp}    reply {sdp}; a peer connection per viewer behind a MediaRelay

Two things are not stock, so that all servers do the same work: payloads are cut at the bench's limit, and ICE gathers
only loopback.
"""

import argparse
import asyncio
import socket

import aioice.ice
import aiortc.codecs.h264
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer, MediaRelay

from camera_hub.bench.clip import PAYLOAD_LIMIT
from camera_hub.errors import HubError, Kind
from camera_hub.wire import Pipe, PipeFrame


def _loopback(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    return ["127.0.0.1"]


class Baseline:
    """The player, the relay behind it and all peers."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._relay = MediaRelay()
        self._player: MediaPlayer | None = None
        self._peers: list[RTCPeerConnection] = []

    async def run(self) -> None:
        """Serve until the pipe closes."""
        try:
            while (frame := await self._pipe.receive()) is not None:
                try:
                    await self._pipe.reply(frame, await self._handle(frame))
                except HubError as error:
                    await self._pipe.refuse(frame, error)
                except Exception as error:
                    await self._pipe.refuse(frame, HubError(Kind.INTERNAL, f"{type(error).__name__}: {error}"))
        finally:
            await asyncio.gather(*(peer.close() for peer in self._peers), return_exceptions=True)

    async def _handle(self, frame: PipeFrame) -> dict[str, str]:
        if frame.type == "open":
            options = {"rtsp_transport": "tcp"}
            self._player = await asyncio.to_thread(
                MediaPlayer, str(frame.head["url"]), options=options, decode=False, timeout=10
            )
            return {}
        if self._player is None or self._player.video is None:
            raise HubError(Kind.CONFLICT, "the baseline has no video to offer")
        peer = RTCPeerConnection()
        self._peers.append(peer)
        peer.addTrack(self._relay.subscribe(self._player.video))
        await peer.setRemoteDescription(RTCSessionDescription(str(frame.head["sdp"]), "offer"))
        answer = await peer.createAnswer()
        assert answer is not None
        await peer.setLocalDescription(answer)
        return {"sdp": peer.localDescription.sdp}


async def serve(fd: int) -> None:
    """Serve the inherited socket until the bench closes it."""
    aiortc.codecs.h264.PACKET_MAX = PAYLOAD_LIMIT
    aioice.ice.get_host_addresses = _loopback
    pipe = Pipe(*await asyncio.open_connection(sock=socket.socket(fileno=fd)))
    try:
        await Baseline(pipe).run()
    finally:
        await pipe.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="camera_hub.bench.baseline", description="Stock aiortc; started by the bench."
    )
    parser.add_argument("--fd", type=int, required=True, help="inherited socket to the bench")
    asyncio.run(serve(parser.parse_args().fd))


if __name__ == "__main__":
    main()
