"""Encoding loops: without a caption bar where it is written in later, with it drawn where it cannot be."""

import threading

import numpy as np
from numpy.typing import NDArray

from camera_hub.simulator.model import StreamSpec
from camera_hub.simulator.picture import caption, font
from camera_hub.simulator.picture.bits import split_annex_b
from camera_hub.simulator.picture.canvas import Canvas
from camera_hub.simulator.picture.encoder import encode
from camera_hub.simulator.picture.loops import Encoded, ParameterSets, Unit
from camera_hub.simulator.picture.scenes import Look, Mood, Scene

LOOP_SECONDS = 12
DRAWN_SECONDS = 6
"""Shorter where nothing is shared: x265 takes some 60 ms of a core for a 720p picture."""
_ENCODERS = {"h264": "libx264", "h265": "libx265"}
_KEY_SLICE, _SEI, _SPS, _PPS = 5, 6, 7, 8
_H265_PARAMETERS, _H265_SEI = (32, 33, 34), (39, 40)


def frame_of(spec: StreamSpec) -> caption.Frame:
    """The geometry that a stream's size asks for."""
    return caption.Frame(spec.width, spec.height, scale=2 if spec.width >= 1000 else 1)


def encode_body(look: Look, spec: StreamSpec, stop: threading.Event | None = None) -> Encoded:
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
    units: list[Unit] = []
    size = (width, frame.body_height)
    drawn = map(pictures, range(count))
    for data, _, _ in encode(
        "libx264", drawn, size=size, fps=spec.fps, bitrate=spec.bitrate, options=options, stop=stop
    ):
        for nal in split_annex_b(data):
            if (kind := nal[0] & 0x1F) in (_SPS, _PPS):
                parameters[kind] = nal
            elif kind in (1, _KEY_SLICE):
                units.append(Unit((nal,), kind == _KEY_SLICE))
    if len(units) != count:
        raise RuntimeError(f"the encoder made {len(units)} slices of {count} pictures")
    return Encoded("h264", ParameterSets(parameters[_SPS], parameters[_PPS]), tuple(units))


def encode_whole(
    look: Look, spec: StreamSpec, label: str, *, b_frames: bool, stop: threading.Event | None = None
) -> Encoded:
    """Draw the label and the seconds of the loop into the picture and encode it. Call it in a thread."""
    h265 = spec.codec == "h265"
    frame = frame_of(spec)
    scene = Scene(look, spec.width, frame.body_height)
    count = DRAWN_SECONDS * spec.fps
    gop = spec.gop_seconds * spec.fps

    def pictures(number: int) -> Canvas:
        second = 0 if look.mood is Mood.FROZEN else number // spec.fps
        return with_bar(scene.frame(number / count, number), frame, f"{label}  +{second:02}")

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
    size = (spec.width, spec.height)
    drawn = map(pictures, range(count))
    codec = _ENCODERS[spec.codec]
    coded = encode(codec, drawn, size=size, fps=spec.fps, bitrate=spec.bitrate, options=options, stop=stop)
    for number, (data, shown, key) in enumerate(coded):
        nals = {nal: nal[0] >> 1 & 0x3F if h265 else nal[0] & 0x1F for nal in split_annex_b(data)}
        found.update({kind: nal for nal, kind in nals.items()})
        kept = tuple(nal for nal, kind in nals.items() if kind not in (_H265_SEI if h265 else (_SEI,)))
        units.append(Unit(kept, key, shown - number))
    if h265:
        vps, sps, pps = (found[kind] for kind in _H265_PARAMETERS)
        return Encoded("h265", ParameterSets(sps, pps, vps), tuple(units))
    return Encoded("h264", ParameterSets(found[_SPS], found[_PPS]), tuple(units))


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
