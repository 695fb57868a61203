"""A frame as the relay passes it on: one access unit, packetized once, for every viewer and player of the feed.

Plain classes: a frozen dataclass takes four times as long to make (measured), and these are made for each frame.
"""

from collections.abc import Iterable


class PacketRun:
    """Packets that leave in one send call: equal payloads, a shorter one only at the end. Never changed once made.

    `place`: index in the frame of the first packet. `ends_frame`: the last packet carries the RTP marker. `width`,
    `size`: bytes of the first payload, and of all.
    """

    __slots__ = ("ends_frame", "payloads", "place", "size", "width")

    def __init__(self, payloads: tuple[bytes, ...], place: int, ends_frame: bool) -> None:
        self.payloads = payloads
        self.place = place
        self.ends_frame = ends_frame
        self.width = len(payloads[0])
        self.size = self.width * (len(payloads) - 1) + len(payloads[-1])


class Frame:
    """One frame, packetized. Never changed once made.

    `first`: index of its first packet; packets of a feed are numbered without gaps. `timestamp`: hub clock, 90 kHz,
    strictly increasing within a feed. `key`: decodable on its own, parameter sets included. `size`: bytes of all
    payloads. `arrived`: monotonic seconds.
    """

    __slots__ = ("arrived", "first", "key", "payloads", "runs", "size", "timestamp")

    def __init__(
        self,
        first: int,
        timestamp: int,
        key: bool,
        payloads: tuple[bytes, ...],
        runs: tuple[PacketRun, ...],
        size: int,
        arrived: float,
    ) -> None:
        self.first = first
        self.timestamp = timestamp
        self.key = key
        self.payloads = payloads
        self.runs = runs
        self.size = size
        self.arrived = arrived


def split_runs(payloads: tuple[bytes, ...], ends: Iterable[int]) -> tuple[PacketRun, ...]:
    """A frame's payloads as runs. `ends` are exclusive indices, the last one len(payloads) (`packetize.gso_runs`)."""
    made: list[PacketRun] = []
    start = 0
    for end in ends:
        made.append(PacketRun(payloads[start:end], start, end == len(payloads)))
        start = end
    return tuple(made)


def packet_by_packet(frame: Frame) -> Frame:
    """The same frame in runs of one packet each, for a link that is too narrow for a whole run at once."""
    runs = split_runs(frame.payloads, range(1, len(frame.payloads) + 1))
    return Frame(frame.first, frame.timestamp, frame.key, frame.payloads, runs, frame.size, frame.arrived)
