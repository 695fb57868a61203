"""A run as pages show it: the stop that is on, its time left, what is next, what is skipped and why; its record."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.patrol.runs import timetable
from camera_hub.patrol.runs.condition import FeedReasons, dead_cameras
from camera_hub.patrol.runs.itinerary import Itineraries, Itinerary, dwells, usable
from camera_hub.patrol.runs.timetable import Cursor
from camera_hub.store.tables import Run, RunStep, RunStepCamera


@dataclass(frozen=True, slots=True)
class SkippedCamera:
    """A camera of the present stop that is not shown, and why."""

    id: int
    reason: str


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as it is at `now`. Its itinerary, which never changes, is read separately (`Runs.itinerary`).

    `step` is the sequence of the line that is open, None when the run has ended. `dead` are the cameras of the present
    stop that are skipped. `stop_count` is None when it has ended. `shown` and `skipped` count stops of the record.
    """

    id: int
    tour_id: int
    tour_name: str
    state: str
    revision: int
    loop: bool
    lap: int
    position: int
    stop_count: int | None
    time_left_s: float
    next_position: int | None
    step: int | None
    now: datetime
    started_name: str
    started_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    dead: tuple[SkippedCamera, ...]
    shown: int
    skipped: int


@dataclass(frozen=True, slots=True)
class StepCameraView:
    """A camera of a line: how often it was due, how long it was visible (None: not measured), or why it was not."""

    id: int
    name: str
    village: str
    times: int
    visible_s: float | None
    seen_from: datetime | None
    seen_until: datetime | None
    why: str | None


@dataclass(frozen=True, slots=True)
class StepView:
    """A line of the record; see RunStep."""

    sequence: int
    times: int
    lap: int
    position: int
    name: str
    cameras: tuple[StepCameraView, ...]
    outcome: str
    reason: str | None
    started_at: datetime
    ended_at: datetime | None
    shown_s: float | None


def cursor_of(run: Run) -> Cursor:
    """The moving part of the row."""
    return Cursor(run.state, run.position, run.lap, run.anchor_at, run.elapsed_s, run.loop, run.end_reason)


async def views(
    session: AsyncSession, runs: Sequence[Run], itineraries: Itineraries, feeds: FeedReasons, now: datetime
) -> list[RunView]:
    """The runs as they are now. One statement for the cameras of all active runs; none for those that have ended."""
    active = {run.id: await itineraries.of(session, run.id) for run in runs if run.state != "ended"}
    cameras = {camera for itinerary in active.values() for stop in itinerary for camera in stop.ids}
    dead = await dead_cameras(session, cameras, feeds) if cameras else {}
    return [_view(run, active.get(run.id), dead, now) for run in runs]


def _view(run: Run, itinerary: Itinerary | None, dead: Mapping[int, str], now: datetime) -> RunView:
    left, following, skipped = 0.0, None, tuple[SkippedCamera, ...]()
    if itinerary is not None:
        cursor, times = cursor_of(run), dwells(itinerary)
        left = timetable.time_left(times, cursor, now)
        following = timetable.upcoming(times, cursor, usable(itinerary, dead))
        present = itinerary[run.position].ids
        skipped = tuple(SkippedCamera(camera, dead[camera]) for camera in present if camera in dead)
    return RunView(
        run.id,
        run.tour_id,
        run.tour_name,
        run.state,
        run.revision,
        run.loop,
        run.lap,
        run.position,
        None if itinerary is None else len(itinerary),
        left,
        following,
        None if itinerary is None else run.steps - 1,
        now,
        run.started_name,
        run.started_at,
        run.ended_at,
        run.end_reason,
        skipped,
        run.shown,
        run.skipped,
    )


async def step_views(
    session: AsyncSession, run_id: int, itinerary: Itinerary, after: int, limit: int
) -> list[StepView]:
    """Up to `limit` lines of the record after sequence `after`, in order: two statements."""
    query = select(RunStep).where(RunStep.run_id == run_id, RunStep.sequence > after)
    steps = (await session.scalars(query.order_by(RunStep.sequence).limit(limit))).all()
    names = {camera.id: camera for stop in itinerary for camera in stop.cameras if camera is not None}
    cameras = defaultdict[int, list[StepCameraView]](list)
    lines = select(RunStepCamera).where(RunStepCamera.step_id.in_([step.id for step in steps]))
    for row in await session.scalars(lines.order_by(RunStepCamera.id)):
        known = names.get(row.camera_id)
        cameras[row.step_id].append(
            StepCameraView(
                row.camera_id,
                known.name if known is not None else "",
                known.village if known is not None else "",
                row.times,
                row.visible_s,
                row.seen_from,
                row.seen_until,
                row.why,
            )
        )
    return [
        StepView(
            step.sequence,
            step.times,
            step.lap,
            step.position,
            step.name,
            tuple(cameras[step.id]),
            step.outcome,
            step.reason,
            step.started_at,
            step.ended_at,
            step.shown_s,
        )
        for step in steps
    ]
