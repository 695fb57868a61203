"""A run as people see it: which stop is on, how long yet, what comes next, what is skipped and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.patrol import timetable
from camera_hub.patrol.condition import FeedReasons, dead_cameras
from camera_hub.patrol.plan import PlannedStop, dwells, from_rows, usable
from camera_hub.patrol.timetable import Cursor
from camera_hub.store.tables import Run, RunStep


@dataclass(frozen=True, slots=True)
class RunCameraView:
    """A camera of a stop; `skipped` is why it is not shown now."""

    id: int
    name: str
    village: str
    skipped: str | None


@dataclass(frozen=True, slots=True)
class PlanStopView:
    """A stop of the frozen plan; `cameras` per tile."""

    position: int
    name: str
    note: str
    layout: str
    dwell_s: int
    cameras: tuple[RunCameraView | None, ...]


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as it stands at `now`. `shown` and `skipped` count lines of the record."""

    id: int
    tour_id: int
    tour_name: str
    state: str
    revision: int
    loop: bool
    lap: int
    position: int
    time_left_s: float
    next_position: int | None
    now: datetime
    started_name: str
    started_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    stops: tuple[PlanStopView, ...]
    shown: int
    skipped: int


def cursor_of(run: Run) -> Cursor:
    """The moving part of the row."""
    return Cursor(run.state, run.position, run.lap, run.anchor_at, run.elapsed_s, run.loop, run.end_reason)


async def views(session: AsyncSession, runs: Sequence[Run], feeds: FeedReasons, now: datetime) -> list[RunView]:
    """The runs as they stand; ended ones name no cameras as skipped now: their record does."""
    plans = {run.id: from_rows(run.plan) for run in runs}
    cameras = {camera for run in runs if run.state != "ended" for stop in plans[run.id] for camera in stop.ids}
    dead = await dead_cameras(session, cameras, feeds) if cameras else {}
    counts = {
        (run, outcome): count
        for run, outcome, count in await session.execute(
            select(RunStep.run_id, RunStep.outcome, func.count())
            .where(RunStep.run_id.in_(plans))
            .group_by(RunStep.run_id, RunStep.outcome)
        )
    }
    found = []
    for run in runs:
        plan, cursor = plans[run.id], cursor_of(run)
        times = dwells(plan)
        found.append(
            RunView(
                run.id,
                run.tour_id,
                run.tour_name,
                run.state,
                run.revision,
                run.loop,
                run.lap,
                run.position,
                timetable.time_left(times, cursor, now),
                timetable.upcoming(times, cursor, usable(plan, dead)),
                now,
                run.started_name,
                run.started_at,
                run.ended_at,
                run.end_reason,
                tuple(_stop(stop, dead if run.state != "ended" else {}) for stop in plan),
                counts.get((run.id, "shown"), 0),
                counts.get((run.id, "skipped"), 0),
            )
        )
    return found


def _stop(stop: PlannedStop, dead: Mapping[int, str]) -> PlanStopView:
    cameras = tuple(
        None if camera is None else RunCameraView(camera.id, camera.name, camera.village, dead.get(camera.id))
        for camera in stop.cameras
    )
    return PlanStopView(stop.position, stop.name, stop.note, stop.layout, stop.dwell_s, cameras)
