"""Rows of results as the values that are decided by, and the other way round."""

from collections.abc import Collection, Sequence
from typing import get_args

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.patrol import township
from camera_hub.patrol.proof.results import CameraResult, PatrolState, ResultState
from camera_hub.patrol.tours import rights
from camera_hub.store.tables import Camera, Finding, Run, RunResult, Tour

_STATES: dict[str, ResultState] = {state: state for state in get_args(ResultState)}


def camera_result(row: RunResult, findings: int = 0, fault: str | None = None) -> CameraResult:
    """A row as it is decided by."""
    return CameraResult(
        row.position,
        row.camera_id,
        _STATES[row.result],
        row.key,
        row.seen_s,
        row.why,
        row.visits,
        row.words,
        findings,
        fault,
        row.confirmed_name,
    )


def patrol_state(run: Run) -> PatrolState:
    """A run as results are decided by it."""
    return PatrolState(run.state, run.confirm, float(run.least_s))


def is_on(run: Run, position: int | None) -> bool:
    """Whether the patrol is at that stop now."""
    return run.state in ("running", "paused") and run.position == position


async def run_row(session: AsyncSession, run_id: int, *, locked: bool = False) -> Run:
    """The run. Raises HubError(NOT_FOUND); a presentation (loop) has no results, and is none here."""
    query = select(Run).where(Run.id == run_id)
    run = await session.scalar(query.with_for_update() if locked else query)
    if run is None or run.loop:
        raise township.not_found("patrol")
    return run


async def require_runner(session: AsyncSession, actor: Actor, run: Run) -> None:
    """Raise HubError(FORBIDDEN) if the run's tour is kept for other roles than the actor's."""
    tour = await session.get_one(Tour, run.tour_id)
    rights.require_run(actor, tour.roles, tour.created_by)


async def result_rows(
    session: AsyncSession, run_id: int, position: int | None = None, *, locked: bool = False
) -> list[RunResult]:
    """The rows of a patrol, or of one stop of it, in the order of its itinerary."""
    query = select(RunResult).where(RunResult.run_id == run_id).order_by(RunResult.position, RunResult.id)
    if position is not None:
        query = query.where(RunResult.position == position)
    return list(await session.scalars(query.with_for_update() if locked else query))


async def findings_of(session: AsyncSession, run_id: int) -> dict[tuple[int, int], int]:
    """How many findings there are, by position and camera."""
    query = select(Finding.position, Finding.camera_id, func.count()).where(Finding.run_id == run_id)
    rows = await session.execute(query.group_by(Finding.position, Finding.camera_id))
    return {(position, camera_id): number for position, camera_id, number in rows}


async def faults_of(session: AsyncSession, camera_ids: Collection[int]) -> dict[int, str]:
    """What is wrong with these cameras now, of those with which something is."""
    query = select(Camera.id, Camera.cause).where(
        Camera.id.in_(camera_ids), Camera.health == "fault", Camera.cause.is_not(None)
    )
    return {camera_id: cause for camera_id, cause in await session.execute(query) if cause is not None}


async def decided(session: AsyncSession, run: Run, rows: Sequence[RunResult]) -> list[CameraResult]:
    """The rows as they are decided by: with their findings, and with what is wrong with the cameras now."""
    findings = await findings_of(session, run.id)
    faults = await faults_of(session, {row.camera_id for row in rows})
    return [
        camera_result(row, findings.get((row.position, row.camera_id), 0), faults.get(row.camera_id)) for row in rows
    ]
