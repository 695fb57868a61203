"""What a client counts of an RTP stream: delivered, lost, late, repeated. Exact across wraps and reordering. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

MAX_MISSING = 65_536
"""Sequence numbers remembered as missing, per stream; further ones are only counted."""
_HALF, _SIZE = 0x8000, 0x10000


class Stream:
    """One SSRC. `bytes` are whole datagrams; packets in order are counted in the receive loop itself, for speed."""

    __slots__ = ("_missing", "bytes", "frames", "late", "lost", "next", "overhead", "packets", "repeated")

    def __init__(self, sequence: int) -> None:
        self.next = sequence
        self.packets = 0
        self.bytes = 0
        self.frames = 0
        self.overhead = 0
        self.late = 0
        self.repeated = 0
        self.lost = 0
        self._missing: set[int] = set()

    def out_of_order(self, sequence: int, size: int, marker: bool) -> None:
        """Count a packet whose sequence number is not the next one."""
        ahead = (sequence - self.next) % _SIZE
        if ahead >= _HALF:
            if sequence not in self._missing:
                self.repeated += 1
                return
            self._missing.discard(sequence)
            self.lost -= 1
            self.late += 1
        else:
            self.lost += ahead
            if len(self._missing) < MAX_MISSING:
                self._missing.update((self.next + step) % _SIZE for step in range(ahead))
            self.next = (sequence + 1) % _SIZE
            self._missing.discard(sequence)
        self.packets += 1
        self.bytes += size
        self.frames += marker


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums over streams at one moment. `payload` is bytes of media without RTP header, extensions and SRTP tag.

    `per_stream`: frames (marker bits) of each, by name. `dropped`: datagrams that the kernel dropped before the client
    read them, which is the client's fault; they are nevertheless part of `lost`.
    """

    packets: int = 0
    payload: int = 0
    frames: int = 0
    lost: int = 0
    late: int = 0
    repeated: int = 0
    foreign: int = 0
    dropped: int = 0
    per_stream: dict[str, int] = field(default_factory=dict)

    def __add__(self, other: "Counts") -> "Counts":
        return self._with(other, 1)

    def __sub__(self, other: "Counts") -> "Counts":
        """The difference since `other`; streams that are new since then count from 0."""
        return self._with(other, -1)

    def _with(self, other: "Counts", sign: int) -> "Counts":
        names = self.per_stream | other.per_stream if sign > 0 else self.per_stream
        return Counts(
            self.packets + sign * other.packets,
            self.payload + sign * other.payload,
            self.frames + sign * other.frames,
            self.lost + sign * other.lost,
            self.late + sign * other.late,
            self.repeated + sign * other.repeated,
            self.foreign + sign * other.foreign,
            self.dropped + sign * other.dropped,
            {name: self.per_stream.get(name, 0) + sign * other.per_stream.get(name, 0) for name in names},
        )

    @property
    def loss(self) -> float:
        """Share of what was sent, by sequence numbers, that did not arrive."""
        sent = self.packets + self.lost
        return self.lost / sent if sent > 0 else 0.0


def counts(streams: Iterable[tuple[str, Stream]], tag: int, foreign: int, dropped: int) -> Counts:
    """Add streams up. `tag`: bytes that SRTP appends to each packet."""
    every = dict(streams)
    found = every.values()
    packets = sum(stream.packets for stream in found)
    return Counts(
        packets=packets,
        payload=sum(stream.bytes - stream.overhead for stream in found) - packets * (12 + tag),
        frames=sum(stream.frames for stream in found),
        lost=sum(stream.lost for stream in found),
        late=sum(stream.late for stream in found),
        repeated=sum(stream.repeated for stream in found),
        foreign=foreign,
        dropped=dropped,
        per_stream={name: stream.frames for name, stream in every.items()},
    )
