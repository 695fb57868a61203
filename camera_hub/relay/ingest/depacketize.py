"""Depacketizer: RTP packets to access units, for H.264 (RFC 6184) and H.265 (RFC 7798). Pure.

A frame that lost a packet is dropped, and every frame after it until the next key frame: a partial picture shows as
smear in every browser. Some cameras set the marker on each slice; a second access unit with the same timestamp reveals
them, and from then on a frame ends where the timestamp changes.

An access unit keeps the payloads that it came in. Nearly all frames are one slice, which can be sent on in the camera's
own fragments or cut anew without anything else being read; only key frames and frames of many parts are taken apart.
"""

from camera_hub.relay.ingest.codecs import Codec, NalRole
from camera_hub.relay.ingest.nal import STARTS_B_PICTURE
from camera_hub.relay.ingest.rtp import RtpPacket

MAX_UNIT = 4 * 1024 * 1024
"""Bytes of one access unit; no camera sends larger ones."""
UNIT_COST = 64
"""Bytes that a NAL unit or fragment counts beyond its content, so that empty fragments cannot fill the memory."""
MAX_LATE = 1000
"""Sequence numbers by which a packet may be late; one that is older belongs to a restarted sequence."""

_STAP_A, _FU_A = 24, 28  # RFC 6184 table 3
_AP, _FU = 48, 49  # RFC 7798 section 4.4
_NONE = -1
_DISCARDED, _SLICE, _KEY_SLICE, _PARAMETER_SET = 0, 1, 2, 3
_ROLES = {
    NalRole.DISCARDED: _DISCARDED,
    NalRole.SLICE: _SLICE,
    NalRole.KEY_SLICE: _KEY_SLICE,
    NalRole.PARAMETER_SET: _PARAMETER_SET,
}


class AccessUnit:
    """One frame, without delimiters, filler and SEI. `timestamp` as received (32 bit).

    `payloads`: its NAL units and fragments in order, as they came; aggregates are taken apart. `one_slice`: it is one
    NAL unit, a slice, whole or in fragments. `b_picture`: a slice of it starts a B picture (H.264 only).
    """

    __slots__ = ("_h265", "b_picture", "key", "one_slice", "payloads", "timestamp")

    def __init__(
        self, timestamp: int, key: bool, payloads: tuple[bytes, ...], one_slice: bool, b_picture: bool, h265: bool
    ) -> None:
        self.timestamp = timestamp
        self.key = key
        self.payloads = payloads
        self.one_slice = one_slice
        self.b_picture = b_picture
        self._h265 = h265

    @property
    def units(self) -> tuple[bytes, ...]:
        """Its NAL units, joined from the payloads at each call."""
        return join_h265(self.payloads) if self._h265 else join_h264(self.payloads)


def join_h264(payloads: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """NAL units from single NAL units and complete series of FU-A (RFC 6184 section 5.8)."""
    units: list[bytes] = []
    parts: list[bytes] = []
    for payload in payloads:
        if payload[0] & 0x1F != _FU_A:
            units.append(payload)
            continue
        fu_header = payload[1]
        if fu_header & 0x80:  # S: start of the NAL unit
            parts = [bytes(((payload[0] & 0xE0) | (fu_header & 0x1F),))]
        parts.append(payload[2:])
        if fu_header & 0x40:  # E: end of the NAL unit
            units.append(b"".join(parts))
    return tuple(units)


def join_h265(payloads: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """NAL units from single NAL units and complete series of FU (RFC 7798 section 4.4.3)."""
    units: list[bytes] = []
    parts: list[bytes] = []
    for payload in payloads:
        if (payload[0] >> 1) & 0x3F != _FU:
            units.append(payload)
            continue
        fu_header = payload[2]
        if fu_header & 0x80:
            parts = [bytes(((payload[0] & 0x81) | ((fu_header & 0x3F) << 1), payload[1]))]
        parts.append(payload[3:])
        if fu_header & 0x40:
            units.append(b"".join(parts))
    return tuple(units)


class Depacketizer:
    """State of one stream. `gaps`: in the sequence numbers; `dropped`: access units."""

    def __init__(self, codec: Codec) -> None:
        self._h265 = codec.header_size == 2
        self._header_size = codec.header_size
        self._roles = bytes(_ROLES[role] for role in codec.roles)
        self._payloads: list[bytes] = []
        self._size = 0
        self._units = 0  # NAL units begun
        self._open = False  # a NAL unit has begun in fragments and not ended
        self._open_discarded = False  # … and nobody needs it
        self._has_slices = False
        self._key = False
        self._b_picture = False
        self._timestamp = _NONE
        self._emitted = _NONE  # timestamp of the last access unit
        self._waiting_key = True
        self._done: list[AccessUnit] = []
        self.expected = _NONE  # the next sequence number; -1: any
        self.by_timestamp = False
        self.gaps = 0
        self.dropped = 0

    def push(self, packet: RtpPacket) -> list[AccessUnit]:
        """Add the next packet, in sequence order. Returns the access units that it completes.

        Where frames end by timestamp, an access unit is complete one frame later.
        """
        self.add(packet.sequence, packet.timestamp, packet.marker, packet.payload)
        return self.take()

    def take(self) -> list[AccessUnit]:
        """The access units that are complete, once."""
        done = self._done
        if done:
            self._done = []
        return done

    def add(self, sequence: int, timestamp: int, marker: bool, payload: bytes) -> bool:
        """As `push`, with the packet's fields. Returns whether there is anything to `take`."""
        if sequence != self.expected != _NONE:
            if (self.expected - sequence) & 0xFFFF <= MAX_LATE:
                return bool(self._done)  # a repeated packet
            self.gaps += 1
            self._discard()
        self.expected = (sequence + 1) & 0xFFFF
        if timestamp != self._timestamp:
            if self._has_slices:
                self._finish()
            self._timestamp = timestamp
        if not (self._add_h265(payload) if self._h265 else self._add_h264(payload)) or self._size > MAX_UNIT:
            self._discard()
        if marker and self._has_slices and not self._open and not self.by_timestamp:  # some set it on each fragment
            self._finish()
        return bool(self._done)

    def _add_h264(self, payload: bytes) -> bool:
        """False: the access unit is broken."""
        size = len(payload)
        if not size:
            return False
        nal_type = payload[0] & 0x1F
        if nal_type == _FU_A:
            if size < 2:
                return False
            fu_header = payload[1]
            if fu_header & 0xC0 == 0xC0 and not self._open:  # whole, which RFC 6184 section 5.8 forbids
                return self._add_unit(bytes(((payload[0] & 0xE0) | (fu_header & 0x1F),)) + payload[2:])
            if fu_header & 0x80 and size > 2:
                self._b_picture |= fu_header & 0x1F == 1 and STARTS_B_PICTURE[payload[2]] == 1
            return self._add_fragment(payload, size - 2, fu_header, fu_header & 0x1F)
        if nal_type == _STAP_A:
            return self._add_aggregate(payload, 1)
        # STAP-B, MTAP and FU-B exist only in interleaved mode, which was not negotiated.
        return 1 <= nal_type <= 23 and self._add_unit(payload)

    def _add_h265(self, payload: bytes) -> bool:
        size = len(payload)
        if not size:
            return False
        nal_type = (payload[0] >> 1) & 0x3F
        if nal_type == _FU:
            if size < 3:
                return False
            fu_header = payload[2]
            if fu_header & 0xC0 == 0xC0 and not self._open:  # whole, which RFC 7798 section 4.4.3 forbids
                header = bytes(((payload[0] & 0x81) | ((fu_header & 0x3F) << 1), payload[1]))
                return self._add_unit(header + payload[3:])
            return self._add_fragment(payload, size - 3, fu_header, fu_header & 0x3F)
        if nal_type == _AP:
            return self._add_aggregate(payload, 2)
        return nal_type < _AP and self._add_unit(payload)

    def _add_fragment(self, payload: bytes, size: int, fu_header: int, nal_type: int) -> bool:
        """One FU-A (H.264) or FU (H.265) with `size` bytes of data. False without the fragments before it."""
        if fu_header & 0x80:  # S: start of the NAL unit
            if self._open:
                return False  # the NAL unit before it has no end
            self._open = True
            role = self._roles[nal_type]
            self._open_discarded = role == _DISCARDED
            if role != _DISCARDED:
                self._units += 1
                if role != _PARAMETER_SET:
                    self._has_slices = True
                    self._key |= role == _KEY_SLICE
        elif not self._open:
            return False
        if fu_header & 0x40:  # E: end of the NAL unit
            self._open = False
        self._size += size + UNIT_COST  # whatever is discarded counts, too: it has to end sometime
        if not self._open_discarded:
            self._payloads.append(payload)
        return True

    def _add_aggregate(self, payload: bytes, start: int) -> bool:
        """One STAP-A (H.264) or AP (H.265): NAL units behind their sizes (16 bit)."""
        total = len(payload)
        while start + 2 <= total:
            end = start + 2 + (payload[start] << 8 | payload[start + 1])
            if end == start + 2 or end > total:
                return False
            if not self._add_unit(payload[start + 2 : end]):
                return False
            start = end
        return True

    def _add_unit(self, unit: bytes) -> bool:
        if len(unit) <= self._header_size:
            return True
        nal_type = (unit[0] >> 1) & 0x3F if self._h265 else unit[0] & 0x1F
        role = self._roles[nal_type]
        if role == _DISCARDED:
            return True
        self._units += 1
        self._payloads.append(unit)
        self._size += len(unit) + UNIT_COST
        if role != _PARAMETER_SET:
            self._has_slices = True
            self._key |= role == _KEY_SLICE
            if nal_type == 1 and not self._h265:
                self._b_picture |= STARTS_B_PICTURE[unit[1]] == 1
        return True

    def _finish(self) -> None:
        """The access unit of `_timestamp` is complete, as far as can be told."""
        if self._open:
            self._discard()
        payloads, timestamp = self._payloads, self._timestamp
        if payloads:
            unit = AccessUnit(timestamp, self._key, tuple(payloads), self._units == 1, self._b_picture, self._h265)
            if timestamp == self._emitted and not self.by_timestamp:
                self.by_timestamp = True
                self._waiting_key = True
                self.dropped += 1
            elif self._key or not self._waiting_key:
                self._waiting_key = False
                self._emitted = timestamp
                self._done.append(unit)
            else:
                self.dropped += 1
        self._clear()

    def _discard(self) -> None:
        """What has been gathered is incomplete; drop it and everything until the next key frame."""
        if self._payloads or self._open:
            self.dropped += 1
        self._clear()
        self._waiting_key = True

    def _clear(self) -> None:
        self._payloads = []
        self._size = self._units = 0
        self._open = self._open_discarded = False
        self._has_slices = self._key = self._b_picture = False
