"""Pages' reports of what they showed: written to the record of the visit, and to the results of a patrol.

What is impossible is cut: by the hub's monotonic clock what one page can have shown since it reported last
(patrol.runs.claims), by the length of the visit what any can, and of a patrol by the time in which the page's user was
its operator (patrol.runs.duty). What is late, of somebody who looks on, or of somebody who is bound to villages is
ignored, and what the hub knows of a camera's picture counts for more than what a page says (patrol.runs.visibility).
Of a presentation, which proves nothing, any page of the township counts.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import Reason
from camera_hub.events import EventBus, ResultChanged
from camera_hub.patrol import township
from camera_hub.patrol.proof.results import looked_at
from camera_hub.patrol.proof.rows import camera_result
from camera_hub.patrol.runs.claims import Claims, ReportingPage, Visit
from camera_hub.patrol.runs.duty import OperatorChange, seconds_on_duty
from camera_hub.patrol.runs.visibility import Sighting, Visible, accepted, after, possible
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Run, RunEvent, RunResult, RunStep, RunStepCamera


class MomentTaker(Protocol):
    """Who takes the pictures (proof.moments)."""

    def take(self, run_id: int, position: int, cameras: Collection[int]) -> None:
        """These cameras of the stop that is on have just been seen."""
        ...


class ClockFollower(Protocol):
    """Who moves visits with the wall clock when that is stepped (runs.keeper)."""

    async def follow_clock(self) -> None:
        """Move them now, if it was: from then on the wall clock tells rightly how long they have lasted."""
        ...


class SightingReports:
    """Writes them one at a time; a report that changes nothing only reads."""

    def __init__(
        self, database: Database, bus: EventBus, clock: Clock, moments: MomentTaker, follower: ClockFollower
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._moments = moments
        self._follower = follower
        self._claims = Claims()
        self._lock = asyncio.Lock()

    async def report(
        self, actor: Actor, page: ReportingPage, run_id: int, sequence: int, sightings: Sequence[Sighting]
    ) -> None:
        """What a page showed of the step `sequence` of a run so far."""
        heard = self._clock.monotonic()
        if not township.sees(actor):
            return
        await self._follower.follow_clock()
        of_page, visit = self._claims.of(page), Visit(run_id, sequence)
        async with self._database.read() as session:
            found = await _visit(session, run_id, sequence, self._clock.now())
            if found is None:
                return
            run, step, changed_hands = found
            own = None if run.loop else await self._on_duty(session, actor, run, step, changed_hands)
            if own == 0.0:
                return
            rows = await _rows(session, step)
            known = self._claims.known(visit, {row.camera_id: row.visible_s or 0.0 for row, _ in rows})
            claims = dict[int, Sighting]()
            for one in sightings:
                if one.camera_id in known:
                    believed = of_page.believed(visit, one.camera_id, one.seconds, known[one.camera_id], heard)
                    seconds = possible(believed, step.started_at, step.ended_at, self._clock.now())
                    claims[one.camera_id] = replace(one, seconds=seconds if own is None else min(seconds, own))
            of_page.note(visit, {one.camera_id: one.seconds for one in claims.values()}, known, heard)
            if not _changes(run, rows, claims):
                return
        seen = list[int]()
        async with self._lock, self._database.write() as session:
            now = self._clock.now()
            found = await _visit(session, run_id, sequence, now, locked=True)
            if found is None:
                return
            run, step, _ = found
            changes = _changes(run, await _rows(session, step), claims)
            results = await _results(session, run, step, [row.camera_id for row, _ in changes])
            for row, visible in changes:
                if row.why is not None and visible.why is None:
                    seen.append(row.camera_id)
                _write(row, visible, step, now)
                if (result := results.get(row.camera_id)) is not None:
                    _write_result(result, run, step, visible, now)
        if seen:
            self._bus.publish(ResultChanged(run_id))
            if not run.loop and step.ended_at is None:
                self._moments.take(run_id, step.position, seen)

    async def _on_duty(
        self, session: AsyncSession, actor: Actor, run: Run, step: RunStep, changed_hands: bool
    ) -> float:
        """For how many seconds of the visit the actor was the operator."""
        now = self._clock.now()
        until = now if step.ended_at is None else min(now, step.ended_at)
        changes = await _changes_of_operator(session, run.id) if changed_hands else ()
        return seconds_on_duty(actor.user_id, run.started_by, changes, step.started_at, until, now)


_HANDS = ("handed_over", "taken_over")


async def _changes_of_operator(session: AsyncSession, run_id: int) -> list[OperatorChange]:
    query = select(RunEvent).where(RunEvent.run_id == run_id, RunEvent.kind.in_(_HANDS)).order_by(RunEvent.id)
    return [
        OperatorChange(event.at, event.user_id if event.kind == "taken_over" else event.detail.get("to"))
        for event in await session.scalars(query)
    ]


async def _visit(
    session: AsyncSession, run_id: int, sequence: int, now: datetime, *, locked: bool = False
) -> tuple[Run, RunStep, bool] | None:
    """The step, its run and whether that has changed hands, if reports on it are accepted: shown, not summed, not long
    over, and its record not closed.

    The step is locked before the run, in the order in which the run's own changes write them.
    """
    steps = select(RunStep).where(RunStep.run_id == run_id, RunStep.sequence == sequence)
    step = await session.scalar(steps.with_for_update() if locked else steps)
    if step is None or step.outcome != "shown" or step.times != 1 or not accepted(step.ended_at, now):
        return None
    hands = exists().where(RunEvent.run_id == Run.id, RunEvent.kind.in_(_HANDS))
    runs = select(Run, hands).where(Run.id == run_id)
    found = (await session.execute(runs.with_for_update(of=Run) if locked else runs)).one_or_none()
    if found is None or (found[0].state == "ended" and not found[0].loop):
        return None
    return found[0], step, found[1]


async def _rows(session: AsyncSession, step: RunStep) -> list[tuple[RunStepCamera, str | None]]:
    """The cameras of the visit, each with the fault of its picture that the hub knows of."""
    query = select(RunStepCamera, Camera.health, Camera.cause).join(Camera, Camera.id == RunStepCamera.camera_id)
    found = await session.execute(query.where(RunStepCamera.step_id == step.id))
    return [(row, cause if health == "fault" else None) for row, health, cause in found]


def _changes(
    run: Run, rows: Sequence[tuple[RunStepCamera, str | None]], claims: Mapping[int, Sighting]
) -> list[tuple[RunStepCamera, Visible]]:
    """The rows that these reports change, each with what is to be written."""
    changes = []
    for row, fault in rows:
        if (claim := claims.get(row.camera_id)) is None:
            continue
        known = Visible(row.visible_s or 0.0, row.why)
        visible = after(known, claim.seconds, claim.gap, run.least_s, fault)
        if visible != known:
            changes.append((row, visible))
    return changes


def _write(row: RunStepCamera, visible: Visible, step: RunStep, now: datetime) -> None:
    if visible.seconds > (row.visible_s or 0.0):
        until = now if step.ended_at is None else min(now, step.ended_at)
        row.seen_from = row.seen_from or max(step.started_at, until - timedelta(seconds=visible.seconds))
        row.visible_s, row.seen_until = visible.seconds, until
    row.why = visible.why


async def _results(session: AsyncSession, run: Run, step: RunStep, camera_ids: Collection[int]) -> dict[int, RunResult]:
    """The results of these cameras at the step's stop, locked; loops have none."""
    query = select(RunResult).where(
        RunResult.run_id == run.id, RunResult.position == step.position, RunResult.camera_id.in_(camera_ids)
    )
    return {row.camera_id: row for row in await session.scalars(query.order_by(RunResult.id).with_for_update())}


def _write_result(row: RunResult, run: Run, step: RunStep, visible: Visible, now: datetime) -> None:
    """Note the visit in the camera's result."""
    if visible.seconds > row.seen_s:
        row.seen_s, row.step_id = visible.seconds, step.id
    if visible.why is None:
        row.seen_at, row.why = row.seen_at or now, None
        if row.picture is None and step.ended_at is not None:
            row.picture_why = Reason.PICTURE_NOT_IN_TIME
        row.result = looked_at(camera_result(row), run.least_s).result
        if row.result == "open":
            row.cause = row.reference = None
    elif row.seen_at is None:
        row.why = visible.why
