"""Geometry of key places and outlines, judged: points, lines, areas in degrees of WGS-84. Pure."""

import itertools
import math
from collections.abc import Sequence
from typing import Literal

from camera_hub.cameras.ledger.coordinates import LATITUDES, LONGITUDES, Position
from camera_hub.cameras.map.projection import LocalPlane, Metres, distance_m, middle
from camera_hub.errors import HubError, Kind, Reason

PlaceKind = Literal["point", "line", "area"]

MAX_VERTICES = 300
MAX_LINE_M = 50_000.0
MAX_SIDE_M = 30_000.0
"""Of the box around an area: several townships."""
_SAME_M = 0.1
_LEAST_AREA_M2 = 1.0


def checked_shape(kind: PlaceKind, points: Sequence[tuple[float, float]]) -> list[Position]:
    """The geometry as it is stored: without points that follow themselves, an area without its last point where that
    is the first one. Raises HubError(INVALID, MAP_GEOMETRY) with its why: "points", "range", "too_many", "size",
    "crossing", "flat".
    """
    if len(points) > MAX_VERTICES:
        raise geometry_error("too_many", f"it has {len(points)} points; draw it with {MAX_VERTICES} at most")
    clean: list[Position] = []
    for longitude, latitude in points:
        require_degrees(longitude, latitude)
        point = Position(round(longitude, 7), round(latitude, 7))
        if not clean or distance_m(clean[-1], point) >= _SAME_M:
            clean.append(point)
    if kind == "area" and len(clean) > 1 and distance_m(clean[0], clean[-1]) < _SAME_M:
        clean.pop()
    _count(kind, len(clean))
    plane = LocalPlane(middle(clean))
    flat = [plane.to_metres(one) for one in clean]
    if kind == "line" and length_m(flat) > MAX_LINE_M:
        raise geometry_error("size", f"it is longer than {MAX_LINE_M / 1000:g} km; draw it in pieces")
    if kind == "area":
        _area(flat)
    return clean


def require_degrees(longitude: float, latitude: float) -> None:
    """Raise HubError(INVALID, MAP_GEOMETRY) where a point is none, or cannot be in China."""
    if not (math.isfinite(longitude) and math.isfinite(latitude)):
        raise geometry_error("range", "a coordinate is not a number")
    if LONGITUDES[0] <= longitude <= LONGITUDES[1] and LATITUDES[0] <= latitude <= LATITUDES[1]:
        return
    if LONGITUDES[0] <= latitude <= LONGITUDES[1] and LATITUDES[0] <= longitude <= LATITUDES[1]:
        raise geometry_error("swapped", "longitude and latitude are swapped; the longitude comes first")
    raise geometry_error("range", "a point lies outside China; check its coordinates")


def length_m(line: Sequence[Metres]) -> float:
    """Metres along a line."""
    return sum(math.dist(one, other) for one, other in itertools.pairwise(line))


def area_m2(area: Sequence[Metres]) -> float:
    """Square metres within a simple polygon."""
    return abs(sum(a.x * b.y - b.x * a.y for a, b in zip(area, [*area[1:], area[0]], strict=True))) / 2


def geometry_error(why: str, sentence: str) -> HubError:
    """The one error of geometry."""
    return HubError(Kind.INVALID, sentence, reason=Reason.MAP_GEOMETRY, why=why)


def _count(kind: PlaceKind, count: int) -> None:
    if kind == "point" and count != 1:
        raise geometry_error("points", "a point has exactly one position")
    if kind == "line" and count < 2:
        raise geometry_error("points", "a line needs at least two points that are apart")
    if kind == "area" and count < 3:
        raise geometry_error("points", "an area needs at least three points that are apart")


def _area(area: Sequence[Metres]) -> None:
    width, height = (max(one[axis] for one in area) - min(one[axis] for one in area) for axis in (0, 1))
    if max(width, height) > MAX_SIDE_M:
        raise geometry_error("size", f"it is wider than {MAX_SIDE_M / 1000:g} km; draw it in pieces")
    if crosses_itself(area):
        raise geometry_error("crossing", "its outline crosses itself; draw it again without crossing")
    if area_m2(area) < _LEAST_AREA_M2:
        raise geometry_error("flat", "it has no area; draw it as a line")


def crosses_itself(area: Sequence[Metres]) -> bool:
    """Whether two sides of the polygon meet elsewhere than at the corner that they share."""
    count = len(area)
    sides = [(area[number], area[(number + 1) % count]) for number in range(count)]
    order = sorted(range(count), key=lambda number: min(sides[number][0].x, sides[number][1].x))
    for place, number in enumerate(order):
        reaches = max(sides[number][0].x, sides[number][1].x)
        for other in order[place + 1 :]:
            if min(sides[other][0].x, sides[other][1].x) > reaches:
                break
            if (other - number) % count in (1, count - 1):
                if _folded_back(sides[number], sides[other]):
                    return True
            elif _meet(*sides[number], *sides[other]):
                return True
    return False


def _folded_back(one: tuple[Metres, Metres], other: tuple[Metres, Metres]) -> bool:
    """Whether a side runs back over its neighbour."""
    if one[1] != other[0]:
        one, other = other, one
    (a, b), (_, c) = one, other
    along = (a.x - b.x) * (c.x - b.x) + (a.y - b.y) * (c.y - b.y)
    return along > 0 and abs(_turn(a, b, c)) < 1e-9 * along


def _turn(a: Metres, b: Metres, c: Metres) -> float:
    return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)


def _meet(a: Metres, b: Metres, c: Metres, d: Metres) -> bool:
    """Whether the segments a–b and c–d have a point in common."""
    first, second, third, fourth = _turn(c, d, a), _turn(c, d, b), _turn(a, b, c), _turn(a, b, d)
    if first * second < 0 and third * fourth < 0:
        return True
    return (
        (first == 0 and _between(c, d, a))
        or (second == 0 and _between(c, d, b))
        or (third == 0 and _between(a, b, c))
        or (fourth == 0 and _between(a, b, d))
    )


def _between(a: Metres, b: Metres, point: Metres) -> bool:
    return min(a.x, b.x) <= point.x <= max(a.x, b.x) and min(a.y, b.y) <= point.y <= max(a.y, b.y)
