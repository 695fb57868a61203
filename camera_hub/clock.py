"""Time as an injected dependency: wall clock for records, monotonic clock for durations, sleep for waiting."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What every part that deals with time is given."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC. For records and people, never for durations."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never steps. For durations and deadlines."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
