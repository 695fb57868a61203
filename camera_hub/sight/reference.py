"""The camera's own normal: what is kept of a picture that is known to be good, and how a later one differs from it.

Kept are, in one line of some 4 kB of text: how strongly edges run in each direction in 32 × 18 squares (where walls,
kerbs and poles are), and for 16 × 9 zones the height of details in three bands the level
and the tint. A reference may be
several such lines, one a picture, of different times: their median counts, so that who passed by in one of them does
not.

- moved: the edges are found again at another place, or not at all. Light, weather and traffic change edges, too, but
  leave most of them where they were.
- covered: zones that always had details have none, while others still do.
- blurred: details are still there in the coarse bands, and gone from the fine one.

A reference of another size of picture serves as well, since both are measured at one size.
"""

import base64
import binascii
from dataclasses import dataclass

import cv2
import numpy as np

from camera_hub.sight.colour import tints
from camera_hub.sight.scoring import score
from camera_hub.sight.view import COLUMNS, HEIGHT, ROWS, WIDTH, Floats, View

_DOWN, _RIGHT, _WAYS = 18, 32, 4
"""Squares, and directions of edges (of half a turn)."""
_EDGE = 6.0
"""Grey levels per pixel below which there is no edge."""
_SLANT = 0.414
"""Tangent of an eighth of a turn's half: what is steeper is slanting."""
_EDGES = _DOWN * _RIGHT * _WAYS
_ZONES = ROWS * COLUMNS
_LAYERS = 6
_TINT = 60.0
"""Steps per unit of a tint, in which it is kept around 128."""
_DETAIL = 16.0
"""Height of details in grey levels from which a zone has some."""
MOST_LINES = 12
"""More pictures than that add nothing to a median."""


@dataclass(frozen=True)
class Reference:
    """`edges`: (18, 32, 4). `peaks[n]`: details of band n, (ROWS, COLUMNS). `means`: levels, (ROWS, COLUMNS).
    `tints`: see colour.tints."""

    edges: Floats
    peaks: tuple[Floats, Floats, Floats]
    means: Floats
    tints: tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class Shift:
    """How a view lies over its reference. `same`: correlation of edges where they were (a square more or less);
    `best`: the highest of all shifts, which is `right` and `down` squares. `edged`: share of squares with edges in the
    picture, and in the reference."""

    same: float
    best: float
    right: int
    down: int
    edged: tuple[float, float]


def features(view: View) -> str:
    """What a reference is learnt from: one line of text."""
    tinted = [one * _TINT + 128 for one in tints(view)]
    parts = [np.sqrt(_edges(view)) * 8, *view.peaks[:3], view.means, *tinted]
    data = np.concatenate([np.clip(np.rint(part), 0, 255).astype(np.uint8).reshape(-1) for part in parts])
    return f"1:{base64.b64encode(data.tobytes()).decode()}"


def read_reference(text: str) -> Reference | None:
    """The reference of one or several lines of `features`; None where none of them can be read."""
    lines = [found for one in text.split("\n", MOST_LINES)[:MOST_LINES] if (found := _read(one)) is not None]
    if not lines:
        return None
    middle = np.median(np.stack(lines), axis=0).astype(np.float32)
    edges = (middle[:_EDGES].reshape(_DOWN, _RIGHT, _WAYS) / 8) ** 2
    layers = middle[_EDGES:].reshape(_LAYERS, ROWS, COLUMNS)
    red, blue = ((layer - 128) / _TINT for layer in layers[4:])
    return Reference(edges, (layers[0], layers[1], layers[2]), layers[3], (red, blue))


def _read(line: str) -> np.ndarray | None:
    version, _, data = line.partition(":")
    if version != "1":
        return None
    try:
        values = np.frombuffer(base64.b64decode(data, validate=True), np.uint8)
    except (binascii.Error, ValueError):
        return None
    return values if values.size == _EDGES + _LAYERS * _ZONES else None


def _edges(view: View) -> Floats:
    """Mean strength of the edges in each square and direction: shape (18, 32, 4)."""
    half = cv2.resize(view.grey, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
    right = cv2.Sobel(half, cv2.CV_32F, 1, 0, ksize=3) / 4
    down = cv2.Sobel(half, cv2.CV_32F, 0, 1, ksize=3) / 4
    strength = cv2.magnitude(right, down)
    # Square roots: a wall in the sun has no more say than one in the shade.
    weight = cv2.sqrt(np.where((strength >= _EDGE + view.noise) & view.shown[::2, ::2], strength, 0))
    across, along = np.abs(right), np.abs(down)
    level, upright, rising = along < _SLANT * across, across < _SLANT * along, right * down > 0
    slanting = ~(level | upright)
    found = np.empty((_DOWN, _RIGHT, _WAYS), np.float32)
    for one, way in enumerate((level, upright, slanting & rising, slanting & ~rising)):
        of_way = weight * way
        found[:, :, one] = cv2.resize(of_way, (_RIGHT, _DOWN), interpolation=cv2.INTER_AREA)
    return found


_PADDED = (2 * _DOWN, 2 * _RIGHT)
_ONES = np.fft.rfft2(np.ones((_DOWN, _RIGHT)), s=_PADDED)
_ENOUGH = np.fft.irfft2(_ONES * np.conj(_ONES), s=_PADDED) >= 0.35 * _DOWN * _RIGHT
"""Shifts after which enough of both lies one over the other."""


def shift(view: View, reference: Reference) -> Shift:
    """How the view lies over its reference."""
    now, before = np.sqrt(_edges(view)), np.sqrt(reference.edges)
    shape, ones = _PADDED, _ONES
    one, other = now - now.mean(axis=(0, 1)), before - before.mean(axis=(0, 1))
    product = _correlated(one, other, shape)
    energy = np.fft.irfft2(np.fft.rfft2((one**2).sum(axis=2), s=shape) * np.conj(ones), s=shape)
    known = np.fft.irfft2(ones * np.conj(np.fft.rfft2((other**2).sum(axis=2), s=shape)), s=shape)
    scale = np.sqrt(np.maximum(energy, 1e-6) * np.maximum(known, 1e-6))
    found = np.where(_ENOUGH, product / np.maximum(scale, 1e-3), -1)
    near = max(float(found[down, right]) for down in (-1, 0, 1) for right in (-1, 0, 1))
    down, right = np.unravel_index(int(np.argmax(found)), found.shape)
    return Shift(
        near,
        float(found.max()),
        int(right) - (shape[1] if right > _RIGHT else 0),
        int(down) - (shape[0] if down > _DOWN else 0),
        (float((now.sum(axis=2) > 0.4).mean()), float((before.sum(axis=2) > 0.4).mean())),
    )


def _correlated(one: Floats, other: Floats, shape: tuple[int, int]) -> np.ndarray:
    spectra = (np.fft.rfft2(part, s=shape, axes=(0, 1)) for part in (one, other))
    first, second = spectra
    return np.fft.irfft2((first * np.conj(second)).sum(axis=2), s=shape)


def found_elsewhere(found: Shift) -> float | None:
    """Score 0 (the reference's edges lie clearly better over the picture after a shift) … 100; None where one of the
    two has too few edges."""
    if min(found.edged) < 0.12:
        return None
    far = np.hypot(found.right / _RIGHT, found.down / _DOWN)
    gain = found.best - found.same if far >= 0.07 else 0.0
    return score(gain, best=0.01, limit=0.08, worst=0.25) if found.best >= 0.5 else 100.0


def moved(found: Shift, view: View, reference: Reference) -> float | None:
    """Score 0 (the camera looks elsewhere) … 100 (where it always looks); None where one of the two has too few edges.

    Also a fault when hardly any edge is where one was, though it is as light as ever.
    """
    elsewhere = found_elsewhere(found)
    if elsewhere is None:
        return None
    light = float(np.median(view.means[view.free])) / max(float(np.median(reference.means)), 20.0)
    if not 0.6 <= light <= 1.7:
        return elsewhere
    return min(elsewhere, score(found.same, best=0.6, limit=0.27, worst=0.05))


@dataclass(frozen=True, slots=True)
class Hidden:
    """What lies before the camera's normal view. `known`: zones with details in the reference. `gone`: share of them
    without any now. `area`: share of all zones that are hidden: without their details, or as plain as ever in another
    tone. `alike`: how well heights of details then and now go together (correlation over the known zones)."""

    known: int
    gone: float
    area: float
    alike: float


def hidden(view: View, reference: Reference) -> Hidden:
    """What lies before the camera's normal view."""
    before = np.maximum(reference.peaks[1], reference.peaks[2])
    now = np.maximum(np.maximum(view.peaks[1], view.peaks[2]) - 2.0 * view.noise, 0)
    # Details are as strong as the light that falls on them.
    light = np.clip(view.means / np.maximum(reference.means, 1.0), 0.33, 1.0)
    judged = view.free & (view.means >= 12)
    had = judged & (before >= _DETAIL)
    gone = had & (now < 0.3 * light * before)
    kept = had & ~gone
    if not had.any():
        return Hidden(0, 0.0, 0.0, 0.0)
    gain = float(np.median(view.means[kept] / np.maximum(reference.means[kept], 4.0))) if kept.any() else 1.0
    expected = gain * reference.means
    other = np.abs(view.means - expected) > np.maximum(18.0, 0.18 * expected)
    plain = judged & ~had & (now < _DETAIL) & other
    share, area = float(gone.sum() / had.sum()), float((gone | plain).sum() / judged.sum())
    return Hidden(int(had.sum()), share, area, _correlation(before[had], now[had]))


def _correlation(one: Floats, other: Floats) -> float:
    one, other = one - one.mean(), other - other.mean()
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / length if length else 0.0
