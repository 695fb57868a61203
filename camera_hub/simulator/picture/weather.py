"""What a picture is taken in: rain, insects at the lamp, headlights, the light of an infrared lamp. Nothing of it is a
fault.
"""

import math

import numpy as np
from numpy.typing import NDArray

from camera_hub.simulator.picture.canvas import Canvas
from camera_hub.simulator.picture.scenes import Look, Weather

_DROPS, _INSECTS = 110, 5
_PATTERNS = 251
"""Prime: after so many frames drops and insects are where they were."""
_HAZE, _HAZE_LUMA = 0.9, 120
_NIGHT_HAZE = 60
_MIDDLE, _CORNER = 1.15, 0.55
"""How much of an infrared lamp's light the middle and the corners of the picture get."""


class Conditions:
    """The weather and the lamp of a look at one size."""

    def __init__(self, look: Look, width: int, height: int) -> None:
        self._look = look
        self._lamp = _vignette(width, height) if look.infrared else None

    def draw(self, canvas: Canvas, turn: float, number: int) -> None:
        """Change a place's picture in place: `turn` (0 … 1) of the loop, `number` of the frame."""
        look = self._look
        match look.weather:
            case Weather.RAIN:
                _rain(canvas, number, _NIGHT_HAZE if look.night else _HAZE_LUMA)
            case Weather.INSECTS:
                _insects(canvas, number)
            case Weather.HEADLIGHTS:
                _headlights(canvas, turn)
        if self._lamp is not None:
            canvas.y[:] = np.minimum(16 + (canvas.y - 16.0) * self._lamp, 235).astype(np.uint8)
            canvas.u[:], canvas.v[:] = 128, 128


def _vignette(width: int, height: int) -> NDArray[np.float32]:
    rows = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, width, dtype=np.float32)[None]
    return (_MIDDLE - (_MIDDLE - _CORNER) * (rows**2 + columns**2) / 2).astype(np.float32)


def _rain(canvas: Canvas, number: int, haze: int) -> None:
    """Streaks in the air, and a little haze behind them."""
    height, width = canvas.y.shape
    canvas.y[:] = (haze + (canvas.y.astype(np.float32) - haze) * _HAZE).astype(np.uint8)
    random = np.random.default_rng(number % _PATTERNS)
    for x, y, size in random.random((_DROPS, 3)):
        column, top = int(x * width), int(y * height)
        long, wide = int((0.02 + 0.05 * size) * height), 1 + int(size * width / 640)
        streak = canvas.y[top : top + long, column : column + wide]
        streak[:] = np.minimum(streak.astype(np.int16) + 24 + int(20 * size), 235)


def _insects(canvas: Canvas, number: int) -> None:
    """Bright blurred trails close to the lens."""
    random = np.random.default_rng(1000 + number % _PATTERNS)
    for x, y, size, angle in random.random((_INSECTS, 4)):
        step = 0.006 + 0.01 * size
        for piece in range(6):
            reach = piece * step
            spot = (x + reach * math.cos(angle * 6.3), y + reach * math.sin(angle * 6.3))
            _light(canvas, *spot, 0.006 + 0.012 * size, 120)


def _headlights(canvas: Canvas, turn: float) -> None:
    """A car comes towards the camera with its beam on, dazzles it, and is gone; twice in a loop."""
    near = turn * 2 % 1
    if not 0.15 < near < 0.7:
        return
    near = (near - 0.15) / 0.55
    for side in (-1, 1):
        _light(canvas, 0.42 + 0.1 * near + side * (0.01 + 0.05 * near), 0.5 + 0.3 * near, 0.03 + 0.26 * near, 230)


def _light(canvas: Canvas, x: float, y: float, radius: float, strength: int) -> None:
    """Lighten a round spot; only where it is, which is faster than over the whole picture."""
    height, width = canvas.y.shape
    reach = max(2, int(radius * width))
    left, right = max(0, int(x * width) - reach), min(width, int(x * width) + reach)
    top, bottom = max(0, int(y * height) - reach), min(height, int(y * height) + reach)
    if left >= right or top >= bottom:
        return
    rows, columns = np.mgrid[top:bottom, left:right].astype(np.float32)
    distance = np.hypot(columns - x * width, rows - y * height) / reach
    spot = canvas.y[top:bottom, left:right]
    spot[:] = np.minimum(spot + np.clip(1 - distance, 0, 1) ** 2 * strength, 200).astype(np.uint8)
