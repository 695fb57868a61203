"""Rows of results as the values that are decided by, and the other way round."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.patrol import township
from camera_hub.patrol.proof.results import PatrolState
from camera_hub.patrol.proof.transitions import RESULT_STATES, CameraResult, corrects
from camera_hub.patrol.runs.run_events import add_event
from camera_hub.patrol.tours import rights
from camera_hub.store.tables import Camera, Finding, Run, RunResult, Tour


def camera_result(row: RunResult, findings: int = 0, fault: str | None = None) -> CameraResult:
    """A row as it is decided by."""
    return CameraResult(
        row.position,
        row.camera_id,
        RESULT_STATES.get(row.result, "open"),  # of a record that was tampered with it may be no word at all
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


def write_result(
    session: AsyncSession,
    run: Run,
    row: RunResult,
    after: CameraResult,
    actor: Actor,
    now: datetime,
    finding: int | None = None,
) -> None:
    """Write what somebody has made of a result. What a confirmed one was before is kept as an event of the patrol: who
    had said what, and when; `finding`: the one because of which it changes."""
    if (row.result, row.words) == (after.result, after.words):
        return
    if corrects(camera_result(row), after):
        add_event(
            session,
            run,
            "result_changed",
            now,
            actor,
            stop=row.position,
            camera=row.camera_id,
            before=row.result,
            before_words=row.words,
            before_by=row.confirmed_by,
            before_name=row.confirmed_name,
            before_at=None if row.confirmed_at is None else row.confirmed_at.astimezone(UTC).isoformat(),
            result=after.result,
            words=after.words,
            finding=finding,
        )
    row.result, row.words = after.result, after.words
    if after.confirmed:
        row.confirmed_by, row.confirmed_at = actor.user_id, now
        row.confirmed_name = name_of(actor)
    else:
        row.confirmed_by = row.confirmed_at = row.confirmed_name = None
    if after.result != "abnormal":
        row.cause = row.reference = None


def name_of(actor: Actor) -> str:
    """What the record calls somebody."""
    return (actor.display_name or actor.username)[:64]
