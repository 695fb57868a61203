"""Freeze: the picture stands still though the stream goes on.

A scene in which nothing moves is not frozen: the sensor's noise and the light still change. A frozen source gives the
encoder exactly the same samples again. What distinguishes them is therefore exact repetition after decoding, measured
on single samples (an average would remove the noise, which is the evidence).

Two key frames alone do not tell: rate control quantizes the same picture in another way each time, and then as few
samples repeat (10 to 50 %) as in a quiet live scene (20 to 60 %). But some part of the picture is sooner or later
quantized as it was before, and then a whole tile with a texture (56 samples over some 30 macroblocks) is the very same.
No sensor does that: its noise, even a third of a grey level that no P frame shows any more, changes some sample of
every such tile. So each picture's tiles are kept as short marks, of some two dozen key frames, and looked for again.
Measured with x264 (640 × 360, a key frame a second; tight, loose and average rate control from 200 kbit/s up, constant
quality): see docs/picture-scores.md.

Plain tiles repeat in any picture and say nothing. In a picture without texture single samples decide, and it takes
more of them.

The clock keeps running over a frozen scene: captions are left out wherever they are, and what changes in a narrow band
of rows alone, while all else repeats, is a clock that was not recognized as one: it shows that the stream is alive and
the picture is not.
"""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
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
CERTAIN = 0.97
"""Share of samples that repeat exactly from which a picture without texture is the same one."""
_ALL_ELSE = 0.85
"""Share of samples that repeat exactly beside a clock that was not recognized."""
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


_TILE_ROWS, _TILE_COLUMNS = 7, 8
_TEXTURED = 14
"""Different grey levels of a tile's 56 samples from which it has a texture: what noise there was would show in it."""
_MARK = 3
"""Bytes by which a tile is known again."""
MARKS = (_ROWS - 2 * _EDGE) // _TILE_ROWS * (_COLUMNS // _TILE_COLUMNS) * _MARK
"""Bytes of all tiles of a picture."""
FEWEST_TILES = 4
"""Tiles with a texture without which single samples decide."""


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
    changed = (_beyond(now.samples, before.samples) > _MOVED) & shown
    if np.count_nonzero(changed) >= _MOVED_SAMPLES:
        rows = np.flatnonzero(changed.any(axis=1))
        shown = shown.copy()
        shown[rows[0] : rows[-1] + 1] = False
        if rows[-1] - rows[0] >= _BAND or float(np.mean(difference[shown] == 0)) < _ALL_ELSE:
            return Repetition(True, 0.0)
    left = difference[shown]
    if abs(float(np.clip(left, -_CLIP, _CLIP).mean())) >= _DRIFT:
        return Repetition(True, 0.0)
    return Repetition(False, float(np.mean(left == 0)))


def _beyond(now: NDArray[np.uint8], before: NDArray[np.uint8]) -> NDArray[np.int16]:
    """By how many grey levels each sample lies outside of what was around it before: an encoder that is short of bits
    moves edges a little, and no more."""
    around = np.ones((3, 3), np.uint8)
    high, low = cv2.dilate(before, around).astype(np.int16), cv2.erode(before, around).astype(np.int16)
    beyond: NDArray[np.int16] = np.maximum(now - high, low - now)
    return beyond


def frozen(repeated: float) -> float:
    """Score 0 (the same picture) … 59 for a picture that stands still beyond doubt. `repeated`: the largest share of it
    that was the very same before."""
    return min(59.0, score(repeated, best=0.0, limit=0.1, worst=0.8))


def marks(kept: Sampled) -> bytes:
    """By what each tile of the picture is known again: _MARK bytes each, zeros for a plain or partly hidden one."""
    found = bytearray()
    for top in range(_EDGE, _ROWS - _EDGE, _TILE_ROWS):
        for left in range(0, _COLUMNS, _TILE_COLUMNS):
            part = slice(top, top + _TILE_ROWS), slice(left, left + _TILE_COLUMNS)
            tile = kept.samples[part]
            textured = not kept.hidden[part].any() and np.count_nonzero(np.bincount(tile.reshape(-1))) >= _TEXTURED
            found += hashlib.blake2s(tile.tobytes(), digest_size=_MARK).digest() if textured else bytes(_MARK)
    return bytes(found)


def tiles_again(now: bytes, before: Sequence[bytes]) -> tuple[int, int]:
    """How many tiles have a texture (`now`: `marks`), and how many of them were the very same in one of the pictures
    before."""
    textured = repeated = 0
    for place in range(0, len(now), _MARK):
        tile = now[place : place + _MARK]
        if any(tile):
            textured += 1
            repeated += any(other[place : place + _MARK] == tile for other in before)
    return textured, repeated


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
