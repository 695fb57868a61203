"""A camera's packets become frames ready to be sent: one stream's way from RTP in to pieces out. No I/O."""

from camera_hub.relay.ingest import nal
from camera_hub.relay.ingest.codecs import BY_NAME, Part
from camera_hub.relay.ingest.depacketize import AccessUnit, Depacketizer
from camera_hub.relay.ingest.nal import Picture
from camera_hub.relay.ingest.packet_history import Frame, runs
from camera_hub.relay.ingest.packetize import gso_runs, packetize
from camera_hub.relay.ingest.rtp import Reorder, RtpPacket
from camera_hub.relay.ingest.timeline import Timeline
from camera_hub.relay.peer.pacer import BURST

MAX_PARAMETERS = 16


class Intake:
    """State of one opened stream. `first`: index of the first packet it will make."""

    def __init__(
        self, codec: str, parameters: tuple[bytes, ...], timeline: Timeline, *, limit: int, first: int, ordered: bool
    ) -> None:
        self._codec = BY_NAME[codec]
        self._parameters = [unit for unit in parameters if self._codec.part(unit) is Part.PARAMETERS][:MAX_PARAMETERS]
        self._depacketizer = Depacketizer(self._codec)
        self._reorder = None if ordered else Reorder()
        self._timeline = timeline
        timeline.restart()
        self._limit = limit
        self._sps: bytes | None = None
        self.reorders = False  # it holds B-frames: from then on only key frames come out
        self.bare = 0  # key frames without parameter sets: connected, bytes flowing, and no browser shows a picture
        self.next_index = first
        self.picture: Picture | None = None
        for unit in self._parameters:
            self._look(unit)

    @property
    def parameters(self) -> tuple[bytes, ...]:
        """The parameter sets in force: those of the SDP, then those of the last key frame."""
        return tuple(self._parameters)

    @property
    def gaps(self) -> int:
        return self._depacketizer.gaps

    @property
    def dropped(self) -> int:
        late = self._reorder.late if self._reorder is not None else 0
        return self._depacketizer.dropped + late + self.bare

    def push(self, packet: RtpPacket, arrived: float) -> list[tuple[Frame, tuple[bytes, ...]]]:
        """Frames that this packet completes, each with its NAL units."""
        made: list[tuple[Frame, tuple[bytes, ...]]] = []
        for ready in (packet,) if self._reorder is None else self._reorder.push(packet, arrived):
            for unit in self._depacketizer.push(ready):
                frame = self._frame(unit, arrived)
                if frame is not None:
                    made.append(frame)
        return made

    def _frame(self, unit: AccessUnit, arrived: float) -> tuple[Frame, tuple[bytes, ...]] | None:
        units = unit.units
        if unit.key:
            units = self._with_parameters(units)
            if not {self._codec.kind(one) for one in self._parameters}.issuperset(self._codec.parameters):
                self.bare += 1
                return None
        elif self.reorders or (self._codec.header == 1 and any(map(nal.h264_is_b, units))):
            self.reorders = True
            return None
        payloads = packetize(self._codec, units, self._limit)
        frame = Frame(
            first=self.next_index,
            timestamp=self._timeline.place(unit.timestamp, arrived),
            key=unit.key,
            payloads=payloads,
            runs=runs(payloads, gso_runs(payloads, size=BURST)),
            size=sum(map(len, payloads)),
            arrived=arrived,
        )
        self.next_index += len(payloads)
        return frame, units

    def _with_parameters(self, units: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Parameter sets first, those of the SDP or of an earlier key frame where the frame brings none of a kind."""
        kind = self._codec.kind
        own = [unit for unit in units if self._codec.part(unit) is Part.PARAMETERS][:MAX_PARAMETERS]
        there = {kind(unit) for unit in own}
        own += [unit for unit in self._parameters if kind(unit) not in there]
        own.sort(key=kind)
        if own != self._parameters:
            self._parameters = own
            for unit in own:
                self._look(unit)
        return (*own, *(unit for unit in units if self._codec.part(unit) is not Part.PARAMETERS))

    def _look(self, unit: bytes) -> None:
        if self._codec.kind(unit) != self._codec.sps or unit == self._sps:
            return
        self._sps = unit
        try:
            self.picture = self._codec.picture(unit)
        except ValueError:
            return
        self.reorders = self.reorders or self.picture.reorders
