"""Sixteen villages of twenty cameras return at one moment: streams are opened gently, and all are soon found well.

In injected time, with looks that take what they take in the field.
"""

from collections import Counter
from typing import Any

import pytest

from camera_hub.health.alarms.tick_writer import Tick, Written
from camera_hub.store.database import Database
from tests.fakes.media import FakeSight
from tests.health.township import township

LOOK_SECONDS = 1.5
DOWN_SECONDS = 180.0


@pytest.mark.slow
async def test_320_cameras_that_return_at_once_are_back_within_a_minute_and_never_opened_in_a_herd(
    database: Database,
) -> None:
    async with township(database, [20] * 16) as place:
        village_of = {camera: number for number, cameras in enumerate(place.villages) for camera in cameras}
        everybody = list(village_of)
        open_now: Counter[int] = Counter()
        most_in_village = most_in_all = opened = 0
        back: dict[int, float] = {}
        look, write = place.media.look, place.record.write

        async def slow(camera_id: int, **wish: Any) -> FakeSight:
            nonlocal most_in_village, most_in_all, opened
            open_now[village_of[camera_id]] += 1
            opened += 1
            most_in_village = max(most_in_village, *open_now.values())
            most_in_all = max(most_in_all, open_now.total())
            try:
                await place.clock.nap(LOOK_SECONDS)
                return await look(camera_id, **wish)
            finally:
                open_now[village_of[camera_id]] -= 1

        def noted(tick: Tick) -> Written:
            for change in tick.healths:
                if change.health == "ok":
                    back[change.camera_id] = place.clock.monotonic()
                else:
                    back.pop(change.camera_id, None)
            return write(tick)

        place.record.write = noted  # type: ignore[method-assign]
        place.media.look = slow  # type: ignore[method-assign]
        place.cut(everybody)
        await place.walk(DOWN_SECONDS)
        assert place.raised(open=True) == [("hub", "hub_uplink", 320)]
        most_in_village = most_in_all = opened = 0
        back.clear()
        returned = place.clock.monotonic()
        place.mend(everybody)
        await place.walk(120.0)
        waits = sorted(at - returned for at in back.values())
        assert len(waits) == 320
        assert waits[int(0.95 * 320)] <= 60.0
        assert waits[-1] <= 120.0
        assert 1 <= most_in_village <= 4
        assert 8 <= most_in_all <= 32
        assert 320 <= opened <= 2 * 320, "one fresh picture proves each; the rest is asking whether it still answers"
        assert place.raised(open=True) == []
