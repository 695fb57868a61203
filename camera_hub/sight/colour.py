"""Colour: whether there is any (by day) or none (in infrared), and whether everything has the same tint.

A cast tints everything alike, also what has no colour of its own: asphalt, concrete, tyres, clouds, shadows. So the
picture has a cast when next to nothing in it is neutral and all of it leans the same way. Red decoration, a green field
or a blue sky leave something neutral. The light of lamps and of the evening sun tints everything, too: along the line
from blue to yellow more is borne, and dark pictures are not judged.

A view that is filled by one colour (a lawn, a painted wall) cannot be told from a cast by itself; a reference tells it,
since zone by zone the colours are the same as ever.
"""

from typing import Literal

import cv2
import numpy as np

from camera_hub.sight.scoring import score
from camera_hub.sight.view import COLUMNS, ROWS, Floats, View

Profile = Literal["day", "night"]
_COLOURLESS = 2.6
"""Mean distance of the two chroma planes from grey, in levels, below which there is no colour."""
_LEAST_LIGHT = 55.0
_OFFSET = 6.0
"""Grey levels added before ratios are taken, so that dark pixels do not count for more than they show."""


def profile(view: View) -> Profile:
    """ "night" for a picture without colour."""
    chroma = cv2.cvtColor(view.colour[::4, ::4], cv2.COLOR_BGR2YCrCb)[:, :, 1:].astype(np.float32) - 128
    return "night" if float(np.abs(chroma).mean()) < _COLOURLESS else "day"


def tints(view: View) -> tuple[Floats, Floats]:
    """Logarithms of red to green and of blue to green for each zone: shape (ROWS, COLUMNS) each."""
    zones = cv2.resize(view.colour, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA).astype(np.float32) + _OFFSET
    return np.log(zones[:, :, 2] / zones[:, :, 1]), np.log(zones[:, :, 0] / zones[:, :, 1])


def colour_cast(view: View, known: tuple[Floats, Floats] | None = None) -> float | None:
    """Score 0 (everything has one tint) … 100; None for a picture that is too dark. `known`: the tints of the reference
    by day."""
    if known is not None:
        now = tints(view)
        lit = view.free & (view.means >= 30) & (view.means <= 245)
        if lit.mean() < 0.3:
            return None
        red, blue = (float(np.median(one[lit] - before[lit])) for one, before in zip(now, known, strict=True))
        return score(_strength(red, blue), best=0.1, limit=0.27, worst=0.6)
    pixels = cv2.resize(view.colour, (80, 45), interpolation=cv2.INTER_AREA).astype(np.float32) + _OFFSET
    level = pixels.mean(axis=2)
    lit = (level >= 40) & (level <= 240) & view.shown[::8, ::8]
    if lit.mean() < 0.15 or float(level.mean()) < _LEAST_LIGHT:
        return None
    red = np.log(pixels[:, :, 2] / pixels[:, :, 1])[lit]
    blue = np.log(pixels[:, :, 0] / pixels[:, :, 1])[lit]
    away = np.hypot(red, blue)
    neutral = float((away < 0.13).mean())
    nearest = away <= np.quantile(away, 0.3)
    tint = _strength(float(np.median(red[nearest])), float(np.median(blue[nearest])))
    # Both must hold: hardly anything is neutral, and what is nearest to it leans clearly.
    return max(
        score(neutral, best=0.08, limit=0.02, worst=0.0),
        score(tint, best=0.12, limit=0.25, worst=0.5),
    )


def _strength(red: float, blue: float) -> float:
    """How strong a tint is; along the line from blue to yellow, which light itself takes, it counts for less."""
    across = abs(red + blue) / 2**0.5
    along = abs(red - blue) / 2**0.5
    return float(np.hypot(across, 0.6 * along))
