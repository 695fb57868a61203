"""Reorder buffer: RTP packets that arrived over UDP, back in sequence order. Pure: the time is given."""

from camera_hub.relay.ingest.rtp import RtpPacket, Unwrapper

MAX_PACKETS = 64
MAX_WAIT = 0.1
"""Seconds. The time bound matters on a thin sub stream, where 64 packets are many seconds of picture."""
RESTART_DISTANCE = 1000
"""Sequence numbers. A packet that is older than this does not arrive late: the camera has restarted its sequence."""


class ReorderBuffer:
    """Waits for a missing packet until `max_packets` packets are buffered behind the gap, or the first of them has
    waited for `max_wait` seconds. Then the gap is given up, and the depacketizer sees it.

    Late and repeated packets are dropped and counted in `late`.
    """

    def __init__(self, max_packets: int = MAX_PACKETS, max_wait: float = MAX_WAIT) -> None:
        self._max_packets = max_packets
        self._max_wait = max_wait
        self._unwrap = Unwrapper(16)
        self._next: int | None = None
        self._waiting: dict[int, tuple[RtpPacket, float]] = {}  # in order of arrival
        self.late = 0

    def restart(self) -> None:
        """The sequence begins anew with the next packet; what waits is given up."""
        self._unwrap = Unwrapper(16)
        self._next = None
        self._waiting.clear()

    def push(self, packet: RtpPacket, now: float) -> list[RtpPacket]:
        """Add a packet that arrived at `now` (monotonic seconds). Returns the packets that are in order now."""
        number = self._unwrap(packet.sequence)
        if self._next is None:
            self._next = number
        if number < self._next:
            if self._next - number > RESTART_DISTANCE:
                self._waiting.clear()
                self._next = number
            else:
                self.late += 1
                return []
        if number in self._waiting:
            self.late += 1
            return []
        self._waiting[number] = (packet, now)
        ready: list[RtpPacket] = []
        while True:
            while (found := self._waiting.pop(self._next, None)) is not None:
                ready.append(found[0])
                self._next += 1
            if not self._waiting:
                return ready
            _, since = next(iter(self._waiting.values()))
            if len(self._waiting) <= self._max_packets and now - since < self._max_wait:
                return ready
            self._next = min(self._waiting)
