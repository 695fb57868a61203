"""Plans: when a tour is due."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Action, Actor, Role, role_actions
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, PlanChanged
from camera_hub.patrol import township
from camera_hub.patrol.plans.calendar import ONE_DAY, DueTime, SpecialTimes, due_times, next_due
from camera_hub.patrol.plans.making import OccurrenceMaker
from camera_hub.patrol.plans.overlaps import DuePatrol, Overlap, last_end, overlaps, tour_of
from camera_hub.patrol.plans.rules import PlanRules, check, check_night, clock_text, rule_json, season_json
from camera_hub.patrol.plans.stored import (
    PlannedTour,
    plan_row,
    planned_tours,
    problem_of,
    rules_of,
    special_times,
)
from camera_hub.patrol.plans.templates import stored_days
from camera_hub.store.database import Database
from camera_hub.store.tables import Plan, User

MOST_PLANS = 1000
MOST_PER_DAY = 5000
"""Due times of all plans together on a day: what a centre can never patrol, and a database still keeps for a year."""
PREVIEWED = 10
MOST_OVERLAPS = 20
OVERLAP_SEARCH = timedelta(days=7)
NEXT_SEARCH = timedelta(days=35)


@dataclass(frozen=True, slots=True)
class NewPlan:
    """A plan as it is asked for."""

    name: str
    tour_id: int
    rules: PlanRules
    note: str = ""
    night_tour_id: int | None = None
    enabled: bool = True
    grace_minutes: int = 30
    people: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan's row with what it needs to be understood; see api.schemas.plans.PlanAnswer."""

    plan: Plan
    tour_name: str
    night_tour_name: str | None
    problem: str | None
    next_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class PreviewTime:
    """A due time and its tour."""

    due: DueTime
    tour_name: str


@dataclass(frozen=True, slots=True)
class PlanOutlook:
    """What a plan would do: its next due times, and which other plans it meets."""

    times: Sequence[PreviewTime]
    overlaps: Sequence[Overlap] = field(default=())
    per_day: int = 0
    problem: str | None = None


class PlanMoved(HubError):
    """The plan was changed since the caller saw it; `view` is its present state."""

    def __init__(self, view: PlanView) -> None:
        who = view.plan.changed_name
        super().__init__(
            Kind.CONFLICT,
            f"{who} has changed this plan meanwhile; look at it again",
            reason="plan_moved",
            who=who,
        )
        self.view = view


class Plans:
    """The operations behind api/plans."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock, maker: OccurrenceMaker, zone: tzinfo) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._maker = maker
        self._zone = zone

    async def list(self, actor: Actor) -> Sequence[PlanView]:
        """All plans by name."""
        if not township.sees(actor):
            return []
        async with self._database.read() as session:
            return await self._views(session)

    async def get(self, actor: Actor, plan_id: int) -> PlanView:
        """Raises HubError(NOT_FOUND)."""
        township.require(actor, "plan")
        async with self._database.read() as session:
            await plan_row(session, plan_id)
            return (await self._views(session, plan_id))[0]

    async def create(self, actor: Actor, new: NewPlan) -> PlanView:
        """Raises HubError(INVALID) with what is wrong, HubError(BUSY) when there are too many."""
        township.require(actor, "plan")
        _check_rules(new)
        now = self._clock.now()
        async with self._database.write() as session:
            await self._check(session, new, None)
            plan = Plan(created_by=actor.user_id, created_at=now, revision=0, made_until=None)
            _put(plan, new, actor, now)
            session.add(plan)
            await session.flush()
        return await self._changed(actor, plan.id)

    async def change(self, actor: Actor, plan_id: int, new: NewPlan, revision: int) -> PlanView:
        """Replace the whole plan: what is to come is made anew, what has been due stays.

        Raises PlanMoved when it was changed since `revision`, HubError(INVALID, NOT_FOUND).
        """
        township.require(actor, "plan")
        _check_rules(new)
        moved: PlanView | None = None
        async with self._database.write() as session:
            plan = await plan_row(session, plan_id)
            if plan.revision != revision:
                moved = (await self._views(session, plan_id))[0]
            else:
                await self._check(session, new, plan)
                _put(plan, new, actor, self._clock.now())
                plan.revision += 1
                plan.made_until = None if new.enabled else plan.made_until or self._clock.now()
                await session.flush()
        if moved is not None:
            raise PlanMoved(moved)
        return await self._changed(actor, plan_id)

    async def remove(self, actor: Actor, plan_id: int) -> None:
        """Retire the plan; what has become of its occurrences stays. Raises HubError(NOT_FOUND)."""
        township.require(actor, "plan")
        async with self._database.write() as session:
            plan = await plan_row(session, plan_id)
            plan.retired_at = self._clock.now()
            plan.revision += 1
            plan.made_until = plan.made_until or plan.retired_at
            await session.flush()
        await self._maker.make(self._clock.now())
        self._bus.publish(PlanChanged(plan_id))

    async def preview(self, actor: Actor, new: NewPlan, plan_id: int | None) -> PlanOutlook:
        """What the plan would do; nothing is stored. Raises HubError(INVALID)."""
        township.require(actor, "plan")
        _check_rules(new)
        now = self._clock.now()
        async with self._database.read() as session:
            tours = await planned_tours(session)
            special = await special_times(session, now)
            query = select(Plan).where(Plan.retired_at.is_(None), Plan.enabled, Plan.id != (plan_id or 0))
            others = (await session.scalars(query)).all()
        plan = Plan(id=plan_id or 0)
        _put(plan, new, actor, now)

        def compute() -> PlanOutlook:
            due = next_due(new.rules, special, self._zone, now, PREVIEWED)
            own = list(_patrols(plan, due, tours))
            until = last_end(own)
            met: Sequence[Overlap] = ()
            if until is not None:
                begin, end = own[0].at - ONE_DAY, min(until, own[0].at + OVERLAP_SEARCH)  # its season may be far
                met = overlaps(own, self._due_between(others, special, tours, begin, end), MOST_OVERLAPS)
            names = [_tour_name(plan, one, tours) for one in due]
            times = [PreviewTime(one, name) for one, name in zip(due, names, strict=True)]
            problem = problem_of(plan, tours, now.astimezone(self._zone).date())
            return PlanOutlook(times, met, new.rules.most_per_day(), problem)

        return await asyncio.to_thread(compute)

    async def people(self, actor: Actor) -> Sequence[tuple[int, str]]:
        """Who can run tours of the township: (user id, name), by name."""
        township.require(actor, "plan")
        roles = [role.value for role in Role if Action.RUN_TOURS in role_actions(role)]
        async with self._database.read() as session:
            rows = await session.execute(
                select(User.id, User.display_name)
                .where(User.role.in_(roles), User.all_villages, User.disabled.is_(False))
                .order_by(User.display_name, User.id)
            )
            return [(id, name) for id, name in rows]

    async def some(self, plan_ids: Sequence[int]) -> Mapping[int, PlanView]:
        """Those of the given plans that exist. The caller decides who may see them."""
        async with self._database.read() as session:
            return {view.plan.id: view for view in await self._views(session) if view.plan.id in plan_ids}

    def _due_between(
        self,
        plans: Sequence[Plan],
        special: SpecialTimes,
        tours: Mapping[int, PlannedTour],
        begin: datetime,
        end: datetime,
    ) -> Iterator[DuePatrol]:
        if end <= begin:
            return
        for plan in plans:
            yield from _patrols(plan, due_times(rules_of(plan), special, self._zone, begin, end), tours)

    async def _check(self, session: AsyncSession, new: NewPlan, own: Plan | None) -> None:
        """Raise HubError when the plan names what does not exist, or there would be too many."""
        wanted = {new.tour_id} | ({new.night_tour_id} if new.night_tour_id is not None else set())
        tours = await planned_tours(session, wanted)
        for tour_id in sorted(wanted):
            if (tour := tours.get(tour_id)) is None or tour.problem is not None:
                raise HubError(
                    Kind.INVALID,
                    "this tour was deleted, is archived or has no stops; choose another one",
                    reason="plan_tour_gone",
                    tour=tour.name if tour is not None else str(tour_id),
                )
        known = set(await session.scalars(select(User.id).where(User.id.in_(new.people))))
        if missing := sorted(set(new.people) - known):
            raise HubError(Kind.INVALID, f"there is no user {missing[0]}", reason="no_such_user", users=missing)
        others = [
            plan
            for plan in await session.scalars(select(Plan).where(Plan.retired_at.is_(None)))
            if own is None or plan.id != own.id
        ]
        if len(others) >= MOST_PLANS:
            raise HubError(
                Kind.BUSY,
                f"there are {len(others)} plans, which is the limit; delete some first",
                reason="too_many_plans",
                most=MOST_PLANS,
            )
        per_day = sum(rules_of(plan).most_per_day() for plan in others if plan.enabled)
        if new.enabled and per_day + new.rules.most_per_day() > MOST_PER_DAY:
            raise HubError(
                Kind.BUSY,
                f"all plans together would be due over {MOST_PER_DAY} times a day; lengthen intervals",
                reason="plans_too_dense",
                most=MOST_PER_DAY,
            )

    async def _changed(self, actor: Actor, plan_id: int) -> PlanView:
        await self._maker.make(self._clock.now())
        self._bus.publish(PlanChanged(plan_id))
        return await self.get(actor, plan_id)

    async def _views(self, session: AsyncSession, plan_id: int | None = None) -> Sequence[PlanView]:
        query = select(Plan).where(Plan.retired_at.is_(None)).order_by(Plan.name, Plan.id)
        if plan_id is not None:
            query = query.where(Plan.id == plan_id)
        plans = (await session.scalars(query)).all()
        tours = await planned_tours(session)
        now = self._clock.now()
        special = await special_times(session, now)
        today: date = now.astimezone(self._zone).date()

        def compute() -> list[PlanView]:
            found = []
            for plan in plans:
                problem = problem_of(plan, tours, today)
                due = (
                    ()
                    if not plan.enabled
                    else due_times(rules_of(plan), special, self._zone, now, now + NEXT_SEARCH, 1)
                )
                found.append(
                    PlanView(
                        plan,
                        _name(plan.tour_id, tours) or "",
                        _name(plan.night_tour_id, tours),
                        problem,
                        due[0].at if due and _patrol(plan, due[0], tours) is not None else None,
                    )
                )
            return found

        return await asyncio.to_thread(compute)


def _check_rules(new: NewPlan) -> None:
    check(new.rules)
    if new.night_tour_id is not None:
        check_night(new.rules)


def _put(plan: Plan, new: NewPlan, actor: Actor, now: datetime) -> None:
    rules = new.rules
    plan.name, plan.note, plan.tour_id, plan.night_tour_id = new.name, new.note, new.tour_id, new.night_tour_id
    plan.night_from, plan.night_to = clock_text(rules.night_from), clock_text(rules.night_to)
    plan.enabled, plan.first_day, plan.last_day = new.enabled, rules.first_day, rules.last_day
    plan.seasons = [season_json(one) for one in rules.seasons]
    plan.weekdays, plan.rule, plan.in_special = stored_days(rules.weekdays), rule_json(rules.normal), rules.in_special
    special = rules.special if rules.in_special == "other" else None
    plan.special_rule = rule_json(special) if special is not None else None
    plan.grace_minutes, plan.prompted = new.grace_minutes, sorted(set(new.people))
    plan.changed_name, plan.changed_at = actor.display_name, now


def _patrols(plan: Plan, due: Sequence[DueTime], tours: Mapping[int, PlannedTour]) -> Iterator[DuePatrol]:
    for one in due:
        if (patrol := _patrol(plan, one, tours)) is not None:
            yield patrol


def _patrol(plan: Plan, due: DueTime, tours: Mapping[int, PlannedTour]) -> DuePatrol | None:
    tour_id = tour_of(due, plan.tour_id, plan.night_tour_id)
    tour = tours.get(tour_id)
    if tour is None or tour.problem is not None:
        return None
    lasts, grace = timedelta(seconds=tour.duration_s), timedelta(minutes=plan.grace_minutes)
    return DuePatrol(due.at, plan.id, plan.name, tour_id, tour.name, lasts, grace)


def _name(tour_id: int | None, tours: Mapping[int, PlannedTour]) -> str | None:
    tour = tours.get(tour_id) if tour_id is not None else None
    return tour.name if tour is not None else None


def _tour_name(plan: Plan, due: DueTime, tours: Mapping[int, PlannedTour]) -> str:
    return _name(tour_of(due, plan.tour_id, plan.night_tour_id), tours) or ""
