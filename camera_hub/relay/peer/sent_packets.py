"""What a track has sent under which sequence number: stretches that point into a feed's history, no copies."""

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass

from camera_hub.relay.ingest.frame import Frame
from camera_hub.relay.ingest.packet_history import PacketHistory

MAX_STRETCHES = 4096


@dataclass(frozen=True, slots=True)
class Stretch:
    """Sequences from `sequence` on are the packets of `history` from `index` on, `offset` later in time."""

    sequence: int
    history: PacketHistory
    index: int
    offset: int
    payload_type: int


class Sent:
    """Of one track. Sequence numbers here do not wrap."""

    def __init__(self) -> None:
        self.last: Stretch | None = None
        self._stretches: deque[Stretch] = deque(maxlen=MAX_STRETCHES)

    def goes_on(self, sequence: int, history: PacketHistory, index: int, offset: int, payload_type: int) -> None:
        """The packet of this index goes next, under this sequence."""
        last = self.last
        if (
            last is None
            or last.index - last.sequence != index - sequence
            or last.offset != offset
            or last.history is not history
            or last.payload_type != payload_type
        ):
            self.last = Stretch(sequence, history, index, offset, payload_type)
            self._stretches.append(self.last)

    def find(self, number: int) -> tuple[Stretch, Frame, int] | None:
        """What went out under this number, with the packet's place in its frame; None when it is no longer kept."""
        at = bisect_right(self._stretches, number, key=lambda stretch: stretch.sequence) - 1
        if at < 0:
            return None
        stretch = self._stretches[at]
        found = stretch.history.packet(stretch.index + number - stretch.sequence)
        return None if found is None else (stretch, *found)
