"""Pictures through a real encoder, as a camera would send them."""

from collections.abc import Iterable
from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext

from camera_hub.bench.sight.scenes import Picture


def key_frames(
    pictures: Iterable[Picture], kbit_s: int, *, gop: int, fps: int = 10, size: tuple[int, int] | None = None
) -> list[bytes]:
    """H.264 key frames (Annex B, with parameter sets), one each `gop` pictures, of an encoder that keeps to the bit
    rate. `size`: width and height to which the pictures are scaled first."""
    encoder: VideoCodecContext | None = None
    keys: list[bytes] = []
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(np.clip(np.rint(picture), 0, 255).astype(np.uint8), format="rgb24")
        if size is not None and size != (frame.width, frame.height):
            frame = frame.reformat(*size, interpolation="BICUBIC")
        if encoder is None:
            encoder = _opened(frame.width, frame.height, kbit_s, gop, fps)
        frame = frame.reformat(format="yuv420p")
        frame.pts = number
        keys += [bytes(packet) for packet in encoder.encode(frame) if packet.is_keyframe]
    if encoder is not None:
        keys += [bytes(packet) for packet in encoder.encode(None) if packet.is_keyframe]
    return keys


def _opened(width: int, height: int, kbit_s: int, gop: int, fps: int) -> VideoCodecContext:
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, fps), Fraction(fps)
    encoder.bit_rate = kbit_s * 1000
    encoder.options = {
        "preset": "veryfast",
        "tune": "zerolatency",
        "x264-params": f"keyint={gop}:min-keyint={gop}:scenecut=0:threads=1:vbv-maxrate={kbit_s}:vbv-bufsize={kbit_s}",
    }
    return encoder
