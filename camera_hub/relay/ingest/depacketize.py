"""Depacketizer: RTP packets to access units, for H.264 (RFC 6184) and H.265 (RFC 7798). Pure.

A frame that lost a packet is dropped, and every frame after it until the next key frame: a partial picture shows as
smear in every browser. Some cameras set the marker on each slice; a second access unit with the same timestamp reveals
them, and from then on a frame ends where the timestamp changes.
"""

from dataclasses import dataclass

from camera_hub.relay.ingest.codecs import Codec, NalRole
from camera_hub.relay.ingest.rtp import RtpPacket

MAX_UNIT = 4 * 1024 * 1024
"""Bytes of one access unit; no camera sends larger ones."""
UNIT_COST = 64
"""Bytes that a NAL unit or fragment counts beyond its content, so that empty fragments cannot fill the memory."""
MAX_LATE = 1000
"""Sequence numbers by which a packet may be late; one that is older belongs to a restarted sequence."""

_STAP_A, _FU_A = 24, 28  # RFC 6184 table 3
_AP, _FU = 48, 49  # RFC 7798 section 4.4


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One frame: its NAL units without delimiters, filler and SEI. `timestamp` as received (32 bit)."""

    timestamp: int
    key: bool
    units: tuple[bytes, ...]


class Depacketizer:
    """State of one stream. `gaps`: in the sequence numbers; `dropped`: access units."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._h265 = codec.header_size == 2
        self._units: list[bytes] = []
        self._size = 0
        self._fragments: list[bytes] | None = None  # of the NAL unit that is being reassembled
        self._timestamp: int | None = None
        self._expected: int | None = None  # the next sequence number
        self._emitted: int | None = None  # timestamp of the last access unit
        self._has_slices = False
        self._key = False
        self._waiting_key = True
        self.by_timestamp = False
        self.gaps = 0
        self.dropped = 0

    def push(self, packet: RtpPacket) -> list[AccessUnit]:
        """Add the next packet, in sequence order. Returns the access units that it completes.

        Where frames end by timestamp, an access unit is complete one frame later.
        """
        done: list[AccessUnit] = []
        if self._expected is not None and packet.sequence != self._expected:
            if (self._expected - packet.sequence) & 0xFFFF <= MAX_LATE:
                return done  # a repeated packet
            self.gaps += 1
            self._discard()
        self._expected = (packet.sequence + 1) & 0xFFFF
        if packet.timestamp != self._timestamp:
            if self._timestamp is not None and self._has_slices:
                self._finish(done)
            self._timestamp = packet.timestamp
        try:
            (self._add_h265 if self._h265 else self._add_h264)(packet.payload)
        except IndexError:  # a payload that ends within its headers
            self._discard()
        if self._size > MAX_UNIT:
            self._discard()
        if packet.marker and self._has_slices and not self.by_timestamp:
            self._finish(done)
        return done

    def _add_h264(self, payload: bytes) -> None:
        nal_type = payload[0] & 0x1F
        if nal_type == _FU_A:
            self._add_fragment(payload[1], payload[2:], bytes(((payload[0] & 0xE0) | (payload[1] & 0x1F),)))
        elif nal_type == _STAP_A:
            self._add_aggregate(payload, 1)
        elif 1 <= nal_type <= 23:
            self._add_unit(payload)
        else:
            self._discard()  # STAP-B, MTAP and FU-B exist only in interleaved mode, which was not negotiated

    def _add_h265(self, payload: bytes) -> None:
        nal_type = (payload[0] >> 1) & 0x3F
        if nal_type == _FU:
            header = bytes(((payload[0] & 0x81) | ((payload[2] & 0x3F) << 1), payload[1]))
            self._add_fragment(payload[2], payload[3:], header)
        elif nal_type == _AP:
            self._add_aggregate(payload, 2)
        elif nal_type < _AP:
            self._add_unit(payload)
        else:
            self._discard()

    def _add_fragment(self, fu_header: int, data: bytes, nal_header: bytes) -> None:
        """One FU-A (H.264) or FU (H.265). A fragment whose start was lost discards the access unit."""
        if fu_header & 0x80:  # S: start of the NAL unit
            self._fragments = [nal_header, data]
        elif self._fragments is None:
            self._discard()
            return
        else:
            self._fragments.append(data)
        self._size += len(data) + UNIT_COST
        if fu_header & 0x40:  # E: end of the NAL unit
            unit, count, self._fragments = b"".join(self._fragments), len(self._fragments) - 1, None
            self._size -= len(unit) - len(nal_header) + count * UNIT_COST
            self._add_unit(unit)

    def _add_aggregate(self, payload: bytes, start: int) -> None:
        """One STAP-A (H.264) or AP (H.265): NAL units behind their sizes (16 bit)."""
        while start + 2 <= len(payload):
            size = int.from_bytes(payload[start : start + 2], "big")
            unit = payload[start + 2 : start + 2 + size]
            if not size or len(unit) != size:
                self._discard()
                return
            self._add_unit(unit)
            start += 2 + size

    def _add_unit(self, unit: bytes) -> None:
        if len(unit) <= self._codec.header_size:
            return
        role = self._codec.role(unit)
        if role is NalRole.DISCARDED:
            return
        self._units.append(unit)
        self._size += len(unit) + UNIT_COST
        if role is not NalRole.PARAMETER_SET:
            self._has_slices = True
            self._key = self._key or role is NalRole.KEY_SLICE

    def _finish(self, done: list[AccessUnit]) -> None:
        """The access unit of `_timestamp` is complete, as far as can be told."""
        if self._fragments is not None:
            self._discard()
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

    def _discard(self) -> None:
        """What has been gathered is incomplete; drop it and everything until the next key frame."""
        if self._units or self._fragments is not None:
            self.dropped += 1
        self._clear()
        self._waiting_key = True

    def _clear(self) -> None:
        self._units, self._size, self._fragments = [], 0, None
        self._has_slices = self._key = False
