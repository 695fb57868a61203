"""A place as its camera shows it: the weather, what is wrong with the optics, the sensor, what is wrong behind it.

The order is that of light in a camera: rain falls before a blurred lens, and a picture that is overexposed is
overexposed with its noise. `takes.py` adds the sensor's noise between the two halves.
"""

import numpy as np
from numpy.typing import NDArray

from camera_hub.simulator.picture import slate
from camera_hub.simulator.picture.canvas import Canvas, Colour, Plane, rgb
from camera_hub.simulator.picture.panorama import Panorama
from camera_hub.simulator.picture.scenes import NOISE_TILES, Look, Mood, Scene
from camera_hub.simulator.picture.weather import Conditions

_EDGE = 4
"""Lines at the lower edge that are the dark edge of the caption bar."""
_EDGE_COLOUR = Colour(24, 128, 128)
_BLACK = rgb(0, 0, 0)
_STANDS = (0.1, 0)
"""Turn and number of the picture at which a frozen one stands."""
_GAMMA = 2.2
_NIGHT_STOPS = 3.0
"""By so many stops a night scene is darker than one by day, before anything is wrong."""
_CLOTH, _CLOTH_NIGHT = Colour(58, 124, 132), Colour(26, 128, 128)
_FOLDS, _WEAVE = 7.0, 2.0
"""Luma levels."""
_VEIL, _VEIL_NIGHT = 150, 70
_TILT = 0.12
"""A camera that was turned hangs down, by this share of the turn."""
_BANDS, _ROLL = 11, 0.13
"""Bands of interference in the height, and by how much of a band they roll from frame to frame."""


class Pictures:
    """A look at one size. Frames are (height, width) 4:2:0; the last lines are the dark edge of the caption bar."""

    def __init__(self, look: Look, width: int, height: int) -> None:
        self._look = look
        self._size = (width, height)
        self._blank = self._without_input()
        self._scene = Scene(look, width, height)
        self._panorama = Panorama(look, width, height, marked=False) if look.mood is Mood.MOVED else None
        self._cloth = self._woven() if look.mood is Mood.COVERED else None
        self._conditions = Conditions(look, width, height)
        self._snow: list[Canvas] = []

    def frame(self, turn: float, number: int) -> Canvas:
        """The picture at `turn` (0 … 1) of the loop; `number` chooses the noise."""
        return self.processed(self.light(turn, number), number)

    def light(self, turn: float, number: int) -> Canvas:
        """What falls on the sensor."""
        if self._blank is not None:
            return self._blank.copy()
        look = self._look
        if look.mood in (Mood.FROZEN, Mood.FROZEN_WITH_CLOCK):
            turn, number = _STANDS
        if self._panorama is not None:
            place = self._panorama.view((look.strength / 2, -look.strength * _TILT, 0.0), turn)
        else:
            place = self._scene.frame(turn, number)
        canvas = place.copy()
        self._conditions.draw(canvas, turn, number)
        match look.mood:
            case Mood.BLURRED:
                canvas = _blurred(canvas, look.strength / 1000 * self._size[0])
            case Mood.COVERED:
                self._hang(canvas, turn)
            case Mood.LOW_CONTRAST:
                _veil(canvas, look.strength, _VEIL_NIGHT if look.night else _VEIL)
        return _edged(canvas)

    def processed(self, canvas: Canvas, number: int) -> Canvas:
        """What the camera makes of it."""
        look = self._look
        match look.mood:
            case Mood.OVEREXPOSED:
                canvas = _exposed(canvas, look.strength + (_NIGHT_STOPS if look.night else 0.0))
            case Mood.UNDEREXPOSED:
                canvas = _exposed(canvas, -look.strength)
            case Mood.COLOUR_CAST:
                canvas = _tinted(canvas, look.strength)
            case Mood.NOISY:
                canvas = _sum(canvas, self._noise(number))
            case Mood.STRIPED:
                canvas = self._striped(canvas, number)
            case _:
                return canvas
        return _edged(canvas)

    def _without_input(self) -> Canvas | None:
        match self._look.mood:
            case Mood.BLACK:
                return _edged(Canvas.blank(*self._size, _BLACK))
            case Mood.BLUE_SCREEN:
                return _edged(slate.blue_screen(*self._size))
            case Mood.NO_SIGNAL:
                return _edged(slate.slate(*self._size))
            case Mood.COLOUR_BARS:
                return _edged(slate.colour_bars(*self._size))
        return None

    def _woven(self) -> Canvas:
        """A cloth over the lens: next to no light, soft folds, a little weave."""
        width, height = self._size
        cloth = Canvas.blank(width, height, _CLOTH_NIGHT if self._look.night else _CLOTH)
        rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
        columns = np.linspace(0, 1, width, dtype=np.float32)[None]
        folds = np.sin(2 * np.pi * (2.6 * columns + 0.5 * rows)) + 0.5 * np.sin(2 * np.pi * (5.3 * columns - rows))
        weave = np.random.default_rng(17).normal(0, _WEAVE, (height, width))
        dim = 0.4 if self._look.night else 1.0
        cloth.y[:] = np.clip(cloth.y + (folds * _FOLDS + weave) * dim, 16, 235).astype(np.uint8)
        return cloth

    def _hang(self, canvas: Canvas, turn: float) -> None:
        """Hang the cloth over its share of the picture; the wind moves it a little."""
        assert self._cloth is not None
        width = self._size[0]
        edge = min(width, round(self._look.strength * width)) & ~1
        sway = round(np.sin(2 * np.pi * turn) * 0.01 * width) & ~1
        for plane, cloth, part in (
            (canvas.y, self._cloth.y, 1),
            (canvas.u, self._cloth.u, 2),
            (canvas.v, self._cloth.v, 2),
        ):
            # Not rolled around: its two borders do not fit, and a seam would be a sharp edge on a blind picture.
            places = np.clip(np.arange(edge // part) - sway // part, 0, cloth.shape[1] - 1)
            plane[:, : edge // part] = cloth[:, places]

    def _noise(self, number: int) -> Canvas:
        """Snow of one frame, as differences (int8 in the planes' bytes)."""
        if not self._snow:
            random = np.random.default_rng(23)
            width, height = self._size
            sigma = self._look.strength

            def plane(rows: int, columns: int, of: float) -> Plane:
                values = np.clip(np.rint(random.normal(0, of, (rows, columns))), -127, 127)
                return values.astype(np.int8).view(np.uint8)

            half = (height // 2, width // 2, 0.0 if self._look.infrared else sigma / 3)
            self._snow = [Canvas(plane(height, width, sigma), plane(*half), plane(*half)) for _ in range(NOISE_TILES)]
        return self._snow[number % NOISE_TILES]

    def _striped(self, canvas: Canvas, number: int) -> Canvas:
        """Bands that roll through the picture, as hum on an analogue line or a bad power supply makes them."""
        height, width = canvas.y.shape
        phase = np.arange(height, dtype=np.float32)[:, None] / height * _BANDS + number * _ROLL
        slant = np.arange(width, dtype=np.float32)[None] / width * 0.6
        wave = np.tanh(3 * np.sin(2 * np.pi * (phase + slant))) * self._look.strength
        return Canvas(np.clip(canvas.y + wave, 16, 235).astype(np.uint8), canvas.u.copy(), canvas.v.copy())


def _edged(canvas: Canvas) -> Canvas:
    """The picture with the dark edge of the caption bar, drawn in place."""
    canvas.y[-_EDGE:], canvas.u[-_EDGE // 2 :], canvas.v[-_EDGE // 2 :] = (
        _EDGE_COLOUR.y,
        _EDGE_COLOUR.u,
        _EDGE_COLOUR.v,
    )
    return canvas


def _exposed(canvas: Canvas, stops: float) -> Canvas:
    """The picture with more (or less) light by so many stops, as samples with a gamma of 2.2 show it."""
    gain = 2.0 ** (stops / _GAMMA)
    luma = 16 + (canvas.y - 16.0) * gain
    # What is blown out has no colour either.
    colour = np.where(luma[::2, ::2] >= 235, 0.0, min(gain, 1.5))
    return Canvas(
        np.clip(luma, 16, 235).astype(np.uint8),
        *(np.clip(128 + (plane - 128.0) * colour, 16, 240).astype(np.uint8) for plane in (canvas.u, canvas.v)),
    )


def _tinted(canvas: Canvas, levels: float) -> Canvas:
    """Pink, as with an infrared filter that is stuck open by day."""
    u, v = (
        np.clip(plane + shift, 16, 240).astype(np.uint8)
        for plane, shift in ((canvas.u, levels * 0.3), (canvas.v, levels))
    )
    return Canvas(canvas.y.copy(), u, v)


def _sum(canvas: Canvas, noise: Canvas) -> Canvas:
    pairs = ((canvas.y, noise.y, 235), (canvas.u, noise.u, 240), (canvas.v, noise.v, 240))
    return Canvas(
        *(np.clip(plane.astype(np.int16) + by.view(np.int8), 16, top).astype(np.uint8) for plane, by, top in pairs)
    )


def _veil(canvas: Canvas, left: float, veil: int) -> None:
    """A fogged or dirty dome: what is left of the contrast, and of colour somewhat more."""
    canvas.y[:] = (veil + (canvas.y - float(veil)) * left).astype(np.uint8)
    for plane in (canvas.u, canvas.v):
        plane[:] = np.rint(128 + (plane - 128.0) * min(1.0, 1.5 * left)).astype(np.uint8)


def _blurred(canvas: Canvas, sigma: float) -> Canvas:
    """Out of focus by that standard deviation in luma pixels. The edge of the caption bar does not bleed into it."""
    return Canvas(
        _smooth(canvas.y, sigma, _EDGE),
        _smooth(canvas.u, sigma / 2, _EDGE // 2),
        _smooth(canvas.v, sigma / 2, _EDGE // 2),
    )


def _smooth(plane: Plane, sigma: float, edge: int) -> Plane:
    """Three box filters each way, which come close to a Gaussian."""
    radius = round(((4 * sigma**2 + 1) ** 0.5 - 1) / 2)
    if radius < 1:
        return plane.copy()
    found = plane[:-edge].astype(np.float32)
    for axis in (0, 1):
        for _ in range(3):
            found = _box(found, radius, axis)
    return np.vstack([np.rint(found).astype(np.uint8), plane[-edge:]])


def _box(plane: NDArray[np.float32], radius: int, axis: int) -> NDArray[np.float32]:
    before = [(0, 0), (0, 0)]
    before[axis] = (radius + 1, radius)
    total = np.cumsum(np.pad(plane, before, mode="edge"), axis=axis, dtype=np.float64)
    size, wide = plane.shape[axis], 2 * radius + 1
    upper = total.take(range(wide, wide + size), axis=axis)
    lower = total.take(range(size), axis=axis)
    return ((upper - lower) / wide).astype(np.float32)
