"""Loops: twelve seconds of a place, encoded once and packetized once, shared by all channels of that look."""

from dataclasses import dataclass
from typing import Protocol

from camera_hub.simulator.picture import caption
from camera_hub.simulator.rtsp.packets import Packet, h264_packets, h265_packets


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """Parameter sets for the session description; `vps` only with H.265."""

    sps: bytes
    pps: bytes
    vps: bytes = b""


@dataclass(frozen=True, slots=True)
class Unit:
    """One encoded frame in coding order: its NAL units, and by how many frames later than sent it is shown."""

    nals: tuple[bytes, ...]
    key: bool
    time_offset: int = 0


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
        """Frames by which this one is shown after the time it is sent at; other than 0 only with B frames."""
        ...

    def packets(self, number: int, shown: str, caption_text: str) -> tuple[Packet, ...]:
        """RTP payloads of one frame, whose caption bar changes from `shown` to `caption_text`."""
        ...


class CaptionedLoop:
    """H.264 whose caption is written in as it is sent. Grows in one thread while it is sent from another."""

    def __init__(self, frame: caption.Frame, parameters: ParameterSets, length: int) -> None:
        self.parameters = ParameterSets(caption.enlarge(parameters.sps, frame), parameters.pps)
        self.length = length
        self._frame = frame
        self._units: list[tuple[Unit, tuple[Packet, ...]]] = []

    @property
    def ready(self) -> int:
        return len(self._units)

    def add(self, unit: Unit) -> None:
        """Append the next frame, and what is sent of it when the caption does not change."""
        unchanged = () if unit.key else h264_packets([caption.skip_bar(self._frame, unit.nals[0])])
        self._units.append((unit, unchanged))

    def is_key(self, number: int) -> bool:
        return self._units[number][0].key

    def time_offset(self, number: int) -> int:
        return 0

    def packets(self, number: int, shown: str, caption_text: str) -> tuple[Packet, ...]:
        frame, (unit, unchanged) = self._frame, self._units[number]
        if unit.key:
            whole = caption.draw_bar(frame, unit.nals[0], frame.text(caption_text))
            return h264_packets([self.parameters.sps, self.parameters.pps, whole])
        if shown == caption_text:
            return unchanged
        return h264_packets([caption.change_bar(frame, unit.nals[0], frame.text(shown), frame.text(caption_text))])


class DrawnLoop:
    """Any codec; the caption is part of the picture. Grows in one thread while it is sent from another."""

    def __init__(self, codec: str, parameters: ParameterSets, length: int) -> None:
        self.parameters = parameters
        self.length = length
        self._packetize = h265_packets if codec == "h265" else h264_packets
        self._units: list[tuple[Unit, tuple[Packet, ...]]] = []

    @property
    def ready(self) -> int:
        return len(self._units)

    def add(self, unit: Unit) -> None:
        """Append the next frame."""
        self._units.append((unit, self._packetize(unit.nals)))

    def is_key(self, number: int) -> bool:
        return self._units[number][0].key

    def time_offset(self, number: int) -> int:
        return self._units[number][0].time_offset

    def packets(self, number: int, shown: str, caption_text: str) -> tuple[Packet, ...]:
        return self._units[number][1]
