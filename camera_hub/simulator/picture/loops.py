"""Loops: twelve seconds of a place, encoded once and packetized once, shared by all channels of that look."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from camera_hub.simulator.model import StreamSpec
from camera_hub.simulator.picture import caption, font
from camera_hub.simulator.picture.bits import split_annex_b
from camera_hub.simulator.picture.canvas import Canvas
from camera_hub.simulator.picture.encoder import encode
from camera_hub.simulator.picture.scenes import Look, Scene
from camera_hub.simulator.rtsp.packets import Packet, h264_packets, h265_packets

LOOP_SECONDS = 12
_KEY_SLICE, _SEI, _SPS, _PPS = 5, 6, 7, 8
_H265_PARAMETERS = (32, 33, 34)


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """Parameter sets for the session description; `vps` only with H.265."""

    sps: bytes
    pps: bytes
    vps: bytes = b""


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

    def __init__(self, frame: caption.Frame, parameters: ParameterSets, slices: Sequence[bytes]) -> None:
        self._frame = frame
        self._slices = slices
        self._unchanged = [
            () if nal[0] & 0x1F == _KEY_SLICE else h264_packets([caption.skip_bar(frame, nal)]) for nal in slices
        ]
        self.parameters = ParameterSets(caption.enlarge(parameters.sps, frame), parameters.pps)
        self.length = len(slices)

    def is_key(self, number: int) -> bool:
        return self._slices[number][0] & 0x1F == _KEY_SLICE

    def time_offset(self, number: int) -> int:
        return 0

    def packets(self, number: int, shown: str, caption_text: str) -> tuple[Packet, ...]:
        frame, nal = self._frame, self._slices[number]
        if self.is_key(number):
            whole = caption.draw_bar(frame, nal, frame.text(caption_text))
            return h264_packets([self.parameters.sps, self.parameters.pps, whole])
        if shown == caption_text:
            return self._unchanged[number]
        return h264_packets([caption.change_bar(frame, nal, frame.text(shown), frame.text(caption_text))])


@dataclass(frozen=True, slots=True)
class Unit:
    """One access unit of a loop that cannot be captioned: its payloads, and when it is shown."""

    packets: tuple[Packet, ...]
    key: bool
    time_offset: int


class DrawnLoop:
    """Any codec; the caption is part of the picture."""

    def __init__(self, parameters: ParameterSets, units: Sequence[Unit]) -> None:
        self.parameters = parameters
        self.length = len(units)
        self._units = units

    def is_key(self, number: int) -> bool:
        return self._units[number].key

    def time_offset(self, number: int) -> int:
        return self._units[number].time_offset

    def packets(self, number: int, shown: str, caption_text: str) -> tuple[Packet, ...]:
        return self._units[number].packets


def frame_of(spec: StreamSpec) -> caption.Frame:
    """The geometry that a stream's size asks for."""
    return caption.Frame(spec.width, spec.height, scale=2 if spec.width >= 1000 else 1)


def captioned_loop(look: Look, spec: StreamSpec) -> CaptionedLoop:
    """Draw and encode a loop without its caption bar. Takes a second or two of one core; call it in a thread."""
    frame = frame_of(spec)
    width = frame.columns * 16
    scene = Scene(look, spec.width, frame.body_height)
    random = np.random.default_rng(11)
    count = LOOP_SECONDS * spec.fps

    def pictures(number: int) -> Canvas:
        drawn = scene.frame(number / count, number)
        wide = Canvas(*(np.pad(plane, ((0, 0), (0, extra)), mode="edge") for plane, extra in _planes(drawn)))
        wide.y[-16:, -16:] = random.integers(40, 216, (16, 16), np.uint8)
        return wide

    options = {
        "preset": "ultrafast", "profile": "baseline", "bf": "0", "threads": "1", "level": "3.2",
        "x264-params": f"keyint={spec.gop_seconds * spec.fps}:min-keyint={spec.gop_seconds * spec.fps}:scenecut=0"
        ":rc-lookahead=0:sync-lookahead=0:force-cfr=1",
    }  # fmt: skip
    parameters: dict[int, bytes] = {}
    slices: list[bytes] = []
    size = (width, frame.body_height)
    drawn = map(pictures, range(count))
    for data, _, _ in encode("libx264", drawn, size=size, fps=spec.fps, bitrate=spec.bitrate, options=options):
        for nal in split_annex_b(data):
            if (kind := nal[0] & 0x1F) in (_SPS, _PPS):
                parameters[kind] = nal
            elif kind in (1, _KEY_SLICE):
                slices.append(nal)
    if len(slices) != count:
        raise RuntimeError(f"the encoder made {len(slices)} slices of {count} pictures")
    return CaptionedLoop(frame, ParameterSets(parameters[_SPS], parameters[_PPS]), slices)


def drawn_loop(look: Look, spec: StreamSpec, label: str, *, b_frames: bool = False) -> DrawnLoop:
    """Draw the label and the seconds of the loop into the picture and encode it. Call it in a thread."""
    h265 = spec.codec == "h265"
    frame = frame_of(spec)
    scene = Scene(look, spec.width, frame.body_height)
    count = LOOP_SECONDS * spec.fps
    gop = spec.gop_seconds * spec.fps

    def pictures(number: int) -> Canvas:
        return with_bar(scene.frame(number / count, number), frame, f"{label}  +{number // spec.fps:02}")

    if h265:
        options = {
            "preset": "ultrafast",
            "x265-params": f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=0:open-gop=0:pools=1:frame-threads=1"
            ":log-level=none:repeat-headers=1:info=0",
        }
    else:
        options = {
            "preset": "ultrafast", "profile": "main", "threads": "1",
            "x264-params": f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={2 if b_frames else 0}:b-adapt=0"
            ":open-gop=0",
        }  # fmt: skip
    found: dict[int, bytes] = {}
    units = []
    packetize = h265_packets if h265 else h264_packets
    codec, size = "libx265" if h265 else "libx264", (spec.width, spec.height)
    drawn = map(pictures, range(count))
    coded = encode(codec, drawn, size=size, fps=spec.fps, bitrate=spec.bitrate, options=options)
    for number, (data, shown, key) in enumerate(coded):
        nals = [nal for nal in split_annex_b(data) if nal[0] != _SEI]
        for nal in nals:
            found[nal[0] >> 1 & 0x3F if h265 else nal[0] & 0x1F] = nal
        units.append(Unit(packetize(nals), key, shown - number))
    if h265:
        vps, sps, pps = (found[kind] for kind in _H265_PARAMETERS)
        return DrawnLoop(ParameterSets(sps, pps, vps), units)
    return DrawnLoop(ParameterSets(found[_SPS], found[_PPS]), units)


def with_bar(canvas: Canvas, frame: caption.Frame, text: str) -> Canvas:
    """The picture with its bar below, as samples."""
    room = frame.height - frame.body_height
    bar = np.full((room, frame.width), font.PAPER, np.uint8)
    line = font.line(frame.text(text), frame.scale)[:room]
    bar[: line.shape[0], : line.shape[1]] = line
    grey = np.full((room // 2, frame.width // 2), 128, np.uint8)
    return Canvas(np.vstack([canvas.y, bar]), np.vstack([canvas.u, grey]), np.vstack([canvas.v, grey]))


def _planes(canvas: Canvas) -> tuple[tuple[NDArray[np.uint8], int], ...]:
    return (canvas.y, 16), (canvas.u, 8), (canvas.v, 8)
