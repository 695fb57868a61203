"""Takes of one key picture: the same moment as a real sensor would capture it again, with other noise and light.

A loop repeats, a real camera never does: no two of its pictures have the same samples. Each key frame of a loop is
therefore encoded several times. The frames after it are shared: a reference that differs so little shifts the pictures
of its group just as little, until the next key frame. Moods whose pictures should repeat have no takes.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from camera_hub.simulator.picture.canvas import Canvas
from camera_hub.simulator.picture.scenes import STILL, Look

_H264, _H265 = 17, 7
"""Prime, so that takes, positions in the loop and an observer's regular intervals hardly ever coincide again. An H.265
picture takes x265 some 100 ms."""
_STEP = 0.3
"""Luma levels between adjacent brightness steps."""
_WAVE = 2.0
"""Luma levels by which shadows lighten and darken. Unlike much of the noise, they and the brightness are not quantized
away by an encoder; the pictures of a group keep a PSNR of 35 dB or better."""
_WAVES = ((1, 1.0, 0.5), (5, 0.7, -1.0))
"""For each shadow: turns over all takes, and waves over the picture's width and height. Over the loop it turns once the
other way: some places look alike half a loop later."""
_SIGMA = 1.2
_EDGE = 4


def count(look: Look, codec: str) -> int:
    """How many takes a key frame has; 0 if only the loop's own is used."""
    if look.mood in STILL:
        return 0
    return _H265 if codec == "h265" else _H264


@cache
def lights(takes: int) -> tuple[float, ...]:
    """Luma by which each take is brighter. It rises and falls slowly from take to take."""
    steps = [*range(0, takes, 2), *range(takes - 1 - takes % 2, 0, -2)]
    return tuple((step - takes // 2) * _STEP for step in steps)


class Sensor:
    """Noise, light and passing shadows for one size of picture."""

    def __init__(self, width: int, height: int, takes: int) -> None:
        self._lights = lights(takes)
        self._rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
        self._columns = np.linspace(0, 1, width, dtype=np.float32)[None]
        self._random = np.random.default_rng(13)
        self._noise: NDArray[np.float32] = self._random.standard_normal((height, width), np.float32) * _SIGMA

    def take(self, canvas: Canvas, number: int, turn: float) -> Canvas:
        """Another take of a scene's picture, `turn` (0 … 1) into the loop. Its last lines, the bar's edge, are kept."""
        shift = self._random.integers(0, self._noise.shape)
        change = np.roll(self._noise, (int(shift[0]), int(shift[1])), (0, 1)) + self._light(number, turn)
        luma = canvas.y.copy()
        luma[:-_EDGE] = np.clip(np.rint(luma + change), 16, 235).astype(np.uint8)[:-_EDGE]
        return Canvas(luma, canvas.u, canvas.v)

    def _light(self, number: int, turn: float) -> NDArray[np.float32]:
        """Luma by which a take is brighter, for every place in the picture."""
        light = np.full((self._rows.size, self._columns.size), self._lights[number], np.float32)
        for turns, across, down in _WAVES:
            along = self._columns * across + (self._rows * down + turns * number / len(self._lights) - turn)
            light += _WAVE * np.sin(2 * np.pi * along)
        return light
