"""Places as cameras see them: drawn by seed, drawn by the simulator, or photographs of a folder.

A scene gives its picture at a time in seconds: what moves has moved on, and the sensor's noise is new each time.
Pictures are (height, width, 3), RGB, float32, 0 … 255. The same seed always gives the same place.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import av
import numpy as np
from numpy.typing import NDArray

from camera_hub.simulator.picture.scenes import Look, Scene, SceneKind

Picture = NDArray[np.float32]
Profile = Literal["day", "night", "lamps"]
"""By day; by night in infrared, without colour; by night in colour, by the light of lamps."""
SIZE = (640, 360)
"""Width and height at which places are drawn; footage is scaled from it."""


@dataclass(frozen=True)
class Place:
    """One camera's view. `picture(seconds, noise)`: what it sees then; `noise` is its sensor's, in grey levels."""

    name: str
    profile: Profile
    still: Callable[[], Picture]
    seed: int
    moving: bool = True

    @cached_property
    def _base(self) -> Picture:
        return self.still()

    def picture(self, seconds: float = 0.0, noise: float | None = None) -> Picture:
        """A picture of its own: the caller may change it."""
        image = self._base.copy()
        if self.moving:
            _passers_by(image, self.seed, seconds, self.profile)
        sigma = noise if noise is not None else {"day": 1.5, "night": 3.0, "lamps": 3.0}[self.profile]
        random = np.random.default_rng((self.seed, round(seconds * 1000) + 1))
        image += random.normal(0, sigma, image.shape[:2]).astype(np.float32)[:, :, None]
        return np.clip(image, 0, 255)


def drawn(seed: int, profile: Profile, size: tuple[int, int] = SIZE) -> Place:
    """A village street, yard, crossroads or field: whatever the seed makes of it."""
    return Place(f"drawn {seed} {profile}", profile, lambda: _lit(_village(seed, size), profile, seed), seed)


def simulated(kind: SceneKind, *, night: bool, mirrored: bool, size: tuple[int, int] = SIZE) -> Place:
    """One of the simulator's places."""

    def still() -> Picture:
        canvas = Scene(Look(kind, night, mirrored), *size).drawn(0.25)
        planes = np.concatenate([canvas.y.reshape(-1), canvas.u.reshape(-1), canvas.v.reshape(-1)])
        frame = av.VideoFrame.from_ndarray(planes.reshape(size[1] * 3 // 2, size[0]), format="yuv420p")
        return frame.to_ndarray(format="rgb24").astype(np.float32)

    name = f"simulated {kind.value}{' mirrored' if mirrored else ''} {'night' if night else 'day'}"
    return Place(name, "night" if night else "day", still, 7)


def photographs(folder: Path, profile: Profile, size: tuple[int, int] = SIZE) -> list[Place]:
    """Every picture file in the folder, cut to the size's shape, in the order of their names."""
    found = sorted(one for one in folder.iterdir() if one.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"})
    return [
        Place(f"photograph {one.stem} {profile}", profile, _photograph(one, profile, number, size), 1000 + number)
        for number, one in enumerate(found)
    ]


def _photograph(path: Path, profile: Profile, seed: int, size: tuple[int, int]) -> Callable[[], Picture]:
    def still() -> Picture:
        with av.open(str(path)) as container:
            frame = next(container.decode(video=0))
        scale = max(size[0] / frame.width, size[1] / frame.height)
        width, height = round(frame.width * scale), round(frame.height * scale)
        whole = frame.reformat(width, height, format="rgb24", interpolation="AREA").to_ndarray().astype(np.float32)
        left, top = (width - size[0]) // 2, (height - size[1]) // 2
        return _lit(whole[top : top + size[1], left : left + size[0]].copy(), profile, seed)

    return still


def cloud(random: np.random.Generator, size: tuple[int, int], steepness: float, period: float = 1.0) -> Picture:
    """Noise like that of nature: amplitude falls with frequency to the power of `steepness`; mean 0, deviation 1."""
    width, height = size
    rows = np.fft.fftfreq(height)[:, None] * height
    columns = np.fft.rfftfreq(width)[None, :] * width
    frequency = np.maximum(np.hypot(rows, columns), period)
    spectrum = np.fft.rfft2(random.normal(size=(height, width))) / frequency**steepness
    field = np.fft.irfft2(spectrum, s=(height, width))
    even: Picture = (field / field.std()).astype(np.float32)
    return even


def _village(seed: int, size: tuple[int, int]) -> Picture:
    random = np.random.default_rng(seed)
    width, height = size
    image = np.empty((height, width, 3), np.float32)
    horizon = int(height * random.uniform(0.18, 0.48))
    sky = np.array(random.choice([(150, 185, 225), (205, 210, 215), (225, 228, 230), (120, 165, 215)]), np.float32)
    fade = np.linspace(0, 1, max(horizon, 1), dtype=np.float32)[:, None, None]
    image[:horizon] = sky * (1 - fade) + np.minimum(sky + 30, 250) * fade
    image[:horizon] += cloud(random, (width, height), 1.8, 2)[:horizon, :, None] * random.uniform(2, 10)
    ground = np.array(random.choice([(120, 115, 105), (100, 125, 75), (150, 140, 120), (165, 160, 150)]), np.float32)
    texture = cloud(random, size, random.uniform(0.7, 1.2), 3)
    image[horizon:] = ground + texture[horizon:, :, None] * random.uniform(6, 16)
    _hills(image, random, horizon)
    _road(image, random, horizon)
    for _ in range(int(random.integers(1, 6))):
        _house(image, random, horizon)
    for _ in range(int(random.integers(1, 6))):
        _tree(image, random, horizon)
    for _ in range(int(random.integers(1, 4))):
        x, thick = int(random.integers(10, width - 10)), int(random.integers(3, 8))
        top = int(random.integers(0, horizon + 1))
        image[top : min(height, horizon + int(random.integers(40, 200))), x : x + thick] = random.uniform(40, 200)
        for wire in range(int(random.integers(0, 3))):
            _wire(image, random, top + 6 * wire)
    return np.clip(image, 0, 255)


def _hills(image: Picture, random: np.random.Generator, horizon: int) -> None:
    height, width = image.shape[:2]
    if random.random() < 0.3 or horizon < 30:
        return
    crest = horizon - np.abs(cloud(random, (width, 8), 1.4)[0]) * horizon * random.uniform(0.1, 0.35)
    rows = np.arange(height)[:, None]
    hill = (rows >= crest[None, :]) & (rows < horizon)
    shade = cloud(random, (width, height), 0.9, 4)[:, :, None] * 10 + np.array([95, 120, 110], np.float32)
    image[:] = np.where(hill[:, :, None], shade, image)


def _road(image: Picture, random: np.random.Generator, horizon: int) -> None:
    height, width = image.shape[:2]
    rows = np.arange(height, dtype=np.float32)[:, None]
    depth = np.clip((rows - horizon) / max(1, height - horizon), 0, 1)
    middle = width * (random.uniform(0.25, 0.75) + (depth - 0.5) * random.uniform(-0.4, 0.4))
    half = width * (0.02 + random.uniform(0.2, 0.5) * depth)
    columns = np.arange(width, dtype=np.float32)[None, :]
    road = (np.abs(columns - middle) < half) & (rows >= horizon)
    tone = random.uniform(75, 135) + cloud(random, (width, height), 0.6, 5)[:, :, None] * random.uniform(3, 8)
    image[:] = np.where(road[:, :, None], tone, image)
    dash = road & (np.abs(columns - middle) < 1 + 5 * depth) & (np.sin(depth**0.5 * 45) > 0)
    kerb = (np.abs(np.abs(columns - middle) - half) < 1 + 4 * depth) & (rows > horizon)
    image[dash | kerb] = random.uniform(185, 235)


def _house(image: Picture, random: np.random.Generator, horizon: int) -> None:
    height, width = image.shape[:2]
    wide, high = int(random.integers(70, 240)), int(random.integers(50, 160))
    left, bottom = int(random.integers(-60, width - 60)), int(horizon + random.integers(0, 70))
    top = max(0, bottom - high)
    box = image[top : min(bottom, height), max(0, left) : max(0, left + wide)]
    if box.size == 0:
        return
    wall = np.array(random.choice([(205, 198, 185), (180, 150, 130), (225, 222, 215), (160, 165, 168)]), np.float32)
    box[:] = wall * random.uniform(0.75, 1.05) + random.normal(0, random.uniform(2, 6), (*box.shape[:2], 1))
    roof = max(6, high // 6)
    box[:roof] = np.array(random.choice([(150, 75, 60), (90, 90, 95), (60, 95, 150)]), np.float32)
    step = int(random.integers(28, 50))
    for x in range(8, box.shape[1] - 18, step):
        for y in range(roof + 8, box.shape[0] - 22, step):
            box[y : y + 18, x : x + 14] = random.uniform(35, 110)
            box[y : y + 18, x + 6 : x + 8] = 215


def _tree(image: Picture, random: np.random.Generator, horizon: int) -> None:
    height, width = image.shape[:2]
    size = float(random.uniform(25, 110))
    x, y = float(random.uniform(0, width)), float(horizon - size * 0.5 + random.uniform(-10, 60))
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    edge = cloud(random, (width, height), 0.9, 3) * size * 0.25
    crown = np.hypot(columns - x, (rows - y) * 1.1) + edge < size
    leaves = cloud(random, (width, height), 0.35, 6)[:, :, None]
    green = np.array(random.choice([(60, 95, 45), (85, 110, 60), (50, 75, 50), (110, 105, 60)]), np.float32)
    trunk = (np.abs(columns - x) < max(2.0, size * 0.06)) & (rows > y) & (rows < y + size * 1.5)
    image[trunk] = (70, 58, 45)
    image[:] = np.where(crown[:, :, None], green + leaves * 24, image)


def _wire(image: Picture, random: np.random.Generator, top: int) -> None:
    height, width = image.shape[:2]
    columns = np.arange(width)
    sag = top + random.uniform(4, 25) * np.sin(np.pi * columns / width) + columns * random.uniform(-0.08, 0.08)
    rows = np.clip(sag, 0, height - 1).astype(int)
    image[rows, columns] = 45


def _lit(image: Picture, profile: Profile, seed: int) -> Picture:
    """The place by day as it is; by infrared light, which falls off with the distance; by lamps."""
    if profile == "day":
        return image
    random = np.random.default_rng((seed, 99))
    height, width = image.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = width * random.uniform(0.35, 0.65), height * random.uniform(0.55, 0.8)
    distance = np.hypot((columns - x) / width, (rows - y) / height * 0.9)
    if profile == "night":
        grey = image @ np.array([0.3, 0.5, 0.2], np.float32)
        beam = 0.1 + 0.85 * np.exp(-((distance / random.uniform(0.35, 0.6)) ** 2))
        return np.repeat((14 + 0.8 * grey * beam)[:, :, None], 3, axis=2).astype(np.float32)
    light = np.full((height, width), random.uniform(0.06, 0.14), np.float32)
    count = int(random.integers(1, 4))
    lamps = [(random.uniform(0.1, 0.9) * width, random.uniform(0.1, 0.45) * height) for _ in range(count)]
    for x, y in lamps:
        light += 0.65 * np.exp(-((np.hypot(columns - x, (rows - y - 0.2 * height) * 0.8) / (0.28 * width)) ** 2))
    lit = 8 + image * light[:, :, None] * np.array([1.12, 0.98, 0.72], np.float32)
    for x, y in lamps:
        lit += (np.clip(1.4 - np.hypot(columns - x, rows - y) / 9, 0, 1) ** 1.5 * 240)[:, :, None]
    shown: Picture = np.clip(lit, 0, 255).astype(np.float32)
    return shown


def _passers_by(image: Picture, seed: int, seconds: float, profile: Profile) -> None:
    """Some cars and walkers, at other places each time."""
    random = np.random.default_rng((seed, round(seconds * 10)))
    height, width = image.shape[:2]
    dim = {"day": 1.0, "night": 0.45, "lamps": 0.25}[profile]
    for _ in range(int(random.integers(0, 4))):
        wide, high = int(random.integers(14, 70)), int(random.integers(16, 38))
        left, top = int(random.integers(0, width - wide)), int(random.integers(height // 2, height - high))
        paint = random.uniform(30, 230, 3) if profile != "night" else np.full(3, random.uniform(30, 230))
        image[top : top + high, left : left + wide] = paint * dim
        image[top : top + high // 2, left + wide // 4 : left + wide * 3 // 4] = 60 * dim
