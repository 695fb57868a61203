"""What happens to the results of a patrol when it moves: made at its start, excused where a stop is left with dead
cameras, checked when it is submitted, sealed when it has ended, however it ended. All of it in the transaction that
moves the run (runs.run_proof)."""

from collections.abc import Collection, Mapping
from typing import Protocol

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.errors import Reason
from camera_hub.patrol.proof.excuses import excuse
from camera_hub.patrol.proof.results import check_submit
from camera_hub.patrol.proof.rows import camera_result, patrol_state, result_rows
from camera_hub.patrol.proof.transitions import RESULT_STATES
from camera_hub.patrol.runs.dead_cameras import FeedReasons, dead_cameras
from camera_hub.patrol.runs.itinerary import Itinerary, ItineraryStop
from camera_hub.patrol.runs.run_proof import ResultCounts
from camera_hub.store.tables import Run, RunResult, RunStep, RunStepCamera


class RecordSeal(Protocol):
    """Who seals records (patrol.records.seal)."""

    async def patrol(self, session: AsyncSession, run_id: int) -> object:
        """Seal the run as the transaction leaves it; from then on no row of it may change."""
        ...


class PatrolProof:
    """Implements runs.run_proof.RunProof."""

    def __init__(self, seal: RecordSeal, feeds: FeedReasons) -> None:
        self._seal = seal
        self._feeds = feeds

    async def begin(self, session: AsyncSession, run: Run, itinerary: Itinerary) -> None:
        """A result for each camera of each stop, all open."""
        rows = [
            {"run_id": run.id, "position": stop.position, "camera_id": camera_id, "key": stop.key}
            for stop in itinerary
            for camera_id in stop.ids
        ]
        if rows:
            await session.execute(insert(RunResult), rows)  # all at once, not one after the other

    async def left(
        self, session: AsyncSession, run: Run, step: RunStep, stop: ItineraryStop, dead: Mapping[int, str]
    ) -> None:
        """Count the visit, say why a camera was not seen, and excuse those that could not be."""
        lines = select(RunStepCamera.camera_id, RunStepCamera.why).where(RunStepCamera.step_id == step.id)
        reasons = {camera_id: why for camera_id, why in await session.execute(lines)}
        rows = await result_rows(session, run.id, step.position, locked=True)
        for row in rows:
            if step.outcome == "shown":
                row.visits += 1
            if row.seen_at is None:
                row.why = step.reason if step.reason == Reason.HUB_AWAY else reasons.get(row.camera_id, row.why)
        await excuse(session, run, rows, dead)
        await session.flush()

    async def open_positions(self, session: AsyncSession, run_id: int) -> Collection[int]:
        """Stops with an open result."""
        query = select(RunResult.position).where(RunResult.run_id == run_id, RunResult.result == "open").distinct()
        return sorted(await session.scalars(query))

    async def excused(self, session: AsyncSession, run_id: int) -> Mapping[int, Collection[int]]:
        """Excused cameras, by stop."""
        query = select(RunResult.position, RunResult.camera_id).where(
            RunResult.run_id == run_id, RunResult.result == "excused"
        )
        found: dict[int, list[int]] = {}
        for position, camera_id in await session.execute(query):
            found.setdefault(position, []).append(camera_id)
        return found

    async def counts(self, session: AsyncSession, run_ids: Collection[int]) -> Mapping[int, ResultCounts]:
        """One statement, however many runs."""
        query = select(RunResult.run_id, RunResult.result, func.count()).where(RunResult.run_id.in_(run_ids))
        found: dict[int, dict[str, int]] = {}
        for run_id, result, number in await session.execute(query.group_by(RunResult.run_id, RunResult.result)):
            if result in RESULT_STATES:  # what was tampered with may be no word at all
                found.setdefault(run_id, {})[result] = number
        return {run_id: ResultCounts(**numbers) for run_id, numbers in found.items()}

    async def may_submit(self, session: AsyncSession, run: Run) -> None:
        """Raises HubError(CONFLICT): still_open, with the list. What has died since its stop was left is excused."""
        # The run before its results, in the order in which confirmations and findings lock them.
        await session.execute(select(Run.id).where(Run.id == run.id).with_for_update())
        rows = await result_rows(session, run.id, locked=True)
        waiting = {row.camera_id for row in rows if row.result == "open"}
        await excuse(session, run, rows, await dead_cameras(session, waiting, self._feeds))
        check_submit(patrol_state(run), [camera_result(row) for row in rows])

    async def ended(self, session: AsyncSession, run: Run) -> None:
        """Seal it as it is, submitted, given up or expired: what it has shown is evidence. Pictures that have not come
        by now will not be taken any more."""
        await session.execute(
            update(RunResult)
            .where(
                RunResult.run_id == run.id,
                RunResult.seen_at.is_not(None),
                RunResult.picture.is_(None),
                RunResult.picture_why.is_(None),
            )
            .values(picture_why=Reason.PICTURE_NOT_IN_TIME)
            .execution_options(synchronize_session=False)
        )
        await session.flush()
        await self._seal.patrol(session, run.id)
