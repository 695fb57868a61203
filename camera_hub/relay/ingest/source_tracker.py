"""Which RTP packets belong to a camera's stream, and where the stream begins anew. Pure: the time is given.

RFC 3550 has one SSRC per stream, one numbering per SSRC, and payload types as the SDP names them. Cameras in the field
number private packets with the video, take another SSRC or begin the numbering anew at each key frame, and send a
second stream through the same channel. What tells a new stream from a foreign packet is that it begins with a key
frame, and that the old one is over.
"""

from enum import IntEnum

from camera_hub.relay.ingest.depacketize import MAX_LATE
from camera_hub.relay.ingest.key_frame_start import begins_key_frame
from camera_hub.relay.ingest.rtp import RtpPacket

MAX_JUMP = 3000
"""Numbers (RFC 3550 A.1, MAX_DROPOUT): a packet further ahead is believed when the next one follows it."""
NUMBERED = 64
"""Numbers within which a packet of another payload type belongs to the numbering."""
OLD_AGAIN = 32
"""So many packets in a row that all seem to have come before, are a numbering that began anew."""
REPEATED_WITHIN = 0.3
"""Seconds within which a packet that comes twice comes the second time."""
SILENCE = 2.0
"""Seconds after which a stream that sends nothing is over, and another SSRC may follow it at any packet."""
MAX_RETURNS = 3
"""Packets of the former SSRC, still in its numbering, that show that both streams go on beside each other."""
LEAD_IN = 8
"""Packets of another SSRC that may come before its key frame (delimiter, SEI); more are a stream of their own."""
MAX_BESIDE = 32
STRANGE_TYPE = 50
"""Packets of a payload type that the SDP does not name, and none of the one that it names: that is the stream's."""


class Belongs(IntEnum):
    """What is to be done with a packet."""

    OWN = 0
    NUMBER = 1  # no video, but it has one of the stream's numbers
    FOREIGN = 2
    NEW_AT_KEY_FRAME = 3  # the stream begins anew with this packet, which begins a key frame
    NEW = 4  # it begins anew somewhere


class _Former:
    """The stream before the last change of SSRC: where its numbering and its timestamps ended."""

    __slots__ = ("gave_pictures", "highest", "returns", "ssrc", "timestamp")

    def __init__(self, ssrc: int, highest: int, timestamp: int, gave_pictures: bool) -> None:
        self.ssrc = ssrc
        self.highest = highest
        self.timestamp = timestamp
        self.gave_pictures = gave_pictures
        self.returns = 0


class SourceTracker:
    """Of one opened stream. `payload_type`: as the SDP names it; -1: any. `ordered`: TCP.

    Counted are packets of foreign payload types and of foreign SSRCs, and how often the stream began anew.
    """

    def __init__(self, payload_type: int, *, h265: bool, ordered: bool) -> None:
        self.payload_type = payload_type
        self.ssrc = -1
        self.foreign_payload = 0
        self.foreign_ssrc = 0
        self.restarts = 0
        self.interleaved = False  # two streams go on beside each other
        self._h265 = h265
        self._ordered = ordered
        self._highest = 0  # the newest number
        self._timestamp = -1  # of the newest packet
        self._heard_at = 0.0
        self._probe = -1  # the number that would confirm a doubtful one
        self._probes = 0
        self._strange_type = -1
        self._strange = 0
        self._former: _Former | None = None
        self._beside: dict[int, int] = {}  # SSRC → packets while another one was the stream's

    def follow(self, highest: int, timestamp: int, arrived: float) -> None:
        """The stream's packets up to this number came in order, and were not asked about."""
        self._highest = highest
        self._timestamp = timestamp
        self._heard_at = arrived
        self._probes = 0

    def judge(self, packet: RtpPacket, arrived: float, *, key_at: float | None) -> Belongs:
        """Whether the packet belongs to the stream; it counts as received. `arrived`, `key_at`: monotonic
        seconds; the latter when the last key frame came, None before the first one."""
        own_type = self.payload_type in (packet.payload_type, -1) or self._is_the_only_type(packet)
        if self.ssrc == -1:
            if not own_type:
                self.foreign_payload += 1
                return Belongs.FOREIGN
            self.ssrc = packet.ssrc
            self.follow(packet.sequence, packet.timestamp, arrived)
            return Belongs.OWN
        ahead = (packet.sequence - self._highest) & 0xFFFF
        if packet.ssrc != self.ssrc:
            return self._judge_other(packet, own_type, ahead, arrived, gave_pictures=key_at is not None)
        if not own_type:
            self.foreign_payload += 1
            return self._numbered(packet, ahead, arrived)
        if 0 < ahead <= MAX_JUMP:
            self.follow(packet.sequence, packet.timestamp, arrived)
            return Belongs.OWN
        return self._judge_number(packet, ahead, arrived, key_at)

    def _is_the_only_type(self, packet: RtpPacket) -> bool:
        """Some SDPs name another payload type than the camera sends."""
        if self.ssrc != -1 or 72 <= packet.payload_type <= 76:  # RTCP has these (RFC 5761)
            return False
        if packet.payload_type != self._strange_type:
            self._strange_type, self._strange = packet.payload_type, 0
        self._strange += 1
        if self._strange < STRANGE_TYPE:
            return False
        self.payload_type = packet.payload_type
        return True

    def _numbered(self, packet: RtpPacket, ahead: int, arrived: float) -> Belongs:
        if ahead == 1 or (not self._ordered and 0 < ahead <= NUMBERED):
            self.follow(packet.sequence, self._timestamp, arrived)
            return Belongs.NUMBER
        late = not self._ordered and (-ahead & 0xFFFF) <= NUMBERED
        return Belongs.NUMBER if late else Belongs.FOREIGN

    def _judge_number(self, packet: RtpPacket, ahead: int, arrived: float, key_at: float | None) -> Belongs:
        """A packet that came before, by its number, or lies far ahead."""
        back = 0x10000 - ahead if ahead else 0
        same_frame = packet.timestamp == self._timestamp and back <= MAX_LATE
        repeat = same_frame or (key_at is not None and arrived - key_at < REPEATED_WITHIN)
        if not repeat and begins_key_frame(packet.payload, self._h265):
            return self._begin(packet, arrived, at_key_frame=True)
        self._probes = self._probes + 1 if packet.sequence == self._probe else 1
        self._probe = (packet.sequence + 1) & 0xFFFF
        if (back <= MAX_LATE and ahead > MAX_JUMP) or ahead == 0:
            if self._probes >= OLD_AGAIN:
                return self._begin(packet, arrived, at_key_frame=False)
            return Belongs.OWN  # late or repeated; the numbering sorts it out
        return self._begin(packet, arrived, at_key_frame=False) if self._probes > 1 else Belongs.FOREIGN

    def _judge_other(
        self, packet: RtpPacket, own_type: bool, ahead: int, arrived: float, *, gave_pictures: bool
    ) -> Belongs:
        """A packet of another SSRC."""
        if own_type and ahead == 1:  # the numbering goes on: the SSRC means nothing here
            self.ssrc = packet.ssrc
            self.follow(packet.sequence, packet.timestamp, arrived)
            return Belongs.OWN
        if own_type and not self.interleaved and self._returns(packet):
            self.interleaved = True
            if self._former is not None and self._former.gave_pictures:  # who was first stays
                return self._change(packet, arrived, at_key_frame=False, gave_pictures=False)
        over = arrived - self._heard_at > SILENCE
        is_new = not self.interleaved and self._beside.get(packet.ssrc, 0) < LEAD_IN
        if own_type and (over or is_new) and begins_key_frame(packet.payload, self._h265):
            return self._change(packet, arrived, at_key_frame=True, gave_pictures=gave_pictures)
        self.foreign_ssrc += 1
        if packet.ssrc in self._beside or len(self._beside) < MAX_BESIDE:
            self._beside[packet.ssrc] = self._beside.get(packet.ssrc, 0) + 1
        if own_type and over:
            self._probes = self._probes + 1 if packet.sequence == self._probe else 1
            self._probe = (packet.sequence + 1) & 0xFFFF
            if self._probes > MAX_RETURNS:
                return self._change(packet, arrived, at_key_frame=False, gave_pictures=gave_pictures)
        return Belongs.FOREIGN

    def _returns(self, packet: RtpPacket) -> bool:
        """Whether the former stream goes on where it was, with new frames: its SSRC was not given up."""
        former = self._former
        if former is None or packet.ssrc != former.ssrc:
            return False
        ahead = (packet.sequence - former.highest) & 0xFFFF
        if not 0 < ahead <= MAX_JUMP or packet.timestamp == former.timestamp:
            return False
        former.highest = packet.sequence
        former.returns += 1
        return former.returns >= MAX_RETURNS

    def _change(self, packet: RtpPacket, arrived: float, *, at_key_frame: bool, gave_pictures: bool) -> Belongs:
        self._former = _Former(self.ssrc, self._highest, self._timestamp, gave_pictures)
        self._beside.pop(packet.ssrc, None)
        self.ssrc = packet.ssrc
        return self._begin(packet, arrived, at_key_frame=at_key_frame)

    def _begin(self, packet: RtpPacket, arrived: float, *, at_key_frame: bool) -> Belongs:
        self.restarts += 1
        self.follow(packet.sequence, packet.timestamp, arrived)
        return Belongs.NEW_AT_KEY_FRAME if at_key_frame else Belongs.NEW
