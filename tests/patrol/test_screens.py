"""Screens: what is put on, taken back and ended, by whom, and that a screen follows what it shows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import delete, update

from camera_hub.access.policy import Actor, Role
from camera_hub.errors import HubError
from camera_hub.events import CameraChanged, EventBus, Lagged, RunChanged, ScreenChanged, TourChanged
from camera_hub.patrol.runs.itinerary import ItineraryCamera, ItineraryStop, to_rows
from camera_hub.patrol.runs.views import SkippedCamera
from camera_hub.patrol.screens.contents import (
    NONE,
    PAST,
    CamerasContent,
    Content,
    OnScreen,
    RunContent,
    SceneContent,
    before,
    from_row,
    put,
    take_back,
    to_row,
    with_camera,
    without,
)
from camera_hub.patrol.screens.following import ScreenFollowing, concerns
from camera_hub.patrol.screens.presence import ScreenPresence
from camera_hub.patrol.screens.screens import MAX_SCREENS, ScreenMoved, Screens, ScreenSetting, ScreenView, TileWanted
from camera_hub.patrol.tours.carousels import Carousel
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Run, Scene, Screen, Tour, User
from tests.fakes.clock import ManualClock
from tests.fakes.site import add_village

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
FOUR = CamerasContent("4", (1, 2, None, None))
RUN, SCENE = RunContent(7), SceneContent(3)


@pytest.mark.parametrize(
    ("shown", "after_put", "after_back"),
    [
        (OnScreen(NONE), OnScreen(FOUR, (NONE,)), OnScreen(NONE)),
        (OnScreen(RUN, (SCENE,)), OnScreen(FOUR, (SCENE, RUN)), OnScreen(SCENE)),
        (OnScreen(FOUR, (SCENE,)), OnScreen(FOUR, (SCENE,)), OnScreen(SCENE)),  # the same once more is no step
        (OnScreen(FOUR), OnScreen(FOUR), OnScreen(NONE)),  # nothing was before: nothing is after
    ],
)
def test_taking_back_returns_to_what_was_there_before(
    shown: OnScreen, after_put: OnScreen, after_back: OnScreen
) -> None:
    assert put(shown, FOUR) == after_put
    assert take_back(shown) == after_back
    if after_put != shown:
        assert take_back(after_put) == shown


def test_the_past_is_bounded_and_nothing_at_all_cannot_be_taken_back() -> None:
    shown = OnScreen(NONE)
    for scene_id in range(PAST + 5):
        shown = put(shown, SceneContent(scene_id))
    assert len(shown.past) == PAST
    assert before(OnScreen(NONE)) is None
    assert before(OnScreen(FOUR)) == OnScreen(NONE)


@pytest.mark.parametrize(
    ("shown", "over", "left"),
    [
        (OnScreen(RUN, (SCENE,)), {RUN}, OnScreen(SCENE)),
        (OnScreen(RUN, (SCENE, FOUR)), {RUN, FOUR}, OnScreen(SCENE)),
        (OnScreen(RUN, (FOUR, SCENE, FOUR)), {RUN, SCENE}, OnScreen(FOUR)),  # no step between twice the same
        (OnScreen(RUN), {RUN}, OnScreen(NONE)),
        (OnScreen(FOUR, (RUN,)), {RUN}, OnScreen(FOUR)),
    ],
)
def test_what_is_over_gives_way_to_what_was_there_before(shown: OnScreen, over: set[Content], left: OnScreen) -> None:
    assert without(shown, over.__contains__) == left


def test_a_camera_that_is_in_another_tile_moves() -> None:
    turning = ((2, Carousel(15, (8, 9))), (3, Carousel(15, village_id=1)))
    shown = CamerasContent("4", (1, 2, None, None), turning)
    assert with_camera(shown, 2, 1) == CamerasContent("4", (None, 2, 1, None), turning[1:])
    assert with_camera(shown, 1, None) == CamerasContent("4", (1, None, None, None), turning)


TURNING = CamerasContent("4", (1, None, None, None), ((1, Carousel(9, (1, 2))), (2, Carousel(9, (), "water"))))


@pytest.mark.parametrize("content", [NONE, SCENE, FOUR, RUN, TURNING])
def test_contents_are_stored_and_read(content: Content) -> None:
    assert from_row(to_row(content)) == content


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"kind": "hologram"},
        {"kind": "cameras", "layout": "5x9", "cameras": []},
        {"kind": "cameras", "layout": "4", "cameras": [1]},
        {"kind": "scene", "scene_id": "3"},
    ],
)
def test_a_row_that_is_not_understood_shows_nothing(row: dict[str, Any]) -> None:
    assert from_row(row) == NONE


@pytest.mark.parametrize(
    ("event", "content", "expected"),
    [
        (RunChanged(7), RUN, True),
        (RunChanged(8), RUN, False),
        (RunChanged(7), SCENE, False),
        (TourChanged(0), SCENE, True),
        (TourChanged(0), FOUR, False),
        (CameraChanged(1, 1), FOUR, True),
        (CameraChanged(9, 1), FOUR, False),
        (Lagged(1), FOUR, True),
    ],
)
def test_what_a_screen_follows(event: Any, content: Content, expected: bool) -> None:
    assert concerns(event, content, {1, 2}.__contains__) is expected


@dataclass(frozen=True)
class FakeRun:
    """A run as screens see it."""

    id: int
    tour_name: str = "重点路段"
    state: str = "running"
    position: int = 0
    time_left_s: float = 9.0
    now: datetime = NOON
    dead: Sequence[SkippedCamera] = ()


class FakeRuns:
    """Runs that stand where the test puts them."""

    def __init__(self) -> None:
        self.runs: dict[int, FakeRun] = {}

    async def some(self, run_ids: Collection[int]) -> Sequence[FakeRun]:
        return [self.runs[run_id] for run_id in run_ids if run_id in self.runs]


@dataclass
class Centre:
    """Five cameras, an operator and an admin, and the screens."""

    database: Database
    clock: ManualClock
    bus: EventBus
    runs: FakeRuns
    screens: Screens
    cameras: list[int]
    operator: Actor
    admin: Actor

    async def screen(self, name: str = "左一屏", **setting: Any) -> ScreenView:
        values = {"place": "", "layout": "9", "portrait": False, "streams": 9, "captions": True, "clock": False}
        return await self.screens.create(ScreenSetting(**{"name": name, "locked": False, **values, **setting}))

    async def run(self, *, state: str = "running") -> int:
        """A run of two stops: camera 0, and the first four cameras."""
        named = [ItineraryCamera(camera, f"c{camera}", "东沟村") for camera in self.cameras]
        stops = (
            ItineraryStop(0, 9, "一", "", "1", (named[0],)),
            ItineraryStop(1, 9, "二", "", "4", (named[0], named[1], None, named[3])),
        )
        async with self.database.write() as session:
            tour = Tour(name="t", created_at=self.clock.now())
            session.add(tour)
            await session.flush()
            run = Run(tour_id=tour.id, tour_name="t", itinerary=to_rows(stops), state=state, started_name="x")
            run.anchor_at = run.started_at = self.clock.now()
            session.add(run)
            await session.flush()
        self.runs.runs[run.id] = FakeRun(run.id, state=state)
        return run.id

    async def scene(self) -> int:
        async with self.database.write() as session:
            scene = Scene(name="路口", layout="4", cameras=[*self.cameras[:2], None, None], created_at=self.clock.now())
            session.add(scene)
            await session.flush()
        return scene.id


@pytest.fixture
async def centre(database: Database, clock: ManualClock, bus: EventBus) -> Centre:
    cameras = await add_village(database, clock, "东沟村", 5)
    actors = []
    async with database.write() as session:
        for name, role in (("op", Role.OPERATOR), ("admin", Role.TOWNSHIP_ADMIN)):
            user = User(username=name, display_name=name, role=role, all_villages=True, password_hash="-")
            user.created_at = clock.now()
            session.add(user)
            await session.flush()
            actors.append(Actor(user.id, name, name, role))
    runs = FakeRuns()
    screens = Screens(database, bus, clock, runs, ScreenPresence(database, clock, bus))
    return Centre(database, clock, bus, runs, screens, cameras, *actors)


def tiles(view: ScreenView) -> list[int | None]:
    return [None if camera is None else camera.id for camera in view.picture.tiles]


async def test_a_screen_shows_what_is_put_on_and_returns_step_by_step(centre: Centre) -> None:
    one, two, *_ = centre.cameras
    screen = await centre.screen()
    assert tiles(screen) == [None] * 9
    assert screen.before is None
    scene = SceneContent(await centre.scene())
    screen = await centre.screens.show(centre.operator, screen.id, screen.revision, scene)
    assert (screen.picture.layout, tiles(screen), screen.picture.name) == ("4", [one, two, None, None], "路口")
    screen = await centre.screens.show(centre.operator, screen.id, screen.revision, TileWanted(3, two))
    assert tiles(screen) == [one, None, None, two], "a scene becomes single cameras; a camera is shown once"
    assert (screen.before, screen.before_name, screen.changed_name) == (scene, "路口", "op")
    screen = await centre.screens.take_back(centre.operator, screen.id, screen.revision)
    assert screen.content == scene
    screen = await centre.screens.take_back(centre.operator, screen.id, screen.revision)
    assert (screen.content, screen.before, tiles(screen)) == (NONE, None, [None] * 9)


async def test_of_two_people_at_once_the_second_is_told_what_is_on(centre: Centre) -> None:
    screen = await centre.screen()
    await centre.screens.show(centre.admin, screen.id, screen.revision, TileWanted(0, centre.cameras[0]))
    for act in (
        centre.screens.show(centre.operator, screen.id, screen.revision, TileWanted(0, centre.cameras[1])),
        centre.screens.take_back(centre.operator, screen.id, screen.revision),
    ):
        with pytest.raises(ScreenMoved) as refused:
            await act
        assert (refused.value.view.changed_name, tiles(refused.value.view)[0]) == ("admin", centre.cameras[0])


async def test_what_cannot_be_shown_is_refused_and_changes_nothing(centre: Centre) -> None:
    screen = await centre.screen(layout="4")
    retired = centre.cameras[4]
    async with centre.database.write() as session:
        await session.execute(update(Camera).where(Camera.id == retired).values(state="retired"))
    ended = await centre.run(state="ended")
    running = RunContent(await centre.run())
    refusals: list[tuple[Content | TileWanted, str]] = [
        (CamerasContent("1", (retired,)), "no_such_camera"),
        (CamerasContent("1", (9999,)), "no_such_camera"),
        (CamerasContent("1", tuple(centre.cameras[:2])), "too_many_tiles"),
        (TileWanted(4, centre.cameras[0]), "no_such_tile"),
        (TileWanted(0, retired), "no_such_camera"),
        (SceneContent(9999), "scene_gone"),
        (RunContent(ended), "run_ended"),
        (RunContent(9999), "run_ended"),
    ]
    for wanted, reason in refusals:
        with pytest.raises(HubError) as refused:
            await centre.screens.show(centre.operator, screen.id, screen.revision, wanted)
        assert refused.value.reason == reason, wanted
    assert (await centre.screens.get(centre.operator, screen.id)).revision == screen.revision
    screen = await centre.screens.show(centre.operator, screen.id, screen.revision, running)
    with pytest.raises(HubError, match="running patrol"):
        await centre.screens.show(centre.operator, screen.id, screen.revision, TileWanted(0, centre.cameras[0]))


async def test_a_locked_screen_is_changed_by_who_manages_screens(centre: Centre) -> None:
    screen = await centre.screen(locked=True)
    wanted = CamerasContent("1", (centre.cameras[0],))
    with pytest.raises(HubError, match="locked"):
        await centre.screens.show(centre.operator, screen.id, screen.revision, wanted)
    assert (await centre.screens.show(centre.admin, screen.id, screen.revision, wanted)).content == wanted


async def test_a_screen_walks_with_its_run_and_returns_when_that_ends(centre: Centre) -> None:
    first, second, third, fourth, _ = centre.cameras
    run_id = await centre.run()
    screen = await centre.screen()
    screen = await centre.screens.show(centre.operator, screen.id, screen.revision, TileWanted(0, third))
    screen = await centre.screens.show(centre.operator, screen.id, screen.revision, RunContent(run_id))
    assert (tiles(screen), screen.picture.layout) == ([first], "1")
    for camera in (first, second, fourth):
        assert centre.screens.may_show(screen.id, camera), "every stop of the run"
    assert not centre.screens.may_show(screen.id, third)
    with centre.bus.subscribe(ScreenChanged) as told:
        async with ScreenFollowing(centre.screens, centre.database, centre.bus, centre.clock):
            assert await told.next() == ScreenChanged(screen.id), "what has changed while the hub was away"
            centre.runs.runs[run_id] = FakeRun(run_id, position=1, dead=[SkippedCamera(second, "frozen")])
            centre.bus.publish(RunChanged(run_id))
            assert await told.next() == ScreenChanged(screen.id)
            screen = await centre.screens.get(centre.operator, screen.id)
            assert tiles(screen) == [first, second, None, fourth]
            assert screen.picture.run is not None
            assert (screen.picture.run.stop_count, screen.picture.run.dead) == (2, {second: "frozen"})
            centre.runs.runs[run_id] = FakeRun(run_id, state="ended")
            ahead = await centre.screens.get(centre.operator, screen.id)
            assert tiles(ahead)[0] == third, "whoever reads it before the row is brought up to date sees it, too"
            centre.bus.publish(RunChanged(run_id))
            assert await told.next() == ScreenChanged(screen.id)
    ended = await centre.screens.get(centre.operator, screen.id)
    assert (tiles(ended)[0], ended.before, ended.changed_name) == (third, NONE, "")
    assert ended.revision == screen.revision + 1


async def test_a_scene_that_is_changed_or_deleted_changes_the_screen(centre: Centre) -> None:
    scene_id = await centre.scene()
    screen = await centre.screen()
    await centre.screens.show(centre.operator, screen.id, screen.revision, SceneContent(scene_id))
    async with centre.database.write() as session:
        await session.execute(update(Scene).where(Scene.id == scene_id).values(layout="1", cameras=[centre.cameras[4]]))
    assert tiles(await centre.screens.get(centre.operator, screen.id)) == [centre.cameras[4]]
    async with centre.database.write() as session:
        await session.execute(delete(Scene))
    assert await centre.screens.settle([screen.id]) == [screen.id]
    assert (await centre.screens.get(centre.operator, screen.id)).content == NONE
    assert await centre.screens.settle([screen.id]) == []


async def test_a_camera_that_is_retired_stays_in_its_tile_with_its_state(centre: Centre) -> None:
    screen = await centre.screen()
    await centre.screens.show(centre.operator, screen.id, screen.revision, TileWanted(2, centre.cameras[0]))
    async with centre.database.write() as session:
        await session.execute(update(Camera).where(Camera.id == centre.cameras[0]).values(state="retired"))
    shown = (await centre.screens.get(centre.operator, screen.id)).picture.tiles[2]
    assert shown is not None
    assert (shown.id, shown.state) == (centre.cameras[0], "retired")


async def test_a_carousel_turns_through_what_the_hub_knows(centre: Centre) -> None:
    one, two, three, four, _ = centre.cameras
    async with centre.database.write() as session:
        await session.execute(update(Camera).where(Camera.id.in_([two, three])).values(place_class="water"))
        await session.execute(update(Camera).where(Camera.id == three).values(state="retired"))
    screen = await centre.screen()
    wanted = CamerasContent("4", (one, one), ((1, Carousel(9, (), "water")), (3, Carousel(5, (one, two)))))
    screen = await centre.screens.show(centre.operator, screen.id, screen.revision, wanted)
    assert tiles(screen) == [one, None, None, None]
    turning = [(each.tile, each.seconds, [camera.id for camera in each.cameras]) for each in screen.picture.carousels]
    assert turning == [(1, 9, [two]), (3, 5, [one, two])]
    assert centre.screens.may_show(screen.id, two)
    screen = await centre.screens.show(centre.operator, screen.id, screen.revision, TileWanted(1, four))
    assert [each.tile for each in screen.picture.carousels] == [3], "its tile is the camera's now"
    bad = CamerasContent("4", (), ((0, Carousel(9)),))
    with pytest.raises(HubError, match="exactly one"):
        await centre.screens.show(centre.operator, screen.id, screen.revision, bad)


async def test_small_tiles_are_shown_large_in_turn_as_the_scene_or_the_wall_has_it(centre: Centre) -> None:
    one, two, *_ = centre.cameras
    screen = await centre.screen()
    wanted = CamerasContent("4", (one,), (), 10)
    screen = await centre.screens.show(centre.operator, screen.id, screen.revision, wanted)
    assert screen.picture.magnify_s == 10
    screen = await centre.screens.show(centre.operator, screen.id, screen.revision, TileWanted(1, two))
    assert screen.picture.magnify_s == 10, "another camera in one tile changes nothing of it"
    scene = await centre.scene()
    async with centre.database.write() as session:
        await session.execute(update(Scene).values(magnify_s=20))
    screen = await centre.screens.show(centre.operator, screen.id, screen.revision, SceneContent(scene))
    assert screen.picture.magnify_s == 20
    screen = await centre.screens.take_back(centre.operator, screen.id, screen.revision)
    assert screen.picture.magnify_s == 10


async def test_names_are_used_once_and_screens_are_bounded(centre: Centre) -> None:
    await centre.screen("左")
    with pytest.raises(HubError, match="already"):
        await centre.screen("左")
    async with centre.database.write() as session:
        session.add_all([Screen(name=str(n), created_at=centre.clock.now()) for n in range(MAX_SCREENS - 1)])
    with pytest.raises(HubError, match="limit"):
        await centre.screen("右")
