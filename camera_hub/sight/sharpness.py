"""Out of focus, and covered.

Blurred: an edge in focus is as high in the finest band as in coarser ones; a lens out of focus, a dirty or wet dome
takes the finest bands away and leaves the coarse ones. Compared are bands of the same zone, so neither contrast nor
light matters, and the sharpest tenth of the zones counts: a picture in focus always has some sharp edges, while lamps'
glow, clouds and what is near the lens are soft in every picture. Compression takes weak details away before it softens
strong edges. Measured through H.264 at 500 and 2,000 kbit/s: in focus from 1.2 up (0.7 at dusk), a blur of 4 pixels of
640 up to 0.63. Pictures without any edges are not judged.

Covered, by itself: nothing has an edge of any size though there is light. A white wall or thick fog can be as plain, so
a bright plain picture is not called covered without a reference. Covered in part cannot be told from a wall, a lorry
or the sky by one picture; against the camera's own reference it is told by the share of zones that have lost their
details while others kept theirs.
"""

import numpy as np

from camera_hub.sight.reference import Reference, hidden
from camera_hub.sight.scoring import score
from camera_hub.sight.view import View

_FEWEST = 6
"""Zones with edges without which nothing is said."""
_DARK, _MOSTLY_DARK = 22.0, 0.6
"""Grey level of dark zones, and the share of them with which blur is not judged without a reference."""
_ALL, _STILL_THERE = 0.8, 0.6
_EDGE, _SOFT_EDGE = 18.0, 8.0
"""Height in grey levels from which an edge counts: in band 2, or in band 3 where there are too few."""


def blurred(view: View, reference: Reference | None = None) -> float | None:
    """Score 0 (nothing is sharp) … 100; None where there are no edges to judge by."""
    found = _sharpness(view)
    if found is None:
        return None
    result = score(found, best=1.3, limit=0.68, worst=0.3)
    if reference is None:
        # In the dark all edges may be those of a lamp's glow, which is soft.
        return result if float((view.means[view.free] < _DARK).mean()) < _MOSTLY_DARK else None
    had = (reference.peaks[2] >= _EDGE) & view.free
    if had.sum() < _FEWEST:
        return result
    before = reference.peaks[0][had] / reference.peaks[2][had]
    now = np.maximum(view.peaks[0][had] - 2.6 * view.noise, 0) / np.maximum(view.peaks[2][had], 4.0)
    kept = float(np.quantile(now, 0.8) / max(float(np.quantile(before, 0.8)), 0.3))
    # A camera that has always been soft is judged by what it was; any other by the weaker of the two.
    relative = score(kept, best=0.9, limit=0.42, worst=0.2)
    return relative if float(np.quantile(before, 0.9)) < 0.9 else min(result, relative)


def _sharpness(view: View) -> float | None:
    floor = 2.6 * view.noise
    edged = (view.peaks[2] >= _EDGE + view.noise) & view.free
    if edged.sum() >= 2 * _FEWEST:
        fine = np.maximum(view.peaks[0][edged] - floor, 0)
        return float(np.quantile(fine / view.peaks[2][edged], 0.9))
    edged = (view.peaks[3] >= _SOFT_EDGE + view.noise) & view.free
    if edged.sum() >= _FEWEST:
        fine = np.maximum(view.peaks[1][edged] - floor / 2, 0)
        return float(np.quantile(fine / view.peaks[3][edged], 0.9))
    return None


def covered(view: View, reference: Reference | None = None) -> float | None:
    """Score 0 (nothing but what is before the lens) … 100; None where that cannot be told."""
    peaks = np.sort(view.peaks[2][view.free])
    if peaks.size == 0:
        return None
    details = float(peaks[int(0.9 * peaks.size) :].mean()) - view.noise
    whole = score(details, best=6.0, limit=2.2, worst=1.0)
    if reference is None:
        return whole if float(view.means.mean()) < 160 or whole >= 60 else None
    found = hidden(view, reference)
    if found.known < 2 * _FEWEST or (found.gone >= _ALL and found.alike >= _STILL_THERE):
        return whole  # too little is known, or a veil has weakened all details alike
    # A lorry hides a fifth of the picture, and of the details perhaps a third.
    part = max(min(found.area / 0.23, found.gone / 0.13), found.gone / 0.38)
    return min(whole, score(part, best=0.6, limit=1.0, worst=1.8))
