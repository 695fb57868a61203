"""Follows occurrences: what each one is now, by its times, its run and the present time."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.patrol.plans.states import CurrentState, RunEnd, Window, judge, next_change
from camera_hub.store.tables import ObservingPeriod, PlanOccurrence, Run

MOST = 2000
"""Occurrences that are looked at in one transaction; the rest follows in the next one."""


def window_of(row: PlanOccurrence) -> Window:
    """Of an occurrence's row."""
    return Window(row.due_at, row.late_at, row.over_at)


def run_end(run: Run | None) -> RunEnd | None:
    """Of a run's row."""
    return None if run is None else RunEnd(run.started_at, run.ended_at, run.end_reason)


async def changed(session: AsyncSession, now: datetime) -> Sequence[tuple[PlanOccurrence, CurrentState, Run | None]]:
    """Occurrences whose state is not what it should be now, and what it should be."""
    state = PlanOccurrence.state
    rows = await session.execute(
        select(PlanOccurrence, Run)
        .outerjoin(Run, Run.id == PlanOccurrence.run_id)
        .where(
            or_(
                (state == "due") & (PlanOccurrence.late_at <= now),
                (state == "late") & (PlanOccurrence.over_at <= now),
                (state == "running") & (Run.id.is_(None) | Run.ended_at.is_not(None)),
                # the clock was set back
                (state == "late") & (PlanOccurrence.late_at > now),
                (state == "missed") & (PlanOccurrence.over_at > now),
            )
        )
        .order_by(PlanOccurrence.due_at, PlanOccurrence.id)
        .limit(MOST)
    )
    found = []
    for row, run in rows:
        judged = judge(window_of(row), run_end(run), now)
        if (row.state, row.late) != (judged.state, judged.late):
            found.append((row, judged, run))
    return found


async def apply(
    session: AsyncSession, found: Sequence[tuple[PlanOccurrence, CurrentState, Run | None]]
) -> Sequence[int]:
    """Write the states; the ids of the occurrences. What was missed while the hub did not run says so."""
    missed = [row for row, judged, _ in found if judged.why == "not_started"]
    ran = await _observed(session, missed) if missed else []
    for row, judged, run in found:
        row.state, row.late, row.why = judged.state, judged.late, judged.why
        row.ended_at = run.ended_at if run is not None else None
        if judged.why == "not_started" and not any(
            since <= row.over_at and until >= row.due_at for since, until in ran
        ):
            row.why = "hub_down"
    await session.flush()
    return [row.id for row, _, _ in found]


async def next_time(session: AsyncSession, now: datetime) -> datetime | None:
    """When the state of an occurrence changes next by time alone."""
    rows = await session.scalars(
        select(PlanOccurrence)
        .where(PlanOccurrence.state.in_(("due", "late")), PlanOccurrence.over_at > now)
        .order_by(PlanOccurrence.due_at)
        .limit(MOST)
    )
    times = (next_change(window_of(row), row.state, now) for row in rows)
    return min((at for at in times if at is not None), default=None)


async def _observed(session: AsyncSession, rows: Sequence[PlanOccurrence]) -> list[tuple[datetime, datetime]]:
    """When the hub ran, in the time of these occurrences."""
    begin, end = min(row.due_at for row in rows), max(row.over_at for row in rows)
    periods = await session.execute(
        select(ObservingPeriod.since, ObservingPeriod.until).where(
            ObservingPeriod.until >= begin, ObservingPeriod.since <= end
        )
    )
    return [(since, until) for since, until in periods]
