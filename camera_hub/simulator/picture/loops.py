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


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the encoder made of twelve seconds. A captioned one has single slices that await their caption bar."""

    codec: str
    parameters: ParameterSets
    units: tuple[Unit, ...]


class Loop(Protocol):
    """What a stream sends, frame by frame."""

    @property
    def parameters(self) -> ParameterSets: ...

    @property
    def length(self) -> int:
        """Frames in the loop."""
        ...

    def is_key(self, number: int) -> bool: ...

    def time_offset(self, number: int) -> int:
        """Frames by which this one is shown after the time it is sent at; other than 0 only with B frames."""
        ...

    def packets(self, number: int, shown: str, caption_text: str) -> tuple[Packet, ...]:
        """RTP payloads of one frame, whose caption bar changes from `shown` to `caption_text`."""
        ...


class CaptionedLoop:
    """H.264 whose caption is written in as it is sent."""

    def __init__(self, frame: caption.Frame, encoded: Encoded) -> None:
        self._frame = frame
        self._units = encoded.units
        self._unchanged = [
            () if unit.key else h264_packets([caption.skip_bar(frame, unit.nals[0])]) for unit in encoded.units
        ]
        self.parameters = ParameterSets(caption.enlarge(encoded.parameters.sps, frame), encoded.parameters.pps)
        self.length = len(encoded.units)

    def is_key(self, number: int) -> bool:
        return self._units[number].key

    def time_offset(self, number: int) -> int:
        return 0

    def packets(self, number: int, shown: str, caption_text: str) -> tuple[Packet, ...]:
        frame, nal = self._frame, self._units[number].nals[0]
        if self.is_key(number):
            whole = caption.draw_bar(frame, nal, frame.text(caption_text))
            return h264_packets([self.parameters.sps, self.parameters.pps, whole])
        if shown == caption_text:
            return self._unchanged[number]
        return h264_packets([caption.change_bar(frame, nal, frame.text(shown), frame.text(caption_text))])


class DrawnLoop:
    """Any codec; the caption is part of the picture."""

    def __init__(self, encoded: Encoded) -> None:
        packetize = h265_packets if encoded.codec == "h265" else h264_packets
        self.parameters = encoded.parameters
        self.length = len(encoded.units)
        self._units = encoded.units
        self._packets = [packetize(unit.nals) for unit in encoded.units]

    def is_key(self, number: int) -> bool:
        return self._units[number].key

    def time_offset(self, number: int) -> int:
        return self._units[number].time_offset

    def packets(self, number: int, shown: str, caption_text: str) -> tuple[Packet, ...]:
        return self._packets[number]
