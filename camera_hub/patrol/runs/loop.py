"""Advances runs by their timetables, and has the pictures and cameras of their stops ready.

The rows and the timetable hold all state: the loop only wakes up when something is due.
"""

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import Self

from sqlalchemy import select

from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.patrol.runs import timetable
from camera_hub.patrol.runs.keeper import RunKeeper
from camera_hub.patrol.runs.preparation import Preparation
from camera_hub.patrol.runs.ptz_waits import PtzWaits
from camera_hub.patrol.runs.situation import Situations, cursor_of
from camera_hub.patrol.runs.warming import warms_at_end
from camera_hub.running import Backoff, keep_running, running
from camera_hub.store.database import Database
from camera_hub.store.tables import Run

log = logging.getLogger(__name__)

LONGEST_SLEEP = 5.0
"""Seconds; leases of feeds are renewed, and steps of the wall clock noticed, at least this often."""


class RunLoop:
    """An async context manager. `closing_seconds`: after so long a patrol that nobody goes on with expires."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        keeper: RunKeeper,
        situations: Situations,
        preparation: Preparation,
        waits: PtzWaits,
        closing_seconds: float,
    ) -> None:
        self._database = database
        self._clock = clock
        self._keeper = keeper
        self._situations = situations
        self._preparation = preparation
        self._waits = waits
        self._closing_seconds = closing_seconds
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._keeper.repair_anchors()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._preparation)
            await stack.enter_async_context(self._waits)
            loop = keep_running("runs", self._run, clock=self._clock, backoff=Backoff(cap=5.0))
            await stack.enter_async_context(running(loop, "runs"))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _run(self) -> None:
        while True:
            self._keeper.wake.clear()
            await self._sleep(await self._tick())

    async def _tick(self) -> float:
        """Make every change that is due, keep feeds warm; returns the seconds until the next thing to do."""
        await self._keeper.follow_clock()
        async with self._database.read() as session:
            found = (await session.scalars(select(Run).where(Run.state != "ended"))).all()
            active = {run.id: run for run in await self._situations.going_on(session, found)}
            overdue = await self._situations.overdue(session, active.values(), self._clock.now())
        active |= {run.id: run for run in await self._keeper.advance(overdue, wake=False)}
        for run in active.values():
            await self._expire(run)
        shown = [run for run in active.values() if run.state == "running" or run.pause_reason == "ptz"]
        closing = [run for run in active.values() if warms_at_end(cursor_of(run), self._clock.now())]
        async with self._database.read() as session:
            situations = await self._situations.of(session, shown + closing, early=False)
        sleep = LONGEST_SLEEP
        told = list[int]()
        for run in shown:
            if not await self._waits.follow(run, situations[run.id]):  # else it has changed, and the loop comes again
                seconds, placed = self._preparation.keep(run, situations[run.id], self._clock.now())
                sleep = min(sleep, seconds)
                if placed:
                    told.append(run.id)
        self._keeper.changed(told, wake=False)
        for run in closing:
            self._preparation.keep(run, situations[run.id], self._clock.now())
        # Whoever writes something down has paused it, and still looks at these pictures.
        kept = [run.id for run in active.values() if run.state == "running" or run.pause_reason == "operator"]
        self._preparation.forget(kept)
        self._waits.watch({run.id: situations[run.id].itinerary[run.position].ids for run in shown})
        return sleep

    async def _expire(self, run: Run) -> None:
        at = timetable.expiry(cursor_of(run), self._closing_seconds)
        if at is None or self._clock.now() < at:
            return
        try:
            async with self._keeper.changing(run.id) as opened:
                at = timetable.expiry(opened.cursor, self._closing_seconds)
                if at is not None and opened.now >= at:
                    await opened.move(timetable.expire(opened.cursor, opened.now))
                    opened.note("expired", None)
                    log.warning("run %d was not submitted in time and expires", run.id)
        except (HubError, ValueError) as error:  # it cannot be sealed now: the others go on, and it is tried again
            log.error("run %d has expired and cannot be ended: %s", run.id, error)

    async def _sleep(self, seconds: float) -> None:
        """Sleep until the time is over or an operation has changed a run."""
        waits = [
            asyncio.create_task(self._clock.sleep(seconds), name="runs sleep"),
            asyncio.create_task(self._keeper.wake.wait(), name="runs wake"),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
            await asyncio.wait(waits)
