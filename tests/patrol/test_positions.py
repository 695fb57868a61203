"""Cameras of a running tour at their presets: brought in time, let go afterwards."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from camera_hub.cameras.ptz.state import PresetPlace
from camera_hub.errors import Explanation, Reason
from camera_hub.patrol.runs.itinerary import ItineraryCamera, ItineraryPreset, ItineraryStop, from_rows, to_rows
from camera_hub.patrol.runs.positions import Positioning
from camera_hub.patrol.runs.situation import RunSituation, stops_of
from camera_hub.patrol.runs.timetable import Cursor
from tests.fakes.clock import ManualClock

Said = list[tuple[str, int, str]]


def stop(position: int, presets: dict[int, str], *fixed: int) -> ItineraryStop:
    """A stop of the cameras that have presets there, and of some that stand still."""
    tiles = tuple(ItineraryCamera(id, f"摄像机{id}", "东沟村") for id in (*presets, *fixed))
    points = tuple(ItineraryPreset(camera, token, token.upper()) for camera, token in presets.items())
    return ItineraryStop(position, 20, "站", "", "1" if len(tiles) == 1 else "16", tiles, points)


@dataclass
class Steering:
    """Notes what it is told. `places`: what it says of each camera."""

    said: Said = field(default_factory=list)
    places: dict[int, PresetPlace] = field(default_factory=dict)

    async def bring(self, run_id: int, name: str, camera_id: int, token: str) -> None:
        self.said.append(("bring", camera_id, token))

    async def leave(self, run_id: int, name: str, camera_id: int) -> None:
        self.said.append(("leave", camera_id, ""))

    def placed(self, run_id: int, camera_id: int, token: str) -> PresetPlace | None:
        return self.places.get(camera_id)


@dataclass
class Walk:
    """A run of these stops that is looked at from time to time."""

    clock: ManualClock
    positioning: Positioning
    steering: Steering
    itinerary: tuple[ItineraryStop, ...]
    begun: datetime
    loop: bool = True
    dead: dict[int, str] = field(default_factory=dict)
    told: bool = False

    async def at(self, seconds: float, position: int) -> Said:
        """What is said to the cameras at that time; `told`: and whether pages are to be told."""
        self.steering.said.clear()
        cursor = Cursor("running", position, 0, self.begun + timedelta(seconds=20 * position), loop=self.loop)
        situation = RunSituation(
            self.itinerary, self.dead, stops_of(self.itinerary, self.dead), dict(self.steering.places)
        )
        now = self.begun + timedelta(seconds=seconds)
        self.told = self.positioning.keep(7, "早巡", situation, cursor, now, position)
        await self.clock.settle()
        return sorted(self.steering.said)

    async def over(self) -> Said:
        self.steering.said.clear()
        self.positioning.forget([])
        await self.clock.settle()
        return sorted(self.steering.said)


TAKEN = PresetPlace("taken", Explanation(Reason.PTZ_LOCKED, params={"name": "李四", "seconds": 30}))
REFUSED = PresetPlace("failed", Explanation(Reason.PTZ_LOCKED, params={"name": "李四"}))
GONE = PresetPlace("failed", Explanation(Reason.PTZ_PRESET_GONE))
THERE = PresetPlace("reached")


@pytest.mark.parametrize(("loop", "ahead"), [(True, 16.0), (False, 3.0)])
async def test_a_camera_is_brought_before_its_stop_and_let_go_after_it(
    clock: ManualClock, loop: bool, ahead: float
) -> None:
    async with Positioning(steering := Steering(), 5.0) as positioning:
        itinerary = (stop(0, {1: "p1"}), stop(1, {2: "p2"}))
        walk = Walk(clock, positioning, steering, itinerary, clock.now(), loop)
        assert await walk.at(0, 0) == [("bring", 1, "p1")]
        assert await walk.at(ahead - 1.1, 0) == []
        assert await walk.at(ahead, 0) == [("bring", 2, "p2")]
        assert await walk.at(20, 1) == [("leave", 1, "")]
        assert await walk.over() == [("leave", 2, "")]


async def test_every_dome_of_a_scene_is_brought_and_let_go(clock: ManualClock) -> None:
    async with Positioning(steering := Steering(), 5.0) as positioning:
        domes = {camera: f"p{camera}" for camera in range(2, 16)}
        itinerary = (stop(0, {}, 1), stop(1, domes, 1, 16), stop(2, {}, 1))
        walk = Walk(clock, positioning, steering, itinerary, clock.now())
        walk.dead = {5: "unreachable"}  # it holds up no other one
        wanted = [("bring", camera, token) for camera, token in sorted(domes.items()) if camera != 5]
        assert await walk.at(0, 0) == []
        assert await walk.at(16, 0) == wanted
        assert await walk.at(20, 1) == [], "they are there already"
        assert await walk.at(40, 2) == [("leave", camera, "") for _, camera, _ in wanted]
        assert await walk.over() == []


async def test_a_dome_of_two_stops_in_a_row_goes_to_the_second_preset_when_that_stop_begins(clock: ManualClock) -> None:
    async with Positioning(steering := Steering(), 5.0) as positioning:
        itinerary = (stop(0, {1: "east", 2: "gate"}), stop(1, {1: "west", 2: "gate"}), stop(2, {1: "west"}))
        walk = Walk(clock, positioning, steering, itinerary, clock.now())
        assert await walk.at(0, 0) == [("bring", 1, "east"), ("bring", 2, "gate")]
        assert await walk.at(16, 0) == [], "it is not turned away from what is on"
        assert await walk.at(20, 1) == [("bring", 1, "west")], "and not let go in between"
        assert await walk.at(40, 2) == [("leave", 2, "")]


async def test_a_dome_that_could_not_be_had_is_asked_for_again_when_it_is_free(clock: ManualClock) -> None:
    async with Positioning(steering := Steering(), 5.0) as positioning:
        itinerary = (stop(0, {}, 9), stop(1, {1: "p1", 2: "p2"}), stop(2, {}, 9))
        walk = Walk(clock, positioning, steering, itinerary, clock.now())
        await walk.at(0, 0)
        assert await walk.at(16, 0) == [("bring", 1, "p1"), ("bring", 2, "p2")]
        steering.places = {1: TAKEN, 2: GONE}
        assert await walk.at(20, 1) == [("bring", 2, "p2")], "what failed is tried once more as its stop begins"
        assert await walk.at(24, 1) == [], "and then left alone"
        assert not walk.told
        steering.places = {1: REFUSED, 2: GONE}  # who steered it has let go
        assert await walk.at(25, 1) == [("bring", 1, "p1")]
        assert walk.told
        steering.places = {1: THERE, 2: GONE}
        assert await walk.at(26, 1) == []
        assert walk.told
        await walk.at(27, 1)
        assert not walk.told, "once"


async def test_that_a_lock_runs_out_by_the_second_is_not_told(clock: ManualClock) -> None:
    async with Positioning(steering := Steering(), 5.0) as positioning:
        walk = Walk(clock, positioning, steering, (stop(0, {1: "p1"}), stop(1, {}, 2)), clock.now())
        steering.places = {1: TAKEN}
        await walk.at(0, 0)
        steering.places = {
            1: PresetPlace("taken", Explanation(Reason.PTZ_LOCKED, params={"name": "李四", "seconds": 9}))
        }
        await walk.at(1, 0)
        assert not walk.told
        steering.places = {1: PresetPlace("taken", Explanation(Reason.PTZ_LOCKED, params={"name": "王五"}))}
        await walk.at(2, 0)
        assert walk.told


def test_an_itinerary_is_read_as_it_was_written_and_one_with_a_single_preset_too() -> None:
    itinerary = (stop(0, {1: "p1", 2: "p2"}, 3), stop(1, {}, 3))
    rows = to_rows(itinerary)
    assert from_rows(rows) == itinerary
    assert "presets" not in rows[1], "an older hub reads what has none"
    older = {**rows[1], "preset": "7"}
    assert from_rows([older])[0].presets == (ItineraryPreset(3, "7"),)
    assert from_rows([{**rows[1], "preset": None}])[0].presets == ()
