"""The results of patrols: as people read them, and confirming them.

A confirmation is one transaction; of two that meet, the second gets a clear answer. What is abnormal gets a picture in
full size, taken by the hub before the transaction begins.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, ResultChanged
from camera_hub.patrol import township
from camera_hub.patrol.proof.excuses import excuse, references
from camera_hub.patrol.proof.instant import Instant, InstantPictures
from camera_hub.patrol.proof.pictures import RunPictures
from camera_hub.patrol.proof.results import Confirmation, confirmed
from camera_hub.patrol.proof.rows import (
    decided,
    findings_of,
    is_on,
    patrol_state,
    require_runner,
    result_rows,
    run_row,
    write_result,
)
from camera_hub.patrol.proof.transitions import RESULT_STATES, CameraResult
from camera_hub.patrol.runs.dead_cameras import FeedReasons, dead_cameras
from camera_hub.patrol.runs.itinerary import from_rows
from camera_hub.patrol.runs.run_proof import ResultCounts
from camera_hub.patrol.runs.runs import require_operator
from camera_hub.store.database import Database
from camera_hub.store.tables import Run, RunResult


@dataclass(frozen=True, slots=True)
class NamedCamera:
    """A camera by the names it had when the patrol started."""

    id: int
    name: str
    village: str


@dataclass(frozen=True, slots=True)
class ResultView:
    """The result of one camera at one stop (store.tables.RunResult)."""

    position: int
    camera: NamedCamera
    key: bool
    result: str
    seen_s: float
    seen: bool
    seen_at: datetime | None
    why: str | None
    visits: int
    picture_url: str | None
    picture_at: datetime | None
    picture_why: str | None
    words: str
    findings: int
    cause: str | None
    reference: int | None
    confirmed_name: str | None
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ResultsSummary:
    """How a patrol's results stand. `remaining`: stops that have open ones."""

    run_id: int
    counts: ResultCounts
    remaining: tuple[int, ...]


class RunResults:
    """The operations behind api/results. Users who are bound to villages find none."""

    def __init__(
        self,
        database: Database,
        bus: EventBus,
        clock: Clock,
        pictures: RunPictures,
        instants: InstantPictures,
        feeds: FeedReasons,
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._pictures = pictures
        self._instants = instants
        self._feeds = feeds

    async def of(self, actor: Actor, run_id: int, position: int | None = None) -> Sequence[ResultView]:
        """Of a patrol, or of one stop of it, in the order of its itinerary; a presentation has none.

        Raises HubError(NOT_FOUND).
        """
        township.require(actor, "run")
        async with self._database.read() as session:
            run = await session.get(Run, run_id)
            if run is None:
                raise township.not_found("run")
            return await _views(session, run, await result_rows(session, run_id, position))

    async def confirm(
        self, actor: Actor, run_id: int, wish: Confirmation, revision: int | None = None
    ) -> Sequence[ResultView]:
        """Confirm a stop or cameras of it; the results of that stop (or of all) as they are afterwards. `revision`: of
        the run as the user saw it, None: whatever it is.

        Raises HubError as results.confirmed, NOT_FOUND, FORBIDDEN (`tour_not_yours`, `not_operator`), CONFLICT
        (`run_moved`).
        """
        township.require(actor, "run")
        instant = await self._instant(actor, run_id, wish) if wish.result == "abnormal" else None
        async with self._pictures.writing() as session:
            run = await run_row(session, run_id, locked=True)
            await require_runner(session, actor, run)
            if run.state != "ended":
                require_operator(actor, run)
            if revision is not None and run.revision != revision:
                raise HubError(
                    Kind.CONFLICT,
                    "the run has changed meanwhile; check its present state and try again",
                    reason="run_moved",
                )
            rows = await result_rows(session, run_id, wish.position, locked=True)
            gone = wish.camera_ids is None and run.state != "ended" and await self._excuse(session, run, rows)
            changed = confirmed(patrol_state(run), await decided(session, run, rows), wish)
            by_place = {(row.position, row.camera_id): row for row in rows}
            now = self._clock.now()
            for one in changed:
                row = by_place[one.position, one.camera_id]
                write_result(session, run, row, one, actor, now)
                if one.result == "abnormal":
                    await _explain(session, row, one)
                if instant is not None:
                    await keep_instant(session, self._pictures, row, instant)
            await session.flush()
            found = await _views(session, run, rows)
        if changed or gone:
            self._bus.publish(ResultChanged(run_id))
        return found

    async def summaries(self, run_ids: Collection[int]) -> Sequence[ResultsSummary]:
        """Of those of the patrols that exist. The caller decides who may see them."""
        query = select(RunResult.run_id, RunResult.position, RunResult.result, func.count())
        query = query.where(RunResult.run_id.in_(run_ids))
        found: dict[int, list[tuple[int, str, int]]] = {}
        async with self._database.read() as session:
            rows = await session.execute(query.group_by(RunResult.run_id, RunResult.position, RunResult.result))
            for run_id, position, result, number in rows:
                found.setdefault(run_id, []).append((position, result, number))
        return [_summary(run_id, numbers) for run_id, numbers in found.items()]

    async def picture(self, actor: Actor, run_id: int, picture: int) -> bytes:
        """A JPEG that a result of the patrol names. Raises HubError(NOT_FOUND)."""
        township.require(actor, "picture")
        query = select(RunResult.id).where(RunResult.run_id == run_id, RunResult.picture == picture)
        async with self._database.read() as session:
            known = await session.scalar(query.limit(1))
        jpeg = await self._pictures.read(picture) if known is not None else None
        if jpeg is None:
            raise township.not_found("picture")
        return jpeg

    async def _excuse(self, session: AsyncSession, run: Run, rows: Sequence[RunResult]) -> bool:
        """Who confirms a whole stop need not ask for what cannot be shown there now."""
        waiting = {row.camera_id for row in rows if row.result == "open"}
        return await excuse(session, run, rows, await dead_cameras(session, waiting, self._feeds))

    async def _instant(self, actor: Actor, run_id: int, wish: Confirmation) -> Instant | None:
        """A picture for what is abnormal; None when the confirmation changes nothing, or the stop is over and there is
        one of when it was on. Raises what the confirmation would raise."""
        async with self._database.read() as session:
            run = await run_row(session, run_id)
            await require_runner(session, actor, run)
            rows = await result_rows(session, run_id, wish.position)
            changed = confirmed(patrol_state(run), await decided(session, run, rows), wish)
            has_one = {row.camera_id: row.picture is not None for row in rows}
            on = is_on(run, wish.position)
        if not changed or (has_one[changed[0].camera_id] and not on):
            return None
        return await self._instants.take(changed[0].camera_id)


async def keep_instant(session: AsyncSession, pictures: RunPictures, row: RunResult, instant: Instant) -> None:
    """Put the picture in place of the result's present one; without one the present one stays."""
    if instant.jpeg is None or instant.at is None:
        row.picture_why = row.picture_why if row.picture is not None else instant.why
        return
    try:
        kept = await pictures.add(session, row.run_id, "finding", instant.jpeg, instant.at)
    except HubError as error:
        if error.kind is not Kind.STORAGE_FULL:
            raise
        row.picture_why = row.picture_why if row.picture is not None else error.reason
        return
    before, row.picture = row.picture, kept.id
    row.picture_at, row.sha256, row.picture_why = kept.at, kept.sha256, None
    await pictures.forget(session, row.run_id, before)


async def _explain(session: AsyncSession, row: RunResult, one: CameraResult) -> None:
    """Where the hub knows what is wrong with the camera, the record says so, with the alarm."""
    if one.fault is not None:
        row.cause = one.fault
        row.reference = (await references(session, {row.camera_id: one.fault})).get(row.camera_id)


def _summary(run_id: int, numbers: Sequence[tuple[int, str, int]]) -> ResultsSummary:
    """Of (position, result, how many cameras)."""
    counted = Counter[str]()
    for _, result, number in numbers:
        if result in RESULT_STATES:  # what was tampered with may be no word at all
            counted[result] += number
    remaining = tuple(sorted(position for position, result, _ in numbers if result == "open"))
    return ResultsSummary(run_id, ResultCounts(**counted), remaining)


async def _views(session: AsyncSession, run: Run, rows: Sequence[RunResult]) -> list[ResultView]:
    stored = await session.scalar(select(Run.itinerary).where(Run.id == run.id)) if rows else None
    itinerary = from_rows(stored or ())
    named = {
        (stop.position, camera.id): NamedCamera(camera.id, camera.name, camera.village)
        for stop in itinerary
        for camera in stop.cameras
        if camera is not None
    }
    findings = await findings_of(session, run.id)
    return [
        ResultView(
            row.position,
            named.get((row.position, row.camera_id), NamedCamera(row.camera_id, f"#{row.camera_id}", "")),
            row.key,
            row.result,
            row.seen_s,
            row.seen_at is not None,
            row.seen_at,
            row.why,
            row.visits,
            f"/api/runs/{run.id}/pictures/{row.picture}.jpg" if row.picture is not None else None,
            row.picture_at,
            row.picture_why,
            row.words,
            findings.get((row.position, row.camera_id), 0),
            row.cause,
            row.reference,
            row.confirmed_name,
            row.confirmed_at,
        )
        for row in rows
    ]
