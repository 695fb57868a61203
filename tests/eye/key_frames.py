"""Pictures drawn at test time, encoded as a camera would."""

from fractions import Fraction
from functools import cache
from typing import cast

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray


@cache
def key_frame(encoder: str, width: int, height: int) -> bytes:
    """One key frame with its parameter sets in front: Annex B, or a JPEG from `mjpeg`."""
    context = cast(VideoCodecContext, av.CodecContext.create(encoder, "w"))
    context.width, context.height = width, height
    context.pix_fmt = "yuvj420p" if encoder == "mjpeg" else "yuv420p"
    context.time_base = Fraction(1, 25)
    if encoder == "libx265":
        context.options = {"preset": "ultrafast", "x265-params": "log-level=none:repeat-headers=1:pools=1"}
    elif encoder == "libx264":
        context.options = {"preset": "ultrafast", "tune": "zerolatency"}
    frame = av.VideoFrame.from_ndarray(scene(width, height), format="bgr24").reformat(format=context.pix_fmt)
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def scene(width: int, height: int) -> NDArray[np.uint8]:
    """Red above, blue below, a white square in the middle (BGR)."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2] = (30, 30, 200)
    image[height // 2 :] = (200, 30, 30)
    image[height * 3 // 8 : height * 5 // 8, width * 3 // 8 : width * 5 // 8] = 255
    return image
