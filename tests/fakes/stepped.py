"""A manual clock for loops that also wait for a database: time moves only while the loop sleeps."""

import asyncio

from tests.fakes.clock import ManualClock


class SteppedClock(ManualClock):
    """For one loop that sleeps in small steps: `walk` moves on whenever it has gone to sleep again."""

    def __init__(self) -> None:
        super().__init__()
        self._asleep = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        sleeping = asyncio.ensure_future(super().sleep(seconds))
        await asyncio.sleep(0)
        self._asleep.set()
        try:
            await sleeping
        finally:
            sleeping.cancel()

    async def asleep(self) -> None:
        """Until the loop sleeps."""
        async with asyncio.timeout(10):
            await self._asleep.wait()
        await self.settle()

    async def walk(self, seconds: float, step: float = 0.5) -> None:
        """Let `seconds` pass, step by step."""
        for _ in range(round(seconds / step)):
            await self.asleep()
            self._asleep.clear()
            await self.advance(step)
        await self.asleep()
