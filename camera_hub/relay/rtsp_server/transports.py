"""How packets get to a player: inside its RTSP connection, or over UDP. Payloads are shared by all players."""

import asyncio
import struct
from collections.abc import Callable
from typing import Protocol

from camera_hub.clock import Clock
from camera_hub.relay.peer.pacer import BURST, TokenBucket
from camera_hub.relay.rtsp.udp import UdpPair
from camera_hub.relay.rtsp_server.sdp import PAYLOAD_TYPE

_RTP = struct.Struct("!BBHII")
_FRAMED = struct.Struct("!BBHBBHII")
_MARKED = PAYLOAD_TYPE | 0x80

Packets = tuple[bytes, ...]


class PlayerTransport(Protocol):
    """Sends payloads[start:end] under `sequence` and those after it; the marker on the very last payload."""

    name: str

    @property
    def turn(self) -> int:
        """Bytes that may be sent now; 0 = wait for `ready`."""
        ...

    def send(self, ssrc: int, sequence: int, timestamp: int, payloads: Packets, start: int, end: int) -> None: ...

    def report(self, packet: bytes) -> None:
        """Send RTCP."""
        ...

    async def ready(self) -> None:
        """Until something may be sent."""
        ...

    def close(self) -> None: ...


class Writer(Protocol):
    """What the interleaved way needs of the connection (connection.Connection)."""

    writable: asyncio.Event

    def write_all(self, parts: list[bytes]) -> None:
        """Hand the parts to the transport as one write."""
        ...


class InterleavedWay:
    """`$` frames (RFC 2326 10.12). A player that does not read makes the connection unwritable, nothing else."""

    name = "tcp"

    def __init__(self, connection: Writer, media: int, control: int) -> None:
        self._connection = connection
        self._media = media
        self._control = control

    @property
    def turn(self) -> int:
        return BURST if self._connection.writable.is_set() else 0

    def send(self, ssrc: int, sequence: int, timestamp: int, payloads: Packets, start: int, end: int) -> None:
        head, channel, last = _FRAMED.pack, self._media, len(payloads) - 1
        parts: list[bytes] = []
        for place in range(start, end):
            payload = payloads[place]
            kind = _MARKED if place == last else PAYLOAD_TYPE
            number = (sequence + place - start) & 0xFFFF
            parts += (head(0x24, channel, len(payload) + 12, 0x80, kind, number, timestamp, ssrc), payload)
        self._connection.write_all(parts)

    def report(self, packet: bytes) -> None:
        self._connection.write_all([b"$" + bytes((self._control,)) + len(packet).to_bytes(2, "big"), packet])

    async def ready(self) -> None:
        await self._connection.writable.wait()

    def close(self) -> None:
        """The connection closes itself."""


class DatagramWay:
    """UDP, paced: a replayed picture group sent at once would run over the receive buffer of any decoder."""

    name = "udp"

    def __init__(self, pair: UdpPair, rate: int, clock: Clock, on_drop: Callable[[], None]) -> None:
        self._pair = pair
        self._clock = clock
        self._bucket = TokenBucket(rate)
        self._on_drop = on_drop

    @property
    def turn(self) -> int:
        self._bucket.refill(self._clock.monotonic())
        return self._bucket.burst

    def send(self, ssrc: int, sequence: int, timestamp: int, payloads: Packets, start: int, end: int) -> None:
        last = len(payloads) - 1
        for place in range(start, end):
            payload = payloads[place]
            kind = _MARKED if place == last else PAYLOAD_TYPE
            head = _RTP.pack(0x80, kind, (sequence + place - start) & 0xFFFF, timestamp, ssrc)
            if not self._pair.send(head + payload):
                self._on_drop()
            self._bucket.spend(len(payload) + 12)

    def report(self, packet: bytes) -> None:
        self._pair.report(packet)

    async def ready(self) -> None:
        self._bucket.refill(self._clock.monotonic())
        if (wait := self._bucket.wait()) > 0:
            await self._clock.sleep(wait)

    def close(self) -> None:
        self._pair.close()
