"""Likeness: whether two pictures show the same place, taken at other times and perhaps through another camera.

Compared are directions of edges, field by field: walls, kerbs, poles and horizons stay where they are while light,
colour, exposure, resolution and passers-by change. A field counts by how much edge both have in it; shifts by up to a
field are tried, since a camera that was taken down and put up again never points exactly as before.

Measured on the simulator's four kinds of place: the same place later, in another size, or with the camera turned by 4 %
of the picture correlates by 0.69 to 0.99 (scores from 78), other places by 0.17 to 0.48 (scores up to 22).

What it cannot tell: two streets that are built alike, or a symmetrical view and its mirror image. An infrared picture
by night and a picture by day come out low (0.63 to 0.73 where nothing but the light differs, lower with lamps and
shadows), and so do fog, a dirty dome or a PTZ camera that looks elsewhere: then a person looks at both. Nothing is said
about a picture in which nothing can be made out.
"""

import base64
import binascii

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_hub.sight.images import Image, grey, without_caption

_ROWS, _COLUMNS, _BINS = 9, 16, 6
"""Fields, and directions of edges (of half a turn)."""
_PIXELS = 12
"""Per field, in each direction."""
_FLAT = 4.0
"""Edge strength, in grey levels, below which a pixel has no direction: noise."""
_LEAST = 0.02
"""Share of pixels with an edge below which nothing can be made out."""
_SAME, _OTHER = 0.77, 0.40
"""Correlations that score 100 and 0."""


def outline(image: Image) -> str:
    """What `alike` needs of a picture: directions of edges per field, as text of some 1.2 kB; "" for a picture in which
    nothing can be made out. `image`: (height, width[, 3]), 8 bits."""
    fields = _fields(image)
    if fields is None:
        return ""
    peak = float(fields.max())
    return f"1:{base64.b64encode(np.round(fields / peak * 255).astype(np.uint8).tobytes()).decode()}"


def alike(known: str, image: Image) -> float | None:
    """Score 0 (another place) … 100 (the same one), from 60 on = the same. `known`: `outline` of the other picture.
    None where nothing can be made out in one of them, or `known` cannot be read."""
    before, now = _read(known), _fields(image)
    if before is None or now is None:
        return None
    best = max(_correlation(before, now, down, right) for down in (-1, 0, 1) for right in (-1, 0, 1))
    return round(min(100.0, max(0.0, 100.0 * (best - _OTHER) / (_SAME - _OTHER))), 1)


def _fields(image: Image) -> NDArray[np.float32] | None:
    """Per field how strongly its edges run in each direction: shape (_ROWS, _COLUMNS, _BINS)."""
    middle = without_caption(grey(image))
    size = (_COLUMNS * _PIXELS, _ROWS * _PIXELS)
    small = cv2.GaussianBlur(cv2.resize(middle, size, interpolation=cv2.INTER_AREA).astype(np.float32), (3, 3), 0)
    right = cv2.Sobel(small, cv2.CV_32F, 1, 0, ksize=3) / 4
    down = cv2.Sobel(small, cv2.CV_32F, 0, 1, ksize=3) / 4
    strength, angle = cv2.cartToPolar(right, down)
    clear = strength >= _FLAT
    if float(np.mean(clear)) < _LEAST:
        return None
    # Square roots: a wall in the sun has no more say than one in the shade.
    weight = np.where(clear, np.sqrt(strength), 0.0).astype(np.float32)
    bins = (np.mod(angle, np.pi) / np.pi * _BINS).astype(np.int32) % _BINS
    fields = np.zeros((_ROWS, _COLUMNS, _BINS), np.float32)
    for one in range(_BINS):
        of_bin = np.where(bins == one, weight, 0.0).reshape(_ROWS, _PIXELS, _COLUMNS, _PIXELS)
        fields[:, :, one] = of_bin.sum(axis=(1, 3))
    return fields


def _correlation(known: NDArray[np.float32], now: NDArray[np.float32], down: int, right: int) -> float:
    """Of the part that both have after a shift by so many fields."""
    one = known[max(0, down) : _ROWS + min(0, down), max(0, right) : _COLUMNS + min(0, right)].ravel()
    other = now[max(0, -down) : _ROWS + min(0, -down), max(0, -right) : _COLUMNS + min(0, -right)].ravel()
    one, other = one - one.mean(), other - other.mean()
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / length if length else 0.0


def _read(text: str) -> NDArray[np.float32] | None:
    version, _, data = text.partition(":")
    if version != "1":
        return None
    try:
        values = np.frombuffer(base64.b64decode(data, validate=True), np.uint8)
    except binascii.Error:
        return None
    if values.size != _ROWS * _COLUMNS * _BINS:
        return None
    return values.astype(np.float32).reshape(_ROWS, _COLUMNS, _BINS)
