"""Black: nothing can be made out. A picture at night is dark, but something can be made out in it.

The middle of the picture (without captions: white letters appear on black, too) is averaged to cells, which removes
sensor noise, and cells are grouped into fields. A field shows something when it is not dark or its cells differ. One
lamp, one lit window or a road's edge by moonlight is enough; a covered or dead sensor shows none, whatever its noise.
A picture of one single colour (the blue or grey of recorders without input) shows nothing either.
"""

import cv2
import numpy as np

from camera_hub.sight.images import Image, grey, without_caption

_FIELDS = (9, 16)
"""Rows and columns."""
_CELLS = 6
"""Per field, in each direction."""
_DARK = 40.0
"""Mean grey level below which a field is dark."""
_DIFFERENCE = 6.0
"""Grey levels by which cells of a field that shows something differ."""
_ONE_COLOUR = 2.0
"""Grey levels. All cells within this range: no fog is that even."""
_ENOUGH = 0.04
"""Share of fields that must show something for a score of 60."""


def black(image: Image) -> float:
    """Score 0 (nothing can be made out) … 100 (a picture), below 60 = black. `image`: (height, width[, 3]), 8 bits."""
    rows, columns = _FIELDS
    middle = without_caption(grey(image)).astype(np.float32)
    cells = cv2.resize(middle, (columns * _CELLS, rows * _CELLS), interpolation=cv2.INTER_AREA)
    fields = cells.reshape(rows, _CELLS, columns, _CELLS).swapaxes(1, 2).reshape(rows, columns, -1)
    if cells.max() - cells.min() < _ONE_COLOUR:
        return 0.0
    structured = fields.max(axis=2) - fields.min(axis=2) >= _DIFFERENCE
    seen = float(np.mean(structured | (fields.mean(axis=2) >= _DARK)))
    return round(min(100.0, 60.0 * seen / _ENOUGH), 1)
