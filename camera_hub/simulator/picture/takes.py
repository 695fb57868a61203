"""Takes of one key picture: the same moment as a living sensor gives it again, with other noise in a little other light.

A loop comes round, a real camera never does: no two of its pictures repeat their samples. Each key frame of a loop is
therefore encoded several times over. What follows it is shared: a reference that differs by so little shifts the
pictures of its group by as little, and the next key frame ends it. Moods that repeat themselves have none.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from camera_hub.simulator.picture.canvas import Canvas
from camera_hub.simulator.picture.scenes import Look, Mood

_H264, _H265 = 17, 7
"""Prime, so that takes, places in the loop and the round intervals of whoever looks hardly ever meet again. An H.265
picture takes x265 some 100 ms."""
_STEP = 0.48
"""Luma levels between neighbouring lights; 8 steps either way are 37 dB."""
_SIGMA = 1.2
_EDGE = 4


def count(look: Look, codec: str) -> int:
    """How many takes a key frame has; none where the loop's own is all there is."""
    if look.mood is not Mood.FINE:
        return 0
    return _H265 if codec == "h265" else _H264


@cache
def lights(takes: int) -> tuple[float, ...]:
    """Luma by which each take is lighter. It rises and falls slowly as takes follow each other."""
    steps = [*range(0, takes, 2), *range(takes - 1 - takes % 2, 0, -2)]
    return tuple((step - takes // 2) * _STEP for step in steps)


class Sensor:
    """Noise and light for one size of picture."""

    def __init__(self, width: int, height: int, takes: int) -> None:
        self._lights = lights(takes)
        self._random = np.random.default_rng(13)
        self._noise: NDArray[np.float32] = self._random.standard_normal((height, width), np.float32) * _SIGMA

    def take(self, canvas: Canvas, number: int) -> Canvas:
        """Another take of a scene's picture. Its last lines, the edge of the caption bar, stay as they are."""
        shift = self._random.integers(0, self._noise.shape)
        noise = np.roll(self._noise, (int(shift[0]), int(shift[1])), (0, 1))[:-_EDGE]
        luma = canvas.y.copy()
        luma[:-_EDGE] = np.clip(np.rint(luma[:-_EDGE] + noise + self._lights[number]), 16, 235).astype(np.uint8)
        return Canvas(luma, canvas.u, canvas.v)
