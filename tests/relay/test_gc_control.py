"""Garbage is collected soon after a viewer has gone, and now and then; never all the time."""

import asyncio

from camera_hub.relay.process.gc_control import CHECK_SECONDS, MANY_ENDED, PERIOD_SECONDS, GcControl
from camera_hub.running import running
from tests.fakes.clock import ManualClock


async def test_it_is_collected_after_a_viewer_has_gone_and_once_a_period() -> None:
    clock, collected = ManualClock(), []
    garbage = GcControl(clock, lambda: collected.append(clock.monotonic()))
    began = clock.monotonic()
    async with running(garbage.run(), "garbage"):
        await asyncio.sleep(0)
        for _ in range(3):
            await clock.advance(CHECK_SECONDS)
        assert collected == []
        garbage.viewer_ended()
        garbage.viewer_ended()
        await clock.advance(CHECK_SECONDS)
        await clock.advance(CHECK_SECONDS)
        assert [at - began for at in collected] == [4 * CHECK_SECONDS]
        for _ in range(int(PERIOD_SECONDS / CHECK_SECONDS)):
            await clock.advance(CHECK_SECONDS)
        assert [at - began for at in collected] == [4 * CHECK_SECONDS, 4 * CHECK_SECONDS + PERIOD_SECONDS]


async def test_many_viewers_that_go_at_once_are_not_waited_out() -> None:
    clock, collected = ManualClock(), []
    garbage = GcControl(clock, lambda: collected.append(clock.monotonic()))
    async with running(garbage.run(), "garbage"):
        await asyncio.sleep(0)
        for _ in range(2 * MANY_ENDED):
            garbage.viewer_ended()
        assert len(collected) == 2
        await clock.advance(CHECK_SECONDS)
        assert len(collected) == 2, "nobody has gone since"
