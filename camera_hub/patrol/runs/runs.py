"""Runs: tours being run. The row and the timetable hold all state; the loop only wakes up when a change is due.

Several screens may show the same run, an operator may close the browser, the hub may be killed: the run goes on by its
timetable. When two operators act at the same time, the run's revision lets only the first succeed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, tzinfo
from typing import Literal, Protocol, Self

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import DATABASE_REASONS, HubError, Kind
from camera_hub.events import EventBus, RunChanged
from camera_hub.patrol import township
from camera_hub.patrol.runs import record, timetable, visibility
from camera_hub.patrol.runs.condition import FeedReasons, dead_cameras
from camera_hub.patrol.runs.itinerary import Itineraries, Itinerary, dwells, itinerary_of, to_rows, usable
from camera_hub.patrol.runs.positions import Positioning, StopPositions
from camera_hub.patrol.runs.rollup import roll_up
from camera_hub.patrol.runs.timetable import Transition
from camera_hub.patrol.runs.views import RunView, StepView, cursor_of, step_views, views
from camera_hub.patrol.runs.visibility import Sighting
from camera_hub.patrol.runs.warming import Warming
from camera_hub.patrol.tours.tours import tour_row
from camera_hub.running import Backoff, keep_running, running
from camera_hub.settings import PatrolSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Run

log = logging.getLogger(__name__)

LONGEST_SLEEP = 5.0
"""Seconds; leases of feeds are renewed, and steps of the wall clock noticed, at least this often."""

CLOCK_STEP = 1.0
"""Seconds by which wall and monotonic clock must diverge to count as a step of the wall clock."""

MAX_ACTIVE = 32
LIMIT = 200

Tie = Callable[[AsyncSession, Run], Awaitable[None]]

Verb = Literal["pause", "resume", "next", "previous", "jump", "stop"]


class RunMedia(FeedReasons, Protocol):
    """What runs need from media."""

    async def warm(self, camera_ids: Sequence[int], holder: str, seconds: float) -> None:
        """Keep the feeds of these cameras running that long."""
        ...


class RunMoved(HubError):
    """The run has changed since the caller saw it; `view` is its present state."""

    def __init__(self, view: RunView) -> None:
        super().__init__(
            Kind.CONFLICT, "the run has changed meanwhile; check its present state and try again", reason="run_moved"
        )
        self.view = view


class Runs:
    """The operations behind api/runs, and the loop that advances runs. An async context manager.

    `zone` is the site's time zone: old lines of the record are summed by its days.
    """

    def __init__(
        self,
        settings: PatrolSettings,
        clock: Clock,
        bus: EventBus,
        database: Database,
        media: RunMedia,
        zone: tzinfo,
        positions: StopPositions | None = None,
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._database = database
        self._media = media
        self._zone = zone
        self._itineraries = Itineraries()
        self._warming = Warming(media, settings.warm_seconds)
        self._positioning = Positioning(positions, settings.warm_seconds)
        self._wake = asyncio.Event()
        self._lock = asyncio.Lock()  # the loop and the operations change runs one at a time
        self._seen = (clock.now(), clock.monotonic())
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._repair_anchors()
        self._seen = (self._clock.now(), self._clock.monotonic())
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._warming)
            await stack.enter_async_context(self._positioning)
            loop = keep_running("runs", self._run, clock=self._clock, backoff=Backoff(cap=5.0))
            await stack.enter_async_context(running(loop, "runs"))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def start(self, actor: Actor, tour_id: int, *, loop: bool, tie: Tie | None = None) -> RunView:
        """Start a tour. If all its cameras are dead the run ends at once, and its record names them.

        `tie`: what belongs to the start, in its transaction; if it raises, no run was started.
        """
        township.require(actor, "tour")
        async with self._lock, self._database.write() as session:
            tour = await tour_row(session, tour_id)
            active = await session.scalar(select(func.count()).select_from(Run).where(Run.state != "ended")) or 0
            if active >= MAX_ACTIVE:
                raise HubError(
                    Kind.BUSY, f"{active} runs are active, which is the limit; end one first", reason="too_many_runs"
                )
            itinerary = await itinerary_of(session, tour_id)
            dead = await self._dead(session, itinerary)
            now = self._clock.now()
            transition = timetable.begin(dwells(itinerary), usable(itinerary, dead), now, loop=loop)
            run = Run(
                tour_id=tour_id,
                tour_name=tour.name,
                itinerary=to_rows(itinerary),
                loop=loop,
                confirm=tour.confirm,
                least_s=tour.least_s,
                interrupt=tour.interrupt,
                state="running",
                anchor_at=now,
                revision=-1,  # the first step makes it 0
                started_by=actor.user_id,
                started_name=actor.display_name,
                started_at=now,
                operator_id=actor.user_id,
                operator_name=actor.display_name,
            )
            session.add(run)
            await session.flush()
            await record.apply(session, run, itinerary, transition, dead)
            if tie is not None:
                await tie(session, run)
            view = await self._view(session, run)
        self._changed([view.id])
        return view

    async def control(
        self, actor: Actor, run_id: int, verb: Verb, revision: int, position: int | None = None
    ) -> RunView:
        """Act on the run as it was at `revision`.

        Raises RunMoved when it has changed since, HubError when the verb is not possible in its state.
        """
        township.require(actor, "run")
        refused: RunMoved | None = None
        async with self._lock:
            await self._follow_clock_step()
            async with self._database.write() as session:
                run = await _row(session, run_id)
                itinerary = await self._itineraries.of(session, run_id)
                dead = await self._dead(session, itinerary)
                now = self._clock.now()
                moved = await self._advance(session, run, itinerary, dead, now)
                if run.revision != revision:
                    refused = RunMoved(await self._view(session, run))
                else:
                    transition = _transition(verb, run, itinerary, usable(itinerary, dead), now, position)
                    await record.apply(session, run, itinerary, transition, dead)
                    moved = True
                    view = await self._view(session, run)
        if moved:
            self._changed([run_id])
        if refused is not None:
            raise refused
        return view

    async def list(
        self,
        actor: Actor,
        *,
        state: str | None = None,
        tour_id: int | None = None,
        limit: int = 50,
        before: int | None = None,
    ) -> Sequence[RunView]:
        """Runs, newest first. `state`: running, paused, ended, or active for all that have not ended.

        `before` is the id of the last run of the previous page. Ids never change, so no page skips or repeats a run
        when others start or move on meanwhile. At most MAX_ACTIVE runs are active: one page of LIMIT holds them all.
        """
        if not township.sees(actor):
            return []
        query = select(Run).order_by(Run.id.desc()).limit(max(1, min(limit, LIMIT)))
        if state == "active":
            query = query.where(Run.state != "ended")
        elif state is not None:
            query = query.where(Run.state == state)
        if tour_id is not None:
            query = query.where(Run.tour_id == tour_id)
        if before is not None:
            query = query.where(Run.id < before)
        now = self._clock.now()
        await self._advance_due(query, now)
        async with self._database.read() as session:
            runs = (await session.scalars(query)).all()
            return await views(session, runs, self._itineraries, self._media, now)

    async def get(self, actor: Actor, run_id: int) -> RunView:
        """Raises HubError(NOT_FOUND)."""
        township.require(actor, "run")
        now = self._clock.now()
        await self._advance_due(select(Run).where(Run.id == run_id), now)
        async with self._database.read() as session:
            return await self._view(session, await _row(session, run_id), now)

    async def some(self, run_ids: Collection[int]) -> Sequence[RunView]:
        """Those of the given runs that exist. The caller decides who may see them."""
        async with self._database.read() as session:
            runs = (await session.scalars(select(Run).where(Run.id.in_(run_ids)))).all()
            return await views(session, runs, self._itineraries, self._media, self._clock.now())

    async def itinerary(self, actor: Actor, run_id: int) -> Itinerary:
        """The run's itinerary, which never changes. Raises HubError(NOT_FOUND)."""
        township.require(actor, "run")
        async with self._database.read() as session:
            await _row(session, run_id)
            return await self._itineraries.of(session, run_id)

    async def record(
        self, actor: Actor, run_id: int, *, after: int = -1, limit: int = LIMIT
    ) -> tuple[Sequence[StepView], int]:
        """Lines of the record after sequence `after`, in order, and the sequence before which lines are summed.

        Lines are summed from the oldest on: a reader between two pages starts again when that number has grown.
        Raises HubError(NOT_FOUND).
        """
        township.require(actor, "run")
        async with self._database.read() as session:
            run = await _row(session, run_id)
            itinerary = await self._itineraries.of(session, run_id)
            return await step_views(session, run_id, itinerary, after, max(1, min(limit, LIMIT))), run.rolled_up

    async def report(self, actor: Actor, run_id: int, sequence: int, sightings: Sequence[Sighting]) -> None:
        """Record what a page showed of a step. Impossible claims are cut to what is possible, late ones ignored."""
        if not township.sees(actor):
            return
        async with self._database.read() as session:
            now = self._clock.now()
            step = await visibility.open_for_reports(session, run_id, sequence, now)
            if step is None or not await visibility.find_changes(session, step, sightings, now):
                return
        async with self._lock, self._database.write() as session:
            now = self._clock.now()
            step = await visibility.open_for_reports(session, run_id, sequence, now)
            if step is not None:
                for row, seconds, gap in await visibility.find_changes(session, step, sightings, now):
                    visibility.apply_change(row, seconds, gap, step, now)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            await self._sleep(await self._tick())

    async def _tick(self) -> float:
        """Make every change that is due, keep feeds warm; returns the seconds until the next thing to do."""
        sleep = LONGEST_SLEEP
        async with self._lock:
            await self._follow_clock_step()
            async with self._database.read() as session:
                runs = (await session.scalars(select(Run).where(Run.state == "running"))).all()
                itineraries = {run.id: await self._itineraries.of(session, run.id) for run in runs}
                dead = await self._dead(session, *itineraries.values())
            for run in runs:
                due = timetable.due(dwells(itineraries[run.id]), cursor_of(run))
                now = self._clock.now()
                if due is not None and due <= now and (moved := await self._advance_alone(run.id, now)):
                    self._changed([run.id], wake=False)  # at once: this is committed, while what follows may fail
                    run = moved
                keep = self._warming.keep(run.id, itineraries[run.id], cursor_of(run), dead, self._clock.now())
                sleep = min(sleep, keep)
                cursor = cursor_of(run)
                self._positioning.keep(run.id, run.tour_name, itineraries[run.id], cursor, dead, self._clock.now())
            self._positioning.forget([run.id for run in runs])
        return sleep

    async def _advance_due(self, query: Select[Run], now: datetime) -> None:
        """Make the changes of these runs that are due at `now` and that the loop has not made yet: what is shown of a
        run is where its timetable has it. While the database takes no writes, it is shown as it was."""
        async with self._database.read() as session:
            running = [run for run in await session.scalars(query) if run.state == "running"]
            itineraries = {run.id: await self._itineraries.of(session, run.id) for run in running}
        for run in running:
            due = timetable.due(dwells(itineraries[run.id]), cursor_of(run))
            if due is not None and due <= now:
                try:
                    async with self._lock:
                        await self._follow_clock_step()
                        moved = await self._advance_alone(run.id, now)
                except HubError as error:
                    if error.reason not in DATABASE_REASONS:
                        raise
                    continue
                if moved:
                    self._changed([run.id])

    async def _advance_alone(self, run_id: int, now: datetime) -> Run | None:
        async with self._database.write() as session:
            run = await session.get_one(Run, run_id)
            itinerary = await self._itineraries.of(session, run_id)
            moved = await self._advance(session, run, itinerary, await self._dead(session, itinerary), now)
            if moved:
                await roll_up(session, run, self._zone)
        return run if moved else None

    async def _advance(
        self, session: AsyncSession, run: Run, itinerary: Itinerary, dead: dict[int, str], now: datetime
    ) -> bool:
        cursor = cursor_of(run)
        transition = timetable.catch_up(dwells(itinerary), cursor, usable(itinerary, dead), now)
        if transition.cursor == cursor:
            return False
        await record.apply(session, run, itinerary, transition, dead)
        if not transition.in_time:
            log.warning("run %d continues at stop %d after the hub was down", run.id, transition.cursor.position)
        return True

    async def _follow_clock_step(self) -> None:
        """If the wall clock was stepped, move the anchors with it, so that no stop gets longer or shorter."""
        wall, monotonic = self._seen
        seen = (self._clock.now(), self._clock.monotonic())
        step = (seen[0] - wall).total_seconds() - (seen[1] - monotonic)
        if abs(step) < CLOCK_STEP:
            return
        log.warning("the wall clock was stepped by %.1f s; the stops of all runs keep their length", step)
        async with self._database.write() as session:
            for run in await session.scalars(select(Run).where(Run.state != "ended")):
                run.anchor_at = timetable.shifted(cursor_of(run), step).anchor
                await record.shift(session, run, step)
        self._seen = seen

    async def _repair_anchors(self) -> None:
        """Let stops that began in the future (the clock was set back while the hub was down) begin now."""
        now = self._clock.now()
        async with self._database.write() as session:
            for run in await session.scalars(select(Run).where(Run.state == "running", Run.anchor_at > now)):
                await record.shift(session, run, (now - run.anchor_at).total_seconds())
                run.anchor_at = now

    async def _dead(self, session: AsyncSession, *itineraries: Itinerary) -> dict[int, str]:
        cameras = {camera for itinerary in itineraries for stop in itinerary for camera in stop.ids}
        return await dead_cameras(session, cameras, self._media) if cameras else {}

    async def _view(self, session: AsyncSession, run: Run, now: datetime | None = None) -> RunView:
        now = self._clock.now() if now is None else now
        return (await views(session, [run], self._itineraries, self._media, now))[0]

    def _changed(self, runs: Collection[int], *, wake: bool = True) -> None:
        for run_id in runs:
            self._bus.publish(RunChanged(run_id))
        if wake:
            self._wake.set()

    async def _sleep(self, seconds: float) -> None:
        """Sleep until the time is over or an operation has changed a run."""
        waits = [
            asyncio.create_task(self._clock.sleep(seconds), name="runs sleep"),
            asyncio.create_task(self._wake.wait(), name="runs wake"),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
            await asyncio.wait(waits)


async def _row(session: AsyncSession, run_id: int) -> Run:
    run = await session.get(Run, run_id)
    if run is None:
        raise township.not_found("run")
    return run


def _transition(
    verb: Verb, run: Run, itinerary: Itinerary, shown: frozenset[int], now: datetime, position: int | None
) -> Transition:
    times, cursor = dwells(itinerary), cursor_of(run)
    match verb:
        case "pause":
            return timetable.pause(times, cursor, now)
        case "resume":
            return timetable.resume(times, cursor, now)
        case "next":
            return timetable.forward(times, cursor, shown, now)
        case "previous":
            return timetable.back(times, cursor, shown, now)
        case "jump":
            return timetable.jump(times, cursor, shown, now, position)
        case "stop":
            return timetable.stop(cursor, now)
