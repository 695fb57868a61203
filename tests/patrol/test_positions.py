"""Cameras of a running tour at their presets: brought in time, let go afterwards."""

from datetime import timedelta

import pytest

from camera_hub.patrol.runs.itinerary import ItineraryCamera, ItineraryStop
from camera_hub.patrol.runs.positions import Positioning
from camera_hub.patrol.runs.situation import RunSituation, stops_of
from camera_hub.patrol.runs.timetable import Cursor
from tests.fakes.clock import ManualClock

ITINERARY = (
    ItineraryStop(0, 20, "村口", "", "1", (ItineraryCamera(1, "村口", "东沟村"),), "p1"),
    ItineraryStop(1, 20, "大桥", "", "1", (ItineraryCamera(2, "大桥", "东沟村"),), "p2"),
)
SITUATION = RunSituation(ITINERARY, {}, stops_of(ITINERARY, {}))


class Steering:
    def __init__(self) -> None:
        self.said: list[tuple[str, int, str]] = []

    async def bring(self, run_id: int, name: str, camera_id: int, token: str) -> None:
        self.said.append(("bring", camera_id, token))

    async def leave(self, run_id: int, name: str, camera_id: int) -> None:
        self.said.append(("leave", camera_id, ""))


@pytest.mark.parametrize(("loop", "ahead"), [(True, 16.0), (False, 3.0)])
async def test_a_camera_is_brought_before_its_stop_and_let_go_after_it(
    clock: ManualClock, loop: bool, ahead: float
) -> None:
    steering = Steering()
    begun = clock.now()
    async with Positioning(steering, 5.0) as positioning:

        async def at(seconds: float, position: int) -> list[tuple[str, int, str]]:
            steering.said.clear()
            cursor = Cursor("running", position, 0, begun + timedelta(seconds=20 * position), loop=loop)
            positioning.keep(7, "早巡", SITUATION, cursor, begun + timedelta(seconds=seconds))
            await clock.settle()
            return list(steering.said)

        assert await at(0, 0) == [("bring", 1, "p1")]
        assert await at(ahead - 1.1, 0) == []
        assert await at(ahead, 0) == [("bring", 2, "p2")]
        assert await at(20, 1) == [("leave", 1, "")]
        steering.said.clear()
        positioning.forget([])
        await clock.settle()
        assert steering.said == [("leave", 2, "")]
