"""What is no fault, laid over a picture: weather, light, traffic, small animals, decorations and captions.

Each is a function of a picture (RGB, float32, changed in place or replaced) and a random generator.
"""

from collections.abc import Callable

import numpy as np

from camera_hub.bench.sight.optics import blurred, coordinates, soft_disc
from camera_hub.bench.sight.scenes import Picture
from camera_hub.simulator.picture.font import PAPER, line

Change = Callable[[Picture, np.random.Generator], Picture]


def nothing(image: Picture, random: np.random.Generator) -> Picture:
    """As it is."""
    return image


def rain(image: Picture, random: np.random.Generator) -> Picture:
    """Mild rain: thin bright streaks, a little less contrast."""
    height, width = image.shape[:2]
    drops = np.zeros((height, width), np.float32)
    slope = random.uniform(-0.25, 0.25)
    for _ in range(160):
        x, y, long = random.uniform(0, width), random.uniform(0, height), int(random.integers(6, 20))
        steps = np.arange(long)
        rows, columns = np.clip(y + steps, 0, height - 1), np.clip(x + slope * steps, 0, width - 1)
        drops[rows.astype(int), columns.astype(int)] = random.uniform(10, 45)
    return image * 0.9 + 14 + blurred(drops, 0.6)[:, :, None]


def snowfall(image: Picture, random: np.random.Generator) -> Picture:
    """Flakes, some near and soft, and a little less contrast."""
    height, width = image.shape[:2]
    flakes = np.zeros((height, width), np.float32)
    for _ in range(220):
        y, x, size = int(random.integers(0, height - 4)), int(random.integers(0, width - 4)), int(random.integers(1, 4))
        flakes[y : y + size, x : x + size] = random.uniform(60, 170)
    return image * 0.85 + 25 + blurred(flakes, 0.8)[:, :, None]


def headlights(image: Picture, random: np.random.Generator) -> Picture:
    """Two lamps of a car that drives towards the camera, with their glare."""
    height, width = image.shape[:2]
    x, y, apart = random.uniform(0.25, 0.7) * width, random.uniform(0.5, 0.8) * height, random.uniform(24, 60)
    for lamp in (x, x + apart):
        image = image + soft_disc(image, lamp, y, 9, 3)[:, :, None] * 240
        image = image + soft_disc(image, lamp, y, 30, 30)[:, :, None] * 70
    return image


def insect(image: Picture, random: np.random.Generator) -> Picture:
    """An insect close to the lens: one soft bright streak."""
    height, width = image.shape[:2]
    x, y, angle = random.uniform(0, width), random.uniform(0, height), random.uniform(0, np.pi)
    streak = np.zeros((height, width), np.float32)
    for step in np.linspace(-70, 70, 60):
        column, row = int(x + step * np.cos(angle)), int(y + step * np.sin(angle))
        if 0 <= row < height and 0 <= column < width:
            streak[row, column] = 3000
    return image + np.minimum(blurred(streak, 7), 150)[:, :, None]


def threads(image: Picture, random: np.random.Generator) -> Picture:
    """A few spider threads over one corner, out of focus."""
    height, width = image.shape[:2]
    lines = np.zeros((height, width), np.float32)
    for _ in range(3):
        start, end = random.uniform(0, width * 0.3), random.uniform(0, height * 0.5)
        steps = np.linspace(0, 1, 500)
        lines[(end * (1 - steps)).astype(int), (start * steps).astype(int)] = 500
    lines = np.ascontiguousarray(lines[:: int(random.choice([1, -1])), :: int(random.choice([1, -1]))])
    return image + np.minimum(blurred(lines, 2.5), 90)[:, :, None]


def dusk(image: Picture, random: np.random.Generator) -> Picture:
    """Light from behind: a glowing sky, and the ground dark before it."""
    rows, _ = coordinates(image)
    height, width = image.shape[:2]
    light = np.clip(1.25 - rows / height * 1.9, 0.14, 1.4)
    sun = soft_disc(image, random.uniform(0.2, 0.8) * width, 0.2 * height, 14, 60)
    lit: Picture = image * light[:, :, None] * np.array([1.12, 0.98, 0.85], np.float32) + sun[:, :, None] * 170 + 4
    return lit


def decoration(image: Picture, random: np.random.Generator) -> Picture:
    """Red lanterns and a red banner for a festival."""
    height, width = image.shape[:2]
    top, deep = int(random.uniform(0.12, 0.4) * height), int(random.uniform(0.08, 0.2) * height)
    image[top : top + deep, int(0.08 * width) : int(0.92 * width)] = (205, 28, 30)
    image[top + deep // 3 : top + deep // 3 + 5, int(0.2 * width) : int(0.8 * width) : 9] = (250, 215, 90)
    for lantern in range(5):
        disc = soft_disc(image, width * (0.14 + 0.18 * lantern), top + deep + 26, 20, 1.5)[:, :, None]
        image = image * (1 - disc) + disc * np.array([215, 35, 30], np.float32)
    return image


def lorry(image: Picture, random: np.random.Generator) -> Picture:
    """A lorry close by, with a large plain side."""
    height, width = image.shape[:2]
    left, wide = int(random.uniform(-0.1, 0.6) * width), int(random.uniform(0.3, 0.45) * width)
    top, bottom = int(random.uniform(0.3, 0.42) * height), int(0.9 * height)
    side = image[top:bottom, max(0, left) : left + wide]
    side[:] = image[..., 0].mean() * random.uniform(0.5, 1.5) * np.array([1, 1, 1.05], np.float32)
    side[side.shape[0] * 4 // 5 :] *= 0.35
    side[:, -6:] *= 0.6
    return image


def winter(image: Picture, random: np.random.Generator) -> Picture:
    """A field under snow: nothing on it but a row of trees at the horizon and a few stalks."""
    height, width = image.shape[:2]
    rows, columns = coordinates(image)
    horizon = height * random.uniform(0.2, 0.4)
    field = np.where(rows < horizon, 205 + 15 * rows / horizon, 226 - 14 * (rows - horizon) / height)
    field += 3 * np.sin(columns / 90 + rows / 37)
    trees = (np.abs(rows - horizon) < 5 + 9 * np.abs(np.sin(columns / 31) * np.sin(columns / 7.3))) & (
        np.sin(columns / 83 + random.uniform(0, 6)) > -0.5
    )
    field = np.where(trees, 95, field)
    for _ in range(25):
        x, y = int(random.integers(0, width - 2)), int(random.integers(int(horizon), height - 14))
        field[y : y + int(random.integers(3, 13)), x] = 120
    return np.repeat(field[:, :, None], 3, axis=2).astype(np.float32) * np.array([0.985, 1, 1.01], np.float32)


def wall(image: Picture, random: np.random.Generator) -> Picture:
    """A white wall close by, which fills most of the picture."""
    height, width = image.shape[:2]
    rows, columns = coordinates(image)
    edge = int(random.uniform(0.62, 0.8) * width)
    plaster = random.uniform(195, 222) - 24 * np.hypot(columns / width - 0.4, rows / height - 0.5)
    image[:, :edge] = plaster[:, :edge, None] + random.normal(0, 1.2, (height, edge, 1))
    image[:, edge : edge + 4] *= 0.6
    return image


def caption(image: Picture, random: np.random.Generator, second: int = 0, *, anywhere: bool = False) -> Picture:
    """With a name and a running clock burnt in, white with a dark rim, above and below or `anywhere`."""
    for number, text in enumerate((f"2026-11-29 10:{second // 60 % 60:02}:{second % 60:02}", "CAMERA 017 EAST GATE")):
        dots = np.repeat(np.repeat(line(text) > PAPER, 1, axis=0), 1, axis=1)
        rim = np.zeros_like(dots)
        for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            rim |= np.roll(dots, (down, right), (0, 1))
        height, width = image.shape[:2]
        top = 6 if number == 0 else height - 24
        left = 8 if number == 0 else width - dots.shape[1] - 8
        if anywhere:
            top = int(random.integers(20, height // 2 - 20)) + number * height // 2 - 10
            left = int(random.integers(8, width - dots.shape[1] - 8))
        place = image[top : top + dots.shape[0], left : left + dots.shape[1]]
        place[rim] = 12
        place[dots] = 238
    return image


NO_FAULTS: dict[str, Change] = {
    "nothing": nothing,
    "rain": rain,
    "snowfall": snowfall,
    "headlights": headlights,
    "insect": insect,
    "threads": threads,
    "dusk": dusk,
    "decoration": decoration,
    "lorry": lorry,
    "winter": winter,
    "wall": wall,
}
OF_DAY = frozenset({"dusk", "decoration", "winter", "wall"})
"""These are tried on pictures by day alone."""
OF_PLACE = frozenset({"winter", "wall"})
"""These are places of their own: a reference would show the same."""
