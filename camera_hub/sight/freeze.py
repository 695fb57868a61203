"""Freeze: two key frames, taken some time apart, are the same picture.

A scene in which nothing moves is not frozen: the sensor's noise and the light still change. A frozen source gives the
encoder exactly the same samples again. What distinguishes them is therefore exact repetition after decoding, measured
on single samples (an average would remove the noise, which is the evidence).

Measured with x264 at 0.4 and 2 Mbit/s: a frozen source encoded again repeats 51–88 % of samples exactly once rate
control has settled; a motionless scene with noise of one level 33–46 %, of two levels 17–26 %. So the limit is 45 %.
Noise of half a level (55–70 %) cannot be distinguished from a freeze by this alone; the drift of the light between two
rounds does that, and callers should compare the next key frame as well before they report a freeze. A freeze that is
encoded with a very different quantizer each time (the first second of a stream) repeats 19–34 % and is missed until the
encoder has settled.

The burnt-in clock keeps running over a frozen scene: the bands with captions are left out.
"""

import base64
import binascii

import numpy as np
from numpy.typing import NDArray

from camera_hub.sight.images import Image, grey, without_caption

_ROWS, _COLUMNS = 36, 64
"""Grid of samples."""
_LIMIT, _CERTAIN, _ALIVE = 0.45, 0.70, 0.25
"""Shares of repeated samples that score 60, 0 and 100."""
_MOVED, _MOVED_SAMPLES = 20, 5
"""So many samples that differ by more than so many grey levels: something has moved."""
_DRIFT = 0.4
"""Mean difference in grey levels from which the light has changed; single samples count _CLIP at most."""
_CLIP = 6


def signature(image: Image) -> str:
    """What `frozen` needs of an earlier picture: size and 2,304 samples, as text of some 3 kB.

    `image`: (height, width[, 3]), 8 bits.
    """
    height, width = image.shape[:2]
    return f"1:{width}x{height}:{base64.b64encode(_samples(image).tobytes()).decode()}"


def frozen(previous: str, image: Image) -> float | None:
    """Score 0 (the same picture as before) … 100 (live), below 60 = frozen.

    `previous`: `signature` of an earlier picture. `image`: (height, width[, 3]), 8 bits. None when the two cannot be
    compared: another size, or a signature that cannot be read.
    """
    height, width = image.shape[:2]
    before = _read(previous, f"{width}x{height}")
    if before is None:
        return None
    difference = _samples(image).astype(np.int16) - before
    if np.count_nonzero(np.abs(difference) > _MOVED) >= _MOVED_SAMPLES:
        return 100.0
    if abs(float(np.clip(difference, -_CLIP, _CLIP).mean())) >= _DRIFT:
        return 100.0
    return score(float(np.mean(difference == 0)))


def score(repeated: float) -> float:
    """Share of samples that repeat exactly (0 … 1) → score: 100 at 25 % and less, 60 at 45 %, 0 at 70 % and more."""
    if repeated <= _LIMIT:
        return round(min(100.0, 60.0 + 40.0 * (_LIMIT - repeated) / (_LIMIT - _ALIVE)), 1)
    return round(max(0.0, 60.0 * (_CERTAIN - repeated) / (_CERTAIN - _LIMIT)), 1)


def _samples(image: Image) -> NDArray[np.uint8]:
    """Luma samples on an even grid over the picture without its captions: shape (_ROWS · _COLUMNS,)."""
    middle = without_caption(grey(image))
    height, width = middle.shape
    rows = (np.arange(_ROWS) * 2 + 1) * height // (2 * _ROWS)
    columns = (np.arange(_COLUMNS) * 2 + 1) * width // (2 * _COLUMNS)
    return middle[np.ix_(rows, columns)].reshape(-1)


def _read(text: str, size: str) -> NDArray[np.int16] | None:
    version, _, rest = text.partition(":")
    stated, _, data = rest.partition(":")
    if version != "1" or stated != size:
        return None
    try:
        samples = np.frombuffer(base64.b64decode(data, validate=True), np.uint8)
    except binascii.Error:
        return None
    return samples.astype(np.int16) if samples.size == _ROWS * _COLUMNS else None
