"""Keeps the record of a loop bounded: its oldest lines are summed into one line per stop, day and outcome.

A loop with 15 s per stop writes 5,760 lines a day. The newest DETAILED steps of a run stay as they are: some eight
hours of such a loop, and the whole of any tour that runs once. Of older steps there remains, for each stop and each day
of the site, how often it was on or skipped and why, for how long, and for each camera how long it was visible and why
not. A year of a loop over ten stops takes some 4,000 lines instead of two million. The counts and sums of the whole run
do not change.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from datetime import date, datetime, time, tzinfo

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.store.tables import Run, RunStep, RunStepCamera

DETAILED = 2000
"""The number of steps of a run that are kept line by line."""

AT_ONCE = 500
"""The number of steps summed in one batch: the work is done once in so many steps, and bounded after a backlog."""


async def roll_up(session: AsyncSession, run: Run, zone: tzinfo) -> int:
    """Sum the oldest lines once there are AT_ONCE too many.

    Returns the sequence before which all lines are summed now, 0 when there was nothing to do.
    """
    end = min(run.rolled_up + AT_ONCE, run.steps - DETAILED)
    if end < run.rolled_up + AT_ONCE:
        return 0
    old = (
        await session.scalars(
            select(RunStep)
            .where(RunStep.run_id == run.id, RunStep.sequence >= run.rolled_up, RunStep.sequence < end)
            .order_by(RunStep.sequence)
        )
    ).all()
    kept = await _sums(session, run, old, zone)
    cameras = await _cameras(session, [step.id for step in [*old, *kept.values()]])
    gone = list[int]()
    for step in old:
        key = _key(step, zone)
        if (total := kept.get(key)) is None:
            kept[key] = step  # the first of its day becomes the line to which the others are added
            continue
        _add(total, step)
        lines = {(row.camera_id, row.why): row for row in cameras[total.id]}
        for row in cameras[step.id]:
            if (line := lines.get((row.camera_id, row.why))) is None:
                row.step_id = total.id
                cameras[total.id].append(row)
            else:
                _add_camera(line, row)
        gone.append(step.id)
    await session.flush()
    await session.execute(delete(RunStepCamera).where(RunStepCamera.step_id.in_(gone)))
    await session.execute(delete(RunStep).where(RunStep.id.in_(gone)))
    run.rolled_up = end
    return end


async def _sums(session: AsyncSession, run: Run, old: Sequence[RunStep], zone: tzinfo) -> dict[Hashable, RunStep]:
    """The existing sums since the beginning of the day of the first of these steps."""
    if not old:
        return {}
    first = datetime.combine(_day(old[0], zone), time.min, zone)
    found = await session.scalars(
        select(RunStep).where(RunStep.run_id == run.id, RunStep.sequence < run.rolled_up, RunStep.started_at >= first)
    )
    return {_key(step, zone): step for step in found}


async def _cameras(session: AsyncSession, steps: Iterable[int]) -> dict[int, list[RunStepCamera]]:
    found = defaultdict[int, list[RunStepCamera]](list)
    for row in await session.scalars(select(RunStepCamera).where(RunStepCamera.step_id.in_(list(steps)))):
        found[row.step_id].append(row)
    return found


def _key(step: RunStep, zone: tzinfo) -> Hashable:
    return _day(step, zone), step.position, step.outcome, step.reason


def _day(step: RunStep, zone: tzinfo) -> date:
    return step.started_at.astimezone(zone).date()


def _add(total: RunStep, step: RunStep) -> None:
    total.times += step.times
    total.shown_s = _sum(total.shown_s, step.shown_s)
    total.ended_at = max(total.ended_at or step.started_at, step.ended_at or step.started_at)


def _add_camera(total: RunStepCamera, row: RunStepCamera) -> None:
    total.times += row.times
    total.visible_s = _sum(total.visible_s, row.visible_s)
    if (total.preset, total.preset_state) != (row.preset, row.preset_state):  # told only where it was so each time
        total.preset_state = None
    total.seen_from = min((at for at in (total.seen_from, row.seen_from) if at is not None), default=None)
    total.seen_until = max((at for at in (total.seen_until, row.seen_until) if at is not None), default=None)


def _sum(one: float | None, other: float | None) -> float | None:
    """The sum of the known values; None when neither is known."""
    return None if one is None and other is None else (one or 0.0) + (other or 0.0)
