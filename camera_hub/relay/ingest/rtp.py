"""RTP of cameras: read a header, unwrap counters that wrap, put UDP packets back in order. Pure (RFC 3550)."""

import struct
from dataclasses import dataclass

from camera_hub.errors import HubError, Kind, Reason

_HEADER = struct.Struct("!BBHII")


@dataclass(slots=True)
class RtpPacket:
    """One packet of a camera. `sequence` 16 bit, `timestamp` 32 bit, as they came."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse_rtp(data: bytes) -> RtpPacket | None:
    """Read one packet; None when it is malformed."""
    size = len(data)
    if size < 12 or data[0] >> 6 != 2:
        return None
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    start, end = 12, size
    if first & 0x3F:
        start += (first & 0x0F) * 4
        if first & 0x10:
            if start + 4 > size:
                return None
            start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
        if first & 0x20:
            end -= data[-1]
    if start >= end:
        return None
    return RtpPacket(second & 0x7F, second > 127, sequence, timestamp, ssrc, data[start:end])


class Unwrapper:
    """A counter of `bits` bits that wraps becomes a growing integer; small steps back stay small steps back."""

    __slots__ = ("_half", "_last", "_size")

    def __init__(self, bits: int) -> None:
        self._size = 1 << bits
        self._half = self._size >> 1
        self._last: int | None = None

    def __call__(self, value: int) -> int:
        if self._last is None:
            self._last = value
            return value
        step = (value - self._last) % self._size
        if step >= self._half:
            step -= self._size
        self._last += step
        return self._last


class Reorder:
    """Packets that came over UDP, back in their order.

    A hole is waited for until `depth` packets stand behind it, or the first of those has stood there for `patience`
    seconds: on a thin sub stream 64 packets are many seconds of picture. Then it is given up, and the depacketizer sees
    the gap. Late and repeated packets are dropped and counted. Pure: the time is given.
    """

    def __init__(self, depth: int = 64, patience: float = 0.1) -> None:
        self._depth = depth
        self._patience = patience
        self._unwrap = Unwrapper(16)
        self._next: int | None = None
        self._waiting: dict[int, tuple[RtpPacket, float]] = {}  # in the order of arrival
        self.late = 0

    def push(self, packet: RtpPacket, now: float) -> list[RtpPacket]:
        """Take one packet in at `now` (seconds), give out those whose turn it is."""
        number = self._unwrap(packet.sequence)
        if self._next is None:
            self._next = number
        if number < self._next:
            if self._next - number > 1000:  # the camera began anew
                self._waiting.clear()
                self._next = number
            else:
                self.late += 1
                return []
        if number in self._waiting:
            self.late += 1
            return []
        self._waiting[number] = (packet, now)
        ready: list[RtpPacket] = []
        while True:
            while (found := self._waiting.pop(self._next, None)) is not None:
                ready.append(found[0])
                self._next += 1
            if not self._waiting:
                return ready
            _, since = next(iter(self._waiting.values()))
            if len(self._waiting) <= self._depth and now - since < self._patience:
                return ready
            self._next = min(self._waiting)


class FloodGuard:
    """One camera must not take the relay's whole time: more than any camera sends ends the session. Pure."""

    WINDOW = 2.0
    PACKETS = 40_000
    BYTES = 50_000_000
    """Per window: 200 Mbit/s. The largest streams of cameras have 40; recorders begin with some megabytes at once."""

    def __init__(self) -> None:
        self._began = 0.0
        self._packets = 0
        self._bytes = 0

    def count(self, now: float, size: int) -> None:
        """One packet. Raises HubError(TOO_LARGE)."""
        if now - self._began > self.WINDOW:
            self._began, self._packets, self._bytes = now, 0, 0
        self._packets += 1
        self._bytes += size
        if self._packets > self.PACKETS or self._bytes > self.BYTES:
            raise HubError(
                Kind.TOO_LARGE,
                f"the camera sends more than any camera does ({self._packets} packets, {self._bytes} bytes within "
                f"{self.WINDOW:g} s); restart it",
                reason=Reason.REPLY_TOO_LARGE,
            )


class ReceiverStats:
    """What a receiver report says of one camera stream. Jitter is left out (0): no camera was seen to use it."""

    def __init__(self) -> None:
        self._unwrap = Unwrapper(16)
        self._first: int | None = None
        self._highest = 0
        self._received = 0
        self._ssrc = 0
        self._reported = (0, 0)

    def count(self, packet: RtpPacket) -> None:
        number = self._unwrap(packet.sequence)
        if self._first is None or packet.ssrc != self._ssrc:
            self._first, self._highest, self._received, self._ssrc = number, number, 0, packet.ssrc
            self._reported = (0, 0)
        self._highest = max(self._highest, number)
        self._received += 1

    @property
    def lost(self) -> int:
        """Packets that never came."""
        return 0 if self._first is None else max(0, self._highest - self._first + 1 - self._received)

    def receiver_report(self, own_ssrc: int = 1) -> bytes | None:
        """RTCP RR (RFC 3550 6.4.2); None before the first packet."""
        if self._first is None:
            return None
        expected, lost = self._highest - self._first + 1, self.lost
        before_expected, before_lost = self._reported
        self._reported = (expected, lost)
        share = 0
        if expected > before_expected:
            share = min(255, max(0, (lost - before_lost) * 256 // (expected - before_expected)))
        return struct.pack(
            "!BBHIIIIIII",
            0x81,
            201,
            7,
            own_ssrc,
            self._ssrc,
            share << 24 | min(lost, 0x7FFFFF),
            self._highest & 0xFFFFFFFF,
            0,
            0,
            0,
        )
