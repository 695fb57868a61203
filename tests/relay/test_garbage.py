"""Garbage is collected soon after a viewer has gone, and now and then; never all the time."""

import asyncio

from camera_hub.relay.process.gc_control import LOOK_EVERY, MANY, PERIOD, GcControl
from camera_hub.running import running
from tests.fakes.clock import ManualClock


async def test_it_is_collected_after_a_viewer_has_gone_and_once_a_period() -> None:
    clock, collected = ManualClock(), []
    garbage = GcControl(clock, lambda: collected.append(clock.monotonic()))
    began = clock.monotonic()
    async with running(garbage.run(), "garbage"):
        await asyncio.sleep(0)
        for _ in range(3):
            await clock.advance(LOOK_EVERY)
        assert collected == []
        garbage.left()
        garbage.left()
        await clock.advance(LOOK_EVERY)
        await clock.advance(LOOK_EVERY)
        assert [at - began for at in collected] == [4 * LOOK_EVERY]
        for _ in range(int(PERIOD / LOOK_EVERY)):
            await clock.advance(LOOK_EVERY)
        assert [at - began for at in collected] == [4 * LOOK_EVERY, 4 * LOOK_EVERY + PERIOD]


async def test_many_viewers_that_go_at_once_are_not_waited_out() -> None:
    clock, collected = ManualClock(), []
    garbage = GcControl(clock, lambda: collected.append(clock.monotonic()))
    async with running(garbage.run(), "garbage"):
        await asyncio.sleep(0)
        for _ in range(2 * MANY):
            garbage.left()
        assert len(collected) == 2
        await clock.advance(LOOK_EVERY)
        assert len(collected) == 2, "nobody has gone since"
