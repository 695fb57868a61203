"""What people do with runs: start a tour, act on it, hand it over, submit it.

Several screens may show the same run, an operator may close the browser, the hub may be killed: the run goes on by its
timetable. When two operators act at the same time, the run's revision lets only the first succeed.
"""

from collections.abc import Awaitable, Callable
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Action, Actor, Role, allows
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.patrol import township
from camera_hub.patrol.runs import timetable
from camera_hub.patrol.runs.itinerary import itinerary_of, to_rows
from camera_hub.patrol.runs.keeper import OpenRun, RunKeeper
from camera_hub.patrol.runs.run_events import EventKind
from camera_hub.patrol.runs.run_proof import RunProof
from camera_hub.patrol.runs.situation import RunSituation, Situations, stops_of
from camera_hub.patrol.runs.timetable import Transition
from camera_hub.patrol.runs.views import RunView, RunViews
from camera_hub.patrol.tours import rights
from camera_hub.patrol.tours.tours import tour_to_run
from camera_hub.store.tables import Run, Tour, User

MAX_ACTIVE = 32

Tie = Callable[[AsyncSession, Run], Awaitable[None]]

Verb = Literal["pause", "resume", "next", "previous", "jump", "stop"]

AskedPause = Literal["operator", "attention"]
"""Why a page asks for a pause: its user wants it, or did not answer the attention prompt."""

_EVENTS: dict[Verb, EventKind] = {
    "pause": "paused",
    "resume": "resumed",
    "next": "next",
    "previous": "previous",
    "jump": "jumped",
    "stop": "stopped",
}


class Runs:
    """The operations behind api/runs that change runs."""

    def __init__(
        self, clock: Clock, keeper: RunKeeper, views: RunViews, situations: Situations, proof: RunProof
    ) -> None:
        self._clock = clock
        self._keeper = keeper
        self._views = views
        self._situations = situations
        self._proof = proof

    async def start(self, actor: Actor, tour_id: int, *, loop: bool, tie: Tie | None = None) -> RunView:
        """Start a tour. If all its cameras are dead, a loop ends at once and a patrol is closing; the record names
        them.

        Raises HubError: NOT_FOUND, FORBIDDEN (not a role of the tour), INVALID (no stops), BUSY.
        """
        township.require(actor, "tour")
        async with self._keeper.writing() as session:
            tour = await tour_to_run(session, actor, tour_id)
            active = await session.scalar(select(func.count()).select_from(Run).where(Run.state != "ended")) or 0
            if active >= MAX_ACTIVE:
                raise HubError(
                    Kind.BUSY, f"{active} runs are active, which is the limit; end one first", reason="too_many_runs"
                )
            itinerary = await itinerary_of(session, tour_id)
            if not any(stop.ids for stop in itinerary):
                raise HubError(
                    Kind.INVALID, "this tour shows no camera; give it stops that have cameras", reason="tour_empty"
                )
            dead = await self._situations.dead(session, itinerary)
            situation = RunSituation(itinerary, dead, stops_of(itinerary, dead))
            now = self._clock.now()
            run = Run(
                tour_id=tour_id,
                tour_name=tour.name,
                itinerary=to_rows(itinerary),
                loop=loop,
                confirm=tour.confirm,
                least_s=tour.least_s,
                interrupt="none" if loop else tour.interrupt,
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
            if not loop:
                await self._proof.begin(session, run, itinerary)
            opened = self._keeper.opened(session, run, situation, now)
            opened.note("started", actor)
            await opened.move(timetable.begin(situation.stops, now, loop=loop))
            if tie is not None:
                await tie(session, run)
            view = await self._views.of_one(session, run, now)
        self._keeper.changed([view.id])
        return view

    async def control(
        self,
        actor: Actor,
        run_id: int,
        verb: Verb,
        revision: int,
        position: int | None = None,
        reason: AskedPause = "operator",
    ) -> RunView:
        """Act on the run as it was at `revision`. `reason`: of a pause.

        Raises RunMoved when it has changed since, HubError when the verb is not possible in its state.
        """
        township.require(actor, "run")
        async with self._keeper.changing(run_id, revision) as opened:
            await _require_role(opened, actor)
            transition = _transition(verb, opened, position, reason)
            detail = {"reason": opened.run.pause_reason} if verb == "resume" else {}
            if verb == "pause":
                detail = {"reason": reason}
            await opened.move(transition, _EVENTS[verb], actor, **detail)
            return await self._view(opened)

    async def extend(self, actor: Actor, run_id: int, seconds: float, revision: int) -> RunView:
        """Show the present stop that much longer. Raises as `control`."""
        township.require(actor, "run")
        async with self._keeper.changing(run_id, revision) as opened:
            await _require_role(opened, actor)
            await opened.move(timetable.extend(opened.cursor, seconds))
            opened.note("extended", actor, seconds=seconds)
            return await self._view(opened)

    async def hand_over(self, actor: Actor, run_id: int, user_id: int, note: str, revision: int) -> RunView:
        """Make somebody else the run's operator; only the operator and township admins may.

        Raises as `control`, and HubError: FORBIDDEN, INVALID (that user may not run this tour).
        """
        township.require(actor, "run")
        async with self._keeper.changing(run_id, revision) as opened:
            run, tour = opened.run, await _tour(opened)
            if actor.role is not Role.TOWNSHIP_ADMIN:
                require_operator(actor, run)
            user = await opened.session.get(User, user_id)
            if user is None or not may_run(user, tour):
                raise HubError(
                    Kind.INVALID, "that user may not run this tour; choose somebody else", reason="may_not_run"
                )
            await self._change_operator(opened, user.id, user.display_name)
            opened.note("handed_over", actor, to=user.id, to_name=user.display_name, note=note)
            return await self._view(opened)

    async def take_over(self, actor: Actor, run_id: int, note: str, revision: int) -> RunView:
        """Become the run's operator. Raises as `control`."""
        township.require(actor, "run")
        async with self._keeper.changing(run_id, revision) as opened:
            await _require_role(opened, actor)
            before, name = opened.run.operator_id, opened.run.operator_name
            await self._change_operator(opened, actor.user_id, actor.display_name)
            opened.note("taken_over", actor, note=note, from_name=name, **{"from": before})
            return await self._view(opened)

    async def receive(self, actor: Actor, run_id: int) -> RunView:
        """Take note of a hand-over: the message of it is not shown any more. The second time nothing changes.

        Raises HubError: NOT_FOUND, FORBIDDEN (not_operator), CONFLICT (run_ended).
        """
        township.require(actor, "run")
        async with self._keeper.changing(run_id) as opened:
            require_operator(actor, opened.run)
            if opened.run.state == "ended":
                raise _ended()
            view = await self._view(opened)
            if view.handover is None or view.handover.received_at is not None:
                return view
            opened.note("received", actor)
            return await self._view(opened)

    async def submit(self, actor: Actor, run_id: int, note: str, revision: int | None = None) -> RunView:
        """End a patrol whose stops are over and of which nothing is open any more.

        Raises RunMoved, HubError: FORBIDDEN (not_operator), CONFLICT (run_running, run_paused, still_open, …).
        """
        township.require(actor, "run")
        async with self._keeper.changing(run_id, revision) as opened:
            await _require_role(opened, actor)
            if opened.run.state != "ended":
                require_operator(actor, opened.run)
            transition = timetable.submit(opened.cursor, opened.now)
            await self._proof.may_submit(opened.session, opened.run)
            await opened.move(transition)
            opened.note("submitted", actor, note=note)
            return await self._view(opened)

    async def _change_operator(self, opened: OpenRun, user_id: int, name: str) -> None:
        run = opened.run
        if run.state == "ended":
            raise _ended()
        if run.operator_id == user_id:
            raise HubError(Kind.CONFLICT, f"“{name}” runs this patrol already", reason="already_operator", name=name)
        run.operator_id, run.operator_name = user_id, name
        run.revision += 1

    async def _view(self, opened: OpenRun) -> RunView:
        await opened.session.flush()  # a hand-over is read from the events
        return await self._views.of_one(opened.session, opened.run, opened.now)


def require_operator(actor: Actor, run: Run) -> None:
    """Raises HubError(FORBIDDEN) if somebody else runs it now."""
    if run.operator_id != actor.user_id:
        raise HubError(
            Kind.FORBIDDEN,
            f"“{run.operator_name}” runs this patrol; take it over instead",
            reason="not_operator",
            name=run.operator_name,
        )


def may_run(user: User, tour: Tour) -> bool:
    """Whether the user may run that tour."""
    villages = None if user.all_villages else frozenset[int]()
    actor = Actor(user.id, user.username, user.display_name, Role(user.role), villages)
    return not user.disabled and allows(actor, Action.RUN_TOURS) and rights.may_run(actor, tour.roles, tour.created_by)


def _ended() -> HubError:
    return HubError(Kind.CONFLICT, "the run is ended", reason="run_ended")


async def _tour(opened: OpenRun) -> Tour:
    return await opened.session.get_one(Tour, opened.run.tour_id)


async def _require_role(opened: OpenRun, actor: Actor) -> None:
    tour = await _tour(opened)
    rights.require_run(actor, tour.roles, tour.created_by)


def _transition(verb: Verb, opened: OpenRun, position: int | None, reason: AskedPause) -> Transition:
    stops, cursor, now = opened.situation.stops, opened.cursor, opened.now
    match verb:
        case "pause":
            return timetable.pause(stops, cursor, now, reason)
        case "resume":
            return timetable.resume(cursor, now)
        case "next":
            return timetable.forward(stops, cursor, now)
        case "previous":
            return timetable.back(stops, cursor, now)
        case "jump":
            return timetable.jump(stops, cursor, now, position)
        case "stop":
            return timetable.stop(cursor, now)
