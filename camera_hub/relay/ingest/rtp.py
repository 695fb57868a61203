"""RTP packets: the header parser, and counters that wrap around. Pure (RFC 3550)."""

import struct
from dataclasses import dataclass

_HEADER = struct.Struct("!BBHII")
_VERSION = 2


@dataclass(slots=True)
class RtpPacket:
    """One packet of a camera. `sequence` 16 bit, `timestamp` 32 bit, as received; `payload` without padding, perhaps
    empty: such a packet carries nothing, and has its number all the same."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse_rtp(data: bytes) -> RtpPacket | None:
    """Parse one RTP packet (RFC 3550 section 5.1), header extension and CSRCs skipped. None when it is malformed."""
    size = len(data)
    if size < 12 or data[0] >> 6 != _VERSION:
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
    if start > end:
        return None
    return RtpPacket(second & 0x7F, second > 127, sequence, timestamp, ssrc, data[start:end])


INTERLEAVED_HEADER = 4
"""Bytes in front of an interleaved packet (RFC 2326 section 10.12)."""


def interleaved_end(data: bytes, at: int) -> int:
    """Where the interleaved packet that begins at offset `at` ends (RFC 2326 section 10.12); -1: `data` ends sooner."""
    total = len(data)
    if at + 4 > total:
        return -1
    end = at + 4 + (data[at + 2] << 8 | data[at + 3])
    return end if end <= total else -1


class Unwrapper:
    """Turns a counter of `bits` bits that wraps around into an integer that does not. Small steps back stay so."""

    __slots__ = ("_half", "_last", "_size")

    def __init__(self, bits: int) -> None:
        self._size = 1 << bits
        self._half = self._size >> 1
        self._last: int | None = None

    def advance(self, steps: int) -> int:
        """As so many calls, each with the number after the last one; at least one call comes first."""
        assert self._last is not None
        self._last += steps
        return self._last

    def __call__(self, value: int) -> int:
        if self._last is None:
            self._last = value
            return value
        step = (value - self._last) % self._size
        if step >= self._half:
            step -= self._size
        self._last += step
        return self._last
