"""Reads runs: as their timetable has them now, and what is recorded of them."""

from collections.abc import Collection, Sequence

from sqlalchemy import Select, select

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.patrol import township
from camera_hub.patrol.runs.itinerary import Itinerary
from camera_hub.patrol.runs.keeper import RunKeeper, run_row
from camera_hub.patrol.runs.run_events import RunEventView, event_views
from camera_hub.patrol.runs.runs import may_run
from camera_hub.patrol.runs.situation import Situations
from camera_hub.patrol.runs.views import RunView, RunViews, StepView, step_views
from camera_hub.store.database import Database
from camera_hub.store.tables import Run, Tour, User

LIMIT = 200


class RunReader:
    """The reading operations behind api/runs."""

    def __init__(
        self, database: Database, clock: Clock, keeper: RunKeeper, views: RunViews, situations: Situations
    ) -> None:
        self._database = database
        self._clock = clock
        self._keeper = keeper
        self._views = views
        self._situations = situations

    async def list(
        self,
        actor: Actor,
        *,
        state: str | None = None,
        tour_id: int | None = None,
        limit: int = 50,
        before: int | None = None,
    ) -> Sequence[RunView]:
        """Runs, newest first. `state`: running, paused, closing, ended, or active for all that have not ended.

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
        await self._advance(query)
        async with self._database.read() as session:
            return await self._views.of(session, (await session.scalars(query)).all(), self._clock.now())

    async def get(self, actor: Actor, run_id: int) -> RunView:
        """Raises HubError(NOT_FOUND)."""
        township.require(actor, "run")
        await self._advance(select(Run).where(Run.id == run_id))
        async with self._database.read() as session:
            return await self._views.of_one(session, await run_row(session, run_id), self._clock.now())

    async def some(self, run_ids: Collection[int]) -> Sequence[RunView]:
        """Those of the given runs that exist. The caller decides who may see them."""
        async with self._database.read() as session:
            runs = (await session.scalars(select(Run).where(Run.id.in_(run_ids)))).all()
            return await self._views.of(session, runs, self._clock.now())

    async def operators(self, actor: Actor, run_id: int) -> Sequence[tuple[int, str]]:
        """Id and name of those to whom the run may be handed over. Raises HubError(NOT_FOUND)."""
        township.require(actor, "run")
        async with self._database.read() as session:
            tour = await session.get_one(Tour, (await run_row(session, run_id)).tour_id)
            users = await session.scalars(select(User).where(User.disabled.is_(False)).order_by(User.display_name))
            return [(user.id, user.display_name) for user in users if may_run(user, tour)]

    async def itinerary(self, actor: Actor, run_id: int) -> Itinerary:
        """The run's itinerary, which never changes. Raises HubError(NOT_FOUND)."""
        township.require(actor, "run")
        async with self._database.read() as session:
            await run_row(session, run_id)
            return await self._situations.itinerary(session, run_id)

    async def record(
        self, actor: Actor, run_id: int, *, after: int = -1, limit: int = LIMIT
    ) -> tuple[Sequence[StepView], int]:
        """Lines of the record after sequence `after`, in order, and the sequence before which lines are summed.

        Lines are summed from the oldest on: a reader between two pages starts again when that number has grown.
        Raises HubError(NOT_FOUND).
        """
        township.require(actor, "run")
        async with self._database.read() as session:
            run = await run_row(session, run_id)
            itinerary = await self._situations.itinerary(session, run_id)
            return await step_views(session, run_id, itinerary, after, max(1, min(limit, LIMIT))), run.rolled_up

    async def events(self, actor: Actor, run_id: int, *, after: int = 0, limit: int = LIMIT) -> Sequence[RunEventView]:
        """What was done to the run, after the event with the id `after`, in order. Raises HubError(NOT_FOUND)."""
        township.require(actor, "run")
        async with self._database.read() as session:
            await run_row(session, run_id)
            return await event_views(session, run_id, after, max(1, min(limit, LIMIT)))

    async def _advance(self, query: Select[Run]) -> None:
        """What is shown of a run is where its timetable has it, even before the loop has woken up."""
        async with self._database.read() as session:
            runs = [run for run in await session.scalars(query) if run.state == "running"]
            overdue = await self._situations.overdue(session, runs, self._clock.now())
        await self._keeper.advance(overdue)
