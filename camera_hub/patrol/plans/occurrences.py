"""Occurrences: made ahead of time, prompted for, started as runs, and followed until they are done or missed.

The rows and pure functions of the present time hold all state: a restart, or a step of the clock, needs no recovery.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, Self

from sqlalchemy import or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import (
    Event,
    EventBus,
    Lagged,
    OccurrenceChanged,
    PlanChanged,
    RunChanged,
    Subscription,
    TourChanged,
)
from camera_hub.patrol import township
from camera_hub.patrol.plans import following
from camera_hub.patrol.plans.making import AHEAD, EXTEND, OccurrenceMaker
from camera_hub.patrol.plans.states import OPEN, judge
from camera_hub.patrol.plans.stored import planned_tours, special_times
from camera_hub.patrol.plans.views import OccurrenceView, coming_view, occurrence_views
from camera_hub.running import Backoff, keep_running, running
from camera_hub.store.database import Database
from camera_hub.store.tables import Plan, PlanOccurrence, Run

log = logging.getLogger(__name__)

LONGEST_SLEEP = 20.0
"""Seconds; steps of the wall clock are noticed at least this often."""
LIMIT = 3000
"""Occurrences in one answer."""
LONGEST_SPAN = timedelta(days=62)
"""Of one answer."""
MOST_DECLINED = 50

Tie = Callable[[AsyncSession, Run], Awaitable[None]]
"""What is done in the transaction that starts a run; if it raises, there is no run."""


class StartedRun(Protocol):
    """What plans keep of a run."""

    @property
    def id(self) -> int: ...


class RunStarter(Protocol):
    """What plans need of patrol.runs."""

    async def start(self, actor: Actor, tour_id: int, *, loop: bool, tie: Tie) -> StartedRun:
        """Start the tour, with `tie` in the same transaction. Raises HubError, and what `tie` raises."""
        ...


class OccurrenceTaken(HubError):
    """Somebody else was first, or it is over; `view` is its present state."""

    def __init__(self, view: OccurrenceView) -> None:
        if view.state in ("running", "done"):
            who = view.operator_name or view.started_name
            super().__init__(Kind.CONFLICT, f"{who} has started this patrol already", reason="occurrence_taken")
        else:
            super().__init__(
                Kind.CONFLICT,
                "this patrol was missed: its time is over; start the tour itself, or wait for the next due time",
                reason="occurrence_over",
            )
        self.view = view


@dataclass(frozen=True, slots=True)
class OccurrenceQuery:
    """Occurrences due from `begin` until just before `end`, in these states (none: in all)."""

    begin: datetime
    end: datetime
    states: Collection[str] = ()


class TourOccurrences:
    """The operations behind api/occurrences, and the loop that makes and follows them. An async context manager."""

    def __init__(
        self, database: Database, bus: EventBus, clock: Clock, maker: OccurrenceMaker, runs: RunStarter
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._maker = maker
        self._runs = runs
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            events = stack.enter_context(self._bus.subscribe(RunChanged, TourChanged, PlanChanged))
            loop = keep_running("occurrences", lambda: self._run(events), clock=self._clock, backoff=Backoff(cap=10.0))
            await stack.enter_async_context(running(loop, "occurrences"))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def list(self, actor: Actor, query: OccurrenceQuery) -> tuple[Sequence[OccurrenceView], bool]:
        """Those of the span in order, at most LIMIT, and whether there are more. What lies so far ahead that it is no
        row yet is computed. Raises HubError(INVALID) for a span that is too long or ends before it begins."""
        if not township.sees(actor):
            return [], False
        if not timedelta(0) < query.end - query.begin <= LONGEST_SPAN:
            raise HubError(
                Kind.INVALID,
                f"ask for a span of up to {LONGEST_SPAN.days} days, which ends after it begins",
                reason="span_length",
                days=LONGEST_SPAN.days,
            )
        now = self._clock.now()
        async with self._database.read() as session:
            rows = (
                await session.scalars(
                    select(PlanOccurrence)
                    .where(PlanOccurrence.due_at >= query.begin, PlanOccurrence.due_at < query.end)
                    .order_by(PlanOccurrence.due_at, PlanOccurrence.id)
                    .limit(LIMIT + 1)
                )
            ).all()
            found: Sequence[OccurrenceView] = await occurrence_views(session, rows, now)
        if len(found) <= LIMIT and query.end > now + AHEAD - EXTEND:
            coming = await self._coming(query.begin, query.end, LIMIT + 1 - len(found))
            found = sorted([*found, *coming], key=lambda view: (view.due_at, view.plan_name, view.plan_id))
        shown = [view for view in found[:LIMIT] if not query.states or view.state in query.states]
        return shown, len(found) > LIMIT

    async def get(self, actor: Actor, occurrence_id: int) -> OccurrenceView:
        """Raises HubError(NOT_FOUND)."""
        township.require(actor, "occurrence")
        async with self._database.read() as session:
            return await self._view(session, await _row(session, occurrence_id))

    async def some(self, ids: Collection[int]) -> Sequence[OccurrenceView]:
        """Those of the given occurrences that exist. The caller decides who may see them."""
        async with self._database.read() as session:
            rows = (await session.scalars(select(PlanOccurrence).where(PlanOccurrence.id.in_(ids)))).all()
            return await occurrence_views(session, rows, self._clock.now())

    async def start(self, actor: Actor, occurrence_id: int) -> OccurrenceView:
        """Start the tour as a run that counts for this occurrence, and for those of other plans of the same tour that
        are due within its grace.

        Raises OccurrenceTaken when somebody was first or it is over, HubError(CONFLICT) when it is not due yet or its
        tour is gone, and what runs raise.
        """
        township.require(actor, "occurrence")
        async with self._database.read() as session:
            row = await _row(session, occurrence_id)
            await self._refuse(session, row)
            tour = (await planned_tours(session, [row.tour_id])).get(row.tour_id)
        if tour is None or tour.problem is not None:
            raise HubError(
                Kind.CONFLICT,
                f"the tour {row.tour_name} was deleted, is archived or has no stops; choose another one in the plan",
                reason="plan_tour_gone",
                tour=row.tour_name,
            )
        tied: list[int] = []

        async def tie(session: AsyncSession, run: Run) -> None:
            row = await _row(session, occurrence_id, locked=True)
            await self._refuse(session, row)
            for one in [row, *await _merged(session, row, run.started_at)]:
                judged = judge(following.window_of(one), following.run_end(run), run.started_at)
                one.run_id, one.started_at, one.started_name = run.id, run.started_at, run.started_name
                one.state, one.late, one.why, one.ended_at = judged.state, judged.late, None, run.ended_at
                tied.append(one.id)
            await session.flush()

        await self._runs.start(actor, row.tour_id, loop=False, tie=tie)
        self._changed(tied)
        return await self.get(actor, occurrence_id)

    async def decline(self, actor: Actor, occurrence_id: int) -> OccurrenceView:
        """The actor is not prompted for it any more. Raises HubError(NOT_FOUND)."""
        township.require(actor, "occurrence")
        async with self._database.write() as session:
            row = await _row(session, occurrence_id)
            if actor.user_id not in row.declined:
                row.declined = [*row.declined, actor.user_id][-MOST_DECLINED:]
            await session.flush()
            view = await self._view(session, row)
        self._changed([occurrence_id])
        return view

    async def tick(self) -> float:
        """Bring all occurrences up to date; returns the seconds until the next thing to do."""
        now = self._clock.now()
        await self._maker.make(now)
        while True:
            async with self._database.read() as session:
                due = await following.changed(session, now)
            if not due:
                break
            async with self._database.write() as session:
                ids = await following.apply(session, await following.changed(session, now))
            self._changed(ids)
        async with self._database.read() as session:
            following_time = await following.next_time(session, now)
        if following_time is None:
            return LONGEST_SLEEP
        return min(LONGEST_SLEEP, max(0.05, (following_time - now).total_seconds()))

    async def _run(self, events: Subscription) -> None:
        await self._maker.make(self._clock.now(), everything=True)  # settings may have changed
        happened: Sequence[Event] = ()
        while True:
            await self._follow_tours(happened)
            happened = await self._wait(events, await self.tick())

    async def _follow_tours(self, happened: Sequence[Event]) -> None:
        """Make the occurrences of plans whose tour has changed again."""
        tours = {event.tour_id for event in happened if isinstance(event, TourChanged)}
        lost = any(isinstance(event, Lagged) for event in happened)
        if not tours and not lost:
            return
        concerned = true() if lost else or_(Plan.tour_id.in_(tours), Plan.night_tour_id.in_(tours))
        async with self._database.write() as session:
            changed = await session.scalars(
                update(Plan)
                .where(Plan.made_until.is_not(None), concerned)
                .values(made_until=None)
                .returning(Plan.id)
                .execution_options(synchronize_session=False)
            )
            plans = changed.all()
        if plans:
            await self._maker.make(self._clock.now())
        for plan_id in plans:
            self._bus.publish(PlanChanged(plan_id))

    async def _wait(self, events: Subscription, seconds: float) -> Sequence[Event]:
        """Until something has happened or the time is over; what has happened."""
        sleep = asyncio.create_task(self._clock.sleep(seconds), name="occurrences sleep")
        batch = asyncio.create_task(events.batch(), name="occurrences events")
        try:
            await asyncio.wait([sleep, batch], return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            batch.cancel()
            await asyncio.wait([sleep, batch])
        return () if batch.cancelled() else batch.result()

    async def _coming(self, begin: datetime, end: datetime, most: int) -> Sequence[OccurrenceView]:
        async with self._database.read() as session:
            plans = (
                await session.scalars(
                    select(Plan).where(Plan.enabled, Plan.retired_at.is_(None), Plan.made_until.is_not(None))
                )
            ).all()
            tours = await planned_tours(session)
            special = await special_times(session, begin)
        views: list[OccurrenceView] = []

        def compute() -> None:
            for plan, one in self._maker.coming(plans, special, begin, end):
                if (view := coming_view(plan, tours, one)) is not None:
                    views.append(view)
                if len(views) >= most:
                    return

        await asyncio.to_thread(compute)
        return views

    async def _refuse(self, session: AsyncSession, row: PlanOccurrence) -> None:
        """Raise HubError when it cannot be started now."""
        view = await self._view(session, row)
        if view.state not in OPEN:
            raise OccurrenceTaken(view)
        early = row.late_at - row.due_at
        if self._clock.now() < row.due_at - early:
            raise HubError(
                Kind.CONFLICT,
                f"this patrol is due at {row.due_at.isoformat()}; it can be started "
                f"{early.total_seconds() / 60:.0f} minutes before that",
                reason="occurrence_early",
                due_at=row.due_at.isoformat(),
                minutes=round(early.total_seconds() / 60),
            )

    async def _view(self, session: AsyncSession, row: PlanOccurrence) -> OccurrenceView:
        return (await occurrence_views(session, [row], self._clock.now()))[0]

    def _changed(self, ids: Collection[int]) -> None:
        for occurrence_id in ids:
            self._bus.publish(OccurrenceChanged(occurrence_id))


async def _row(session: AsyncSession, occurrence_id: int, *, locked: bool = False) -> PlanOccurrence:
    row = await session.get(PlanOccurrence, occurrence_id, with_for_update=locked)
    if row is None:
        raise township.not_found("occurrence")
    return row


async def _merged(session: AsyncSession, row: PlanOccurrence, now: datetime) -> Sequence[PlanOccurrence]:
    """Occurrences of other plans for which the patrol of this one counts as well: of the same tour, open, and due
    within the grace of both."""
    grace = row.late_at - row.due_at
    near = await session.scalars(
        select(PlanOccurrence).where(
            PlanOccurrence.tour_id == row.tour_id,
            PlanOccurrence.plan_id != row.plan_id,
            PlanOccurrence.state.in_(tuple(OPEN)),
            PlanOccurrence.due_at >= row.due_at - grace,
            PlanOccurrence.due_at <= row.due_at + grace,
        )
    )
    return [
        one
        for one in near
        if abs(one.due_at - row.due_at) <= one.late_at - one.due_at
        and judge(following.window_of(one), None, now).state in OPEN
    ]
