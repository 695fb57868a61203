"""Streams of many encoders' settings, made by FFmpeg's x264: what real cameras send, good and bad."""

from fractions import Fraction
from functools import cache

import av
import numpy as np

from camera_hub.errors import Reason
from tests.relay.clip import RATE, Clip, units

SETTINGS: dict[str, dict[str, str]] = {
    "baseline": {"profile": "baseline"},
    "main": {"profile": "main"},
    "high": {"profile": "high"},
    "slices": {"profile": "main", "params": "slices=4"},
    "small slices": {"profile": "main", "params": "slice-max-size=400"},
    "cavlc high": {"profile": "high", "params": "cabac=0"},
    "several references": {"profile": "high", "params": "ref=4"},
    "access unit delimiters": {"profile": "main", "params": "aud=1"},
    "interlaced": {"profile": "high", "params": "tff=1"},
    "weighted": {"profile": "main", "params": "weightp=2"},
    "no loop filter": {"profile": "main", "params": "no-deblock=1"},
    "parameter sets once": {"profile": "main", "params": "repeat-headers=0"},
    "odd size": {"profile": "main", "size": "426x238"},
    "tiny": {"profile": "main", "size": "64x48"},
    "b-frames": {"profile": "main", "params": "bframes=2:b-adapt=0"},
    "open gop": {"profile": "main", "params": "open-gop=1:bframes=2:b-adapt=0"},
    "intra refresh": {"profile": "main", "params": "intra-refresh=1"},
    "4:2:2": {"profile": "high422", "format": "yuv422p"},
    "10 bit": {"profile": "high10", "format": "yuv420p10le"},
}

NAMED = {"b-frames": Reason.B_FRAMES, "open gop": Reason.B_FRAMES, "parameter sets once": Reason.NO_PARAMETER_SETS}
"""What cannot be shown, by the reason that is told. Open GOPs come with B-frames wherever they come at all."""
PLAYED = [name for name in SETTINGS if name not in NAMED]


@cache
def encoded(name: str, seconds: int = 2) -> Clip:
    """A bar walks over a ground, encoded that way; one key frame a second where the settings allow any."""
    settings = SETTINGS[name]
    width, height = map(int, settings.get("size", "320x240").split("x"))
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = width, height, settings.get("format", "yuv420p")
    context.framerate, context.time_base = Fraction(RATE), Fraction(1, RATE)
    given = settings.get("params", "")
    params = f"keyint={RATE}:min-keyint={RATE}:scenecut=0:annexb=1"
    params += "" if "bframes" in given else ":bframes=0"
    params += "" if "repeat-headers" in given else ":repeat-headers=1"
    context.options = {
        "preset": "veryfast",
        "profile": settings["profile"],
        "x264-params": f"{params}:{given}".rstrip(":"),
    }
    frames: list[tuple[bytes, ...]] = []
    for index in range(seconds * RATE):
        picture = np.full((height, width, 3), (index * 3 % 255, 90, 128), np.uint8)
        left = index * (width - 16) // (seconds * RATE)
        picture[:, left : left + 16] = 255
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=context.pix_fmt)
        frame.pts = index
        frames += [units(bytes(packet)) for packet in context.encode(frame)]
    frames += [units(bytes(packet)) for packet in context.encode(None)]
    return Clip("h264", width, height, tuple(frames))
