"""The record of a run: one line per stop and one per camera of it, written in the transaction that moves the run.

A stop that was on when the hub went down is closed at its planned end with the reason `hub_away` and no seconds,
because it is not known how long it was on. Stops whose whole time passed meanwhile become lines "skipped: hub_away".
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.cameras.ptz.state import PresetPlace
from camera_hub.errors import Reason
from camera_hub.patrol.runs.itinerary import ItineraryStop
from camera_hub.patrol.runs.run_proof import RunProof
from camera_hub.patrol.runs.situation import RunSituation
from camera_hub.patrol.runs.timetable import Line, Transition
from camera_hub.store.tables import Run, RunStep, RunStepCamera


async def apply(
    session: AsyncSession, run: Run, situation: RunSituation, transition: Transition, proof: RunProof
) -> None:
    """Apply the transition to the run and write its lines. The cost does not depend on the record's length."""
    cursor, itinerary, dead = transition.cursor, situation.itinerary, situation.dead
    left = []
    if transition.left_at is not None and (step := await open_step(session, run)) is not None:
        _close(step, transition.left_at, in_time=transition.in_time)
        if situation.places and transition.in_time:
            await _keep_places(session, step, situation.places)
        left.append(step)
    steps = [
        _step(run.id, run.steps + n, itinerary[line.position], line, dead) for n, line in enumerate(transition.lines)
    ]
    session.add_all(steps)
    await session.flush()
    if cameras := [row for step in steps for row in _cameras(step, itinerary[step.position], dead)]:
        # Sixteen at once, whether they have a preset or not.
        await session.execute(insert(RunStepCamera).execution_options(render_nulls=True), cameras)
    run.steps += len(steps)
    run.shown += sum(step.outcome == "shown" for step in steps)
    run.skipped += sum(step.outcome == "skipped" for step in steps)
    run.state, run.position, run.lap = cursor.state, cursor.position, cursor.lap
    run.anchor_at, run.elapsed_s, run.extended_s = cursor.anchor, cursor.elapsed, cursor.extended
    run.pause_reason, run.end_reason = cursor.pause_reason, cursor.end_reason
    run.ended_at = cursor.anchor if cursor.state == "ended" else None
    if cursor.pause_reason != "alarm":
        run.alarm_id, run.more_alarms = None, 0
    run.revision += 1
    await session.flush()
    if not run.loop:
        for step in left + [step for step in steps if step.outcome == "skipped"]:
            await proof.left(session, run, step, itinerary[step.position], dead)


async def open_step(session: AsyncSession, run: Run) -> RunStep | None:
    """The line of the stop that is on: always the last one, since the lines of skipped stops come before it."""
    query = select(RunStep).where(RunStep.run_id == run.id, RunStep.sequence == run.steps - 1)
    return await session.scalar(query.where(RunStep.ended_at.is_(None)))


async def shift(session: AsyncSession, run: Run, seconds: float) -> None:
    """Shift the open line after a step of the wall clock, so that its length stays the same."""
    if (step := await open_step(session, run)) is not None:
        step.started_at += timedelta(seconds=seconds)


def _close(step: RunStep, at: datetime, *, in_time: bool) -> None:
    step.ended_at = max(at, step.started_at)
    if in_time:
        step.shown_s = (step.ended_at - step.started_at).total_seconds()
    else:
        step.reason = Reason.HUB_AWAY


async def _keep_places(session: AsyncSession, step: RunStep, places: Mapping[int, PresetPlace]) -> None:
    """Write down where the cameras of the stop pointed at its end: one statement for all."""
    states = {camera: place.why.reason if place.why is not None else place.state for camera, place in places.items()}
    rows = update(RunStepCamera).where(RunStepCamera.step_id == step.id, RunStepCamera.preset.is_not(None))
    await session.execute(
        rows.where(RunStepCamera.camera_id.in_(states)).values(
            preset_state=case(states, value=RunStepCamera.camera_id)
        ),
        execution_options={"synchronize_session": False},
    )


def _step(run_id: int, sequence: int, stop: ItineraryStop, line: Line, dead: Mapping[int, str]) -> RunStep:
    reasons = [dead[camera] for camera in stop.ids if camera in dead]
    shown = line.why is None
    return RunStep(
        run_id=run_id,
        sequence=sequence,
        times=1,
        lap=line.lap,
        position=line.position,
        name=stop.name,
        outcome="shown" if shown else "skipped",
        reason=None if shown else Reason.HUB_AWAY if line.why == "away" else next(iter(reasons), Reason.RETIRED),
        started_at=line.at,
        ended_at=None if shown else line.at,
        shown_s=None if shown else 0.0,
    )


def _cameras(step: RunStep, stop: ItineraryStop, dead: Mapping[int, str]) -> list[dict[str, Any]]:
    """One row per camera. Until a page reports that the camera was visible, the reason is that no page showed it."""
    why = Reason.NO_PAGE if step.outcome == "shown" else step.reason
    presets = {one.camera_id: one.name or one.token for one in stop.presets} if step.outcome == "shown" else {}
    return [
        {
            "step_id": step.id,
            "camera_id": camera,
            "times": 1,
            "visible_s": 0.0,
            "why": dead.get(camera, why),
            "preset": None if camera in dead else presets.get(camera),
        }
        for camera in stop.ids
    ]
