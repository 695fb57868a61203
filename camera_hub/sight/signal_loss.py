"""Black, and no signal: what is left when no camera has looked at anything.

Black: nothing can be made out, and it is dark. A picture at night is dark, but something can be made out in it: one
lamp, one lit window or a road's edge by moonlight is enough; a covered or dead sensor shows none, whatever its noise.

No signal: recorders and encoders without input send one single colour (blue, grey, seldom another, or black with words
in the middle), or colour bars. No lens and no sensor makes a surface that is the same to within a few levels all over,
or columns that do not change from top to bottom: light falls off towards the corners, and nothing is that plain. White
is no such colour: a white picture is overexposed. Words may stand anywhere.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_hub.sight.images import without_caption
from camera_hub.sight.scoring import FAULT_BELOW, score
from camera_hub.sight.view import COLUMNS, ROWS, View

_CELLS = 6
"""Per zone, in each direction."""
_DARK = 40.0
"""Mean grey level below which a zone is dark."""
_DIFFERENCE = 6.0
"""Grey levels by which the cells of a zone that shows something differ."""
_ENOUGH = 0.04
"""Share of zones that must show something for a score of 60."""
_PLENTY = 20
"""Zones that are so bright that nothing more need be measured."""
_SAME = 2
"""Levels within which a colour is the same, after the encoder."""
_WHITE = 200.0
_STROKE, _STROKES = 50.0, 5
_SLATE_LETTERS = 21
"""Pixels of 360 that letters in the middle of a black slate are high, at least."""
_EDGE_LETTERS = 30
"""The same at the top and at the bottom: in a small picture a camera's own caption is nearly as tall."""


def black(view: View) -> float:
    """Score 0 (dark, and nothing can be made out) … 100 (something is to be seen)."""
    if np.count_nonzero(view.means[view.free] >= 2 * _DARK) >= _PLENTY:
        return 100.0
    size = (COLUMNS * _CELLS, ROWS * _CELLS)
    hidden = cv2.resize(view.caption.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA) > 0
    cells = cv2.resize(view.grey, size, interpolation=cv2.INTER_AREA)
    shape = (ROWS, _CELLS, COLUMNS, _CELLS)
    low = np.where(hidden, 255, cells).reshape(shape).min(axis=3).min(axis=1)
    high = np.where(hidden, 0, cells).reshape(shape).max(axis=3).max(axis=1)
    seen = ((high - low >= _DIFFERENCE) | (high >= _DARK))[1:-1]
    return round(min(100.0, 60.0 * float(seen.mean()) / _ENOUGH), 1)


def no_signal(view: View) -> float:
    """Score 0 (one colour, or bars) … 100."""
    return min(_one_colour(view), _bars(view))


def _one_colour(view: View) -> float:
    pixels = view.colour[::6, ::6]
    plain = ~view.caption[::6, ::6]
    if plain.mean() < 0.3:
        plain = np.ones_like(plain)
    shown = pixels[plain].astype(np.int16)
    colour = np.median(shown, axis=0)
    share = float((np.abs(shown - colour).max(axis=1) <= _SAME).mean())
    found = score(share, best=0.65, limit=0.82, worst=0.95)
    if found >= FAULT_BELOW:
        return found
    spread = float(colour.max() - colour.min())
    if spread < 25 and float(colour.mean()) >= _WHITE:
        return 100.0
    if float(colour.max()) < _DARK and spread < 25:
        slate = _tallest(without_caption(view.grey)) >= _SLATE_LETTERS or _tallest(view.grey) >= _EDGE_LETTERS
        return found if slate else 100.0
    return found


def _tallest(grey: NDArray[np.float32]) -> int:
    """How many rows without a gap have several hard edges, as letters do and lamps do not."""
    hard = np.abs(np.diff(grey, axis=1)) >= _STROKE
    lettered = (hard.sum(axis=1) >= _STROKES).astype(np.int8)
    edges = np.flatnonzero(np.diff(lettered, prepend=0, append=0))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _bars(view: View) -> float:
    """Several plain saturated columns that do not change downwards, at least half the picture high."""
    for top in (0, view.grey.shape[0] // 3):
        part = view.colour[top : top + view.grey.shape[0] * 3 // 5 : 6, ::4].astype(np.int16)
        middle = part[part.shape[0] // 2]
        constant = (np.abs(part - middle) <= 4 * _SAME).all(axis=2)
        columns = constant.mean(axis=0) >= 0.75
        if columns.mean() < 0.8:
            continue
        saturated = middle.max(axis=1) - middle.min(axis=1) >= 80
        steps = np.abs(np.diff(middle, axis=0)).max(axis=1) >= 40
        if 0.4 <= saturated.mean() <= 0.98 and 4 <= _edges(steps) <= 16:
            return 0.0
    return 100.0


def _edges(steps: np.ndarray) -> int:
    """How many runs of steps there are: an edge may be spread over two or three samples."""
    return int(np.count_nonzero(steps & ~np.roll(steps, 1)))
