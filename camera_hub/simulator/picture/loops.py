"""Loops: twelve seconds of a place, encoded once and packetized once, shared by all channels with that look."""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from camera_hub.simulator.picture import caption
from camera_hub.simulator.rtsp.packets import Packet, h264_packets, h265_packets

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """Parameter sets for the session description; `vps` only with H.265."""

    sps: bytes
    pps: bytes
    vps: bytes = b""


@dataclass(frozen=True, slots=True)
class Unit:
    """One encoded frame in coding order: its NAL units, and by how many frames it is shown later than it is sent."""

    nals: tuple[bytes, ...]
    key: bool
    time_offset: int = 0
    again: bool = False
    """Another take of the last key frame, which may be sent in its place."""


class Loop(Protocol):
    """What a stream sends, frame by frame."""

    @property
    def parameters(self) -> ParameterSets: ...

    @property
    def length(self) -> int:
        """Frames in the loop."""
        ...

    @property
    def ready(self) -> int:
        """Frames that can be sent already; fewer than the length while a thread still encodes."""
        ...

    def is_key(self, number: int) -> bool: ...

    def time_offset(self, number: int) -> int:
        """By how many frames this one is shown later than it is sent; 0 except with B frames."""
        ...

    def packets(self, number: int, shown: str, caption_text: str, take: int = 0) -> tuple[Packet, ...]:
        """RTP payloads of one frame, whose caption bar changes from `shown` to `caption_text`.

        `take`, any growing number, chooses among the takes of a key frame.
        """
        ...


class _Key(Generic[T]):
    """What may be sent for a key frame: the loop's own, or instead one of its takes, as soon as there are any."""

    def __init__(self, own: T) -> None:
        self._own = own
        self._takes: list[T] = []

    def add(self, take: T) -> None:
        self._takes.append(take)

    def choose(self, take: int) -> T:
        """A take for any number; consecutive numbers get consecutive takes."""
        return self._takes[take % len(self._takes)] if self._takes else self._own


class CaptionedLoop:
    """H.264 into which the caption is written as it is sent. Grows in one thread while it is sent from another."""

    def __init__(self, frame: caption.Frame, parameters: ParameterSets, length: int) -> None:
        self.parameters = whole(parameters, frame)
        self.length = length
        self._frame = frame
        self._units: list[tuple[Unit, tuple[Packet, ...]]] = []
        self._keys: dict[int, _Key[Unit]] = {}

    @property
    def ready(self) -> int:
        return len(self._units)

    def add(self, unit: Unit) -> None:
        """Append the next frame, and its packets for an unchanged caption; or a take of the last key frame."""
        if unit.again:
            self._keys[max(self._keys)].add(unit)
            return
        if unit.key:
            self._keys[len(self._units)] = _Key(unit)
        unchanged = () if unit.key else h264_packets([caption.skip_bar(self._frame, unit.nals[0])])
        self._units.append((unit, unchanged))

    def is_key(self, number: int) -> bool:
        return self._units[number][0].key

    def time_offset(self, number: int) -> int:
        return 0

    def packets(self, number: int, shown: str, caption_text: str, take: int = 0) -> tuple[Packet, ...]:
        unit, unchanged = self._units[number]
        if unit.key:
            unit = self._keys[number].choose(take)
        elif shown == caption_text:
            return unchanged
        return captioned(self._frame, self.parameters, unit, shown, caption_text)


class DrawnLoop:
    """Any codec; the caption is part of the picture. Grows in one thread while it is sent from another."""

    def __init__(self, codec: str, parameters: ParameterSets, length: int) -> None:
        self.parameters = parameters
        self.length = length
        self._codec = codec
        self._units: list[tuple[Unit, tuple[Packet, ...]]] = []
        self._keys: dict[int, _Key[tuple[Packet, ...]]] = {}

    @property
    def ready(self) -> int:
        return len(self._units)

    def add(self, unit: Unit) -> None:
        """Append the next frame, or a take of the last key frame."""
        packets = drawn(self._codec, unit)
        if unit.again:
            self._keys[max(self._keys)].add(packets)
            return
        if unit.key:
            self._keys[len(self._units)] = _Key(packets)
        self._units.append((unit, packets))

    def is_key(self, number: int) -> bool:
        return self._units[number][0].key

    def time_offset(self, number: int) -> int:
        return self._units[number][0].time_offset

    def packets(self, number: int, shown: str, caption_text: str, take: int = 0) -> tuple[Packet, ...]:
        return self._keys[number].choose(take) if number in self._keys else self._units[number][1]


def captioned(
    frame: caption.Frame, parameters: ParameterSets, unit: Unit, shown: str, caption_text: str
) -> tuple[Packet, ...]:
    """A frame into which the caption is written. `parameters` are those of the whole picture, bar included."""
    if unit.key:
        whole = caption.draw_bar(frame, unit.nals[0], frame.text(caption_text))
        return h264_packets([parameters.sps, parameters.pps, whole])
    return h264_packets([caption.change_bar(frame, unit.nals[0], frame.text(shown), frame.text(caption_text))])


def drawn(codec: str, unit: Unit) -> tuple[Packet, ...]:
    """A frame whose caption is part of the picture."""
    return h265_packets(unit.nals) if codec == "h265" else h264_packets(unit.nals)


def whole(parameters: ParameterSets, frame: caption.Frame) -> ParameterSets:
    """The parameter sets of H.264 pictures with their bar, given those of what is encoded."""
    return ParameterSets(caption.enlarge(parameters.sps, frame), parameters.pps)
