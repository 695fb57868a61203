"""A run as pages show it: the stop that is on, its time left, what is next, what is skipped and why; its record."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.errors import Param
from camera_hub.patrol.runs import timetable
from camera_hub.patrol.runs.handovers import RunHandover, handovers
from camera_hub.patrol.runs.interrupts import RunInterrupt, interrupts
from camera_hub.patrol.runs.itinerary import Itinerary
from camera_hub.patrol.runs.run_proof import ResultCounts, RunProof
from camera_hub.patrol.runs.situation import RunSituation, Situations, cursor_of
from camera_hub.store.tables import Run, RunStep, RunStepCamera


@dataclass(frozen=True, slots=True)
class SkippedCamera:
    """A camera of the present stop that is not shown, and why."""

    id: int
    reason: str


@dataclass(frozen=True, slots=True)
class RunPreset:
    """A camera that the present stop shows at a PTZ preset. `state`: reached; moving: on its way; taken: somebody else
    steers it; failed: it is shown as it stands; None: not known. `reason` and `params`: why taken or failed."""

    camera_id: int
    name: str
    state: str | None
    reason: str | None
    params: Mapping[str, Param]


@dataclass(frozen=True, slots=True)
class RunOperator:
    """Who runs it now. `id` None: the account is gone."""

    id: int | None
    name: str


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How many stops of the tour are over, of how many, and the seconds until all are; all 0 when the run has ended."""

    done: int
    total: int
    left_s: float


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as it is at `now`. Its itinerary, which never changes, is read separately (`RunReader.itinerary`).

    `step` is the sequence of the line that is open, None when the run is closing or has ended. `dead` are the cameras
    of the present stop that are skipped. `stop_count` is None when it has ended. `shown` and `skipped` count stops of
    the record. `remaining`: of a patrol, the positions behind it that are offered once more at the end. `counts`: None
    without a proof. `attention_minutes`: see PatrolSettings; 0 (never asked) for a loop. `expires_at`: when a patrol
    that is paused or closing expires if nobody goes on with it. `handover`: None unless its operator was handed it.
    `presets`: of the present stop.
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
    operator: RunOperator
    confirm: str
    least_s: int
    pause_reason: str | None
    extended_s: float
    remaining: tuple[int, ...]
    progress: RunProgress
    attention_minutes: int = 0
    counts: ResultCounts | None = None
    interrupt: RunInterrupt | None = None
    expires_at: datetime | None = None
    handover: RunHandover | None = None
    presets: tuple[RunPreset, ...] = ()


@dataclass(frozen=True, slots=True)
class StepCameraView:
    """A camera of a line: how often it was due, how long it was visible (None: not measured), or why it was not.
    `preset`, `preset_state`: see RunStepCamera."""

    id: int
    name: str
    village: str
    times: int
    visible_s: float | None
    seen_from: datetime | None
    seen_until: datetime | None
    why: str | None
    preset: str | None
    preset_state: str | None


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


class RunViews:
    """Makes views of runs. `closing_seconds`: after so long a patrol that nobody goes on with expires."""

    def __init__(self, situations: Situations, proof: RunProof, attention_minutes: int, closing_seconds: float) -> None:
        self._situations = situations
        self._proof = proof
        self._attention_minutes = attention_minutes
        self._closing_seconds = closing_seconds

    async def of_one(self, session: AsyncSession, run: Run, now: datetime) -> RunView:
        """One run as it is now."""
        return (await self.of(session, [run], now))[0]

    async def of(self, session: AsyncSession, runs: Sequence[Run], now: datetime) -> list[RunView]:
        """The runs as they are now, in their order. One statement for the cameras of all active runs, one for their
        hand-overs; none for those that have ended."""
        active = await self._situations.going_on(session, runs)
        situations = await self._situations.of(session, active)
        patrols = [run.id for run in runs if not run.loop]
        counts = await self._proof.counts(session, patrols) if patrols else {}
        alarms = await interrupts(session, {run.id: run.alarm_id for run in active if run.alarm_id is not None})
        handed = await handovers(session, {run.id: situations[run.id].itinerary for run in active if not run.loop})
        return [
            replace(
                _view(run, situations.get(run.id), now),
                attention_minutes=0 if run.loop else self._attention_minutes,
                counts=counts.get(run.id),
                interrupt=None if (alarm := alarms.get(run.id)) is None else replace(alarm, more=run.more_alarms),
                expires_at=timetable.expiry(cursor_of(run), self._closing_seconds),
                handover=handed.get(run.id),
            )
            for run in runs
        ]


def _view(run: Run, situation: RunSituation | None, now: datetime) -> RunView:
    left, following, step, skipped, remaining = 0.0, None, None, tuple[SkippedCamera, ...](), tuple[int, ...]()
    presets = tuple[RunPreset, ...]()
    total = None if situation is None else len(situation.itinerary)
    progress = RunProgress(0, 0, 0.0)
    if situation is not None:
        cursor, stops = cursor_of(run), situation.stops
        left = timetable.time_left(stops, cursor, now)
        following = timetable.upcoming(stops, cursor)
        step = run.steps - 1 if run.state != "closing" else None
        over = run.lap >= timetable.AGAIN
        remaining = tuple(sorted(p for p in stops.offered if over or p < run.position))
        rest = 0.0 if over and not run.loop else sum(stops.dwells[p] for p in stops.usable if p > run.position)
        done = len(stops.dwells) if over and not run.loop else run.position
        progress = RunProgress(done, len(stops.dwells), left + rest)
        present = situation.itinerary[run.position].ids
        skipped = tuple(SkippedCamera(camera, situation.dead[camera]) for camera in present if camera in situation.dead)
        presets = _presets(run, situation)
    return RunView(
        run.id,
        run.tour_id,
        run.tour_name,
        run.state,
        run.revision,
        run.loop,
        run.lap,
        run.position,
        total,
        left,
        following,
        step,
        now,
        run.started_name,
        run.started_at,
        run.ended_at,
        run.end_reason,
        skipped,
        run.shown,
        run.skipped,
        RunOperator(run.operator_id, run.operator_name),
        run.confirm,
        run.least_s,
        run.pause_reason,
        run.extended_s,
        remaining,
        progress,
        presets=presets,
    )


def _presets(run: Run, situation: RunSituation) -> tuple[RunPreset, ...]:
    """Of the cameras that the present stop shows; none while all stops are over."""
    found = []
    for one in situation.itinerary[run.position].presets if run.state in ("running", "paused") else ():
        if one.camera_id not in situation.dead:
            place = situation.places.get(one.camera_id)
            why = None if place is None else place.why
            found.append(
                RunPreset(
                    one.camera_id,
                    one.name or one.token,
                    None if place is None else place.state,
                    None if why is None else why.reason,
                    {} if why is None else why.params,
                )
            )
    return tuple(found)


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
                row.preset,
                row.preset_state,
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
