"""How much of a key place cameras cover. Pure.

A camera covers its sector. A point is covered, or it is not. A line is intersected with each sector exactly; its share
is the covered length ÷ its length. An area is cut by parallel lines, some 250 of them, closer where it is wide; each is
intersected exactly, with the outline and with the sectors, and stands for the strip around it. What two cameras cover
counts once. The share of an area is right to 1 % of the area (a test compares it with a count of random points).

The lines run askew to north, since roads, fields and the eight directions do not: a sector's edge along a line would
count by a whole strip too much or too little.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from camera_hub.cameras.ledger.coordinates import Position
from camera_hub.cameras.map.gaps import GapCells
from camera_hub.cameras.map.projection import LocalPlane, Metres, middle
from camera_hub.cameras.map.sectors import Interval, Sector, length, rest_of, union
from camera_hub.cameras.map.shapes import PlaceKind, length_m

AREA_LINES = 256
_TURNED = 27.3
_MAX_GAPS = 100
_MIN_GAP_M = 0.5


@dataclass(frozen=True, slots=True)
class CoveringCamera:
    """A camera that counts, with what it sees: its own or the settings' values. `works`: its health is good now."""

    id: int
    longitude: float
    latitude: float
    direction_deg: float | None
    angle_deg: float
    reach_m: float
    works: bool


@dataclass(frozen=True, slots=True)
class MeasuredPlace:
    """A place to be measured; see KeyPlaceView."""

    id: int
    place_class: str
    kind: PlaceKind
    geometry: tuple[Position, ...]
    reach_m: float | None


Gap = tuple[Position, ...]
"""A point, a line, or the corners of an area that no camera covers."""


@dataclass(frozen=True, slots=True)
class PlaceCoverage:
    """How much of a place is covered: by all cameras that count, and by those that work now (`working_…`).

    `total`, `covered`: metres of a line, square metres of an area, 1 or 0 of a point. `camera_ids`: who covers any of
    it.
    """

    id: int
    total: float
    covered: float
    working: float
    camera_ids: tuple[int, ...]
    gaps: tuple[Gap, ...]

    @property
    def share(self) -> float:
        """0 … 1."""
        return self.covered / self.total

    @property
    def working_share(self) -> float:
        """0 … 1."""
        return self.working / self.total


def place_coverage(place: MeasuredPlace, cameras: Iterable[CoveringCamera]) -> PlaceCoverage:
    """Measure one place. Work: for an area at most some 850 lines times the cameras that each meets."""
    plane = LocalPlane(middle(place.geometry), _TURNED)
    shape = [plane.to_metres(one) for one in place.geometry]
    near = _near(place, plane, shape, cameras)
    if place.kind == "point":
        return _point(place, shape[0], near)
    if place.kind == "line":
        return _line(place, plane, shape, near)
    return _area(place, plane, shape, near)


@dataclass(frozen=True, slots=True)
class _Near:
    id: int
    sector: Sector
    works: bool


def _near(
    place: MeasuredPlace, plane: LocalPlane, shape: Sequence[Metres], cameras: Iterable[CoveringCamera]
) -> list[_Near]:
    """The cameras whose circle touches the box around the place, on its plane."""
    west, east = min(one.x for one in shape), max(one.x for one in shape)
    south, north = min(one.y for one in shape), max(one.y for one in shape)
    found = []
    for camera in cameras:
        reach = camera.reach_m if place.reach_m is None else min(camera.reach_m, place.reach_m)
        x, y = plane.to_metres((camera.longitude, camera.latitude))
        if west - reach <= x <= east + reach and south - reach <= y <= north + reach:
            direction = None if camera.direction_deg is None else camera.direction_deg - plane.turned
            found.append(_Near(camera.id, Sector(x, y, reach, direction, camera.angle_deg), camera.works))
    return found


def _point(place: MeasuredPlace, point: Metres, near: Sequence[_Near]) -> PlaceCoverage:
    covering = [one for one in near if one.sector.has(*point)]
    return PlaceCoverage(
        place.id,
        1.0,
        float(bool(covering)),
        float(any(one.works for one in covering)),
        tuple(one.id for one in covering),
        () if covering else (place.geometry,),
    )


def _line(place: MeasuredPlace, plane: LocalPlane, line: Sequence[Metres], near: Sequence[_Near]) -> PlaceCoverage:
    covered = working = 0.0
    who: dict[int, None] = {}
    gaps: list[list[Metres]] = []
    for a, b in itertools.pairwise(line):
        metres = math.dist(a, b)
        parts: list[Interval] = []
        working_parts: list[Interval] = []
        for one in near:
            if found := one.sector.along(a.x, a.y, b.x, b.y):
                who[one.id] = None
                parts += found
                working_parts += found if one.works else ()
        taken = union(parts)
        covered += length(taken) * metres
        working += length(union(working_parts)) * metres
        for first, last in rest_of((0.0, 1.0), taken):
            start, end = (Metres(a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t) for t in (first, last))
            if gaps and first == 0 and gaps[-1][-1] == a:
                gaps[-1].append(b if last == 1 else end)
            else:
                gaps.append([a if first == 0 else start, b if last == 1 else end])
    total = length_m(line)
    gaps = [one for one in gaps if length_m(one) >= _MIN_GAP_M]
    gaps = sorted(gaps, key=length_m, reverse=True)[:_MAX_GAPS]
    return PlaceCoverage(
        place.id,
        total,
        min(covered, total),
        min(working, total),
        tuple(who),
        tuple(tuple(plane.to_degrees(*point) for point in gap) for gap in gaps),
    )


def _area(place: MeasuredPlace, plane: LocalPlane, area: Sequence[Metres], near: Sequence[_Near]) -> PlaceCoverage:
    total = covered = working = 0.0
    who: dict[int, None] = {}
    cells = GapCells()
    for y, height in _cuts(area):
        met = [one for one in near if abs(one.sector.y - y) < one.sector.reach]
        open_parts: list[Interval] = []
        for left, right in _inside(area, y):
            width = right - left
            parts: list[Interval] = []
            working_parts: list[Interval] = []
            for one in met:
                if found := one.sector.along(left, y, right, y):
                    who[one.id] = None
                    parts += found
                    working_parts += found if one.works else ()
            taken = union(parts)
            total += width * height
            covered += length(taken) * width * height
            working += length(union(working_parts)) * width * height
            open_parts += [(left + first * width, left + last * width) for first, last in rest_of((0.0, 1.0), taken)]
        cells.add(y, height, open_parts)
    gaps = cells.largest(_MAX_GAPS, least=max(1.0, total / 5000))
    return PlaceCoverage(
        place.id,
        total,
        min(covered, total),
        min(working, total),
        tuple(who),
        tuple(tuple(plane.to_degrees(*point) for point in gap) for gap in gaps),
    )


def _inside(area: Sequence[Metres], y: float) -> list[Interval]:
    """Where the line at height y runs inside the polygon: from x, until x. No corner lies on it."""
    crossings = sorted(
        a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x)
        for a, b in zip(area, [*area[1:], area[0]], strict=True)
        if (a.y > y) != (b.y > y)
    )
    return list(zip(crossings[::2], crossings[1::2], strict=True))


def _cuts(area: Sequence[Metres]) -> list[tuple[float, float]]:
    """The lines that cut the polygon, upwards: at which y, and the height of the strip that each stands for.

    Between two corners the width changes evenly, so strips never reach over one: none is counted wrongly.
    """
    levels = sorted({one.y for one in area})
    slabs = []
    for low, high in itertools.pairwise(levels):
        if high - low > 1e-6:
            slabs.append((low, high, length(_inside(area, (low + high) / 2)) * (high - low)))
    whole = sum(one[2] for one in slabs)
    cuts = []
    for low, high, size in slabs:
        count = max(2, round(AREA_LINES * size / whole))
        step = (high - low) / count
        cuts += [(low + (number + 0.5) * step, step) for number in range(count)]
    return cuts
