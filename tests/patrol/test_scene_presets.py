"""A scene whose domes each have a preset: what is asked of them, told of them, and kept of them in the record."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import update

from camera_hub.cameras.ptz.state import PresetPlace
from camera_hub.errors import Explanation, Reason
from camera_hub.events import PtzChanged, RunChanged, Subscription
from camera_hub.patrol.runs.engine import Engine
from camera_hub.patrol.runs.views import RunView
from camera_hub.patrol.tours.presets import StopPreset
from camera_hub.patrol.tours.scenes import NewScene
from camera_hub.patrol.tours.stops import NewStop
from camera_hub.patrol.tours.tours import TourDraft
from camera_hub.store.tables import Camera
from tests.fakes.site import add_village
from tests.patrol.centre import Centre, centre, clock
from tests.patrol.test_rollup import counted

__all__ = ["centre", "clock"]


@dataclass
class Domes:
    """Notes what tours say; `places`: what is said of each camera; `steered`: those that a person steers."""

    said: list[tuple[str, int]] = field(default_factory=list)
    places: dict[int, PresetPlace] = field(default_factory=dict)
    steered: set[int] = field(default_factory=set)

    async def bring(self, run_id: int, name: str, camera_id: int, token: str) -> None:
        self.said.append((token, camera_id))
        self.places.setdefault(camera_id, PresetPlace("moving"))

    async def leave(self, run_id: int, name: str, camera_id: int) -> None:
        self.said.append(("leave", camera_id))

    def placed(self, run_id: int, camera_id: int, token: str) -> PresetPlace | None:
        return self.places.get(camera_id)

    def steered_by_person(self, camera_id: int) -> bool:
        return camera_id in self.steered


async def told(heard: Subscription) -> None:
    """Until a run has changed."""
    assert isinstance(await heard.next(), RunChanged)


async def scene_tour(centre: Centre, cameras: Sequence[int], domes: Sequence[int]) -> int:
    """One camera, then a scene of these cameras with a preset of each dome, then one camera again: 20 s each."""
    async with centre.database.write() as session:
        await session.execute(update(Camera).where(Camera.id.in_(domes)).values(ptz=True))
    scene = await centre.scenes.create(centre.actor, NewScene("大桥", "16", cameras))
    presets = tuple(StopPreset(dome, f"p{dome}", f"位{dome}") for dome in domes)
    stops = [
        NewStop(centre.cameras[0], None, 20, ""),
        NewStop(None, scene.id, 20, "看桥栏杆", presets),
        NewStop(centre.cameras[0], None, 20, ""),
    ]
    return (await centre.tours.create(centre.actor, TourDraft("大桥", stops))).id


@asynccontextmanager
async def at_the_scene(centre: Centre) -> AsyncIterator[tuple[Engine, RunView, Domes, tuple[int, int]]]:
    """A patrol whose scene has been on for some seconds, with what was said to its two domes."""
    a, b, c = centre.cameras[:3]
    domes = Domes()
    tour = await scene_tour(centre, [a, b, c], [b, c])
    async with centre.under_way(tour, 24, steering=domes) as (on, run):
        yield on, run, domes, (b, c)


async def test_the_record_tells_which_preset_was_asked_and_what_became_of_it(centre: Centre) -> None:
    a, b, c, d = centre.cameras[:4]
    tour = await scene_tour(centre, [a, b, c, d], [b, c, d])
    await centre.kill(d)
    domes = Domes()
    domes.places = {c: PresetPlace("failed", Explanation(Reason.PTZ_PRESET_GONE))}
    async with centre.under_way(tour, steering=domes) as (on, run):
        assert run.presets == ()
        await centre.clock.walk(21)
        assert sorted(domes.said) == [(f"p{b}", b), (f"p{c}", c), (f"p{c}", c)], "what failed is asked for once more"
        run = await on.reader.get(centre.actor, run.id)
        assert [(one.camera_id, one.name, one.state, one.reason) for one in run.presets] == [
            (b, f"位{b}", "moving", None),
            (c, f"位{c}", "failed", "ptz_preset_gone"),
        ]
        domes.places[b] = PresetPlace("reached")
        with centre.bus.subscribe(RunChanged) as heard:
            centre.bus.publish(PtzChanged(b, 1))
            await told(heard)
        run = await on.reader.get(centre.actor, run.id)
        assert [one.state for one in run.presets] == ["reached", "failed"]
        domes.said.clear()
        await centre.clock.walk(20)
        assert sorted(domes.said) == [("leave", b), ("leave", c)]
        steps, _ = await on.reader.record(centre.actor, run.id)
        assert [(one.id, one.preset, one.preset_state) for one in steps[1].cameras] == [
            (a, None, None),
            (b, f"位{b}", "reached"),
            (c, f"位{c}", "ptz_preset_gone"),
            (d, None, None),
        ]


async def test_what_is_done_at_a_change_does_not_grow_with_the_domes_of_a_scene(centre: Centre) -> None:
    many = await add_village(centre.database, centre.clock, "北沟村", 16)
    costs = []
    for domes in (many[:1], many):
        tour = await scene_tour(centre, many, domes)
        there = Domes(places={dome: PresetPlace("reached") for dome in domes})
        async with centre.engine(steering=there) as on:
            with counted(centre.database) as started:
                run = await on.runs.start(centre.actor, tour, loop=False)
            moves = []
            for _ in range(2):  # onto the scene, and off it
                with counted(centre.database) as moved:
                    run = await on.runs.control(centre.actor, run.id, "next", run.revision)
                moves.append(sum(not one.startswith("SELECT") for one in moved))
            await on.runs.control(centre.actor, run.id, "stop", run.revision)
            costs.append((sum(not one.startswith("SELECT") for one in started), moves))
    assert costs[0] == costs[1]


async def test_a_patrol_waits_for_whoever_steers_one_of_several_domes_and_takes_it_back(centre: Centre) -> None:
    async with at_the_scene(centre) as (on, run, domes, (b, c)):
        domes.said.clear()
        domes.steered = {c}
        domes.places[c] = PresetPlace("taken", Explanation(Reason.PTZ_LOCKED, params={"name": "李四"}))
        with centre.bus.subscribe(RunChanged) as heard:
            centre.bus.publish(PtzChanged(c, 1))
            await told(heard)
            await centre.clock.walk(30)
            run = await on.reader.get(centre.actor, run.id)
            assert (run.state, run.pause_reason, run.position) == ("paused", "ptz", 1)
            assert [(one.camera_id, one.state, one.params.get("name")) for one in run.presets] == [
                (b, "moving", None),
                (c, "taken", "李四"),
            ]
            domes.steered, domes.places = set(), {}
            domes.said.clear()
            centre.bus.publish(PtzChanged(c, 1))
            await told(heard)
            await centre.clock.walk(1)
        assert sorted(domes.said) == [(f"p{b}", b), (f"p{c}", c)]
        assert (await on.reader.get(centre.actor, run.id)).state == "running"


async def test_cameras_stay_at_their_presets_while_the_operator_has_paused_the_patrol(centre: Centre) -> None:
    async with at_the_scene(centre) as (on, run, domes, (b, c)):
        domes.said.clear()
        run = await on.runs.control(centre.actor, run.id, "pause", run.revision)  # to write down what is seen there
        await centre.clock.walk(30)
        run = await on.runs.control(centre.actor, run.id, "resume", run.revision)
        await centre.clock.walk(1)
        assert domes.said == []
        await on.runs.control(centre.actor, run.id, "stop", run.revision)
        await centre.clock.walk(1)
        assert sorted(domes.said) == [("leave", b), ("leave", c)]


async def test_a_hub_that_starts_anew_brings_the_domes_of_the_stop_that_is_on(centre: Centre) -> None:
    async with at_the_scene(centre) as (_, run, _, (b, c)):
        pass
    again = Domes()
    async with centre.engine(steering=again) as on:
        await centre.clock.walk(1)
        assert sorted(again.said) == [(f"p{b}", b), (f"p{c}", c)]
        assert (await on.reader.get(centre.actor, run.id)).position == 1
