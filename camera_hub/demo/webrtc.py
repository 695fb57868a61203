"""A wall without a screen: one peer connection with a video track per tile, each decoded to its first picture."""

import asyncio
from typing import Any, Self

from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError


class WallPeer:
    """An async context manager; leaving closes the peer connection."""

    def __init__(self, tracks: int) -> None:
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        known = RTCRtpReceiver.getCapabilities("video")
        assert known is not None
        wanted = [codec for codec in known.codecs if codec.mimeType.lower() in ("video/h264", "video/rtx")]
        self._tiles: list[Any] = []
        for _ in range(tracks):
            tile = self._peer.addTransceiver("video", direction="recvonly")
            tile.setCodecPreferences(wanted)
            self._tiles.append(tile)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._peer.close()

    async def offer(self) -> str:
        """The SDP to post."""
        await self._peer.setLocalDescription(await self._peer.createOffer())
        return str(self._peer.localDescription.sdp)

    async def accept(self, sdp: str) -> None:
        """Apply the hub's answer; the connection is made in the background."""
        await self._peer.setRemoteDescription(RTCSessionDescription(_candidates_everywhere(sdp), "answer"))

    async def picture(self, tile: int) -> tuple[int, int]:
        """Wait for the tile's first decoded picture; (width, height). Raises ConnectionError when the peer ends."""
        try:
            frame = await self._tiles[tile].receiver.track.recv()
        except MediaStreamError as error:
            raise ConnectionError("the peer connection ended before a picture came") from error
        return int(frame.width), int(frame.height)

    async def drain(self, tile: int) -> None:
        """Discard every further picture, so that none piles up."""
        while True:
            try:
                await self._tiles[tile].receiver.track.recv()
            except MediaStreamError:
                await asyncio.Event().wait()


def _candidates_everywhere(sdp: str) -> str:
    """The answer with its candidates in every section: aiortc reads those of a bundle only from the last section."""
    head, *sections = sdp.split("\r\nm=")
    lines = [line for line in sections[0].split("\r\n") if line.startswith(("a=candidate:", "a=end-of-candidates"))]
    repeated = [sections[0], *(f"{section.rstrip()}\r\n" + "\r\n".join(lines) for section in sections[1:])]
    return "\r\nm=".join([head, *(section.rstrip() for section in repeated)]) + "\r\n"
