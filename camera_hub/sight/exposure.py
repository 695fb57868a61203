"""Too bright, too dark, too flat.

- Overexposed: what is white shows nothing any more. A white sky above a road that can be seen is no fault (cheap
  cameras expose for the ground), and neither are snow and white walls, which stay below white; so the share of white
  counts, and counts more where nothing dark is left either.
- Underexposed: even the brightest hundredth of the picture is so dark that hardly anything can be made out on a screen.
  By night one lamp is enough to be well; a picture that is merely dark is none of a camera's faults that can be told
  from one picture.
- Low contrast: the strongest details anywhere in the picture are weak against how bright it is. Fog over a village
  takes the distance away and leaves what is near; a fogged or dirty dome takes both. Thick fog down to the pole's foot
  looks the same as a fogged dome and is called so.
"""

import numpy as np

from camera_hub.sight.scoring import score
from camera_hub.sight.view import View

_WHITE = 249
_DARKEST = 40.0


def overexposed(view: View) -> float:
    """Score 0 (white) … 100."""
    white = 1.0 - float(view.levels[_WHITE - 1])
    dark = view.quantile(0.05)
    weight = 1.0 + min(1.5, max(0.0, (dark - _DARKEST) / 60.0))
    return score(white * weight, best=0.15, limit=0.45, worst=0.75)


def underexposed(view: View) -> float:
    """Score 0 (next to nothing can be made out) … 100."""
    return score(view.quantile(0.99), best=90.0, limit=52.0, worst=22.0)


def low_contrast(view: View) -> float:
    """Score 0 (a grey veil) … 100."""
    peaks = view.peaks[2][view.free]
    if peaks.size == 0:
        return 100.0
    dark, bright = view.quantile(0.02), view.quantile(0.95)
    details = float(np.sort(peaks)[int(0.9 * peaks.size) :].mean())
    # Where it is dark everywhere details are weak for want of light, and that is another fault.
    weak = score(details / max(bright, 80.0), best=0.22, limit=0.092, worst=0.03)
    # A veil lies over what is dark, too; before the evening sky the ground is black.
    return max(weak, score(dark / max(bright, 1.0), best=0.25, limit=0.45, worst=0.65))
