"""Pictures through a real encoder, as a camera would send them."""

from collections.abc import Iterable
from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext

from camera_hub.bench.sight.scenes import Picture


def key_frames(pictures: Iterable[Picture], kbit_s: int, *, gop: int, fps: int = 10, tight: bool = True) -> list[bytes]:
    """H.264 key frames (Annex B, with parameter sets), one each `gop` pictures, of an encoder that keeps to the bit
    rate: within each second (`tight`), or on the average."""
    encoder: VideoCodecContext | None = None
    keys: list[bytes] = []
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(np.clip(np.rint(picture), 0, 255).astype(np.uint8), format="rgb24")
        if encoder is None:
            encoder = _opened((frame.width, frame.height), kbit_s, gop, fps, tight=tight)
        frame = frame.reformat(format="yuv420p")
        frame.pts = number
        keys += [bytes(packet) for packet in encoder.encode(frame) if packet.is_keyframe]
    if encoder is not None:
        keys += [bytes(packet) for packet in encoder.encode(None) if packet.is_keyframe]
    return keys


def _opened(size: tuple[int, int], kbit_s: int, gop: int, fps: int, *, tight: bool) -> VideoCodecContext:
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height = size
    encoder.pix_fmt = "yuv420p"
    bound = f":vbv-maxrate={kbit_s}:vbv-bufsize={kbit_s}" if tight else ""
    encoder.time_base, encoder.framerate = Fraction(1, fps), Fraction(fps)
    encoder.bit_rate = kbit_s * 1000
    encoder.options = {
        "preset": "veryfast",
        "tune": "zerolatency",
        "x264-params": f"keyint={gop}:min-keyint={gop}:scenecut=0:threads=1{bound}",
    }
    return encoder
