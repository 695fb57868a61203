"""Spot check of what a server sends: every packet of a few viewers is decrypted, and their H.264 is decoded.

A server must not win by sending wrong bytes fast: a packet counts only if it passes SRTP authentication, a picture only
if FFmpeg decodes it.
"""

from dataclasses import asdict, dataclass
from typing import Any

import av
import pylibsrtp
from av.error import FFmpegError
from av.video.frame import VideoFrame

from camera_hub.bench.sdp import MEDIA
from camera_hub.relay.ingest.codecs import BY_NAME
from camera_hub.relay.ingest.depacketize import Depacketizer
from camera_hub.relay.ingest.rtp import parse_rtp

MAX_PACKETS = 20_000
_START = b"\x00\x00\x00\x01"


@dataclass(frozen=True, slots=True)
class Checked:
    """The result for one viewer, or the sum over several. `gaps`: holes in the kept packets. Width and height: 0 if no
    picture was decoded.
    """

    packets: int = 0
    decrypted: int = 0
    frames: int = 0
    decoded: int = 0
    gaps: int = 0
    largest: int = 0  # bytes of the largest RTP payload
    width: int = 0
    height: int = 0

    @property
    def good(self) -> bool:
        """Everything decrypts, and every picture that was sent completely decodes."""
        return 0 < self.packets == self.decrypted and 0 < self.frames == self.decoded

    def __add__(self, other: "Checked") -> "Checked":
        return Checked(
            self.packets + other.packets,
            self.decrypted + other.decrypted,
            self.frames + other.frames,
            self.decoded + other.decoded,
            self.gaps + other.gaps,
            max(self.largest, other.largest),
            max(self.width, other.width),
            max(self.height, other.height),
        )

    def head(self) -> dict[str, Any]:
        return asdict(self)


class Check:
    """Collects one viewer's encrypted media packets; `result` checks them when the measurement is over."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []

    def add(self, packet: bytes) -> None:
        """Keep an encrypted packet, up to a bound."""
        if len(self._kept) < MAX_PACKETS:
            self._kept.append(packet)

    def result(self, session: "pylibsrtp.Session") -> Checked:
        """Decrypt and decode. Of several SSRCs the first is decoded. Call once: SRTP rejects replayed packets."""
        decrypted, largest = 0, 0
        ssrc: int | None = None
        depacketizer = Depacketizer(BY_NAME["h264"])
        stream: list[bytes] = []
        for packet in self._kept:
            try:
                plain = parse_rtp(session.unprotect(packet))
            except pylibsrtp.Error:
                continue
            decrypted += 1
            if plain is None or plain.payload_type != MEDIA:
                continue
            largest = max(largest, len(plain.payload))
            ssrc = plain.ssrc if ssrc is None else ssrc
            if plain.ssrc == ssrc:
                stream += [_START + _START.join(unit.units) for unit in depacketizer.push(plain)]
        pictures = _decoded(stream)
        width, height = (pictures[0].width, pictures[0].height) if pictures else (0, 0)
        return Checked(
            len(self._kept), decrypted, len(stream), len(pictures), depacketizer.gaps, largest, width, height
        )


def _decoded(stream: list[bytes]) -> list[VideoFrame]:
    """The pictures of access units in Annex B; those that do not decode are missing."""
    decoder = av.CodecContext.create("h264", "r")
    pictures: list[VideoFrame] = []
    for unit in [*stream, None]:
        try:
            found = decoder.decode(av.Packet(unit) if unit is not None else None)
        except FFmpegError:
            continue
        pictures += [frame for frame in found if isinstance(frame, VideoFrame) and not frame.is_corrupt]
    return pictures
