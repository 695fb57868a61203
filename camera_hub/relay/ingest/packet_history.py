"""What a feed keeps of its stream: the frames since the last key frame, and the packets a browser may ask for again.

One copy for all tracks. Every packet of a feed has a running number, its index; a track remembers which of its sequence
numbers stand for which indices, so a resend needs no copy per viewer.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol


@dataclass(frozen=True, slots=True, eq=False)
class PacketRun:
    """Packets that leave in one send: equal payloads, a shorter one only at the end.

    `place`: of its first packet in the frame. `ends_frame`: its last packet carries the marker.
    """

    payloads: tuple[bytes, ...]
    place: int
    ends_frame: bool


def runs(payloads: tuple[bytes, ...], ends: Iterable[int]) -> tuple[PacketRun, ...]:
    """A frame's payloads as runs; `ends` are exclusive (see packetize.gso_runs)."""
    made, start = [], 0
    for end in ends:
        made.append(PacketRun(payloads[start:end], start, end == len(payloads)))
        start = end
    return tuple(made)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame, cut for sending. `timestamp`: hub time, 90 kHz. `first`: index of its first packet."""

    first: int
    timestamp: int
    key: bool
    payloads: tuple[bytes, ...]
    runs: tuple[PacketRun, ...]
    size: int
    arrived: float


def packet_by_packet(frame: Frame) -> Frame:
    """The frame for a narrow link, which takes no whole run at once."""
    return replace(frame, runs=runs(frame.payloads, range(1, len(frame.payloads) + 1)))


def worth_replaying(age: float, gop_seconds: float | None, gop_size: int) -> bool:
    """Whether replaying `gop_size` bytes beats waiting for the next key frame, `age` seconds after the last one.

    0.5 s of waiting is worth 1 MB: what a 16 Mbit/s line carries meanwhile.
    """
    if gop_seconds is None:
        return True
    return max(0.0, gop_seconds - age) * 2_000_000 > gop_size


class PacketHistory:
    """GOP cache (bounded in bytes and age) and resend history (bounded in packets) of one feed."""

    def __init__(self, *, gop_bytes: int, gop_seconds: float, packets: int) -> None:
        self._gop_bytes = gop_bytes
        self._gop_seconds = gop_seconds
        self._packets = packets
        self._frames: deque[Frame] = deque()
        self._held = 0
        self._gop: list[Frame] = []
        self._gop_size = 0
        self.overflows = 0
        self.gop_seconds: float | None = None
        self.gop_frames: int | None = None

    @property
    def gop(self) -> list[Frame]:
        """The frames since the last key frame, that one first; empty when there is none or it was too much."""
        return self._gop

    @property
    def gop_size(self) -> int:
        """Payload bytes of `gop`."""
        return self._gop_size

    def add(self, frame: Frame) -> None:
        """Take the newest frame in."""
        if frame.key:
            if self._gop:
                self.gop_seconds = frame.arrived - self._gop[0].arrived
                self.gop_frames = len(self._gop)
            self._gop, self._gop_size = [], 0
        if frame.key or self._gop:
            self._gop.append(frame)
            self._gop_size += frame.size
            if self._gop_size > self._gop_bytes or frame.arrived - self._gop[0].arrived > self._gop_seconds:
                self.forget_gop()
                self.overflows += 1
        self._frames.append(frame)
        self._held += len(frame.payloads)
        keep = self._gop[0].first if self._gop else frame.first
        while self._held > self._packets and self._frames[0].first < keep:
            self._held -= len(self._frames.popleft().payloads)

    def forget_gop(self) -> None:
        """The cache must not be replayed any more (a stream began anew, or grew too large)."""
        self._gop, self._gop_size = [], 0

    def clear(self) -> None:
        """Let go of everything; tracks may go on pointing here."""
        self.forget_gop()
        self._frames.clear()
        self._held = 0

    def packet(self, index: int) -> tuple[Frame, int] | None:
        """The frame and the place in it of the packet with this index; None when it is no longer kept."""
        if not self._frames or index < self._frames[0].first:
            return None
        at = bisect_right(self._frames, index, key=lambda frame: frame.first) - 1
        frame = self._frames[at]
        place = index - frame.first
        return (frame, place) if place < len(frame.payloads) else None


class FrameSource(Protocol):
    """What is wanted of a feed by who sends its frames on (track.Track, rtspout.stream.Stream)."""

    @property
    def name(self) -> str: ...

    @property
    def codec(self) -> str | None: ...

    @property
    def history(self) -> PacketHistory: ...
