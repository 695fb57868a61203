"""The map's rows on both databases: a made-up township read, counted anew, and judged for where it lies."""

import random

import pytest
from sqlalchemy import event, select

from camera_hub.access.policy import Actor, Role
from camera_hub.cameras.ledger.coordinates import Position, bd09, gcj02
from camera_hub.cameras.map.base_picture import lies
from camera_hub.cameras.map.coverage import MeasuredPlace
from camera_hub.cameras.map.coverages import Coverages, covering
from camera_hub.cameras.map.directions import direction_code, direction_of
from camera_hub.cameras.map.extents import Extents
from camera_hub.cameras.map.placement import Extent, known_extent, placed
from camera_hub.cameras.map.positions import read_positions
from camera_hub.cameras.map.sheet import coverage_lines, coverage_notes
from camera_hub.cameras.map.township_map import TownshipMap
from camera_hub.demo.map_trial import fill
from camera_hub.errors import HubError
from camera_hub.settings import LedgerSettings, MapSettings
from camera_hub.sheets.language import SheetWords
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera
from tests.cameras.fakes import ADMIN
from tests.cameras.test_coverage import counted_share
from tests.fakes.clock import ManualClock

SETTINGS = MapSettings()


async def test_the_report_of_a_township_equals_a_count(database: Database, clock: ManualClock) -> None:
    await fill(database, clock, villages=6, cameras=90)
    statements: list[str] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    async with database.read() as session:
        positions = await read_positions(session, Camera.village_id.is_not(None))
        assert sum("SELECT" in one for one in statements) == 1
        everybody = {one.id: one for one in await session.scalars(select(Camera))}
    assert len(positions) == 90 - 90 // 50
    cameras = [covering(one, SETTINGS) for one in positions]
    assert {one.id for one in cameras if one.works} == {one.id for one in positions if everybody[one.id].health == "ok"}
    coverages = Coverages(database, clock, SETTINGS)
    report = await coverages.report(ADMIN)
    assert (report.cameras, report.without_position) == (len(positions), 1)
    assert report.without_direction == sum(one.direction_deg is None for one in positions)
    rng = random.Random(3)
    counted: dict[tuple[str, str], float] = {}
    for place, found in report.places:
        one = MeasuredPlace(place.id, place.place_class, place.kind, place.geometry, place.reach_m)
        share = counted_share(one, cameras, rng, 300)
        assert found.share == pytest.approx(share, abs=0.15 if place.kind == "area" else 0.05), place
        key = (place.place_class, place.kind)
        counted[key] = counted.get(key, 0.0) + share * found.total
    assert {(row.place_class, row.kind) for row in report.rows} == set(counted)
    for row in report.rows:
        assert row.installed.share == pytest.approx(counted[row.place_class, row.kind] / row.total, abs=0.05)
    again = await coverages.report(ADMIN)
    assert all(a is b for (_, a), (_, b) in zip(report.places, again.places, strict=True)), "nothing is measured twice"
    lines = list(coverage_lines(report, {}, SheetWords("zh")))
    assert len(lines) == len(report.rows) + len(report.places)
    assert {len(line) for line in lines} == {16}
    assert f"{report.cameras} 台" in coverage_notes(report, SETTINGS, SheetWords("zh"))[0]
    own = Actor(5, "v", "v", Role.VILLAGE_ADMIN, frozenset({1}))
    assert {place.village_id for place, _ in (await coverages.report(own)).places} == {1, None}
    whole = TownshipMap(database, Extents(SETTINGS, LedgerSettings()), SETTINGS)
    view = await whole.view(own)
    assert [one.id for one in view.villages] == [1]
    assert view.bounds is not None
    assert view.bounds[1].longitude - view.bounds[0].longitude < 0.1, "no stray makes the map small"


TOWNSHIP = Extent(117.25, 31.80, 117.35, 31.90, typed=True)
INSIDE = Position(117.2502, 31.85)
"""Some 20 m inside the western border."""


def test_another_datum_is_recognized_at_the_border() -> None:
    assert placed(INSIDE, TOWNSHIP) is None
    east = Position(117.3498, 31.85)  # both shift to the east here
    for datum, picked in (("gcj02", gcj02(east)), ("bd09", bd09(gcj02(east)))):
        warning = placed(picked, TOWNSHIP)
        assert warning is not None
        assert (warning.why, warning.datum) == ("township", datum)
        assert 300 < warning.distance_m < 1300
        assert warning.converted == pytest.approx(east, abs=1e-6)
    plain = placed((117.45, 31.85), TOWNSHIP)
    assert plain is not None
    assert (plain.datum, round(plain.distance_m, -3)) == (None, 9000)
    with pytest.raises(HubError) as caught:
        placed((119.0, 31.85), TOWNSHIP)
    assert caught.value.params["distance_m"] > 100_000
    outline = [Position(117.34, 31.84), Position(117.3499, 31.84), Position(117.3499, 31.86), Position(117.34, 31.86)]
    inside_of_the_township = placed(gcj02(Position(117.3470, 31.85)), Extent(117, 31, 118, 32, typed=True), outline)
    assert inside_of_the_township is not None
    assert (inside_of_the_township.why, inside_of_the_township.datum) == ("village", "gcj02")


def test_a_mistyped_camera_does_not_stretch_the_township() -> None:
    points = [(117.28 + number / 1000, 31.86) for number in range(30)]
    assert known_extent([*points, (127.28, 31.86), (117.28, 41.86)]) == known_extent(points)
    assert known_extent(points[:2]) is None
    assert placed((100.0, 30.0), None) is None


@pytest.mark.parametrize(
    ("box", "distance"),
    [
        (Extent(117.0, 31.0, 118.0, 32.0), None),  # around the township
        (Extent(117.30, 31.85, 117.31, 31.86), None),  # within it
        (Extent(117.35, 31.90, 117.40, 31.95), None),  # at its corner
        (Extent(117.40, 31.85, 117.45, 31.86), 4730),
    ],
)
def test_a_base_picture_beside_the_township_is_told(box: Extent, distance: int | None) -> None:
    warning = lies(box, TOWNSHIP)
    assert (warning and warning.distance_m) == (distance and pytest.approx(distance, abs=30))


def test_directions_in_words_and_degrees() -> None:
    assert [direction_code(one) for one in (0, 359, 22, 23, 90, 181, 270, 337)] == list("44461328"[:8])
    assert direction_of("6", 52.5) == 52.5
    assert direction_of("3", 52.5) == 180, "the file was changed since"
    assert [direction_of(code, 10.0) for code in ("9", "", None)] == [None, None, None]
