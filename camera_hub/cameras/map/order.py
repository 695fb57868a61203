"""The order in which places are visited: always the nearest one next. Pure."""

import math
import re
from collections.abc import Iterable
from typing import Protocol, TypeVar


class Located(Protocol):
    """What is asked of a place to put it into an order; coordinates in degrees, None: it is on no map."""

    @property
    def name(self) -> str: ...

    @property
    def longitude(self) -> float | None: ...

    @property
    def latitude(self) -> float | None: ...


Spot = TypeVar("Spot", bound=Located)

_DIGITS = re.compile(r"([0-9]+)")


def natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts 2 before 10."""
    return [(int(part[:18]), "") if part.isdigit() else (0, part) for part in _DIGITS.split(name)]


def in_order(places: Iterable[Spot]) -> list[Spot]:
    """From the westernmost place always to the nearest one left; places on no map follow, by name.

    Takes time by the square of their number: thousands of places belong into a thread.
    """
    spots, unplaced = [], []
    for one in places:
        if one.longitude is None or one.latitude is None:
            unplaced.append(one)
        else:
            spots.append((one.longitude, one.latitude, one))
    if not spots:
        return sorted(unplaced, key=lambda one: natural(one.name))
    at = min(spots, key=lambda spot: (spot[0], -spot[1], spot[2].name))
    spots.remove(at)
    ordered = [at[2]]
    while spots:
        at = min(spots, key=lambda spot: (_distance(at, spot), spot[2].name))
        spots.remove(at)
        ordered.append(at[2])
    return [*ordered, *sorted(unplaced, key=lambda one: natural(one.name))]


def _distance(one: tuple[float, float, object], other: tuple[float, float, object]) -> float:
    """In degrees of latitude, good enough within a township."""
    return math.hypot((one[0] - other[0]) * math.cos(math.radians(one[1])), one[1] - other[1])
