"""Four places by day and by night: what does not move is drawn once, what moves is drawn into every frame.

All motion repeats after one loop, so that a loop's end matches its beginning.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from camera_hub.simulator.picture.canvas import Canvas, Colour, rgb

NOISE_TILES = 8


class SceneKind(StrEnum):
    """Kinds of place."""

    ROAD = "road"
    SQUARE = "square"
    BRIDGE = "bridge"
    GATE = "gate"


class Mood(StrEnum):
    """What is wrong with the picture, if anything (`moods.py`)."""

    FINE = "fine"
    FROZEN = "frozen"
    FROZEN_WITH_CLOCK = "frozen_with_clock"
    BLACK = "black"
    BLUE_SCREEN = "blue_screen"
    NO_SIGNAL = "no_signal"
    COLOUR_BARS = "colour_bars"
    OVEREXPOSED = "overexposed"
    UNDEREXPOSED = "underexposed"
    BLURRED = "blurred"
    COVERED = "covered"
    COLOUR_CAST = "colour_cast"
    NOISY = "noisy"
    STRIPED = "striped"
    MOVED = "moved"
    LOW_CONTRAST = "low_contrast"


AMOUNTS = {
    Mood.OVEREXPOSED: 3.5,  # stops
    Mood.UNDEREXPOSED: 5.0,  # stops
    Mood.BLURRED: 10.0,  # standard deviation in thousandths of the width
    Mood.COVERED: 1.0,  # share of the width
    Mood.COLOUR_CAST: 45.0,  # chroma levels
    Mood.NOISY: 32.0,  # standard deviation in luma levels
    Mood.STRIPED: 45.0,  # luma levels
    Mood.MOVED: 0.4,  # of the picture's width
    Mood.LOW_CONTRAST: 0.12,  # share of the contrast that is left
}
"""How bad a mood is unless somebody says otherwise."""
STILL = frozenset({Mood.FROZEN, Mood.FROZEN_WITH_CLOCK, Mood.BLACK, Mood.BLUE_SCREEN, Mood.NO_SIGNAL, Mood.COLOUR_BARS})
"""Moods in which the encoder gets the same samples again and again."""


class Weather(StrEnum):
    """What is in front of the camera for a while and no fault of it."""

    CLEAR = "clear"
    RAIN = "rain"
    INSECTS = "insects"
    HEADLIGHTS = "headlights"


@dataclass(frozen=True, slots=True)
class Look:
    """All that determines a channel's picture except its caption."""

    scene: SceneKind
    night: bool = False
    mirrored: bool = False
    mood: Mood = Mood.FINE
    amount: float | None = None
    """How bad the mood is, in its unit (`AMOUNTS`); None: as usual."""
    infrared: bool = False
    """By night, lit by its own infrared lamp: without any colour."""
    weather: Weather = Weather.CLEAR

    @property
    def strength(self) -> float:
        """How bad the mood is, in its unit; eight times what is usual at most."""
        usual = AMOUNTS.get(self.mood, 0.0)
        return usual if self.amount is None else min(max(self.amount, 0.0), 8 * usual)


_BLACK = rgb(0, 0, 0)
_ASPHALT, _LINE, _KERB = rgb(82, 84, 88), rgb(225, 225, 215), rgb(150, 146, 138)
_GRASS, _FIELD, _TREE = rgb(96, 140, 70), rgb(160, 160, 84), rgb(48, 96, 52)
_WALL, _ROOF, _WINDOW, _BRICK = rgb(214, 204, 184), rgb(150, 74, 58), rgb(92, 120, 142), rgb(170, 106, 84)
_SKY_TOP, _SKY_LOW = rgb(112, 164, 220), rgb(206, 224, 236)
_WATER, _WAVE, _CONCRETE = rgb(60, 104, 120), rgb(110, 152, 164), rgb(186, 186, 180)
_RED, _WHITE, _TYRE = rgb(204, 40, 40), rgb(235, 235, 235), rgb(30, 30, 32)
_CARS = (rgb(200, 48, 44), rgb(44, 88, 180), rgb(228, 228, 222), rgb(60, 62, 66), rgb(216, 168, 40))


class Scene:
    """A place as it is, whatever the mood, at one size.

    Frames are (height, width) 4:2:0; the last lines are the dark edge of the caption bar.
    """

    def __init__(self, look: Look, width: int, height: int) -> None:
        self.look = look
        self._night = look.night
        self._base = Canvas.blank(width, height, _BLACK)
        self._still()
        self._noise: list[NDArray[np.uint8]] = []

    def frame(self, turn: float, number: int) -> Canvas:
        """The picture at `turn` (0 … 1) of the loop; `number` chooses the sensor noise."""
        canvas = self._moving(turn)
        canvas.y[:-4] += self._grain(number)[:-4]  # wraps as int8 does; luma stays within 16 … 235
        return canvas.mirrored() if self.look.mirrored else canvas

    def drawn(self, turn: float) -> Canvas:
        """The same without sensor noise, as samples of its own."""
        canvas = self._moving(turn)
        return canvas.mirrored().copy() if self.look.mirrored else canvas

    def _grain(self, number: int) -> NDArray[np.uint8]:
        if not self._noise:
            random = np.random.default_rng(7)
            sigma = 2.2 if self.look.night else 1.2
            self._noise = [
                np.rint(random.normal(0, sigma, self._base.y.shape)).astype(np.int8).view(np.uint8)
                for _ in range(NOISE_TILES)
            ]
        return self._noise[number % NOISE_TILES]

    def _moving(self, turn: float) -> Canvas:
        canvas = self._base.copy()
        match self.look.scene:
            case SceneKind.ROAD:
                self._road_traffic(canvas, turn)
            case SceneKind.SQUARE:
                self._square_life(canvas, turn)
            case SceneKind.BRIDGE:
                self._river(canvas, turn)
            case SceneKind.GATE:
                self._barrier(canvas, turn)
        return canvas

    def _tone(self, colour: Colour) -> Colour:
        """The colour by day or night: infrared night pictures are dark and nearly grey."""
        if not self._night:
            return colour
        return Colour(22 + (colour.y - 16) * 2 // 5, 128 + (colour.u - 128) // 8, 128 + (colour.v - 128) // 8)

    def _box(self, canvas: Canvas, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        canvas.rectangle(left, top, right, bottom, self._tone(colour))

    def _house(self, left: float, top: float, right: float, bottom: float) -> None:
        base = self._base
        self._box(base, left, top, right, bottom, _WALL)
        self._box(base, left - 0.01, top - 0.05, right + 0.01, top, _ROOF)
        for column in range(3):
            x = left + (right - left) * (0.12 + 0.3 * column)
            self._box(base, x, top + 0.04, x + (right - left) * 0.17, top + 0.11, _WINDOW)

    def _still(self) -> None:
        base = self._base
        base.shade(0, 0.42, self._tone(_SKY_TOP), self._tone(_SKY_LOW))
        match self.look.scene:
            case SceneKind.ROAD:
                self._box(base, 0, 0.40, 1, 0.56, _FIELD)
                for x in (0.04, 0.13, 0.55, 0.66, 0.91):
                    self._box(base, x, 0.30, x + 0.05, 0.46, _TREE)
                self._house(0.22, 0.32, 0.38, 0.52)
                self._house(0.74, 0.34, 0.87, 0.52)
                self._box(base, 0, 0.52, 1, 0.58, _KERB)
                self._box(base, 0, 0.58, 1, 1, _ASPHALT)
                for x in range(10):
                    self._box(base, x / 10 + 0.01, 0.765, x / 10 + 0.06, 0.78, _LINE)
            case SceneKind.SQUARE:
                self._box(base, 0, 0.42, 1, 1, _CONCRETE)
                for row in range(8):
                    y = 0.45 + row * row * 0.0085
                    self._box(base, 0, y, 1, y + 0.004, _KERB)
                self._house(0.08, 0.22, 0.62, 0.44)
                for x in (0.70, 0.80, 0.90):
                    self._box(base, x, 0.26, x + 0.07, 0.42, _TREE)
                self._box(base, 0.699, 0.08, 0.706, 0.62, _WHITE)
                self._box(base, 0.30, 0.74, 0.56, 0.84, _WATER)
            case SceneKind.BRIDGE:
                base.polygon([(0, 0.42), (0.24, 0.2), (0.5, 0.42)], self._tone(_TREE))
                base.polygon([(0.4, 0.42), (0.74, 0.16), (1, 0.42)], self._tone(_GRASS))
                self._box(base, 0, 0.42, 1, 1, _WATER)
                self._box(base, 0, 0.52, 1, 0.66, _CONCRETE)
                self._box(base, 0, 0.54, 1, 0.60, _ASPHALT)
                for x in range(16):
                    self._box(base, x / 16, 0.45, x / 16 + 0.008, 0.54, _WHITE)
                self._box(base, 0, 0.45, 1, 0.458, _WHITE)
                for x in (0.12, 0.45, 0.78):
                    self._box(base, x, 0.66, x + 0.07, 1, _KERB)
            case SceneKind.GATE:
                self._box(base, 0, 0.42, 1, 1, _ASPHALT)
                self._gateway(base)
                self._box(base, 0.24, 0.08, 0.83, 0.15, _ROOF)
                self._house(0.04, 0.50, 0.20, 0.76)
                self._box(base, 0.42, 0.60, 0.44, 1, _LINE)
        if self._night:
            for x in (0.2, 0.5, 0.8):
                base.glow(x, 0.3, 0.16, 90)
        base.y[-4:], base.u[-2:], base.v[-2:] = 24, 128, 128

    def _car(self, canvas: Canvas, x: float, y: float, size: float, paint: Colour, *, rightwards: bool) -> None:
        """A car whose wheels are at y; x runs from -size to 1."""
        self._box(canvas, x, y - size * 0.42, x + size, y - size * 0.10, paint)
        self._box(canvas, x + size * 0.2, y - size * 0.72, x + size * 0.78, y - size * 0.40, _WINDOW)
        for wheel in (0.14, 0.68):
            self._box(canvas, x + size * wheel, y - size * 0.2, x + size * (wheel + 0.18), y, _TYRE)
        if self._night:
            lamp = x + size if rightwards else x - size * 0.06
            canvas.rectangle(lamp, y - size * 0.36, lamp + size * 0.06, y - size * 0.22, _WHITE)

    def _road_traffic(self, canvas: Canvas, turn: float) -> None:
        for number, (laps, offset) in enumerate(((2, 0.0), (1, 0.45), (2, 0.62))):
            x = (turn * laps + offset) % 1 * 1.4 - 0.2
            self._car(canvas, x, 0.74, 0.10 + 0.02 * number, _CARS[number], rightwards=True)
        for number, (laps, offset) in enumerate(((1, 0.2), (2, 0.75))):
            x = 1.2 - (turn * laps + offset) % 1 * 1.4
            self._car(canvas, x, 0.92, 0.15 + 0.03 * number, _CARS[3 + number], rightwards=False)

    def _square_life(self, canvas: Canvas, turn: float) -> None:
        for strip in range(12):
            lift = math.sin(2 * math.pi * (turn * 8 - strip / 9)) * 0.012
            x = 0.706 + strip * 0.010
            self._box(canvas, x, 0.09 + lift, x + 0.0105, 0.21 + lift, _RED)
        for jet in range(9):
            height = 0.10 + 0.05 * math.sin(2 * math.pi * (turn * 6 + jet / 4))
            x = 0.32 + jet * 0.027
            self._box(canvas, x, 0.76 - height, x + 0.008, 0.78, _WHITE)
        self._car(canvas, (turn + 0.3) % 1 * 1.4 - 0.2, 0.62, 0.09, _CARS[4], rightwards=True)

    def _river(self, canvas: Canvas, turn: float) -> None:
        for row in range(7):
            y = 0.70 + row * 0.042
            shift = (turn * (2 + row % 3) + row * 0.31) % 1
            for wave in range(4):
                x = (wave / 4 + shift) % 1
                self._box(canvas, x, y, x + 0.06 + 0.01 * row, y + 0.012, _WAVE)
        for number, offset in enumerate((0.1, 0.55)):
            x = (turn * (number + 1) + offset) % 1 * 1.3 - 0.15
            self._car(canvas, x, 0.60, 0.09, _CARS[number + 1], rightwards=True)

    def _gateway(self, canvas: Canvas) -> None:
        self._box(canvas, 0, 0.22, 0.26, 0.50, _BRICK)
        self._box(canvas, 0.80, 0.22, 1, 0.58, _BRICK)
        self._box(canvas, 0.24, 0.12, 0.30, 0.62, _CONCRETE)
        self._box(canvas, 0.77, 0.12, 0.83, 0.62, _CONCRETE)

    def _barrier(self, canvas: Canvas, turn: float) -> None:
        for offset in (0.0, 0.2, 0.4, 0.6, 0.8):  # the street behind is never empty: a gate must not look frozen
            x = (turn * 2 + offset) % 1 * 1.2 - 0.1
            self._car(canvas, x, 0.47, 0.07, _CARS[round(offset * 5)], rightwards=True)
        self._gateway(canvas)
        opening = min(1.0, max(0.0, 1.6 * math.sin(2 * math.pi * turn)))
        way = min(1.0, max(0.0, (turn - 0.08) / 0.34))
        if 0 < way < 1:
            self._car(canvas, 0.46, 0.50 + way * 0.5, 0.10 + way * 0.14, _CARS[1], rightwards=True)
        angle = opening * 1.3
        for piece in range(14):
            reach = piece * 0.034
            x, y = 0.31 + reach * math.cos(angle), 0.60 - reach * math.sin(angle) * 1.3
            self._box(canvas, x, y, x + 0.036, y + 0.022, _RED if piece % 2 else _WHITE)
