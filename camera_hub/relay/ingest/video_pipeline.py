"""Video pipeline of one opened stream: RTP packets in, frames ready to send out. No I/O.

Source tracker → reorder buffer (UDP only) → depacketizer → parameter sets → timestamps on the hub's clock → packetizer.
Packets that follow one another in one read of a TCP socket, which nearly all do, go the short way: straight to the
depacketizer, without an object for each (`read_interleaved`).
"""

from dataclasses import replace
from struct import Struct

from camera_hub.relay.ingest.access_unit import AccessUnit
from camera_hub.relay.ingest.codecs import BY_NAME
from camera_hub.relay.ingest.depacketize import Depacketizer
from camera_hub.relay.ingest.frame import Frame, PacketRun, split_runs
from camera_hub.relay.ingest.losses import NO_PARAMETER_SETS
from camera_hub.relay.ingest.nal import SpsInfo, split_at_start_codes
from camera_hub.relay.ingest.packetize import gso_runs, packetize, passes_unchanged
from camera_hub.relay.ingest.parameter_sets import ParameterSets
from camera_hub.relay.ingest.receiver_report import ReceiverStats
from camera_hub.relay.ingest.reorder_buffer import ReorderBuffer
from camera_hub.relay.ingest.rtp import RtpPacket, parse_rtp
from camera_hub.relay.ingest.source_tracker import Belongs, SourceTracker
from camera_hub.relay.ingest.timestamps import RATE, TimestampMapper
from camera_hub.relay.peer.pacer import BURST

_INTERLEAVED = Struct("!BBHBBHII")
"""The four bytes in front of an interleaved packet (RFC 2326 section 10.12), and the fixed RTP header."""
_HEADERS = 16
_RUN_PACKETS, _RUN_BYTES = 60, BURST - 60 * 40
"""Up to which equal packets certainly make one run (see `gso_runs`)."""

MadeFrame = tuple[Frame, tuple[bytes, ...]]
"""A frame and, if it is a key frame, its NAL units, parameter sets first."""


class VideoPipeline:
    """`limit`: payload bytes per RTP packet. `first`: index of the first packet that is made. `ordered`: TCP.

    `payload_type`: of the stream, as the SDP names it (-1: any). `bad_packets` were no RTP; `own_packets` are those
    that belong to the stream.
    """

    def __init__(
        self,
        codec: str,
        parameters: tuple[bytes, ...],
        timestamps: TimestampMapper,
        *,
        limit: int,
        first: int,
        ordered: bool,
        payload_type: int = -1,
    ) -> None:
        self._codec = BY_NAME[codec]
        self._parameter_sets = ParameterSets(self._codec, parameters)
        self._depacketizer = Depacketizer(self._codec)
        self._source = SourceTracker(payload_type, h265=self._codec.header_size == 2, ordered=ordered)
        self._reorder_buffer = None if ordered else ReorderBuffer()
        self._timestamps = timestamps
        timestamps.restart()
        self._limit = limit
        self._ssrc = -1  # of the packets that take the short way; -1: the next one does not
        self._key_at: float | None = None  # when the last key frame came
        self._no_parameter_sets = False  # those frames are lost until a key frame has them
        self.stats = ReceiverStats()
        self.packets = 0
        self.own_packets = 0
        self.bad_packets = 0
        self.frames = 0  # that were made
        self.has_b_frames = False  # seen once: from then on only key frames come out
        self.next_index = first
        self._check_sps()

    @property
    def sps(self) -> SpsInfo | None:
        """Size and profile of the pictures; None before a readable SPS."""
        return self._parameter_sets.sps

    @property
    def parameters(self) -> tuple[bytes, ...]:
        """The parameter sets in force, as NAL units."""
        return self._parameter_sets.units

    @property
    def source(self) -> SourceTracker:
        """Which packets are the stream's; its counters."""
        return self._source

    @property
    def ordered(self) -> bool:
        """Whether the packets come over TCP."""
        return self._reorder_buffer is None

    @property
    def gaps(self) -> int:
        """Gaps in the RTP sequence."""
        return self._depacketizer.gaps

    @property
    def repeats(self) -> int:
        """Packets that came again, or too late."""
        return self._depacketizer.repeats + (self._reorder_buffer.late if self._reorder_buffer is not None else 0)

    @property
    def recoveries(self) -> int:
        """Frames from which a decoder can begin, or go on after a loss, though they are no key frames."""
        return self._depacketizer.recoveries

    @property
    def lost(self) -> list[int]:
        """Frames that were not made, by cause (see `losses`)."""
        return self._depacketizer.lost

    @property
    def dropped(self) -> int:
        """Frames that were not made."""
        return self._depacketizer.dropped

    def read_interleaved(self, data: bytes, at: int, channel: int, arrived: float) -> tuple[int, list[MadeFrame]]:
        """Read the interleaved packets of `channel` that `data` has from offset `at` on, as far as they are complete
        and of that channel. Returns the offset behind the last one, and the frames that they complete.

        `arrived`: monotonic seconds.
        """
        unpack, depacketizer = _INTERLEAVED.unpack_from, self._depacketizer
        total, payload_type, ssrc = len(data), self._source.payload_type, self._ssrc
        packets = in_order = own = 0
        expected = depacketizer.expected
        complete = False
        while at + _HEADERS <= total:
            dollar, on, size, first, second, sequence, timestamp, source = unpack(data, at)
            end = at + 4 + size
            if dollar != 0x24 or on != channel or end > total:
                break
            packets += 1
            if (
                source == ssrc
                and sequence == expected
                and first == 0x80  # no padding, extension or contributing sources
                and size > 12
                and second & 0x7F == payload_type
            ):
                in_order += 1
                expected = (sequence + 1) & 0xFFFF
                if depacketizer.add(sequence, timestamp, second > 127, data[at + _HEADERS : end]):
                    complete = True
            else:
                if in_order:
                    own += in_order
                    self.stats.count_in_order(in_order)
                    in_order = 0
                    self._source.follow((expected - 1) & 0xFFFF, depacketizer.timestamp, arrived)
                self._add(data[at + 4 : end], arrived)
                complete = True
                ssrc, expected, payload_type = self._ssrc, depacketizer.expected, self._source.payload_type
            at = end
        self.packets += packets
        if in_order:
            own += in_order
            self.stats.count_in_order(in_order)
            self._source.follow((expected - 1) & 0xFFFF, depacketizer.timestamp, arrived)
        self.own_packets += own
        return at, self._take(arrived) if complete else []

    def read_packet(self, data: bytes, arrived: float) -> list[MadeFrame]:
        """Read one RTP packet. Returns the frames that it completes. `arrived`: monotonic seconds."""
        self.packets += 1
        self._add(data, arrived)
        return self._take(arrived)

    def push(self, packet: RtpPacket, arrived: float) -> list[MadeFrame]:
        """The frames that this packet completes. `arrived`: monotonic seconds."""
        self._sort(packet, arrived)
        return self._take(arrived)

    def _add(self, data: bytes, arrived: float) -> None:
        """Any packet, well-formed, in order and expected or not."""
        packet = parse_rtp(data)
        if packet is None:
            self.bad_packets += 1
            return
        self._sort(packet, arrived)
        in_order = self._reorder_buffer is None and self._depacketizer.expected == (packet.sequence + 1) & 0xFFFF
        self._ssrc = self._source.ssrc if in_order else -1

    def _sort(self, packet: RtpPacket, arrived: float) -> None:
        belongs = self._source.judge(packet, arrived, key_at=self._key_at)
        if belongs == Belongs.FOREIGN:
            return
        if belongs in (Belongs.NEW, Belongs.NEW_AT_KEY_FRAME):
            self._begin_anew(packet, at_key_frame=belongs == Belongs.NEW_AT_KEY_FRAME)
        self.stats.count(packet)
        if belongs == Belongs.NUMBER:
            if self._reorder_buffer is None:
                self._depacketizer.skip(packet.sequence)
                return
            packet = replace(packet, marker=False, payload=b"")
        else:
            self.own_packets += 1
        self._push(packet, arrived)

    def _begin_anew(self, packet: RtpPacket, *, at_key_frame: bool) -> None:
        self.stats.restart()
        if self._reorder_buffer is not None:
            self._reorder_buffer.restart()
        goes_on = (packet.timestamp - self._depacketizer.timestamp) & 0xFFFFFFFF < RATE
        self._depacketizer.restart(at_key_frame=at_key_frame, fresh=not goes_on)

    def _push(self, packet: RtpPacket, arrived: float) -> None:
        if self._reorder_buffer is None:
            self._depacketizer.add(packet.sequence, packet.timestamp, packet.marker, packet.payload)
            return
        for ready in self._reorder_buffer.push(packet, arrived):
            self._depacketizer.add(ready.sequence, ready.timestamp, ready.marker, ready.payload)

    def _take(self, arrived: float) -> list[MadeFrame]:
        made: list[MadeFrame] = []
        for unit in self._depacketizer.take():
            frame = self._frame(unit, arrived)
            if frame is not None:
                made.append(frame)
        return made

    def _frame(self, unit: AccessUnit, arrived: float) -> MadeFrame | None:
        units: tuple[bytes, ...] = ()
        if unit.fresh:
            self._timestamps.restart()
        if unit.key:
            self._key_at = arrived
            found = [one for part in unit.units for one in split_at_start_codes(part)]
            units = self._parameter_sets.prepend(tuple(found))
            self._check_sps()
            self._no_parameter_sets = not self._parameter_sets.complete
        elif self.has_b_frames or unit.b_picture:
            self.has_b_frames = True
            return None
        if self._no_parameter_sets:
            self._depacketizer.lost[NO_PARAMETER_SETS] += 1
            return None
        if not units and unit.one_slice and passes_unchanged(unit.payloads, self._limit):
            payloads = unit.payloads
        else:
            payloads = packetize(self._codec, units or unit.units, self._limit)
        size, count = sum(map(len, payloads)), len(payloads)
        if not units and unit.one_slice and count <= _RUN_PACKETS and size <= _RUN_BYTES:
            runs: tuple[PacketRun, ...] = (PacketRun(payloads, 0, True),)  # one NAL unit is cut into equal packets
        else:
            runs = split_runs(payloads, gso_runs(payloads, size=BURST))
        frame = Frame(
            first=self.next_index,
            timestamp=self._timestamps.map(unit.timestamp, arrived),
            key=unit.key,
            payloads=payloads,
            runs=runs,
            size=size,
            arrived=arrived,
        )
        self.next_index += count
        self.frames += 1
        return frame, units

    def _check_sps(self) -> None:
        sps = self.sps
        if sps is not None:
            self._depacketizer.interlaced = sps.interlaced
            if sps.has_b_frames:
                self.has_b_frames = True
