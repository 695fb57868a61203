"""Which packets a track has sent under which sequence numbers: ranges that refer to a feed's history, no copies."""

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass

from camera_hub.relay.ingest.frame import Frame
from camera_hub.relay.ingest.resend_history import ResendHistory

MAX_RANGES = 4096


@dataclass(frozen=True, slots=True)
class SentRange:
    """Sequence numbers from `sequence` on are the packets of `history` from `index` on, `offset` later in RTP time."""

    sequence: int
    history: ResendHistory
    index: int
    offset: int
    payload_type: int


class SentPackets:
    """Of one track. Sequence numbers here do not wrap."""

    def __init__(self) -> None:
        self.last: SentRange | None = None
        self._ranges: deque[SentRange] = deque(maxlen=MAX_RANGES)

    def record(self, sequence: int, history: ResendHistory, index: int, offset: int, payload_type: int) -> None:
        """The packet of this index is sent next, under this sequence number."""
        last = self.last
        if (
            last is None
            or last.index - last.sequence != index - sequence
            or last.offset != offset
            or last.history is not history
            or last.payload_type != payload_type
        ):
            self.last = SentRange(sequence, history, index, offset, payload_type)
            self._ranges.append(self.last)

    def find(self, number: int) -> tuple[SentRange, Frame, int] | None:
        """What was sent under this number, with the packet's place in its frame; None when it is no longer kept."""
        at = bisect_right(self._ranges, number, key=lambda sent_range: sent_range.sequence) - 1
        if at < 0:
            return None
        sent_range = self._ranges[at]
        found = sent_range.history.packet(sent_range.index + number - sent_range.sequence)
        return None if found is None else (sent_range, *found)
