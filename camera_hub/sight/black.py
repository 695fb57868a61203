"""Black: nothing can be made out. A night picture is dark, but something can be made out in it.

The middle of the picture (captions left out: white letters stand on black too) is averaged down to cells, which takes
sensor noise away, and cells are joined to fields. A field shows something when it is not dark or its cells differ. One
lamp, one lit window or a road's edge by moonlight is enough; a covered or dead sensor shows none, however it noises.
A picture of one single colour (the blue or grey of recorders that lost their input) shows nothing either.
"""

import cv2
import numpy as np

from camera_hub.sight.images import Image, grey, without_caption

_FIELDS = (9, 16)
_CELLS = 6
_DARK = 40.0
_DIFFERENCE = 6.0
_ONE_COLOUR = 2.0
"""All cells within so little: no fog is that even."""
_ENOUGH = 0.04
"""Share of fields that must show something for a score of 60."""


def black(image: Image) -> float:
    """0 (nothing to be seen) … 100 (a picture)."""
    rows, columns = _FIELDS
    middle = without_caption(grey(image)).astype(np.float32)
    cells = cv2.resize(middle, (columns * _CELLS, rows * _CELLS), interpolation=cv2.INTER_AREA)
    fields = cells.reshape(rows, _CELLS, columns, _CELLS).swapaxes(1, 2).reshape(rows, columns, -1)
    if cells.max() - cells.min() < _ONE_COLOUR:
        return 0.0
    structured = fields.max(axis=2) - fields.min(axis=2) >= _DIFFERENCE
    seen = float(np.mean(structured | (fields.mean(axis=2) >= _DARK)))
    return round(min(100.0, 60.0 * seen / _ENOUGH), 1)
