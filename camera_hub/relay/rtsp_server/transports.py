"""How packets reach a player: interleaved in its RTSP connection, or over UDP. Payloads are shared by all players."""

import asyncio
import struct
from collections.abc import Callable
from typing import Protocol

from camera_hub.clock import Clock
from camera_hub.relay.peer.pacer import BURST, TokenBucket
from camera_hub.relay.rtsp.udp import UdpPair
from camera_hub.relay.rtsp_server.sdp_writer import PAYLOAD_TYPE

_RTP_HEADER = struct.Struct("!BBHII")
_INTERLEAVED_RTP_HEADER = struct.Struct("!BBHBBHII")
_WITH_MARKER = PAYLOAD_TYPE | 0x80

Payloads = tuple[bytes, ...]


class PlayerTransport(Protocol):
    """Sends RTP and RTCP to one player. `name`: "tcp" or "udp"."""

    name: str

    @property
    def budget(self) -> int:
        """Bytes that may be sent now; 0: wait for `ready`."""
        ...

    def send(self, ssrc: int, sequence: int, timestamp: int, payloads: Payloads, start: int, end: int) -> None:
        """Send payloads[start:end] of a frame, the first under `sequence` (16 bit); the marker on the frame's last."""
        ...

    def send_rtcp(self, packet: bytes) -> None:
        """Send one RTCP packet."""
        ...

    async def ready(self) -> None:
        """Wait until something may be sent."""
        ...

    def close(self) -> None:
        """Release the sockets that belong to this transport."""
        ...


class ConnectionWriter(Protocol):
    """What the interleaved transport needs of the connection (`connection.PlayerConnection`)."""

    writable: asyncio.Event

    def write_all(self, parts: list[bytes]) -> None:
        """Send the parts in one write."""
        ...


class InterleavedTransport:
    """Interleaved frames (RFC 2326 section 10.12). A player that does not read makes the connection unwritable."""

    name = "tcp"

    def __init__(self, connection: ConnectionWriter, rtp_channel: int, rtcp_channel: int) -> None:
        self._connection = connection
        self._rtp_channel = rtp_channel
        self._rtcp_channel = rtcp_channel

    @property
    def budget(self) -> int:
        return BURST if self._connection.writable.is_set() else 0

    def send(self, ssrc: int, sequence: int, timestamp: int, payloads: Payloads, start: int, end: int) -> None:
        header, channel, last = _INTERLEAVED_RTP_HEADER.pack, self._rtp_channel, len(payloads) - 1
        parts: list[bytes] = []
        for place in range(start, end):
            payload = payloads[place]
            second = _WITH_MARKER if place == last else PAYLOAD_TYPE
            number = (sequence + place - start) & 0xFFFF
            parts += (header(0x24, channel, len(payload) + 12, 0x80, second, number, timestamp, ssrc), payload)
        self._connection.write_all(parts)

    def send_rtcp(self, packet: bytes) -> None:
        self._connection.write_all([b"$" + bytes((self._rtcp_channel,)) + len(packet).to_bytes(2, "big"), packet])

    async def ready(self) -> None:
        await self._connection.writable.wait()

    def close(self) -> None:
        """The connection closes itself."""


class UdpTransport:
    """UDP, paced at `rate` bit/s: a GOP that is replayed at once would overflow any decoder's receive buffer."""

    name = "udp"

    def __init__(self, pair: UdpPair, rate: int, clock: Clock, on_drop: Callable[[], None]) -> None:
        self._pair = pair
        self._clock = clock
        self._bucket = TokenBucket(rate)
        self._on_drop = on_drop

    @property
    def budget(self) -> int:
        self._bucket.refill(self._clock.monotonic())
        return self._bucket.burst

    def send(self, ssrc: int, sequence: int, timestamp: int, payloads: Payloads, start: int, end: int) -> None:
        last = len(payloads) - 1
        for place in range(start, end):
            payload = payloads[place]
            second = _WITH_MARKER if place == last else PAYLOAD_TYPE
            header = _RTP_HEADER.pack(0x80, second, (sequence + place - start) & 0xFFFF, timestamp, ssrc)
            if not self._pair.send_rtp(header + payload):
                self._on_drop()
            self._bucket.spend(len(payload) + 12)

    def send_rtcp(self, packet: bytes) -> None:
        self._pair.send_rtcp(packet)

    async def ready(self) -> None:
        self._bucket.refill(self._clock.monotonic())
        if (wait := self._bucket.wait()) > 0:
            await self._clock.sleep(wait)

    def close(self) -> None:
        self._pair.close()
