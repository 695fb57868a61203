"""What is a fault, by steps: from one that a person notices at once to one that hides everything.

Each is a function of a picture (RGB, float32) and a random generator. Steps are named by how strong they are; all of
them must be found. What is milder than the first step is not tried: there people would disagree.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from camera_hub.bench.sight.optics import blurred, coordinates
from camera_hub.bench.sight.scenes import Picture, cloud
from camera_hub.bench.sight.weather import Change
from camera_hub.simulator.picture.font import PAPER, line

_BARS = ((192, 192, 192), (192, 192, 0), (0, 192, 192), (0, 192, 0), (192, 0, 192), (192, 0, 0), (0, 0, 192))


def _grain(image: Picture, sigma: float, random: np.random.Generator) -> Picture:
    return random.normal(0, sigma, (*image.shape[:2], 1)).astype(np.float32)


def black(noise: float, image: Picture, random: np.random.Generator) -> Picture:
    """A dead or covered sensor."""
    return np.abs(4 + _grain(image, noise, random)) * np.ones(3, np.float32)


def one_colour(colour: tuple[int, int, int], text: str, image: Picture, random: np.random.Generator) -> Picture:
    """What recorders show without input, with words anywhere or without."""
    image[:] = colour
    if text:
        dots = np.repeat(np.repeat(line(text, 2) > PAPER, 1, axis=0), 1, axis=1)
        top = int(random.integers(0, image.shape[0] - dots.shape[0]))
        left = int(random.integers(0, image.shape[1] - dots.shape[1]))
        image[top : top + dots.shape[0], left : left + dots.shape[1]][dots] = 235
    return image


def bars(image: Picture, random: np.random.Generator) -> Picture:
    """A test pattern: seven colour bars above a row of grey steps."""
    height, width = image.shape[:2]
    for number, colour in enumerate(_BARS):
        image[:, number * width // 7 : (number + 1) * width // 7] = colour
    for number in range(6):
        image[height * 3 // 4 :, number * width // 6 : (number + 1) * width // 6] = 40 * number
    return image


def overexposed(kept: float, lift: float, image: Picture, random: np.random.Generator) -> Picture:
    """Too much light: of the picture only a share of `kept` is not white."""
    return lift + image * ((256 - lift) / max(1.0, float(np.quantile(image, kept))))


def underexposed(bright: float, image: Picture, random: np.random.Generator) -> Picture:
    """Too little: the brightest hundredth of the picture comes out at `bright` grey levels."""
    return image * (bright / max(1.0, float(np.percentile(image, 99))))


def defocused(sigma: float, image: Picture, random: np.random.Generator) -> Picture:
    """Out of focus; `sigma` in pixels of a picture 640 wide. The sensor's noise stays sharp."""
    return blurred(image, sigma * image.shape[1] / 640) + _grain(image, 1.2, random)


def cloth(colour: tuple[int, int, int], image: Picture, random: np.random.Generator) -> Picture:
    """Something right before the lens hides everything: light shines through it unevenly."""
    height, width = image.shape[:2]
    veil = blurred(image, 60) * 0.1 + np.array(colour, np.float32)
    return veil + (cloud(random, (width, height), 2.2) * 6)[:, :, None] + _grain(image, 1.5, random)


def hand(share: float, image: Picture, random: np.random.Generator) -> Picture:
    """Something close to the lens hides so much of the picture from one side; its edge is out of focus."""
    rows, columns = coordinates(image)
    height, width = image.shape[:2]
    angle = random.uniform(0, 2 * np.pi)
    way = (columns - width / 2) / width * np.cos(angle) + (rows - height / 2) / height * np.sin(angle)
    way = way + cloud(random, (width, height), 2.0) * 0.03
    edge = np.quantile(way, 1 - share)
    part = blurred((way > edge).astype(np.float32), 14)[:, :, None]
    tone = random.choice([(120, 85, 70), (45, 60, 35), (60, 60, 64), (95, 90, 80)])
    skin = np.array(tone, np.float32) * min(1.0, float(image.mean()) / 90 + 0.25)
    return image * (1 - part) + part * (skin + (cloud(random, (width, height), 2.2) * 3)[:, :, None])


def web(image: Picture, random: np.random.Generator) -> Picture:
    """A web or dirt on the glass that lights up: a bright veil over most of the picture, thick threads, all soft."""
    height, width = image.shape[:2]
    threads = np.zeros((height, width), np.float32)
    for _ in range(26):
        angle, offset = random.uniform(0, np.pi), random.uniform(-1, 1) * width / 2
        steps = np.linspace(-width, width, 3000)
        x = width / 2 + steps * np.cos(angle) - offset * np.sin(angle)
        y = height / 2 + steps * np.sin(angle) + offset * np.cos(angle)
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        threads[y[inside].astype(int), x[inside].astype(int)] = 900
    veil = np.clip(blurred(threads, 8) * 1.1 + 35 * cloud(random, (width, height), 2.0) + 110, 40, 235)
    webbed: Picture = blurred(image, 5) * 0.25 + veil[:, :, None] * 0.8
    return webbed


def paint(share: float, image: Picture, random: np.random.Generator) -> Picture:
    """Paint or a sticker on the glass: an opaque blot in the middle with a soft rim."""
    height, width = image.shape[:2]
    radius = float(np.sqrt(share * width * height / np.pi))
    rows, columns = coordinates(image)
    x, y = width * random.uniform(0.4, 0.6), height * random.uniform(0.4, 0.6)
    distance = np.hypot(columns - x, (rows - y) * width / height * 0.75) + cloud(random, (width, height), 1.8) * 16
    part = blurred((distance < radius).astype(np.float32), 6)[:, :, None]
    tone = np.array(random.choice([(210, 210, 205), (160, 30, 30), (25, 25, 28), (70, 90, 140)]), np.float32)
    return image * (1 - part) + part * tone * min(1.0, float(image.mean()) / 90 + 0.3)


def cast(gains: tuple[float, float, float], image: Picture, random: np.random.Generator) -> Picture:
    """Wrong white balance, or no infrared cut filter."""
    return image * np.array(gains, np.float32)


def noisy(sigma: float, image: Picture, random: np.random.Generator) -> Picture:
    """A bad line or an amplifier at its limit."""
    return image + _grain(image, sigma, random)


def snow(share: float, image: Picture, random: np.random.Generator) -> Picture:
    """Single pixels black and white."""
    height, width = image.shape[:2]
    image[random.random((height, width)) < share / 2] = 245
    image[random.random((height, width)) < share / 2] = 5
    return image


def stripes(amplitude: float, period: float, angle: float, image: Picture, random: np.random.Generator) -> Picture:
    """Waves over the whole picture: hum bars, a neighbour's carrier. `period` in pixels of a picture 640 wide."""
    rows, columns = coordinates(image)
    way = rows * np.cos(angle) + columns * np.sin(angle)
    wave: Picture = np.sin(2 * np.pi * way / (period * image.shape[1] / 640) + random.uniform(0, 6))
    return image + (amplitude * wave)[:, :, None]


def lines(share: float, image: Picture, random: np.random.Generator) -> Picture:
    """Rows that are lost: each as bright or dark as it comes."""
    lost = np.flatnonzero(random.random(image.shape[0]) < share)
    image[lost] = random.uniform(0, 255, (lost.size, 1, 1))
    return image


def veiled(contrast: float, level: float, image: Picture, random: np.random.Generator) -> Picture:
    """A fogged dome: so much of the contrast is left, near and far alike."""
    return blurred(image, 0.8) * contrast + level * (1 - contrast)


def _steps(make: Callable[..., Picture], *steps: tuple[object, ...]) -> tuple[Change, ...]:
    return tuple(partial(make, *step) for step in steps)


FAULTS: Mapping[str, tuple[Change, ...]] = {
    "black": _steps(black, (0.0,), (1.5,), (3.0,)),
    "no_signal": (
        *_steps(one_colour, ((0, 0, 190), ""), ((20, 40, 140), "NO VIDEO")),
        *_steps(one_colour, ((128, 128, 128), "VIDEO LOSS"), ((0, 0, 0), "NO SIGNAL")),
        bars,
    ),
    "overexposed": _steps(overexposed, (0.4, 0.0), (0.2, 0.0), (0.5, 110.0)),
    "underexposed": _steps(underexposed, (42.0,), (30.0,)),
    "blurred": _steps(defocused, (4.0,), (6.0,), (10.0,)),
    "covered": (
        *_steps(cloth, ((60, 50, 45),), ((110, 105, 100),)),
        *_steps(hand, (0.55,), (0.75,)),
        web,
        *_steps(paint, (0.5,)),
    ),
    "colour_cast": _steps(cast, ((1.35, 0.75, 1.3),), ((0.6, 1.25, 0.65),), ((1.4, 1.05, 0.45),), ((0.5, 0.85, 1.45),)),
    "noisy": (*_steps(noisy, (30.0,), (50.0,)), *_steps(snow, (0.12,), (0.3,))),
    "striped": (
        *_steps(stripes, (18.0, 14.0, 0.0), (30.0, 40.0, 0.0), (22.0, 9.0, 0.6), (20.0, 12.0, np.pi / 2)),
        *_steps(lines, (0.18,)),
    ),
    "low_contrast": _steps(veiled, (0.22, 165.0), (0.15, 140.0), (0.1, 190.0)),
}  # fmt: skip
"""By the Reason's value. `moved` and `frozen` are of several pictures: see trials."""

OF_DAY = frozenset({"colour_cast", "overexposed", "underexposed", "low_contrast"})
"""These are tried on pictures by day alone: by night there is no colour, and darkness is normal."""


def shifted(image: Picture, right: float, down: float) -> Picture:
    """The view of a camera that was turned by so much of the picture's width and height; beyond its edge is what lies
    inside, mirrored."""
    height, width = image.shape[:2]
    x, y = round(right * width), round(down * height)
    wide = np.pad(image, ((abs(y), abs(y)), (abs(x), abs(x)), (0, 0)), mode="reflect")
    top, left = abs(y) + y, abs(x) + x
    return wide[top : top + height, left : left + width].copy()
