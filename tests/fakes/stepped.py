"""A manual clock for a loop that also waits for a database: time moves only while the loop sleeps."""

import asyncio

from tests.fakes.clock import ManualClock

SHORT = 60.0
"""Longer sleeps are those of bystanders (hourly chores): nobody waits for them."""


class SteppedClock(ManualClock):
    """For one loop whose sleeps are short: `walk` moves on whenever it sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self._short = 0
        self._sleeping = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        short = seconds <= SHORT
        self._short += short
        if self._short:
            self._sleeping.set()
        try:
            await super().sleep(seconds)
        finally:
            self._short -= short
            if not self._short:
                self._sleeping.clear()

    async def nap(self, seconds: float) -> None:
        """A sleep of somebody else than the loop, e.g. of a pretended camera."""
        await super().sleep(seconds)

    async def asleep(self) -> None:
        """Until the loop sleeps, and nothing that can run at once is left to run."""
        async with asyncio.timeout(60):
            while True:
                await self._sleeping.wait()
                await self.settle()
                if self._sleeping.is_set():
                    return

    async def walk(self, seconds: float, step: float = 0.5) -> None:
        """Let `seconds` pass, step by step."""
        for _ in range(round(seconds / step)):
            await self.asleep()
            await self.advance(step)
        await self.asleep()
