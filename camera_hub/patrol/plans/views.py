"""Occurrences as they are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.patrol.plans.following import run_end, window_of
from camera_hub.patrol.plans.making import WantedOccurrence
from camera_hub.patrol.plans.states import judge
from camera_hub.patrol.plans.stored import PlannedTour, planned_tours
from camera_hub.store.tables import Plan, PlanOccurrence, Run


@dataclass(frozen=True, slots=True)
class OccurrenceView:
    """See api.schemas.plans.OccurrenceAnswer."""

    id: int | None
    plan_id: int
    plan_name: str
    tour_id: int
    tour_name: str
    variant: str
    special: bool
    due_at: datetime
    late_at: datetime
    over_at: datetime
    state: str
    late: bool
    why: str | None
    run_id: int | None
    started_at: datetime | None
    started_name: str
    operator_name: str
    ended_at: datetime | None
    stops: int
    duration_s: int
    people: tuple[int, ...] = ()
    declined: tuple[int, ...] = ()


async def occurrence_views(
    session: AsyncSession, rows: Sequence[PlanOccurrence], now: datetime
) -> list[OccurrenceView]:
    """What these occurrences are at `now`, whether or not their rows say so already."""
    tours = await planned_tours(session, {row.tour_id for row in rows})
    run_ids = {row.run_id for row in rows if row.run_id is not None}
    runs = {run.id: run for run in await session.scalars(select(Run).where(Run.id.in_(run_ids)))} if run_ids else {}
    people = {
        id: tuple(people)
        for id, people in await session.execute(
            select(Plan.id, Plan.prompted).where(Plan.id.in_({row.plan_id for row in rows}))
        )
    }
    return [
        _view(row, runs.get(row.run_id) if row.run_id is not None else None, tours, people.get(row.plan_id, ()), now)
        for row in rows
    ]


def coming_view(plan: Plan, tours: Mapping[int, PlannedTour], one: WantedOccurrence) -> OccurrenceView | None:
    """An occurrence that is no row yet; None when its tour cannot be due."""
    tour_id = plan.night_tour_id if one.night and plan.night_tour_id is not None else plan.tour_id
    tour = tours.get(tour_id)
    if tour is None or tour.problem is not None:
        return None
    times = one.window
    return OccurrenceView(
        None,
        plan.id,
        plan.name,
        tour_id,
        tour.name,
        "night" if one.night else "day",
        one.special,
        times.due_at,
        times.late_at,
        times.over_at,
        "due",
        False,
        None,
        None,
        None,
        "",
        "",
        None,
        tour.stops,
        tour.duration_s,
        tuple(plan.prompted),
    )


def _view(
    row: PlanOccurrence, run: Run | None, tours: Mapping[int, PlannedTour], people: tuple[int, ...], now: datetime
) -> OccurrenceView:
    judged = judge(window_of(row), run_end(run), now) if row.state != "done" else None
    tour = tours.get(row.tour_id)
    state, late = (judged.state, judged.late) if judged is not None else (row.state, row.late)
    return OccurrenceView(
        row.id,
        row.plan_id,
        row.plan_name,
        row.tour_id,
        row.tour_name,
        row.variant,
        row.special,
        row.due_at,
        row.late_at,
        row.over_at,
        state,
        late,
        (row.why or (judged.why if judged is not None else None)) if state == "missed" else None,
        row.run_id,
        row.started_at,
        row.started_name,
        run.operator_name if run is not None else "",
        row.ended_at,
        tour.stops if tour is not None else 0,
        tour.duration_s if tour is not None else 0,
        people,
        tuple(row.declined),
    )
