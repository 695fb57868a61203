"""A JPEG of a channel's present picture."""

from functools import lru_cache

import numpy as np

from camera_hub.simulator.dome import Vector
from camera_hub.simulator.model import StreamSpec
from camera_hub.simulator.picture.canvas import Canvas
from camera_hub.simulator.picture.encoder import encode
from camera_hub.simulator.picture.making import LOOP_SECONDS, frame_of, with_bar
from camera_hub.simulator.picture.moods import Pictures
from camera_hub.simulator.picture.panorama import panorama
from camera_hub.simulator.picture.scenes import Look


@lru_cache(maxsize=16)
def _pictures(look: Look, width: int, height: int) -> Pictures:
    return Pictures(look, width, height)


def jpeg(look: Look, spec: StreamSpec, caption: str, seconds: float, aside: Vector | None = None) -> bytes:
    """The picture `seconds` into its loop, with its caption. Takes some milliseconds; call it in a thread.

    `aside`: where a dome looks that is not at its home position.
    """
    frame, turn = frame_of(spec), seconds / LOOP_SECONDS % 1
    if aside is None:
        picture = _pictures(look, spec.width, frame.body_height).frame(turn, round(seconds * spec.fps))
    else:
        picture = panorama(look, spec.width, frame.body_height).view(aside, turn)
    canvas = with_bar(picture, frame, caption)
    full = np.clip((canvas.y.astype(np.int32) - 16) * 255 // 219, 0, 255).astype(np.uint8)
    pictures = [Canvas(full, canvas.u, canvas.v)]
    size = (spec.width, spec.height)
    return b"".join(data for data, _, _ in encode("mjpeg", pictures, size=size, fps=spec.fps, full_range=True))
