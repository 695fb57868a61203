"""Depacketizer: RTP packets to access units, for H.264 (RFC 6184) and H.265 (RFC 7798). Pure.

A frame that lost a packet is dropped, and every frame after it until the next key frame or, once a decoder runs, the
next recovery point: a partial picture shows as smear in every browser.

A frame ends with the marker, where the timestamp changes, and where the next picture begins: with a delimiter, SEI,
parameter sets, or a slice that is the first of its picture. So cameras whose timestamps stand still, or give two frames
one timestamp, or that never set the marker are shown. Some set it on each slice; a slice that continues the picture of
the access unit before it reveals them, and from then on the marker means nothing.

Some put several NAL units into one, with start codes between them; those that hold no slice themselves are searched for
start codes and split. (Decoders split slices by themselves.)
"""

from typing import Final

from camera_hub.relay.ingest.access_unit import AP, FU, FU_A, STAP_A, AccessUnit, join_h264, join_h265
from camera_hub.relay.ingest.codecs import Codec
from camera_hub.relay.ingest.losses import BROKEN, CAUSES, GAP, NO_KEY_FRAME, RESTART
from camera_hub.relay.ingest.nal import (
    START_CODE,
    STARTS_B_PICTURE,
    STARTS_I_PICTURE,
    has_recovery_point,
    split_at_start_codes,
)
from camera_hub.relay.ingest.nal_roles import DISCARDED, KEY_SLICE, PARAMETER_SET, SEI, SLICE, role_table
from camera_hub.relay.ingest.rtp import RtpPacket

MAX_UNIT = 4 * 1024 * 1024
"""Bytes of one access unit; no camera sends larger ones."""
UNIT_COST = 64
"""Bytes that a NAL unit or fragment counts beyond its content, so that empty fragments cannot fill the memory."""
MAX_LATE = 1000
"""Sequence numbers by which a packet may be late; one that is older belongs to a restarted sequence."""

MAX_MISSED = 250
"""Whole frames that one gap is taken to have swallowed at most."""
_STEP = 90_000
"""Ticks. Timestamps of neighbouring frames that lie further apart say nothing about the frames between."""

_PACI: Final = 50  # not negotiated
_NONE: Final = -1
_STANDING: Final = 3
"""Access units on end with one timestamp: those are no fields of one frame."""


class Depacketizer:
    """State of one stream. `gaps`: in the sequence numbers; `repeats`: packets that came again; `lost`: access units by
    cause (`losses`); `recoveries`: access units that are no key frames, where a decoder may begin all the same.
    """

    def __init__(self, codec: Codec) -> None:
        self._h265 = codec.header_size == 2
        self._header_size = codec.header_size
        self._roles = role_table(codec)
        self._payloads: list[bytes] = []
        self._size = 0
        self._units = 0  # NAL units begun
        self._open = False  # a NAL unit has begun in fragments and not ended
        self._open_role = SLICE  # its role
        self._open_first = 0  # its first payload
        self._has_slices = False
        self._key = False
        self._recovery = False
        self._b_picture = False
        self._next_at = _NONE  # first payload after the slices, which belongs to the next picture if one begins
        self._next_units = 0  # NAL units before it
        self._next_recovery = False
        self._broken = False  # what has been gathered lacks something
        self._timestamp = _NONE
        self._emitted = _NONE  # timestamp of the last access unit that was complete
        self._discarded = _NONE  # timestamp of the last one that was not
        self._step = 0  # ticks from one access unit to the next
        self._same = 0  # access units on end with one timestamp
        self._after_marker = False  # the packet before ended an access unit
        self._fresh = False
        self._waiting = NO_KEY_FRAME  # for a key frame, since: a cause, or _NONE
        self._running = False  # a key frame has been passed on
        self._done: list[AccessUnit] = []
        self._last: AccessUnit | None = None  # if it was passed on
        self.expected = _NONE  # the next sequence number; -1: any
        self.marker_lies = False
        self.interlaced = False  # two first slices may have one timestamp, and belong together
        self.key_timestamp = _NONE  # of the last key frame
        self.gaps = 0
        self.repeats = 0
        self.recoveries = 0
        self.lost = [0] * CAUSES

    @property
    def dropped(self) -> int:
        """Access units that were not passed on."""
        return sum(self.lost)

    @property
    def timestamp(self) -> int:
        """Of the access unit that is being gathered, or was last; -1 before the first one."""
        return self._timestamp

    def push(self, packet: RtpPacket) -> list[AccessUnit]:
        """Add the next packet, in sequence order. Returns the access units that it completes.

        Where the marker cannot be relied on, an access unit is complete one frame later.
        """
        self.add(packet.sequence, packet.timestamp, packet.marker, packet.payload)
        return self.take()

    def take(self) -> list[AccessUnit]:
        """The access units that are complete, once."""
        done = self._done
        if done:
            self._done = []
        return done

    def skip(self, sequence: int) -> None:
        """This packet is not the stream's, but has taken one of its numbers."""
        if self.expected == sequence:
            self.expected = (sequence + 1) & 0xFFFF

    def restart(self, *, at_key_frame: bool, fresh: bool) -> None:
        """The stream begins anew with the next packet, whatever its number. What was gathered is complete, as far as
        can be told. `fresh`: its timestamps have nothing to do with those before."""
        if self._has_slices and not self._open:
            self._finish()
        elif self._payloads or self._open:
            self._discard(RESTART)
        if not at_key_frame and self._waiting == _NONE:
            self._waiting = RESTART
        self.expected = _NONE
        self._timestamp = self._emitted = _NONE
        self._after_marker = False
        self._fresh = self._fresh or fresh

    def add(self, sequence: int, timestamp: int, marker: bool, payload: bytes) -> bool:
        """As `push`, with the packet's fields. Returns whether there is anything to `take`."""
        if sequence != self.expected != _NONE:
            if (self.expected - sequence) & 0xFFFF <= MAX_LATE:
                self.repeats += 1
                return bool(self._done)
            self._on_gap(timestamp)
        self.expected = (sequence + 1) & 0xFFFF
        if timestamp != self._timestamp and payload and not (self._has_slices and self._continues(payload)):
            if self._has_slices:
                self._finish()
            self._timestamp = timestamp
        if payload and (
            not (self._add_h265(payload) if self._h265 else self._add_h264(payload)) or self._size > MAX_UNIT
        ):
            self._discard(BROKEN)
        if marker and self._has_slices and not self._open and not self.marker_lies:  # some set it on each fragment
            self._finish()
            self._after_marker = True
        elif payload:
            self._after_marker = False
        return bool(self._done)

    def _on_gap(self, timestamp: int) -> None:
        self.gaps += 1
        passed = (timestamp - self._timestamp) & 0xFFFFFFFF
        if 0 < self._step <= _STEP and self._timestamp != _NONE and passed < (MAX_MISSED + 1) * self._step:
            self.lost[GAP] += max(0, (passed + self._step // 2) // self._step - 1)  # whole frames that nobody saw
        self._discard(GAP)
        self._broken = True  # until the next picture begins: what follows may be the rest of one
        self._after_marker = False

    def _continues(self, payload: bytes) -> bool:
        """Whether this goes on with the picture before, whatever its timestamp: a fragment other than the first of a
        NAL unit, or a slice other than the first of a picture."""
        at = self._header_size
        kind = (payload[0] >> 1) & 0x3F if self._h265 else payload[0] & 0x1F
        if len(payload) < at + 2:
            return False
        if kind == (FU if self._h265 else FU_A):
            if not payload[at] & 0x80:
                return True
            kind, at = payload[at] & (0x3F if self._h265 else 0x1F), at + 1
        role = self._roles[kind]
        return role in (SLICE, KEY_SLICE) and not payload[at] & 0x80

    def _add_h264(self, payload: bytes) -> bool:
        """False: the access unit is broken."""
        size = len(payload)
        nal_type = payload[0] & 0x1F
        if nal_type == FU_A:
            if size < 2:
                return False
            fu_header = payload[1]
            if fu_header & 0xC0 == 0xC0 and not self._open:  # whole, which RFC 6184 section 5.8 forbids
                return self._add_unit(bytes(((payload[0] & 0xE0) | (fu_header & 0x1F),)) + payload[2:])
            return self._add_fragment(payload, 2, fu_header, fu_header & 0x1F)
        if nal_type == STAP_A:
            return self._add_aggregate(payload, 1)
        # STAP-B, MTAP and FU-B exist only in interleaved mode, which was not negotiated; 0, 30 and 31 mean nothing.
        return nal_type not in (25, 26, 27, 29) and self._add_unit(payload)

    def _add_h265(self, payload: bytes) -> bool:
        size = len(payload)
        nal_type = (payload[0] >> 1) & 0x3F
        if nal_type == FU:
            if size < 3:
                return False
            fu_header = payload[2]
            if fu_header & 0xC0 == 0xC0 and not self._open:  # whole, which RFC 7798 section 4.4.3 forbids
                header = bytes(((payload[0] & 0x81) | ((fu_header & 0x3F) << 1), payload[1]))
                return self._add_unit(header + payload[3:])
            return self._add_fragment(payload, 3, fu_header, fu_header & 0x3F)
        if nal_type == AP:
            return self._add_aggregate(payload, 2)
        return nal_type != _PACI and self._add_unit(payload)

    def _add_fragment(self, payload: bytes, start: int, fu_header: int, nal_type: int) -> bool:
        """One FU-A (H.264) or FU (H.265) with data from `start` on. False without the fragments before it."""
        if fu_header & 0x80:  # S: start of the NAL unit
            if self._open:
                return False  # the NAL unit before it has no end
            role = self._roles[nal_type]
            if role in (SLICE, KEY_SLICE):
                self._begin_slice(role, nal_type, payload[start] if len(payload) > start else 0)
            self._open = True
            self._open_role = role
            self._open_first = len(self._payloads)
            self._units += 1
        elif not self._open:
            return self._broken  # the rest of what a gap has broken
        self._size += len(payload) - start + UNIT_COST
        self._payloads.append(payload)
        if fu_header & 0x40:  # E: end of the NAL unit
            self._open = False
            if self._open_role != SLICE and self._open_role != KEY_SLICE:
                return self._take_apart()
        return True

    def _take_apart(self) -> bool:
        """The NAL unit that has just ended in fragments holds no slice by its type: it may hold others (see above)."""
        first = self._open_first
        fragments = tuple(self._payloads[first:])
        del self._payloads[first:]
        self._units -= 1
        units = join_h265(fragments) if self._h265 else join_h264(fragments)
        return all(self._add_unit(unit) for unit in units)

    def _add_aggregate(self, payload: bytes, start: int) -> bool:
        """One STAP-A (H.264) or AP (H.265): NAL units behind their sizes (16 bit)."""
        total = len(payload)
        while start + 2 <= total:
            end = start + 2 + (payload[start] << 8 | payload[start + 1])
            if end > total:
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
        if self._h265 and role == SLICE and unit[1] == 0:  # nuh_temporal_id_plus1 is never 0
            role = DISCARDED
        if role != SLICE and role != KEY_SLICE:
            if START_CODE in unit:
                return self._add_split(unit)
            if role == DISCARDED:
                return True
            if self._has_slices and self._next_at == _NONE:
                self._next_at, self._next_units = len(self._payloads), self._units  # if the next slice begins a picture
            if role == SEI and has_recovery_point(unit, self._header_size):
                if self._next_at == _NONE:
                    self._recovery = True
                else:
                    self._next_recovery = True
            if role != PARAMETER_SET:
                return True
        else:
            self._begin_slice(role, nal_type, unit[self._header_size])
        self._units += 1
        self._payloads.append(unit)
        self._size += len(unit) + UNIT_COST
        return True

    def _add_split(self, data: bytes) -> bool:
        return all(self._add_unit(unit) for unit in split_at_start_codes(data))

    def _begin_slice(self, role: int, nal_type: int, first: int) -> None:
        """A slice begins; `first` is the first byte of its header, whose highest bit says whether it is the first one
        of its picture (H.264: first_mb_in_slice is 0; H.265: first_slice_segment_in_pic_flag)."""
        if first & 0x80:
            if self._has_slices and not (self.interlaced and self._same < _STANDING):
                self._finish()
            self._broken = False
            self._next_at = _NONE
        elif self._after_marker and self._timestamp == self._emitted and not self._has_slices and not self._broken:
            self._on_false_marker()
        else:
            self._next_at = _NONE  # nor did the next one begin
        self._has_slices = True
        if role == KEY_SLICE:
            self._key = True
        elif not self._h265:
            if STARTS_B_PICTURE[first] and nal_type == 1:
                self._b_picture = True
            elif STARTS_I_PICTURE[first]:
                self._recovery = True

    def _on_false_marker(self) -> None:
        """The picture of the last access unit goes on: it was not complete. A key frame is made once more, now whole;
        of another frame the rest is of no use."""
        self.marker_lies = True
        last = self._last
        if last is None or not last.key or self._payloads:
            self._broken = True
            return
        self._payloads, self._units, self._key = list(last.payloads), 2, True
        self._size = sum(map(len, self._payloads)) + UNIT_COST * len(self._payloads)

    def _finish(self) -> None:
        """The access unit of `_timestamp` is complete, as far as can be told. What came after its slices is kept for
        the next one."""
        if self._open:
            self._discard(BROKEN)
        payloads, timestamp = self._payloads, self._timestamp
        kept: list[bytes] = []
        kept_units, recovery = 0, self._next_recovery
        if self._next_at != _NONE:
            kept, kept_units = payloads[self._next_at :], self._units - self._next_units
            payloads, self._units = payloads[: self._next_at], self._next_units
        if payloads:
            if timestamp == self._emitted:
                self._same += 1
            elif self._emitted != _NONE:
                self._same, self._step = 0, (timestamp - self._emitted) & 0xFFFFFFFF
            self._emitted = timestamp
            self._emit(payloads, timestamp)
        self._clear()
        if kept or recovery:
            self._payloads, self._units, self._recovery = kept, kept_units, recovery
            self._size = sum(map(len, kept)) + UNIT_COST * len(kept)

    def _emit(self, payloads: list[bytes], timestamp: int) -> None:
        recovery = self._recovery and not self._key
        if recovery:
            self.recoveries += 1
        if self._broken:
            self._wait(BROKEN)
            if timestamp != self._discarded:  # else the rest of what has been counted
                self.lost[self._waiting] += 1
        elif self._key or self._waiting == _NONE or (recovery and self._running):
            self._waiting = _NONE
            if self._key:
                self._running = True
                self.key_timestamp = timestamp
            self._last = AccessUnit(
                timestamp, self._key, tuple(payloads), self._units == 1, self._b_picture, self._fresh, self._h265
            )
            self._done.append(self._last)
            self._fresh = False
            return
        else:
            self.lost[self._waiting] += 1
        self._last = None

    def _discard(self, cause: int) -> None:
        """What has been gathered is incomplete; drop it and everything until a decoder can go on."""
        self._wait(cause)
        if self._payloads or self._open:
            self.lost[self._waiting] += 1
            self._discarded = self._timestamp
        self._clear()

    def _wait(self, cause: int) -> None:
        """Nothing can be decoded from now on, for that cause. A key frame that is spoilt is why none has come yet."""
        if self._waiting == _NONE or (self._key and self._waiting == NO_KEY_FRAME):
            self._waiting = cause

    def _clear(self) -> None:
        self._payloads = []
        self._size = self._units = self._open_first = 0
        self._open = False
        self._has_slices = self._key = self._b_picture = self._recovery = self._broken = False
        self._next_recovery = False
        self._next_at = _NONE
