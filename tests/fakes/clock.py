"""Time as a value: a clock that moves only when told, or when somebody sleeps on it."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta


class ManualClock:
    """`advance` wakes sleepers in order. With `auto` a sleep returns at once and moves the time by itself."""

    def __init__(self, start: datetime = datetime(2026, 11, 23, 8, 0, tzinfo=UTC), *, auto: bool = False) -> None:
        self._now = start
        self._monotonic = 1000.0
        self._auto = auto
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def step_wall(self, seconds: float) -> None:
        """Step the wall clock alone, as NTP or an operator would."""
        self._now += timedelta(seconds=seconds)

    def move(self, seconds: float) -> None:
        """Move both clocks without letting anybody run."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self._auto:
            self.move(seconds)
            await asyncio.sleep(0)
            return
        self._count += 1
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._monotonic + seconds, self._count, future))
        await future

    async def advance(self, seconds: float) -> None:
        """Move the time forward, waking every sleeper whose time comes, each at its own moment."""
        end = self._monotonic + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, future = heapq.heappop(self._sleepers)
            self.move(max(0.0, due - self._monotonic))
            if not future.done():
                future.set_result(None)
            await self.settle()
        self.move(end - self._monotonic)
        await self.settle()

    @staticmethod
    async def settle(turns: int = 20) -> None:
        """Let every task that can run do so."""
        for _ in range(turns):
            await asyncio.sleep(0)
