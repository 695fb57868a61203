"""A short moving picture, encoded when the tests start."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av
import numpy as np

RATE = 25


@dataclass(frozen=True)
class Clip:
    """`frames`: per picture its NAL units (no start codes); the first is a key frame. Loops."""

    codec: str
    width: int
    height: int
    frames: tuple[tuple[bytes, ...], ...]

    def parameters(self) -> tuple[bytes, ...]:
        wanted = {7, 8} if self.codec == "h264" else {32, 33, 34}
        return tuple(unit for unit in self.frames[0] if kind(self.codec, unit) in wanted)


def kind(codec: str, unit: bytes) -> int:
    return unit[0] & 0x1F if codec == "h264" else (unit[0] >> 1) & 0x3F


@cache
def clip(
    hue: int = 0,
    *,
    codec: str = "h264",
    width: int = 320,
    height: int = 240,
    seconds: int = 2,
    options: str = "",
    noise: int = 0,
) -> Clip:
    """A bar walks over a coloured ground; one key frame each second. `options`: x264-params appended.

    `noise`: grey levels of a sensor's, for a stream of many packets.
    """
    context = av.CodecContext.create("libx264" if codec == "h264" else "libx265", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.framerate, context.time_base = Fraction(RATE), Fraction(1, RATE)
    common = f"keyint={RATE}:min-keyint={RATE}:scenecut=0:repeat-headers=1"
    if codec == "h264":
        plain = "" if "bframes" in options else ":bframes=0"
        context.options = {"preset": "ultrafast", "x264-params": f"{common}{plain}:annexb=1:{options}".rstrip(":")}
    else:
        context.options = {
            "preset": "ultrafast",
            "x265-params": f"{common}:bframes=0:log-level=none:{options}".rstrip(":"),
        }
    frames: list[tuple[bytes, ...]] = []
    random = np.random.default_rng(5)
    for index in range(seconds * RATE):
        picture = np.full((height, width, 3), (hue, 255 - hue, 128), np.uint8)
        left = index * width // (seconds * RATE)
        picture[:, left : left + 16] = 255
        if noise:
            grain = random.integers(-noise, noise + 1, (height, width, 1), np.int16)
            picture = np.clip(picture + grain, 0, 255).astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts = index
        frames += [units(bytes(packet)) for packet in context.encode(frame)]
    frames += [units(bytes(packet)) for packet in context.encode(None)]
    return Clip(codec, width, height, tuple(frames))


def units(annex_b: bytes) -> tuple[bytes, ...]:
    """NAL units of an Annex B stream."""
    parts = annex_b.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01")
    return tuple(part for part in parts if part)
