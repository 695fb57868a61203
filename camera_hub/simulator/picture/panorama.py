"""What a dome can see: its own place straight ahead, three others around it, sky above and ground below."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from camera_hub.simulator.dome import Vector, magnification
from camera_hub.simulator.picture import font
from camera_hub.simulator.picture.canvas import Canvas, Colour, Plane, rgb
from camera_hub.simulator.picture.scenes import Look, Scene, SceneKind

_AROUND = tuple(SceneKind)
_LARGEST = 704
"""Wider pictures are drawn at half their size."""
_NOISE_SIGMA = 1.2
_NOISE_MARGIN = 64
_EDGE = 4
"""Lines at the lower edge that are the dark edge of the caption bar."""
_PAPER = Colour(font.PAPER, 128, 128)
_INK = Colour(font.INK, 128, 128)
_CLOUD, _SOIL, _STRIPE, _POLE = rgb(236, 240, 244), rgb(118, 104, 80), rgb(150, 138, 110), rgb(204, 40, 40)


class Panorama:
    """All that a dome sees at one size of picture (lines of the caption bar not included)."""

    def __init__(self, look: Look, width: int, height: int, *, marked: bool = True) -> None:
        """`marked`: with the bearings of the places on striped poles."""
        self._marked = marked
        self._size = (width, height)
        scale = 1 if width <= _LARGEST else 2
        self._drawn = (width // scale & ~1, height // scale & ~1)
        first = _AROUND.index(look.scene)
        kinds = [*_AROUND[first:], *_AROUND[:first]]
        self._scenes = [Scene(Look(kind, look.night, look.mirrored), *self._drawn) for kind in kinds]
        self._above = [self._sky(number) for number in range(len(kinds))]
        self._below = [self._ground(number) for number in range(len(kinds))]
        random = np.random.default_rng(5)
        shape = (height + _NOISE_MARGIN, width + _NOISE_MARGIN)
        self._noise: NDArray[np.int8] = np.rint(random.normal(0, _NOISE_SIGMA, shape)).astype(np.int8)
        self._random = random

    def view(self, position: Vector, turn: float) -> Canvas:
        """The picture from a position, `turn` (0 … 1) into the motion of the places."""
        pan, tilt, zoom = position
        width, height = self._drawn
        wide, high = width / magnification(zoom), height / magnification(zoom)
        # Places are side by side, each as wide as the picture at zoom 0; the own one is in the middle of pan 0.
        left = pan * 2 * width + width / 2 - wide / 2
        top = height / 2 - tilt * height - high / 2
        first, last = int(left // width), int((left + wide - 1e-6) // width)
        strip = _beside([self._tall(number % len(self._scenes), turn, top, high) for number in range(first, last + 1)])
        picture = self._cut(strip, (left - first * width, top + height, wide, high))
        rows, columns = self._random.integers(0, _NOISE_MARGIN, 2)
        grain = self._noise[rows : rows + picture.y.shape[0], columns : columns + picture.y.shape[1]]
        luma = np.clip(picture.y.astype(np.int16) + grain, 16, 235).astype(np.uint8)
        luma[-_EDGE:], picture.u[-_EDGE // 2 :], picture.v[-_EDGE // 2 :] = font.PAPER, 128, 128
        return Canvas(luma, picture.u, picture.v)

    def _tall(self, number: int, turn: float, top: float, high: float) -> Canvas:
        """One place with the sky above it and the ground below it; what is not in the picture stays empty."""
        width, height = self._drawn
        tall = Canvas.blank(width, 3 * height, _PAPER)
        if top < 0:
            _put(tall, self._above[number], 0)
        if top + high > height:
            _put(tall, self._below[number], 2 * height)
        if top < height and top + high > 0:
            place = self._scenes[number].drawn(turn)
            for plane, edge in ((place.y, _EDGE), (place.u, _EDGE // 2), (place.v, _EDGE // 2)):
                plane[-edge:] = plane[-edge - 1]
            if number and self._marked:
                self._mark(place, number)
            _put(tall, place, height)
        return tall

    def _mark(self, place: Canvas, number: int) -> None:
        """A striped pole at the left edge with the bearing on it: where the camera looks when it is in the middle."""
        for stripe in range(8):
            colour = _INK if stripe % 2 else _POLE
            place.rectangle(0.0, 0.2 + stripe * 0.09, 0.02, 0.29 + stripe * 0.09, colour)
        sign = font.line(f" {number * 90:03} ", 2)
        rows, columns = min(sign.shape[0], place.y.shape[0] // 3), min(sign.shape[1], place.y.shape[1] // 3)
        place.y[8 : 8 + rows, 8 : 8 + columns] = sign[:rows, :columns]
        for plane in (place.u, place.v):
            plane[4 : 4 + rows // 2, 4 : 4 + columns // 2] = 128

    def _sky(self, number: int) -> Canvas:
        width, height = self._drawn
        edge = self._scenes[number].drawn(0.0)
        colour = Colour(int(edge.y[0, 0]), int(edge.u[0, 0]), int(edge.v[0, 0]))
        sky = Canvas.blank(width, height, colour)
        random = np.random.default_rng(100 + number)
        for x, y in random.random((7, 2)):
            sky.rectangle(x * 0.9, 0.05 + y * 0.8, x * 0.9 + 0.18, 0.1 + y * 0.8, _CLOUD)
        return sky

    def _ground(self, number: int) -> Canvas:
        width, height = self._drawn
        ground = Canvas.blank(width, height, _SOIL)
        for row in range(6):
            ground.rectangle(0, row / 6 + 0.06, 1, row / 6 + 0.09, _STRIPE)
        for column in range(4):
            left = column / 4 + number * 0.03
            ground.rectangle(left, 0, left + 0.02, 1, _STRIPE)
        return ground

    def _cut(self, strip: Canvas, area: tuple[float, float, float, float]) -> Canvas:
        """A piece of the strip, enlarged to the whole picture."""
        left, top, wide, high = area
        width, height = self._size

        def plane(samples: Plane, part: int) -> Plane:
            rows = ((top + (np.arange(height // part) + 0.5) * part * high / height) / part).astype(np.intp)
            columns = ((left + (np.arange(width // part) + 0.5) * part * wide / width) / part).astype(np.intp)
            np.clip(rows, 0, samples.shape[0] - 1, out=rows)
            np.clip(columns, 0, samples.shape[1] - 1, out=columns)
            return samples[rows].take(columns, axis=1)

        return Canvas(plane(strip.y, 1), plane(strip.u, 2), plane(strip.v, 2))


@lru_cache(maxsize=12)
def panorama(look: Look, width: int, height: int) -> Panorama:
    """The panorama for a look and a size."""
    return Panorama(look, width, height)


def _put(canvas: Canvas, piece: Canvas, top: int) -> None:
    for plane, part, at in ((canvas.y, piece.y, top), (canvas.u, piece.u, top // 2), (canvas.v, piece.v, top // 2)):
        plane[at : at + part.shape[0]] = part


def _beside(pieces: list[Canvas]) -> Canvas:
    if len(pieces) == 1:
        return pieces[0]
    return Canvas(
        np.hstack([one.y for one in pieces]), np.hstack([one.u for one in pieces]), np.hstack([one.v for one in pieces])
    )
