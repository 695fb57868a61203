"""Changes runs one at a time: each change finds its run where the timetable has it, and is made in one transaction."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import DATABASE_REASONS, HubError, Kind
from camera_hub.events import EventBus, RunChanged
from camera_hub.patrol import township
from camera_hub.patrol.runs import record, timetable
from camera_hub.patrol.runs.rollup import roll_up
from camera_hub.patrol.runs.run_events import EventKind, add_event, trim_events
from camera_hub.patrol.runs.run_proof import RunProof
from camera_hub.patrol.runs.situation import RunSituation, Situations, cursor_of
from camera_hub.patrol.runs.timetable import Cursor, Transition
from camera_hub.patrol.runs.views import RunView, RunViews
from camera_hub.store.database import Database
from camera_hub.store.tables import Run

log = logging.getLogger(__name__)

CLOCK_STEP = 1.0
"""Seconds by which wall and monotonic clock must diverge to count as a step of the wall clock."""


class RunMoved(HubError):
    """The run has changed since the caller saw it; `view` is its present state."""

    def __init__(self, view: RunView) -> None:
        super().__init__(
            Kind.CONFLICT, "the run has changed meanwhile; check its present state and try again", reason="run_moved"
        )
        self.view = view


@dataclass(slots=True)
class OpenRun:
    """A run inside the transaction that changes it, as its timetable has it `now`. `over`: it had ended before."""

    session: AsyncSession
    run: Run
    situation: RunSituation
    now: datetime
    proof: RunProof = field(repr=False)
    changed: bool = False
    over: bool = field(init=False)

    def __post_init__(self) -> None:
        self.over = self.run.state == "ended"

    @property
    def cursor(self) -> Cursor:
        """Where it stands, as `timetable` takes it."""
        return cursor_of(self.run)

    async def move(
        self, transition: Transition, act: EventKind | None = None, actor: Actor | None = None, **detail: Any
    ) -> None:
        """Apply the transition, with its lines; then the event of the act, and after it, when the stops of a patrol are
        over by it, that one."""
        before, self.changed = self.run.state, True
        await record.apply(self.session, self.run, self.situation, transition, self.proof)
        if act is not None:
            self.note(act, actor, **detail)
        if self.run.state != before and (self.run.state == "closing" or self.run.end_reason == "all_dead"):
            self.note("closing" if self.run.state == "closing" else "all_dead", None)

    def note(self, kind: EventKind, actor: Actor | None, **detail: Any) -> None:
        """Add an event."""
        self.changed = True
        add_event(self.session, self.run, kind, self.now, actor, **detail)

    async def finish(self) -> None:
        """Called last in the transaction: a patrol that has ended by it is handed to its proof, which seals it."""
        if self.run.state == "ended" and not self.over and not self.run.loop:
            await self.session.flush()
            await self.proof.ended(self.session, self.run)


class RunKeeper:
    """`zone` is the site's time zone: old lines of the record are summed by its days. `wake` is set at each change."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        bus: EventBus,
        views: RunViews,
        situations: Situations,
        proof: RunProof,
        zone: tzinfo,
    ) -> None:
        self._database = database
        self._clock = clock
        self._bus = bus
        self._views = views
        self._situations = situations
        self._proof = proof
        self._zone = zone
        self._lock = asyncio.Lock()  # the loop and the operations change runs one at a time
        self._seen = (clock.now(), clock.monotonic())
        self.wake = asyncio.Event()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """A transaction of its own, with no change of a run meanwhile."""
        async with self._lock, self._database.write() as session:
            yield session

    def opened(self, session: AsyncSession, run: Run, situation: RunSituation, now: datetime) -> OpenRun:
        """A run that was just added, to be moved."""
        return OpenRun(session, run, situation, now, self._proof)

    @asynccontextmanager
    async def changing(self, run_id: int, revision: int | None = None) -> AsyncIterator[OpenRun]:
        """The run, caught up, to be changed in one transaction; everybody is told afterwards, if it was.

        Raises RunMoved if it is not at that revision, HubError(NOT_FOUND). What was due is kept whatever the caller
        raises.
        """
        async with self._lock:
            await self._follow_clock_step()
            now = self._clock.now()
            if await self._catch_up(run_id, now) is not None:
                self.changed([run_id])
            async with self._database.write() as session:
                run = await run_row(session, run_id)
                if revision is not None and run.revision != revision:
                    raise RunMoved(await self._views.of_one(session, run, now))
                opened = OpenRun(session, run, await self._situations.of_one(session, run), now, self._proof)
                yield opened
                await opened.finish()
        if opened.changed:
            self.changed([run_id])

    async def advance(self, overdue: Collection[int], *, wake: bool = True) -> list[Run]:
        """Make the changes of these runs that are due and that nobody has made yet. While the database takes no writes,
        they are as they were. Returns those that were moved, as they are now."""
        moved = []
        for run_id in overdue:
            try:
                async with self._lock:
                    await self._follow_clock_step()
                    found = await self._catch_up(run_id, self._clock.now())
            except HubError as error:
                if error.reason not in DATABASE_REASONS:
                    raise
                continue
            if found is not None:
                moved.append(found)
                self.changed([run_id], wake=wake)
        return moved

    async def follow_clock(self) -> None:
        """If the wall clock was stepped, move the anchors with it, so that no stop gets longer or shorter."""
        if self._clock_step():
            async with self._lock:
                await self._follow_clock_step()

    async def repair_anchors(self) -> None:
        """Let stops that began in the future (the clock was set back while the hub was down) begin now."""
        now = self._clock.now()
        async with self._lock, self._database.write() as session:
            for run in await session.scalars(select(Run).where(Run.state != "ended", Run.anchor_at > now)):
                await record.shift(session, run, (now - run.anchor_at).total_seconds())
                run.anchor_at = now
        self._seen = (self._clock.now(), self._clock.monotonic())

    def changed(self, runs: Collection[int], *, wake: bool = True) -> None:
        """Tell everybody, and wake the loop."""
        for run_id in runs:
            self._bus.publish(RunChanged(run_id))
        if wake:
            self.wake.set()

    async def _catch_up(self, run_id: int, now: datetime) -> Run | None:
        """Make what is due at `now`; the run as it is then, None when nothing was due."""
        async with self._database.read() as session:
            run = await run_row(session, run_id)
            if not await self._situations.overdue(session, [run], now):
                return None
        async with self._database.write() as session:
            run = await run_row(session, run_id)
            situation = (await self._situations.of(session, [run], early=False))[run_id]
            opened = OpenRun(session, run, situation, now, self._proof)
            transition = timetable.catch_up(situation.stops, opened.cursor, now)
            await opened.move(transition)
            if await roll_up(session, run, self._zone):
                await trim_events(session, run)
            await opened.finish()
        if not transition.in_time:
            log.warning("run %d continues at stop %d after the hub was down", run_id, transition.cursor.position)
        return run

    def _clock_step(self) -> float:
        """Seconds by which the wall clock was stepped since that was followed; 0.0: it was not."""
        wall, monotonic = self._seen
        step = (self._clock.now() - wall).total_seconds() - (self._clock.monotonic() - monotonic)
        return step if abs(step) >= CLOCK_STEP else 0.0

    async def _follow_clock_step(self) -> None:
        if not (step := self._clock_step()):
            return
        seen = (self._clock.now(), self._clock.monotonic())
        log.warning("the wall clock was stepped by %.1f s; the stops of all runs keep their length", step)
        async with self._database.write() as session:
            for run in await session.scalars(select(Run).where(Run.state != "ended")):
                run.anchor_at = timetable.shifted(cursor_of(run), step).anchor
                await record.shift(session, run, step)
        self._seen = seen


async def run_row(session: AsyncSession, run_id: int) -> Run:
    """Raises HubError(NOT_FOUND)."""
    run = await session.get(Run, run_id)
    if run is None:
        raise township.not_found("run")
    return run
