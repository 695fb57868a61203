"""Where the demo's made-up township lies: villages, cameras and key places, the same for the same numbers. Pure.

It lies in the sea, so that no real place is meant.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

HOME = (121.9, 33.6)
_APART = 1600.0
"""Metres between villages."""
_NORTH = 110_920.0
_EAST = 92_800.0
"""Metres in a degree at HOME."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class DrawnCamera:
    """A camera to be put on the map."""

    id: int
    village_id: int
    place_class: str


@dataclass(frozen=True, slots=True)
class Geography:
    """Bodies for PATCH /api/villages/{id}, PUT /api/map/cameras/{id} and POST /api/map/places."""

    villages: dict[int, dict[str, Any]]
    cameras: dict[int, dict[str, Any]]
    places: tuple[dict[str, Any], ...]


def drawn(villages: Sequence[tuple[int, str]], cameras: Sequence[DrawnCamera], seed: int = 1) -> Geography:
    """The township with these villages (id, name) and cameras; every ninth camera has no direction yet."""
    rng = random.Random(seed)
    columns = max(1, math.ceil(math.sqrt(len(villages))))
    centres: dict[int, Point] = {}
    for number, (village_id, _) in enumerate(villages):
        east, north = number % columns * _APART, number // columns * _APART
        centres[village_id] = (east + rng.uniform(-250, 250), north + rng.uniform(-250, 250))
    places = [place for village in villages for place in _places(village, centres[village[0]], rng)]
    places += _roads([centres[village_id] for village_id, _ in villages], columns)
    return Geography(
        {village_id: _village(centre, rng) for village_id, centre in centres.items()},
        {one.id: _camera(one, centres[one.village_id], rng) for one in cameras},
        tuple(places),
    )


def _degrees(east: float, north: float) -> Point:
    return round(HOME[0] + east / _EAST, 6), round(HOME[1] + north / _NORTH, 6)


def _ring(centre: Point, corners: int, near: float, far: float, rng: random.Random) -> list[Point]:
    ring = []
    for number in range(corners):
        angle, radius = 2 * math.pi * number / corners, rng.uniform(near, far)
        ring.append(_degrees(centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle)))
    return ring


def _village(centre: Point, rng: random.Random) -> dict[str, Any]:
    longitude, latitude = _degrees(*centre)
    return {"longitude": longitude, "latitude": latitude, "outline": _ring(centre, 9, 480, 650, rng)}


def _camera(one: DrawnCamera, centre: Point, rng: random.Random) -> dict[str, Any]:
    angle, radius = rng.uniform(0, 2 * math.pi), 400 * math.sqrt(rng.random())
    east, north = centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle)
    if one.place_class in ("key_road", "entrance"):  # along the village's main road, which runs from west to east
        east, north = centre[0] + rng.uniform(-450, 450), centre[1] + rng.choice((-6.0, 6.0))
    elif one.place_class == "school":
        east, north = centre[0] + 150 + rng.uniform(-50, 50), centre[1] + 160
    elif one.place_class == "water":
        east, north = centre[0] - 220 + rng.uniform(-60, 60), centre[1] - 190
    longitude, latitude = _degrees(east, north)
    body: dict[str, Any] = {"longitude": longitude, "latitude": latitude}
    if one.id % 9:
        along = one.place_class in ("key_road", "entrance")
        body["direction_deg"] = rng.choice((90.0, 270.0)) if along else float(round(rng.uniform(0, 359)))
        body["angle_deg"], body["reach_m"] = rng.choice((60.0, 80.0, 105.0)), rng.choice((40.0, 60.0, 100.0))
    return body


def _places(village: tuple[int, str], centre: Point, rng: random.Random) -> list[dict[str, Any]]:
    village_id, name = village
    east, north = centre
    road = [(east - 450, north), (east - 120, north), (east + 160, north), (east + 450, north)]
    found: list[dict[str, Any]] = [
        {
            "name": f"{name}主路",
            "place_class": "key_road",
            "kind": "line",
            "geometry": [_degrees(*one) for one in road],
        },
        {"name": f"{name}村口", "place_class": "entrance", "kind": "point", "geometry": [_degrees(east + 440, north)]},
    ]
    if rng.random() < 0.6:
        corners = [(110, 130), (200, 130), (200, 200), (110, 200)]
        shape = [_degrees(east + x, north + y) for x, y in corners]
        found.append({"name": f"{name}小学", "place_class": "school", "kind": "area", "geometry": shape})
    if rng.random() < 0.6:
        shape = _ring((east - 220, north - 240), 8, 45, 75, rng)
        found.append({"name": f"{name}水塘", "place_class": "water", "kind": "area", "geometry": shape})
    return [{"village_id": village_id, **one} for one in found]


def _roads(centres: Sequence[Point], columns: int) -> list[dict[str, Any]]:
    """The township's own road through each row of villages."""
    rows = [centres[first : first + columns] for first in range(0, len(centres), columns)]
    return [
        {
            "name": f"镇区{number}号路",
            "place_class": "key_road",
            "kind": "line",
            "geometry": [_degrees(*one) for one in row],
        }
        for number, row in enumerate(rows, 1)
        if len(row) > 1
    ]
