"""Drawn scenes: a street by day, by night, by moonlight, and what broken cameras send."""

import numpy as np
from numpy.typing import NDArray

from camera_hub.sight.freeze import Sampled, compare, moment
from camera_hub.sight.view import View

Image = NDArray[np.uint8]
SIZE = (360, 640)


def street(*, light: float = 1.0, lamps: bool = False, car: float | None = None) -> Image:
    """A grey street with houses; `light` scales it, `car` is where a car stands (0…1)."""
    height, width = SIZE
    image = np.empty((height, width, 3), np.float32)
    image[: height // 2] = (210, 180, 150)
    image[height // 2 :] = (90, 90, 90)
    for number in range(4):
        left = 40 + 150 * number
        image[110:180, left : left + 80] = (100 + 30 * number, 120, 160)
    rng = np.random.default_rng(5)
    image += rng.normal(0, 2, image.shape).astype(np.float32)  # the texture of things; it stands still
    if car is not None:
        left = int(car * (width - 90))
        image[220:260, left : left + 90] = (230, 230, 230)
    image *= light
    if lamps:
        rows, columns = np.mgrid[0:height, 0:width]
        for left in (150, 450):
            glow = np.clip(1 - np.hypot(columns - left, rows - 140) / 60, 0, 1) ** 2 * 180
            image += glow[..., None]
    return np.clip(image, 0, 255).astype(np.uint8)


def noisy(image: Image, sigma: float, seed: int) -> Image:
    """With a sensor's noise."""
    noise = np.random.default_rng(seed).normal(0, sigma, image.shape)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


def with_clock(image: Image, second: int) -> Image:
    """With a white clock burnt in above and a name below; the clock's blocks change with the second."""
    marked = image.copy()
    marked[10:34, 10:250] = 0
    marked[330:350, 400:630] = 255
    for digit in range(8):
        if second >> digit & 1:
            marked[12:32, 14 + digit * 28 : 34 + digit * 28] = 255
    return marked


def flat(value: tuple[int, int, int]) -> Image:
    """One colour."""
    return np.full((*SIZE, 3), value, np.uint8)


def kept(image: Image) -> Sampled:
    """What is kept of a picture to find a freeze."""
    return moment(image, View.of(image), 0.0)


def repetition(one: Sampled, two: Sampled) -> float:
    """How alike two pictures are to who looks for a freeze: 0 where something moved, 1 for the very same."""
    found = compare(one, two)
    assert found is not None
    return 0.0 if found.alive else found.repeated
