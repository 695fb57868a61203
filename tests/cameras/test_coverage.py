"""Coverage against independent counts: random points on a sphere, steps along lines, shapes whose answer is known."""

import itertools
import math
import random
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from camera_hub.cameras.ledger.coordinates import Position
from camera_hub.cameras.map.coverage import CoveringCamera, MeasuredPlace, PlaceCoverage, place_coverage
from camera_hub.cameras.map.projection import LocalPlane, Metres, distance_m
from camera_hub.cameras.map.sectors import Sector, rest_of, union
from camera_hub.cameras.map.shapes import PlaceKind, area_m2, checked_shape, crosses_itself
from camera_hub.cameras.map.table import coverage_rows

HOME = Position(117.28, 31.86)
PLANE = LocalPlane(HOME)
EARTH_M = 6_371_000.0


def at(east: float, north: float) -> Position:
    return PLANE.to_degrees(east, north)


def camera(
    number: int,
    east: float,
    north: float,
    direction: float | None = None,
    angle: float = 80,
    reach: float = 50,
    works: bool = True,
) -> CoveringCamera:
    where = at(east, north)
    return CoveringCamera(number, where.longitude, where.latitude, direction, angle, reach, works)


KINDS: list[PlaceKind] = ["point", "line", "area"]


def place(kind: PlaceKind, *points: tuple[float, float], reach: float | None = None, number: int = 1) -> MeasuredPlace:
    return MeasuredPlace(number, "water", kind, tuple(at(*one) for one in points), reach)


# Written anew, on a sphere, with nothing of the code under test.


def bearing_and_metres(one: Position, other: tuple[float, float]) -> tuple[float, float]:
    """From one point to another: great circle, degrees clockwise from north."""
    a, b, c, d = (math.radians(value) for value in (*one, *other))
    step = math.sin((d - b) / 2) ** 2 + math.cos(b) * math.cos(d) * math.sin((c - a) / 2) ** 2
    north = math.cos(b) * math.sin(d) - math.sin(b) * math.cos(d) * math.cos(c - a)
    turn = math.atan2(math.sin(c - a) * math.cos(d), north)
    return math.degrees(turn) % 360, 2 * EARTH_M * math.asin(math.sqrt(step))


def is_seen(point: tuple[float, float], cameras: Iterable[CoveringCamera], nearest: float | None) -> bool:
    for one in cameras:
        if abs(one.latitude - point[1]) > 0.004 or abs(one.longitude - point[0]) > 0.005:
            continue  # over 400 m, and none reaches farther than 300
        bearing, metres = bearing_and_metres(Position(one.longitude, one.latitude), point)
        if metres > min(one.reach_m, nearest or math.inf):
            continue
        if one.direction_deg is None:
            return True
        off = abs(bearing - one.direction_deg) % 360
        if min(off, 360 - off) <= one.angle_deg / 2:
            return True
    return False


def winding(point: tuple[float, float], polygon: Sequence[tuple[float, float]]) -> bool:
    """Whether the polygon runs around the point: the sum of the angles under which it sees the sides."""
    total = 0.0
    for a, b in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        first = math.atan2(a[1] - point[1], a[0] - point[0])
        turn = math.atan2(b[1] - point[1], b[0] - point[0]) - first
        total += (turn + math.pi) % (2 * math.pi) - math.pi
    return abs(total) > math.pi


def random_points_in(polygon: Sequence[Position], count: int, rng: random.Random) -> list[tuple[float, float]]:
    west, east = min(one[0] for one in polygon), max(one[0] for one in polygon)
    south, north = min(one[1] for one in polygon), max(one[1] for one in polygon)
    found: list[tuple[float, float]] = []
    while len(found) < count:
        point = rng.uniform(west, east), rng.uniform(south, north)
        if winding(point, polygon):
            found.append(point)
    return found


def counted_share(one: MeasuredPlace, cameras: Sequence[CoveringCamera], rng: random.Random, count: int) -> float:
    """The share of a place by counting points."""
    if one.kind == "point":
        return float(is_seen(one.geometry[0], cameras, one.reach_m))
    if one.kind == "area":
        points = random_points_in(one.geometry, count, rng)
    else:
        lengths = [bearing_and_metres(a, b)[1] for a, b in zip(one.geometry, one.geometry[1:], strict=False)]
        points = []
        for step in range(count):
            left = (step + 0.5) / count * sum(lengths)
            number = 0
            while left > lengths[number] and number < len(lengths) - 1:
                left -= lengths[number]
                number += 1
            a, b = one.geometry[number], one.geometry[number + 1]
            share = left / lengths[number]
            points.append((a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share))
    return sum(is_seen(point, cameras, one.reach_m) for point in points) / len(points)


def township(rng: random.Random, *, cameras: int, places: int) -> tuple[list[CoveringCamera], list[MeasuredPlace]]:
    """A made-up township of 3 km: cameras with and without a direction, of all angles; roads, ponds, gates."""
    size = 3000.0
    made = [
        camera(
            number,
            rng.uniform(0, size),
            rng.uniform(0, size),
            rng.choice([None, 0.0, 45.0, 90.0, rng.uniform(0, 360)]),
            rng.choice([30, 80, 90, 180, 200, 300, 360]),
            rng.choice([20, 50, 120, 250]),
            rng.random() < 0.8,
        )
        for number in range(cameras)
    ]
    found = []
    for number in range(places):
        kind: PlaceKind = rng.choice(KINDS)
        east, north, reach = rng.uniform(0, size), rng.uniform(0, size), rng.choice([None, None, 60.0])
        if kind == "point":
            points = [(east, north)]
        elif kind == "line":
            points = [(east, north)]
            for _ in range(rng.randint(1, 8)):
                points.append((points[-1][0] + rng.uniform(-300, 300), points[-1][1] + rng.uniform(-300, 300)))
        else:  # a star around a point, so that it does not cross itself
            angles = sorted(rng.uniform(0, 2 * math.pi) for _ in range(rng.randint(5, 24)))
            radii = [rng.uniform(30, 300) for _ in angles]
            around = zip(angles, radii, strict=True)
            points = [(east + radius * math.cos(angle), north + radius * math.sin(angle)) for angle, radius in around]
        found.append(place(kind, *points, reach=reach, number=number))
    return made, found


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_the_table_equals_an_independent_count(seed: int) -> None:
    rng = random.Random(seed)
    cameras, places = township(rng, cameras=120, places=30)
    measured = [place_coverage(one, cameras) for one in places]
    working = [one for one in cameras if one.works]
    count = 500
    for one, found in zip(places, measured, strict=True):
        for share, who in ((found.share, cameras), (found.working_share, working)):
            # Points fall by chance: five standard deviations, and what is promised.
            by_chance = 5 * math.sqrt(max(share * (1 - share), 1 / count) / count)
            chance = by_chance if one.kind == "area" else 20 / count
            assert abs(share - counted_share(one, who, rng, count)) <= chance + 0.01, (one, found)
        everyone = {one_camera.id for one_camera in cameras if found.share}
        assert set(found.camera_ids) <= everyone
        alone = {who.id for who in cameras if who.id in found.camera_ids and place_coverage(one, [who]).share == 0}
        assert alone == set(), "each camera that is named covers something"
    rows = coverage_rows({one.id: (one.place_class, one.kind) for one in places}, measured)
    for row in rows:
        group = [found for one, found in zip(places, measured, strict=True) if one.kind == row.kind]
        assert row.count == len(group) == row.installed.covered + row.installed.partly + row.installed.uncovered
        assert row.installed.share == pytest.approx(sum(one.covered for one in group) / sum(one.total for one in group))
        assert row.working.share <= row.installed.share
    assert sum(row.count for row in rows) == len(places)


@pytest.mark.parametrize(
    ("what", "cameras", "share"),
    [
        (place("point", (0, 0)), [], 0),
        (place("point", (0, 49.9)), [camera(1, 0, 0)], 1),
        (place("point", (0, 50.1)), [camera(1, 0, 0)], 0),
        (place("point", (0, 0)), [camera(1, 0, 0, 90)], 1),  # at the camera itself
        (place("point", (30, 0)), [camera(1, 0, 0, 90, 10)], 1),
        (place("point", (30, 0)), [camera(1, 0, 0, 270, 10)], 0),
        (place("point", (-1, 30)), [camera(1, 0, 0, 0.5, 10)], 1),  # over north
        (place("point", (30, 0)), [camera(1, 0, 0, 270, 340)], 0),  # in the blind piece behind
        (place("point", (30, 0), reach=20), [camera(1, 0, 0)], 0),
        (place("line", (-100, 0), (100, 0)), [camera(1, 0, 0)], 0.5),
        (place("line", (-100, 0), (100, 0)), [camera(1, 0, 0, 90, 80)], 0.25),
        (place("line", (-100, 0), (100, 0)), [camera(1, 0, 0, 90, 340)], 0.25),
        (place("line", (-100, 30), (100, 30)), [camera(1, 0, 0, 0, 90)], 0.3),
        (place("line", (-100, 30), (100, 30)), [camera(1, 0, 0, 180, 270)], 0.1),  # left and right of the blind piece
        (place("line", (-100, 0), (100, 0)), [camera(1, 0, 0), camera(2, 10, 0)], 0.55),  # counts once
        (place("line", (-100, 0), (0, 0), (0, 100)), [camera(1, 0, 0)], 0.5),
        (place("line", (0, 0), (100, 0), (0, 0)), [camera(1, 0, 0)], 0.5),  # there and back
        (place("area", (-50, -50), (50, -50), (50, 50), (-50, 50)), [camera(1, 0, 0)], math.pi / 4),
        (place("area", (-50, -50), (50, -50), (50, 50), (-50, 50)), [camera(1, 0, 0, 45, 90)], math.pi / 16),
        (place("area", (0, 0), (100, 0), (100, 100), (0, 100)), [camera(1, 50, 50, reach=200)], 1),
        (
            place("area", (0, 0), (100, 0), (100, 100), (0, 100)),
            [camera(1, 50, 50, 0, 180, 200)],
            0.5,
        ),
        (place("area", (0, 0), (1000, 0), (1000, 1), (0, 1)), [camera(1, 500, 0, reach=250)], 0.5),  # a thin strip
        # a needle of 5 km at a plate: half of the whole lies in a hundredth of its height
        (
            place("area", (0, 0), (500, 0), (500, 9), (1, 9), (1, 4509), (0, 4509)),
            [camera(1, 250, 5, reach=300)],
            0.5174,
        ),
    ],
)
def test_shapes_whose_share_is_known(what: MeasuredPlace, cameras: list[CoveringCamera], share: float) -> None:
    assert place_coverage(what, cameras).share == pytest.approx(share, abs=0.005)


def test_gaps_are_what_nobody_covers() -> None:
    road = place_coverage(place("line", (-100, 0), (0, 0), (100, 0), (100, 100)), [camera(1, -100, 0)])
    (gap,) = road.gaps
    metres = [PLANE.to_metres(one) for one in gap]
    assert [(round(one.x), round(one.y)) for one in metres] == [(-50, 0), (0, 0), (100, 0), (100, 100)]
    gate = place("point", (0, 500))
    assert place_coverage(gate, [camera(1, 0, 0)]).gaps == (gate.geometry,)
    whole = place_coverage(place("line", (-10, 0), (10, 0)), [camera(1, 0, 0)])
    assert (whole.share, whole.gaps) == (1, ())


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000))
def test_gaps_of_areas_add_up_and_lie_outside_all_sectors(seed: int) -> None:
    rng = random.Random(seed)
    cameras = [camera(n, rng.uniform(-200, 200), rng.uniform(-200, 200), rng.uniform(0, 360), 90, 90) for n in range(9)]
    corners = [(-200, -200), (200, -200), (200, rng.uniform(-150, 200)), (0, 0), (-200, 200)]
    pond = place("area", *corners)
    found = place_coverage(pond, cameras)
    gaps = [[PLANE.to_metres(point) for point in gap] for gap in found.gaps]
    open_m2 = sum(area_m2(gap) for gap in gaps)
    assert open_m2 == pytest.approx(found.total - found.covered, rel=0.05, abs=0.02 * found.total)
    points = random_points_in(pond.geometry, 150, rng)
    wrong = sum(is_seen(one, cameras, None) == any(winding(one, gap) for gap in found.gaps) for one in points)
    assert wrong <= 10, "edges are drawn in strips"


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)).map(lambda pair: (min(pair), max(pair))), max_size=8),
    st.floats(0, 1),
)
def test_union_and_rest_share_the_whole(intervals: list[tuple[float, float]], point: float) -> None:
    joined = union(intervals)
    rest = rest_of((0.0, 1.0), joined)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(joined))
    if not any(point in one for one in intervals):  # not on an edge
        within = any(first < point < last for first, last in intervals)
        assert within == any(first < point < last for first, last in joined)
        assert within != any(first <= point <= last for first, last in rest)


METRES = st.floats(-99, 99).map(lambda one: round(one, 6))
"""To the micrometre: smaller steps than a float has are no place on the ground."""


@settings(max_examples=50, deadline=None)
@example(0.0, 10.0, 0.0, 50.0, 315.0, 90.0)
@example(0.0, 0.0, 0.0, 0.0, 0.0, 181.0)  # a point, at the camera itself
@given(
    METRES,
    METRES,
    METRES,
    METRES,
    st.one_of(st.none(), st.floats(-720, 720)),
    st.sampled_from([10.0, 90.0, 180.0, 181.0, 300.0, 360.0]),
)
def test_a_segments_parts_are_those_whose_points_lie_in_the_sector(
    ax: float, ay: float, bx: float, by: float, direction: float | None, angle: float
) -> None:
    sector = Sector(0, 0, 60, direction, angle)
    parts = sector.along(ax, ay, bx, by)
    assert all(0 <= first < last <= 1 for first, last in parts)
    for step in range(41):
        t = step / 40
        if all(abs(t - edge) > 1e-6 for part in parts for edge in part):
            inside = sector.has(ax + (bx - ax) * t, ay + (by - ay) * t)
            drawn = any(first < t < last for first, last in parts)
            clear = any(sector.has(ax + (bx - ax) * s, ay + (by - ay) * s) != inside for s in (t - 1e-6, t + 1e-6))
            # A segment may run along a straight edge, to which rounding alone says whether it belongs.
            wide, narrow = (Sector(0, 0, 60, direction, angle + by_degrees) for by_degrees in (1e-9, -1e-9))
            x, y = ax + (bx - ax) * t, ay + (by - ay) * t
            on_edge = angle < 360 and wide.has(x, y) != narrow.has(x, y)
            assert drawn == inside or clear or on_edge, (t, parts)


def test_lengths_hold_against_the_sphere() -> None:
    for latitude in (18.3, 31.9, 45.0, 52.9):
        one, other = Position(100.0, latitude), Position(100.05, latitude + 0.04)
        assert distance_m(one, other) == pytest.approx(bearing_and_metres(one, other)[1], rel=0.006)
    turned = LocalPlane(HOME, 27.3)
    assert turned.to_degrees(*turned.to_metres((117.3, 31.9))) == (117.3, 31.9)


def test_shapes_are_cleaned() -> None:
    closed = [(117.28, 31.86), (117.29, 31.86), (117.29, 31.86), (117.29, 31.87), (117.28, 31.86)]
    assert checked_shape("area", closed) == closed[:2] + closed[3:4]
    assert not crosses_itself([Metres(0, 0), Metres(2, 0), Metres(2, 2), Metres(1, 1), Metres(0, 2)])
    touching = [Metres(0, 0), Metres(4, 0), Metres(4, 4), Metres(2, 0), Metres(0, 4)]
    assert crosses_itself(touching), "a corner on another side makes two areas"


def test_a_covered_place_of_nothing_is_uncovered() -> None:
    (row,) = coverage_rows({7: ("school", "point")}, [PlaceCoverage(7, 1.0, 0.0, 0.0, (), ())])
    assert (row.installed.uncovered, row.installed.share, row.working.share) == (1, 0, 0)
