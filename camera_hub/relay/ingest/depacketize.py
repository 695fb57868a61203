"""RTP packets of a camera become access units, for H.264 (RFC 6184) and H.265 (RFC 7798). Pure.

A frame that lost a packet is dropped, and everything after it up to the next key frame: half a picture shows as smear
in every browser. A camera that sets the marker on each slice is found out by a second unit of one timestamp; from then
on frames end when the timestamp changes.
"""

from dataclasses import dataclass

from camera_hub.relay.ingest.codecs import Codec, Part
from camera_hub.relay.ingest.rtp import RtpPacket

MAX_UNIT = 4 * 1024 * 1024
"""Bytes of one access unit; a camera that sends more is talking nonsense."""
PIECE = 64
"""What a unit or fragment costs us beyond its bytes; without it, empty fragments would fill the memory for nothing."""
OLD = 1000
"""Packets that one may come late; one that is older belongs to a sequence that began anew."""


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One frame: its NAL units without delimiters, filler and SEI. `timestamp` as it came (32 bit)."""

    timestamp: int
    key: bool
    units: tuple[bytes, ...]


class Depacketizer:
    """One stream's state. `push` gives the frames that the packet completes (in timestamp mode: one late)."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._hevc = codec.header == 2
        self._units: list[bytes] = []
        self._size = 0
        self._fragments: list[bytes] | None = None
        self._timestamp: int | None = None
        self._sequence: int | None = None
        self._emitted: int | None = None
        self._has_picture = False
        self._key = False
        self._waiting_key = True
        self.by_timestamp = False
        self.gaps = 0
        self.dropped = 0

    def push(self, packet: RtpPacket) -> list[AccessUnit]:
        """Take the next packet, in order of sequence."""
        done: list[AccessUnit] = []
        if self._sequence is not None and packet.sequence != self._sequence:
            if (self._sequence - packet.sequence) & 0xFFFF <= OLD:
                return done  # a repeat of something old
            self.gaps += 1
            self._spoil()
        self._sequence = (packet.sequence + 1) & 0xFFFF
        if packet.timestamp != self._timestamp:
            if self._timestamp is not None and self._has_picture:
                self._finish(done)
            self._timestamp = packet.timestamp
        try:
            (self._take_h265 if self._hevc else self._take_h264)(packet.payload)
        except IndexError:
            self._spoil()
        if self._size > MAX_UNIT:
            self._spoil()
        if packet.marker and self._has_picture and not self.by_timestamp:
            self._finish(done)
        return done

    def _take_h264(self, payload: bytes) -> None:
        kind = payload[0] & 0x1F
        if kind == 28:
            self._fragment(payload[1], payload[2:], bytes(((payload[0] & 0xE0) | (payload[1] & 0x1F),)))
        elif kind == 24:
            self._aggregate(payload, 1)
        elif 1 <= kind <= 23:
            self._add(payload)
        else:
            self._spoil()  # STAP-B, MTAP, FU-B: only in interleaved mode, which nobody asked for

    def _take_h265(self, payload: bytes) -> None:
        kind = (payload[0] >> 1) & 0x3F
        if kind == 49:
            header = bytes(((payload[0] & 0x81) | ((payload[2] & 0x3F) << 1), payload[1]))
            self._fragment(payload[2], payload[3:], header)
        elif kind == 48:
            self._aggregate(payload, 2)
        elif kind < 48:
            self._add(payload)
        else:
            self._spoil()

    def _fragment(self, flags: int, data: bytes, header: bytes) -> None:
        if flags & 0x80:
            self._fragments = [header, data]
        elif self._fragments is None:
            self._spoil()
            return
        else:
            self._fragments.append(data)
        self._size += len(data) + PIECE
        if flags & 0x40:
            whole, count, self._fragments = b"".join(self._fragments), len(self._fragments) - 1, None
            self._size -= len(whole) - len(header) + count * PIECE
            self._add(whole)

    def _aggregate(self, payload: bytes, start: int) -> None:
        while start + 2 <= len(payload):
            size = int.from_bytes(payload[start : start + 2], "big")
            unit = payload[start + 2 : start + 2 + size]
            if not size or len(unit) != size:
                self._spoil()
                return
            self._add(unit)
            start += 2 + size

    def _add(self, unit: bytes) -> None:
        if len(unit) <= self._codec.header:
            return
        part = self._codec.part(unit)
        if part is Part.USELESS:
            return
        self._units.append(unit)
        self._size += len(unit) + PIECE
        if part is not Part.PARAMETERS:
            self._has_picture = True
            self._key = self._key or part is Part.KEY

    def _finish(self, done: list[AccessUnit]) -> None:
        """The frame of `_timestamp` is complete, as far as can be told."""
        if self._fragments is not None:
            self._spoil()
        units, key, timestamp = tuple(self._units), self._key, self._timestamp
        self._clear()
        if timestamp is None or not units:
            return
        if timestamp == self._emitted and not self.by_timestamp:
            self.by_timestamp = True
            self._waiting_key = True
        elif key or not self._waiting_key:
            self._waiting_key = False
            self._emitted = timestamp
            done.append(AccessUnit(timestamp, key, units))
            return
        self.dropped += 1

    def _spoil(self) -> None:
        """What has been gathered is no whole frame; nothing is until the next key frame."""
        if self._units or self._fragments is not None:
            self.dropped += 1
        self._clear()
        self._waiting_key = True

    def _clear(self) -> None:
        self._units, self._size, self._fragments = [], 0, None
        self._has_picture = self._key = False
