"""The record of a run: one line per stop, written in the transaction that moves the run.

A stop that was on when the hub went away is closed at its planned end with `hub_away` and no seconds, because nobody
knows how long it was seen; stops whose whole time passed meanwhile are lines "skipped: hub_away".
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.errors import Reason
from camera_hub.patrol.plan import Plan, PlannedStop
from camera_hub.patrol.timetable import Line, Walk
from camera_hub.store.tables import Run, RunStep


async def apply(session: AsyncSession, run: Run, plan: Plan, walk: Walk, dead: Mapping[int, str]) -> None:
    """Move the run to where the walk led and write its lines."""
    cursor = walk.cursor
    if walk.left_at is not None and (step := await open_step(session, run.id)) is not None:
        _close(step, walk.left_at, in_time=walk.in_time)
    count = await session.scalar(select(func.count()).select_from(RunStep).where(RunStep.run_id == run.id)) or 0
    session.add_all(_step(run.id, count + n, plan[line.position], line, dead) for n, line in enumerate(walk.lines))
    run.state, run.position, run.lap = cursor.state, cursor.position, cursor.lap
    run.anchor_at, run.elapsed_s, run.end_reason = cursor.anchor, cursor.elapsed, cursor.end_reason
    run.ended_at = cursor.anchor if cursor.state == "ended" else None
    run.revision += 1
    await session.flush()


async def open_step(session: AsyncSession, run_id: int) -> RunStep | None:
    """The line of the stop that is on."""
    query = select(RunStep).where(RunStep.run_id == run_id, RunStep.ended_at.is_(None))
    return await session.scalar(query.order_by(RunStep.sequence.desc()).limit(1))


async def shift(session: AsyncSession, run_id: int, seconds: float) -> None:
    """After a step of the wall clock: the line that is open keeps its length."""
    if (step := await open_step(session, run_id)) is not None:
        step.started_at += timedelta(seconds=seconds)


def _close(step: RunStep, at: datetime, *, in_time: bool) -> None:
    step.ended_at = max(at, step.started_at)
    if in_time:
        step.shown_s = (step.ended_at - step.started_at).total_seconds()
    else:
        step.reason = Reason.HUB_AWAY


def _step(run_id: int, sequence: int, stop: PlannedStop, line: Line, dead: Mapping[int, str]) -> RunStep:
    reasons = [dead[camera] for camera in stop.ids if camera in dead]
    shown = line.why is None
    return RunStep(
        run_id=run_id,
        sequence=sequence,
        lap=line.lap,
        position=line.position,
        name=stop.name,
        cameras=_cameras(stop, dead),
        outcome="shown" if shown else "skipped",
        reason=None if shown else Reason.HUB_AWAY if line.why == "away" else next(iter(reasons), Reason.RETIRED),
        started_at=line.at,
        ended_at=None if shown else line.at,
        shown_s=None if shown else 0.0,
    )


def _cameras(stop: PlannedStop, dead: Mapping[int, str]) -> list[Any]:
    return [
        None if c is None else {"id": c.id, "name": c.name, "village": c.village, "skipped": dead.get(c.id)}
        for c in stop.cameras
    ]
