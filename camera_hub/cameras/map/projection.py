"""Degrees of WGS-84 ↔ metres on a plane that touches the ellipsoid at one point. Pure.

Equirectangular, with the ellipsoid's radii of curvature at the point: within 10 km of it lengths are right to 0.1 % up
to a latitude of 35°, to 0.2 % up to 54°. So each place is measured around its own centre.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

from camera_hub.cameras.ledger.coordinates import Position

_A = 6378137.0
_E2 = 6.69437999014e-3


class Metres(NamedTuple):
    """A point on a plane: metres along its two axes."""

    x: float
    y: float


class LocalPlane:
    """The plane around `origin`. Its axes point east and north, turned clockwise by `turned` degrees."""

    def __init__(self, origin: tuple[float, float], turned: float = 0.0) -> None:
        self.turned = turned
        self._longitude, self._latitude = origin
        angle = math.radians(self._latitude)
        root = math.sqrt(1 - _E2 * math.sin(angle) ** 2)
        self._east = math.radians(1) * _A / root * math.cos(angle)
        self._north = math.radians(1) * _A * (1 - _E2) / root**3
        self._sin, self._cos = math.sin(math.radians(turned)), math.cos(math.radians(turned))

    def to_metres(self, point: tuple[float, float]) -> Metres:
        """The point on the plane."""
        east, north = (point[0] - self._longitude) * self._east, (point[1] - self._latitude) * self._north
        return Metres(east * self._cos - north * self._sin, east * self._sin + north * self._cos)

    def to_degrees(self, x: float, y: float) -> Position:
        """The point of WGS-84, rounded to 7 decimals (1 cm)."""
        east, north = x * self._cos + y * self._sin, y * self._cos - x * self._sin
        return Position(
            round(self._longitude + east / self._east, 7),
            round(self._latitude + north / self._north, 7),
        )


def middle(points: Iterable[tuple[float, float]]) -> Position:
    """The middle of the box around the points (at least one)."""
    known = list(points)
    longitudes, latitudes = [one[0] for one in known], [one[1] for one in known]
    return Position((min(longitudes) + max(longitudes)) / 2, (min(latitudes) + max(latitudes)) / 2)


def distance_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Metres between two points that are at most some hundred kilometres apart."""
    x, y = LocalPlane(middle([one, other])).to_metres(one)
    return 2 * math.hypot(x, y)
