"""A JPEG of a channel's present picture."""

from functools import lru_cache

import numpy as np

from camera_hub.simulator.model import StreamSpec
from camera_hub.simulator.picture.canvas import Canvas
from camera_hub.simulator.picture.encoder import encode
from camera_hub.simulator.picture.making import LOOP_SECONDS, frame_of, with_bar
from camera_hub.simulator.picture.scenes import Look, Scene


@lru_cache(maxsize=16)
def _scene(look: Look, width: int, height: int) -> Scene:
    return Scene(look, width, height)


def jpeg(look: Look, spec: StreamSpec, caption: str, seconds: float) -> bytes:
    """The picture `seconds` into its loop, with its caption. Takes some milliseconds; call it in a thread."""
    frame = frame_of(spec)
    scene = _scene(look, spec.width, frame.body_height)
    canvas = with_bar(scene.frame(seconds / LOOP_SECONDS % 1, round(seconds * spec.fps)), frame, caption)
    full = np.clip((canvas.y.astype(np.int16) - 16) * 255 // 219, 0, 255).astype(np.uint8)
    pictures = [Canvas(full, canvas.u, canvas.v)]
    size = (spec.width, spec.height)
    return b"".join(data for data, _, _ in encode("mjpeg", pictures, size=size, fps=spec.fps, full_range=True))
