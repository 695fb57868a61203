"""A picture in planar 4:2:0 and the shapes that scenes are made of. Coordinates are fractions of width and height."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Colour:
    """Limited-range luma and chroma, 16–235 and 16–240, so that no sample is ever 0."""

    y: int
    u: int
    v: int


def rgb(red: int, green: int, blue: int) -> Colour:
    """BT.601 colour from 8-bit RGB."""
    y = 16 + (65.738 * red + 129.057 * green + 25.064 * blue) / 256
    u = 128 + (-37.945 * red - 74.494 * green + 112.439 * blue) / 256
    v = 128 + (112.439 * red - 94.154 * green - 18.285 * blue) / 256
    return Colour(round(y), round(u), round(v))


@dataclass(frozen=True, slots=True)
class Canvas:
    """Luma (height, width), chroma half of it each way."""

    y: Plane
    u: Plane
    v: Plane

    @classmethod
    def blank(cls, width: int, height: int, colour: Colour) -> "Canvas":
        half = (height // 2, width // 2)
        return cls(
            np.full((height, width), colour.y, np.uint8),
            np.full(half, colour.u, np.uint8),
            np.full(half, colour.v, np.uint8),
        )

    def copy(self) -> "Canvas":
        return Canvas(self.y.copy(), self.u.copy(), self.v.copy())

    def mirrored(self) -> "Canvas":
        return Canvas(self.y[:, ::-1], self.u[:, ::-1], self.v[:, ::-1])

    def rectangle(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """Fill; what lies outside the picture is cut off. Edges fall on even pixels, as chroma demands."""
        height, width = self.u.shape
        x0, x1 = (min(max(round(edge * width), 0), width) for edge in (left, right))
        y0, y1 = (min(max(round(edge * height), 0), height) for edge in (top, bottom))
        self.y[2 * y0 : 2 * y1, 2 * x0 : 2 * x1] = colour.y
        self.u[y0:y1, x0:x1] = colour.u
        self.v[y0:y1, x0:x1] = colour.v

    def shade(self, top: float, bottom: float, above: Colour, below: Colour) -> None:
        """A vertical gradient over the whole width."""
        height = self.u.shape[0]
        y0, y1 = round(top * height), round(bottom * height)
        slope = np.linspace(0, 1, max(2 * (y1 - y0), 1))[:, None]
        self.y[2 * y0 : 2 * y1] = (above.y + (below.y - above.y) * slope).astype(np.uint8)
        self.u[y0:y1] = (above.u + (below.u - above.u) * slope[::2]).astype(np.uint8)
        self.v[y0:y1] = (above.v + (below.v - above.v) * slope[::2]).astype(np.uint8)

    def polygon(self, points: list[Point], colour: Colour) -> None:
        """Fill a convex polygon given clockwise (in picture coordinates, y down)."""
        height, width = self.u.shape
        rows, columns = np.mgrid[0 : 2 * height, 0 : 2 * width].astype(np.float32)
        inside = np.ones(self.y.shape, bool)
        for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
            ax, ay, bx, by = x0 * 2 * width, y0 * 2 * height, x1 * 2 * width, y1 * 2 * height
            inside &= (bx - ax) * (rows - ay) - (by - ay) * (columns - ax) >= 0
        self.y[inside] = colour.y
        self.u[inside[::2, ::2]] = colour.u
        self.v[inside[::2, ::2]] = colour.v

    def glow(self, x: float, y: float, radius: float, strength: int) -> None:
        """Lighten a round spot, as a lamp does by night. The radius is a fraction of the width."""
        height, width = self.y.shape
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        distance = np.hypot(columns - x * width, rows - y * height) / (radius * width)
        light = np.clip(1 - distance, 0, 1) ** 2 * strength
        self.y[:] = np.clip(self.y + light, 16, 228).astype(np.uint8)
