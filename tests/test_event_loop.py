"""What is measured of an event loop."""

import asyncio

import pytest

from camera_hub.event_loop import LoopMeter, run_queue_seconds
from tests.fakes.clock import ManualClock


class Loop:
    """A loop whose time is a value: so much of it is waited for, so much is CPU time."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.queued = self.cpu = 0.0
        self.meter = LoopMeter(self.clock, lambda: self.cpu, lambda: self.queued)

    async def run(self, seconds: int, *, queued: float, cpu: float, late: float = 0.0) -> None:
        """Of each second so much is worked, and waited for a core; each wake is so late."""
        for _ in range(seconds * 10):
            self.queued += queued / 10
            self.cpu += cpu / 10
            self.clock.move(late)
            await self.clock.advance(0.1 - late)


async def test_the_share_of_time_that_is_busy_counts_what_the_machine_withholds() -> None:
    loop = Loop()
    task = asyncio.create_task(loop.meter.run())
    await loop.clock.settle()
    assert (loop.meter.busy, loop.meter.cpu, loop.meter.late) == (0.0, 0.0, 0.0)
    await loop.run(5, queued=0.25, cpu=0.5)
    assert loop.meter.busy == pytest.approx(0.75, abs=0.02)
    assert loop.meter.cpu == pytest.approx(0.5, abs=0.02)
    await loop.run(5, queued=0.0, cpu=0.1)
    assert loop.meter.busy == pytest.approx(0.1, abs=0.02), "what was before is over after some seconds"
    task.cancel()


async def test_threads_count_but_no_more_than_the_whole_time() -> None:
    loop = Loop()
    task = asyncio.create_task(loop.meter.run())
    await loop.clock.settle()
    await loop.run(4, queued=0.2, cpu=1.5)
    assert loop.meter.cpu == pytest.approx(1.5, abs=0.05)
    assert loop.meter.busy == 1.0
    task.cancel()


def test_the_system_tells_how_long_a_process_waits_for_a_core() -> None:
    assert run_queue_seconds() >= 0.0


async def test_one_late_wake_is_no_lateness_but_some_are() -> None:
    loop = Loop()
    task = asyncio.create_task(loop.meter.run())
    await loop.clock.settle()
    await loop.run(5, queued=0.0, cpu=0.5)
    loop.clock.move(0.6)
    await loop.clock.advance(0.1)
    assert loop.meter.longest == pytest.approx(0.6, abs=0.1)
    assert loop.meter.late < 0.1
    for _ in range(3):
        loop.clock.move(0.6)
        await loop.clock.advance(0.1)
    assert loop.meter.late == pytest.approx(0.6, abs=0.1)
    task.cancel()
