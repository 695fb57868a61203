"""Video pipeline of one opened stream: RTP packets in, frames ready to send out. No I/O.

Reorder buffer (UDP only) → depacketizer → parameter sets → timestamps on the hub's clock → packetizer.
"""

from camera_hub.relay.ingest import nal
from camera_hub.relay.ingest.codecs import BY_NAME
from camera_hub.relay.ingest.depacketize import AccessUnit, Depacketizer
from camera_hub.relay.ingest.frame import Frame, split_runs
from camera_hub.relay.ingest.nal import SpsInfo
from camera_hub.relay.ingest.packetize import gso_runs, packetize
from camera_hub.relay.ingest.parameter_sets import ParameterSets
from camera_hub.relay.ingest.reorder_buffer import ReorderBuffer
from camera_hub.relay.ingest.rtp import RtpPacket
from camera_hub.relay.ingest.timestamps import TimestampMapper
from camera_hub.relay.peer.pacer import BURST


class VideoPipeline:
    """`limit`: payload bytes per RTP packet. `first`: index of the first packet that is made. `ordered`: TCP."""

    def __init__(
        self,
        codec: str,
        parameters: tuple[bytes, ...],
        timestamps: TimestampMapper,
        *,
        limit: int,
        first: int,
        ordered: bool,
    ) -> None:
        self._codec = BY_NAME[codec]
        self._parameter_sets = ParameterSets(self._codec, parameters)
        self._depacketizer = Depacketizer(self._codec)
        self._reorder_buffer = None if ordered else ReorderBuffer()
        self._timestamps = timestamps
        timestamps.restart()
        self._limit = limit
        self.has_b_frames = False  # seen once: from then on only key frames come out
        self.undecodable_keys = 0  # key frames without parameter sets: no browser shows a picture
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
    def gaps(self) -> int:
        """Gaps in the RTP sequence."""
        return self._depacketizer.gaps

    @property
    def dropped(self) -> int:
        """Frames and late packets that were dropped."""
        late = self._reorder_buffer.late if self._reorder_buffer is not None else 0
        return self._depacketizer.dropped + late + self.undecodable_keys

    def push(self, packet: RtpPacket, arrived: float) -> list[tuple[Frame, tuple[bytes, ...]]]:
        """The frames that this packet completes, each with its NAL units. `arrived`: monotonic seconds."""
        made: list[tuple[Frame, tuple[bytes, ...]]] = []
        for ready in (packet,) if self._reorder_buffer is None else self._reorder_buffer.push(packet, arrived):
            for unit in self._depacketizer.push(ready):
                frame = self._frame(unit, arrived)
                if frame is not None:
                    made.append(frame)
        return made

    def _frame(self, unit: AccessUnit, arrived: float) -> tuple[Frame, tuple[bytes, ...]] | None:
        units = unit.units
        if unit.key:
            units = self._parameter_sets.prepend(units)
            self._check_sps()
            if not self._parameter_sets.complete:
                self.undecodable_keys += 1
                return None
        elif self.has_b_frames or (self._codec.header_size == 1 and any(map(nal.h264_is_b, units))):
            self.has_b_frames = True
            return None
        payloads = packetize(self._codec, units, self._limit)
        frame = Frame(
            first=self.next_index,
            timestamp=self._timestamps.map(unit.timestamp, arrived),
            key=unit.key,
            payloads=payloads,
            runs=split_runs(payloads, gso_runs(payloads, size=BURST)),
            size=sum(map(len, payloads)),
            arrived=arrived,
        )
        self.next_index += len(payloads)
        return frame, units

    def _check_sps(self) -> None:
        if self.sps is not None and self.sps.has_b_frames:
            self.has_b_frames = True
