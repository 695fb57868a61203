"""Plans and what they depend on, read from their rows as values."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.patrol import township
from camera_hub.patrol.plans.calendar import SpecialTimes
from camera_hub.patrol.plans.rules import PlanRules, minute_of, rule_of, season_of, weekday_set
from camera_hub.store.tables import Plan, SpecialPeriod, Tour, TourStop


@dataclass(frozen=True, slots=True)
class PlannedTour:
    """A tour as plans need it. `stops`: 0 when it has none (a retired tour keeps none)."""

    name: str
    retired: bool
    stops: int
    duration_s: int
    archived: bool = False

    @property
    def problem(self) -> str | None:
        """Why it cannot be due: retired | archived | empty."""
        return "retired" if self.retired else "archived" if self.archived else "empty" if self.stops == 0 else None


def rules_of(plan: Plan) -> PlanRules:
    """The rules of a plan's row."""
    return PlanRules(
        rule_of(plan.rule),
        weekday_set(plan.weekdays),
        plan.first_day,
        plan.last_day,
        plan.in_special,
        rule_of(plan.special_rule) if plan.special_rule is not None else None,
        minute_of(plan.night_from),
        minute_of(plan.night_to),
        tuple(season_of(one) for one in plan.seasons),
    )


def problem_of(plan: Plan, tours: dict[int, PlannedTour], today: date) -> str | None:
    """Why nothing is due by the plan: its tour or night tour is retired, archived or empty, or it is over."""
    if (problem := _problem(plan.tour_id, tours)) is not None:
        return f"tour_{problem}"
    if plan.night_tour_id is not None and (problem := _problem(plan.night_tour_id, tours)) is not None:
        return f"night_tour_{problem}"
    return "over" if plan.last_day is not None and plan.last_day < today - timedelta(days=1) else None


async def planned_tours(session: AsyncSession, tour_ids: Collection[int] | None = None) -> dict[int, PlannedTour]:
    """These tours, or all, the retired ones too."""
    query = (
        select(
            Tour.id,
            Tour.name,
            Tour.retired_at,
            Tour.archived_at,
            func.count(TourStop.id),
            func.sum(TourStop.dwell_s),
        )
        .outerjoin(TourStop, TourStop.tour_id == Tour.id)
        .group_by(Tour.id, Tour.name, Tour.retired_at, Tour.archived_at)
    )
    if tour_ids is not None:
        query = query.where(Tour.id.in_(tour_ids))
    return {
        id: PlannedTour(name, retired_at is not None, stops, duration or 0, archived_at is not None)
        for id, name, retired_at, archived_at, stops, duration in await session.execute(query)
    }


async def special_times(session: AsyncSession, since: datetime) -> SpecialTimes:
    """The special periods in force that end after `since`."""
    rows = await session.execute(
        select(SpecialPeriod.begins_at, SpecialPeriod.ends_at).where(
            SpecialPeriod.ends_at > since, SpecialPeriod.draft.is_(False)
        )
    )
    return SpecialTimes((begin, end) for begin, end in rows)


async def plan_row(session: AsyncSession, plan_id: int) -> Plan:
    """The plan's row. Raises HubError(NOT_FOUND) when there is none or it is retired."""
    plan = await session.get(Plan, plan_id)
    if plan is None or plan.retired_at is not None:
        raise township.not_found("plan")
    return plan


def _problem(tour_id: int, tours: dict[int, PlannedTour]) -> str | None:
    tour = tours.get(tour_id)
    return "retired" if tour is None else tour.problem
