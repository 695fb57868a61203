"""Frozen: two key frames, taken some time apart, that are the same picture.

A scene in which nothing moves is not frozen: its sensor goes on making noise, and its light goes on changing. A frozen
source gives the encoder the very same samples again. What tells them apart is therefore exact repetition after
decoding, measured on single samples (an average would wash the noise out, which is the evidence).

Measured with x264 at 0.4 and 2 Mbit/s: a frozen source encoded again repeats 51–88 % of samples exactly once rate
control has settled; a motionless scene with noise of one level 33–46 %, of two levels 17–26 %. So 45 % is the border.
Noise of half a level (55–70 %) cannot be told from a freeze by this alone; the light's drift between two rounds must do
it, and whoever asks should compare the next key frame as well before believing it. A freeze that is encoded with a very
different quantizer each time (the first second of a stream) repeats 19–34 % and is missed until the encoder settles.

The burnt-in clock runs on over a frozen scene: the bands where captions stand are left out.
"""

import base64
import binascii

import numpy as np
from numpy.typing import NDArray

from camera_hub.sight.images import Image, grey, without_caption

_ROWS, _COLUMNS = 36, 64
_BORDER = 0.45
_CERTAIN = 0.70
_ALIVE = 0.25
_MOVED = 20
_MOVED_SAMPLES = 5
_DRIFT = 0.4
_CLIP = 6


def signature(image: Image) -> str:
    """What `frozen` must remember of a picture: its size and 2,304 single samples; text of some 3 kB."""
    height, width = image.shape[:2]
    return f"1:{width}x{height}:{base64.b64encode(_samples(image).tobytes()).decode()}"


def frozen(previous: str, image: Image) -> float | None:
    """0 (the very same picture as before) … 100 (it lives). None when the two cannot be compared."""
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
    """The share of samples that repeat exactly → 100 at 25 %, 60 at 45 %, 0 at 70 % and more."""
    if repeated <= _BORDER:
        return round(min(100.0, 60.0 + 40.0 * (_BORDER - repeated) / (_BORDER - _ALIVE)), 1)
    return round(max(0.0, 60.0 * (_CERTAIN - repeated) / (_CERTAIN - _BORDER)), 1)


def _samples(image: Image) -> NDArray[np.uint8]:
    """Single luma samples on an even grid over the picture without its captions."""
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
