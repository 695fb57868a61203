"""One pass over a picture, shared by the checks: scaled to one size, grey, in octave bands, divided into zones.

Every picture is brought to 640 × 360, so that lengths mean the same whatever the stream's resolution: what cannot be
seen at that size does not matter to whoever watches sixteen cameras on a screen. Noise alone is measured at full size,
because scaling down averages it away.

A band holds the details of one size: band 0 those of about one pixel, each further one twice as large. A clean step
edge has the same height in every band. A blur of some pixels takes it out of the bands that are finer than the blur
and leaves it in the others; noise of the sensor lies in band 0 and halves with each band.

Captions are burnt in after everything else, so they stay sharp, bright and in place whatever happens to the picture:
they are found wherever they are and left out. Most stand at the upper and lower edge, often as plates that look like
nothing else: the outermost row of zones is left out in any case.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_hub.sight.images import Image

WIDTH, HEIGHT = 640, 360
ROWS, COLUMNS = 9, 16
"""Zones, of 40 × 40 pixels."""
BANDS = 4
_EDGE_ROWS = HEIGHT // ROWS
_CELL = 16
"""Pixels of the squares in which captions are looked for."""
_STROKE = 56
"""Grey levels between two neighbouring pixels at the edge of a letter."""
_STROKES = 0.09
"""Share of such pixels in a square with letters."""
_SPAN = 105
"""Grey levels between a letter and its rim or ground."""
_PATCH = 10
_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_SMALLEST = 36
"""Pixels of a side; smaller pictures than any camera sends."""
_TALL, _LONG = 4, 3
"""Squares: a line of letters is at most so high, and at least so long."""

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class View:
    """A picture, measured. Arrays over zones have the shape (ROWS, COLUMNS).

    `colour`: (HEIGHT, WIDTH, 3), BGR. `grey`: (HEIGHT, WIDTH). `caption`: which pixels belong to captions, or are close
    to one. `bands[n]`: absolute height of the details, (HEIGHT >> n, WIDTH >> n), 0 in captions. `peaks[n]`: the
    largest in each zone. `noise`: deviation in grey levels that the sensor or the line adds, at full size, where the
    picture is plainest. `means`: grey level of each zone. `free`: zones that
    are not mostly caption, nor at the upper or lower edge. `shown`: pixels of which the same is true.
    `levels[n]`: share of them of grey level n and below; all 0 where none is shown.
    """

    colour: Image
    grey: Floats
    caption: Flags
    bands: tuple[Floats, ...]
    peaks: tuple[Floats, ...]
    noise: float
    means: Floats
    free: Flags
    shown: Flags
    levels: Floats

    @classmethod
    def of(cls, image: Image) -> "View":
        """Measure a picture. `image`: (height, width[, 3]), BGR, 8 bits."""
        if image.ndim == 2:
            image = np.repeat(image[:, :, None], 3, axis=2)
        colour = to_size(image)
        levels = cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
        grey = levels.astype(np.float32)
        caption = captions(levels)
        bands = _bands(grey, caption)
        peaks = tuple(_zones(band).max(axis=3).max(axis=1) for band in bands)
        free = averages(caption.astype(np.float32)) < 0.5
        free[:1] = free[-1:] = False
        shown = ~caption
        shown[:_EDGE_ROWS] = shown[-_EDGE_ROWS:] = False
        histogram = cv2.calcHist([levels], [0], shown.astype(np.uint8), [256], [0, 256]).reshape(-1)
        return cls(
            colour,
            grey,
            caption,
            bands,
            peaks,
            _noise(image if min(image.shape[:2]) >= _SMALLEST else colour),
            averages(grey),
            free,
            shown,
            (np.cumsum(histogram) / max(1.0, float(histogram.sum()))).astype(np.float32),
        )

    def quantile(self, share: float) -> float:
        """The grey level that so much of what is shown does not exceed."""
        return float(np.searchsorted(self.levels, share))


def to_size(image: Image) -> Image:
    """Scaled to WIDTH × HEIGHT. Halved first as often as it goes: that averages, and is fast."""
    while image.shape[1] >= 2 * WIDTH and image.shape[0] >= 2 * HEIGHT:
        half = (image.shape[1] // 2, image.shape[0] // 2)
        image = cv2.resize(image, half, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    if image.shape[:2] != (HEIGHT, WIDTH):
        image = cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
    return image


def captions(grey: Image) -> Flags:
    """Which pixels belong to a line of letters, wherever it is: squares full of hard edges, in a row that is longer
    than high. `grey`: (HEIGHT, WIDTH)."""
    rows, columns = HEIGHT // _CELL, WIDTH // _CELL
    whole = np.ascontiguousarray(grey[: rows * _CELL])
    step = cv2.absdiff(whole[:, 1:], whole[:, :-1])
    hard = np.zeros_like(whole)
    hard[:, :-1] = cv2.threshold(step, _STROKE - 1, 1, cv2.THRESH_BINARY)[1]
    share = cv2.resize(hard.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    square = np.ones((_CELL, _CELL), np.uint8)
    middle = slice(_CELL // 2, None, _CELL)
    span = cv2.subtract(cv2.dilate(whole, square), cv2.erode(whole, square))[middle, middle]
    lettered = ((share >= _STROKES) & (span >= _SPAN)).astype(np.uint8)
    joined = cv2.morphologyEx(lettered, cv2.MORPH_CLOSE, np.ones((1, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=4)
    found = np.zeros((rows, columns), np.uint8)
    for number in range(1, count):
        wide, high = stats[number, cv2.CC_STAT_WIDTH], stats[number, cv2.CC_STAT_HEIGHT]
        if high <= _TALL and wide >= max(_LONG, 2 * high):
            found[labels == number] = 1
    around = cv2.dilate(found, np.ones((3, 3), np.uint8)) if found.any() else found
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    within = np.repeat(np.repeat(around, _CELL, axis=0), _CELL, axis=1) > 0
    mask[: rows * _CELL] = within
    mask[rows * _CELL :] = within[-1:]
    return mask


def _bands(grey: Floats, caption: Flags) -> tuple[Floats, ...]:
    found: list[Floats] = []
    level, hidden = grey, caption
    for _ in range(BANDS):
        below = cv2.pyrDown(level)
        detail = np.abs(level - cv2.pyrUp(below, dstsize=(level.shape[1], level.shape[0])))
        detail[hidden] = 0
        margin = (_EDGE_ROWS >> len(found)) + 2  # a caption's plate shows in coarse bands beyond its edge
        detail[:margin] = detail[-margin:] = 0
        found.append(detail.astype(np.float32, copy=False))
        level, hidden = below.astype(np.float32, copy=False), hidden[::2, ::2]
    return tuple(found)


def _zones(plane: Floats) -> Floats:
    """The plane with an axis for the rows and columns of zones, and of pixels in them; a rest at the lower edge is left
    out."""
    high, wide = plane.shape[0] // ROWS, plane.shape[1] // COLUMNS
    return plane[: high * ROWS, : wide * COLUMNS].reshape(ROWS, high, COLUMNS, wide)


def averages(plane: Floats) -> Floats:
    """The mean of each zone of a plane of (HEIGHT, WIDTH)."""
    return cv2.resize(plane, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)


def _noise(image: Image) -> float:
    """Deviation of what is left after taking a pixel's neighbours from it, at full size, in the plainest seventh of the
    zones: means of four patches each, since an encoder drops noise in some blocks and not in others. Texture varies
    slowly, too, noise only from pixel to pixel: where both are much alike it counts, else little or nothing of it."""
    (height, width), patch = image.shape[:2], _PATCH
    edge = height // ROWS  # a caption's plate is free of noise, however much the picture has
    rows = np.linspace(edge, height - edge - patch, 2 * ROWS).astype(int)
    columns = np.linspace(0, width - patch, 2 * COLUMNS).astype(int)
    at_row = (rows[:, None] + np.arange(patch)).reshape(-1)
    at_column = (columns[:, None] + np.arange(patch)).reshape(-1)
    pixels = image[:, :, 1][np.ix_(at_row, at_column)].astype(np.float32)
    # Immerkær's mask: blind to planes and to straight edges.
    left = np.abs(cv2.filter2D(pixels, cv2.CV_32F, _MASK)).reshape(2 * ROWS, patch, 2 * COLUMNS, patch)[
        :, 1:-1, :, 1:-1
    ]
    zones = (COLUMNS, ROWS)
    sigma = cv2.resize(left.mean(axis=3).mean(axis=1), zones, interpolation=cv2.INTER_AREA) * (np.sqrt(np.pi / 2) / 6)
    mean = cv2.resize(pixels, (2 * COLUMNS, 2 * ROWS), interpolation=cv2.INTER_AREA)
    square = cv2.resize(pixels * pixels, (2 * COLUMNS, 2 * ROWS), interpolation=cv2.INTER_AREA)
    varied = cv2.resize(np.sqrt(np.maximum(square - mean * mean, 0)), zones, interpolation=cv2.INTER_AREA)
    alike = float(np.quantile(sigma / np.maximum(varied, 0.5), 0.1))
    return float(np.quantile(sigma, 0.15)) * min(1.0, max(0.0, (alike - 0.25) / 0.25))
