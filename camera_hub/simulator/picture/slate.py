"""What recorders show where no picture comes in: a blue screen, a slate that says so, colour bars."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from camera_hub.simulator.picture import font
from camera_hub.simulator.picture.canvas import Canvas, Plane, rgb

_SCREEN, _SLATE, _INK = rgb(0, 0, 190), rgb(44, 44, 48), 220
_BARS = tuple(
    rgb(*colour)
    for colour in (
        (191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191),
    )
)  # fmt: skip
"""75 % colour bars (SMPTE EG 1)."""
_GRID = 16.0
_PEN = 0.75
"""Half the width of a stroke, in units of the grid."""
Stroke = tuple[tuple[float, float], ...]
_CHARACTERS: tuple[tuple[Stroke, ...], ...] = (
    (  # 无
        ((3, 3), (13, 3)), ((1, 7), (15, 7)), ((8, 3), (7, 9), (2, 15)),
        ((9, 7), (9, 13), (10, 15), (14, 15), (14, 12)),
    ),
    (  # 视
        ((4, 0.5), (5, 2)), ((1, 4), (7, 4), (1, 11)), ((4, 8), (4, 15.5)), ((5, 8), (7, 10)),
        ((9, 10), (9, 2), (14.5, 2), (14.5, 10)), ((12, 4), (11.5, 10), (8, 15.5)),
        ((12.5, 9), (12.5, 15), (15, 15), (15, 12)),
    ),
    (  # 频
        ((4, 1), (4, 11)), ((4, 4), (7, 4)), ((1.5, 3.5), (1.5, 7)), ((0.5, 7), (7.5, 7)), ((2, 9), (1, 11)),
        ((6.5, 9), (4.5, 12.5), (1, 15)), ((8.5, 2), (15.5, 2)), ((12, 2), (11, 4.5)),
        ((9.5, 11.5), (9.5, 4.5), (14.5, 4.5), (14.5, 11.5)), ((12, 6.5), (11.5, 11), (8.5, 15.5)),
        ((12.5, 12), (15.5, 15.5)),
    ),
    (  # 信
        ((4.5, 0.5), (1, 7)), ((3.5, 4.5), (3.5, 15.5)), ((9.5, 0.5), (11, 2)), ((6, 3.5), (15.5, 3.5)),
        ((7.5, 6), (14, 6)), ((7.5, 8.5), (14, 8.5)), ((7.5, 11), (14, 11), (14, 15), (7.5, 15), (7.5, 11)),
    ),
    (  # 号
        ((4, 1), (12, 1), (12, 5), (4, 5), (4, 1)), ((1, 7.5), (15, 7.5)),
        ((5, 7.5), (4.5, 10.5), (12.5, 10.5), (12, 14), (11, 15.5), (8.5, 15)),
    ),
)  # fmt: skip
"""无视频信号 as strokes on a grid of 16 × 16."""


def blue_screen(width: int, height: int) -> Canvas:
    """One blue, as recorders show it for a channel that has no input."""
    return Canvas.blank(width, height, _SCREEN)


def slate(width: int, height: int) -> Canvas:
    """无视频信号 and NO SIGNAL on dark grey."""
    canvas = Canvas.blank(width, height, _SLATE)
    side = height // 6
    chinese = np.concatenate([_drawn(strokes, side) for strokes in _CHARACTERS], axis=1)
    scale = max(1, height // 180)
    english = font.line("NO SIGNAL", scale) > (font.PAPER + font.INK) // 2
    for mask, top in ((chinese, height * 0.36), (english, height * 0.58)):
        _print(canvas.y, mask, int(top))
    return canvas


def colour_bars(width: int, height: int) -> Canvas:
    """Seven upright bars."""
    canvas = Canvas.blank(width, height, _BARS[0])
    for number, colour in enumerate(_BARS):
        canvas.rectangle(number / len(_BARS), 0, (number + 1) / len(_BARS), 1, colour)
    return canvas


def _print(luma: Plane, mask: NDArray[np.bool_], top: int) -> None:
    """Letters in the middle of a line; what is too wide is cut off."""
    mask = mask[:, : luma.shape[1]]
    left = (luma.shape[1] - mask.shape[1]) // 2
    luma[top : top + mask.shape[0], left : left + mask.shape[1]][mask[: luma.shape[0] - top]] = _INK


def _drawn(strokes: tuple[Stroke, ...], side: int) -> NDArray[np.bool_]:
    """A character in a square of that many pixels, with some room to its right."""
    rows, columns = (np.mgrid[0:side, 0:side] + 0.5) * (_GRID + 1) / side
    found = np.zeros((side, side), bool)
    for stroke in strokes:
        for (x0, y0), (x1, y1) in pairwise(stroke):
            along = ((columns - x0) * (x1 - x0) + (rows - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2)
            near = np.clip(along, 0, 1)
            found |= np.hypot(columns - x0 - near * (x1 - x0), rows - y0 - near * (y1 - y0)) <= _PEN
    return found
