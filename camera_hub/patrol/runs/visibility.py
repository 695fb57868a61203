"""How long each camera of a stop was really visible: what pages report, limited to what is possible.

A page reports the seconds per camera since the stop began, as a sum that only grows: a report that is lost or sent
twice changes nothing. Of several pages that show the run, the one that showed the camera longest counts, so that two
screens side by side do not turn 10 seconds into 20.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.errors import Reason
from camera_hub.store.tables import RunStep, RunStepCamera

LATEST = 30.0
"""Seconds after the end of a stop for which reports on it are accepted: a page sends its last one when it learns that
the stop has changed.
"""

SMALLEST = 0.5
"""The smallest growth, in seconds, that is written."""

Gap = Literal["page_hidden", "no_picture"]
"""Why a page that shows the run did not show a camera: the page was in the background, or no frame came."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A page's report on one camera of the stop: seconds visible since the stop began, and if it never was, why."""

    camera_id: int
    seconds: float
    gap: Gap | None = None


def possible(claimed: float, started_at: datetime, ended_at: datetime | None, now: datetime) -> float:
    """The part of the claimed seconds that is possible: none before the stop began, none after it ended or `now`."""
    until = now if ended_at is None else min(now, ended_at)
    return max(0.0, min(claimed, (until - started_at).total_seconds()))


async def open_for_reports(session: AsyncSession, run_id: int, sequence: int, now: datetime) -> RunStep | None:
    """The step if reports on it are still accepted: shown, not summed, and not ended more than LATEST ago."""
    step = await session.scalar(select(RunStep).where(RunStep.run_id == run_id, RunStep.sequence == sequence))
    if step is None or step.outcome != "shown" or step.times != 1:
        return None
    return step if step.ended_at is None or (now - step.ended_at).total_seconds() <= LATEST else None


async def find_changes(
    session: AsyncSession, step: RunStep, sightings: Sequence[Sighting], now: datetime
) -> list[tuple[RunStepCamera, float, Gap | None]]:
    """The rows that these sightings change, each with its new seconds and gap."""
    lines = await session.scalars(select(RunStepCamera).where(RunStepCamera.step_id == step.id))
    rows = {row.camera_id: row for row in lines}
    found: list[tuple[RunStepCamera, float, Gap | None]] = []
    for sighting in sightings:
        if (row := rows.get(sighting.camera_id)) is None:
            continue
        seconds = possible(sighting.seconds, step.started_at, step.ended_at, now)
        if seconds >= (row.visible_s or 0.0) + SMALLEST:
            found.append((row, seconds, None))
        elif not row.visible_s and sighting.gap is not None and _better(row.why, sighting.gap):
            found.append((row, 0.0, sighting.gap))
    return found


def _better(known: str | None, gap: Gap) -> bool:
    """Whether the gap says more than the reason known so far: no page was open < it was hidden < it had no picture."""
    order = (Reason.NO_PAGE.value, Reason.PAGE_HIDDEN.value, Reason.NO_PICTURE.value)
    return known in order and order.index(gap) > order.index(known)


def apply_change(row: RunStepCamera, seconds: float, gap: Gap | None, step: RunStep, now: datetime) -> None:
    """Write one change that `find_changes` found."""
    row.why = gap
    if not seconds:
        return
    until = now if step.ended_at is None else min(now, step.ended_at)
    row.seen_from = row.seen_from or max(step.started_at, until - timedelta(seconds=seconds))
    row.visible_s, row.seen_until = seconds, until
