"""Freeze: the picture stands still though the stream goes on.

A scene in which nothing moves is not frozen: the sensor's noise and the light still change. A frozen source gives the
encoder exactly the same samples again. What distinguishes them is therefore exact repetition after decoding, measured
on single samples (an average would remove the noise, which is the evidence).

One comparison does not tell: an encoder that quantizes the same picture in another way repeats as few samples (10–50 %)
as noise of a third of a level leaves (20–60 %). But sooner or later it quantizes two key frames alike, and then *all*
samples repeat, which no live source ever does. So the best of all pairs of a few key frames decides. Measured with x264
at 300 to 2,500 kbit/s, best pair of four: frozen 99.9–100 %, noise of 0.3 levels 40–61 %. An encoder whose rate control
never settles (a tight buffer far below what the picture needs: 300 kbit/s here) never makes two alike: such a freeze is
not found, and neither is one whose picture is noise.

The clock keeps running over a frozen scene: captions are left out wherever they are, and what changes in a narrow band
of rows alone, while all else repeats, is a clock that was not recognized as one: it shows that the stream is alive and
the picture is not.
"""

import base64
import binascii
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from camera_hub.sight.images import Image, grey
from camera_hub.sight.scoring import score
from camera_hub.sight.view import HEIGHT, WIDTH, View

_ROWS, _COLUMNS = 36, 64
"""Grid of samples."""
_EDGE = 4
"""Rows of it at the upper and lower edge, where captions are."""
_MOVED, _MOVED_SAMPLES = 40, 8
"""So many samples that differ by more than so many grey levels: something has moved."""
_BAND = 3
"""Rows of the grid over which a clock's letters reach."""
_DRIFT = 0.5
"""Mean difference in grey levels from which the light has changed; single samples count _CLIP at most."""
_CLIP = 6
CERTAIN = 0.85
"""Share of samples that repeat exactly from which the picture is the same one."""
_FEWEST = 0.3
"""Share of samples outside captions without which nothing can be said."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """What is kept of a picture. `at`: Unix seconds. `size`: width and height. `samples`, `hidden` (in a caption):
    (_ROWS, _COLUMNS)."""

    at: float
    size: tuple[int, int]
    samples: NDArray[np.uint8]
    hidden: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Repetition:
    """`alive`: something has moved, or the light changed. `repeated`: share of samples that are exactly the same."""

    alive: bool
    repeated: float


def moment(image: Image, view: View, at: float) -> Sampled:
    """What is kept of a picture. `image`: as it was decoded, `view`: the same, measured."""
    height, width = image.shape[:2]
    rows = (np.arange(_ROWS) * 2 + 1) * height // (2 * _ROWS)
    columns = (np.arange(_COLUMNS) * 2 + 1) * width // (2 * _COLUMNS)
    samples = grey(np.ascontiguousarray(image[np.ix_(rows, columns)]))
    step_down, step_right = HEIGHT // _ROWS, WIDTH // _COLUMNS
    hidden = view.caption[step_down // 2 :: step_down, step_right // 2 :: step_right]
    hidden = hidden.copy()
    hidden[:_EDGE] = hidden[-_EDGE:] = True
    return Sampled(at, (width, height), samples, hidden)


def compare(before: Sampled, now: Sampled) -> Repetition | None:
    """How alike two pictures are; None when that cannot be told: another size, or captions everywhere."""
    shown = ~(before.hidden | now.hidden)
    if before.size != now.size or shown.mean() < _FEWEST:
        return None
    difference = now.samples.astype(np.int16) - before.samples
    changed = (np.abs(difference) > _MOVED) & shown
    if np.count_nonzero(changed) >= _MOVED_SAMPLES:
        rows = np.flatnonzero(changed.any(axis=1))
        shown = shown.copy()
        shown[rows[0] : rows[-1] + 1] = False
        if rows[-1] - rows[0] >= _BAND or float(np.mean(difference[shown] == 0)) < CERTAIN:
            return Repetition(True, 0.0)
    left = difference[shown]
    if abs(float(np.clip(left, -_CLIP, _CLIP).mean())) >= _DRIFT:
        return Repetition(True, 0.0)
    return Repetition(False, float(np.mean(left == 0)))


def frozen(repeated: float) -> float:
    """Score 0 (the same picture) … 100 (live). `repeated`: of the two pictures, out of several, that are most alike."""
    return score(repeated, best=0.6, limit=CERTAIN, worst=0.97)


def write_moment(kept: Sampled) -> str:
    """As text of some 2 to 3 kB."""
    data = kept.samples.tobytes() + np.packbits(kept.hidden).tobytes()
    packed = base64.b64encode(zlib.compress(data, 9)).decode()
    return f"{kept.at:.1f},{kept.size[0]},{kept.size[1]},{packed}"


def read_moment(text: str) -> Sampled | None:
    """From `write_moment`; None for anything else."""
    count = _ROWS * _COLUMNS
    try:
        at, width, height, packed = text.split(",")
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(base64.b64decode(packed, validate=True), count + count // 8 + 1)
        samples = np.frombuffer(data, np.uint8, count).reshape(_ROWS, _COLUMNS)
        hidden = np.unpackbits(np.frombuffer(data, np.uint8, count // 8, count)).astype(np.bool_)
        return Sampled(float(at), (int(width), int(height)), samples, hidden.reshape(_ROWS, _COLUMNS))
    except (ValueError, binascii.Error, zlib.error):
        return None
