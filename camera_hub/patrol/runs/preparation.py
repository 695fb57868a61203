"""What is got ready for the stops of runs: their pictures (warming) and where their cameras point (positions)."""

from collections.abc import Collection
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Self

from camera_hub.patrol.runs.positions import Positioning
from camera_hub.patrol.runs.situation import RunSituation, cursor_of
from camera_hub.patrol.runs.warming import Warming
from camera_hub.store.tables import Run


class Preparation:
    """An async context manager."""

    def __init__(self, warming: Warming, positioning: Positioning) -> None:
        self._warming = warming
        self._positioning = positioning
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._warming)
            await stack.enter_async_context(self._positioning)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def keep(self, run: Run, situation: RunSituation, now: datetime) -> tuple[float, bool]:
        """Have ready what the run needs at `now`; returns the seconds until it needs something else, and whether it has
        become known where a camera of its stop points."""
        cursor, told = cursor_of(run), False
        if run.state == "running":
            told = self._positioning.keep(run.id, run.tour_name, situation, cursor, now, run.steps)
        return self._warming.keep(run.id, situation, cursor, now), told

    def forget(self, running: Collection[int]) -> None:
        """Let go the cameras of all other runs."""
        self._positioning.forget(running)
