"""Noting, correcting and deleting findings: what somebody found at a camera during a patrol. Places and times; never
persons.

The hub takes a picture at that moment, in full size; a person may add a photo, which an eye decodes and makes anew,
without metadata. A finding makes its camera's result abnormal. While the patrol is on, its words may be changed and it
may be deleted; afterwards nothing of it changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, FindingChanged, ResultChanged
from camera_hub.eye.messages import Photo, Seen
from camera_hub.patrol import township
from camera_hub.patrol.proof.finding_list import FindingView, view_of
from camera_hub.patrol.proof.instant import Instant, InstantPictures
from camera_hub.patrol.proof.pictures import RunPictures
from camera_hub.patrol.proof.results import finding_changed, found
from camera_hub.patrol.proof.rows import (
    decided,
    is_on,
    name_of,
    patrol_state,
    require_runner,
    result_rows,
    run_row,
    write_result,
)
from camera_hub.patrol.proof.run_results import keep_instant
from camera_hub.patrol.proof.transitions import Act, CameraResult
from camera_hub.patrol.runs.run_events import EventKind, add_event
from camera_hub.patrol.runs.runs import require_operator
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Finding, Run, RunResult

MAX_PHOTO = 8 * 1024 * 1024
"""Bytes of an uploaded photo."""
PHOTO_SIDE = 2048
"""Pixels of what is kept of it."""
PHOTO_SECONDS = 10.0
MOST = 300
"""Findings of one patrol."""


class FindingPhotoDecoder(Protocol):
    """What findings need of media.decoders.pool."""

    async def photo(self, request: Photo, data: bytes, seconds: float | None = None) -> tuple[Seen, bytes]:
        """Raises HubError: PHOTO_UNREADABLE, BUSY."""
        ...


@dataclass(frozen=True, slots=True)
class NewFinding:
    """What was found: at which camera of which stop, its category (a code of the settings), in words. `change`: the
    user knows that the camera is confirmed as normal."""

    position: int
    camera_id: int
    category: str
    words: str
    change: bool = False


class Findings:
    """The operations behind api/findings that change findings. Users who are bound to villages find none."""

    def __init__(
        self,
        categories: Mapping[str, object],
        database: Database,
        bus: EventBus,
        clock: Clock,
        pictures: RunPictures,
        instants: InstantPictures,
        decoder: FindingPhotoDecoder,
    ) -> None:
        self._categories = categories
        self._database = database
        self._bus = bus
        self._clock = clock
        self._pictures = pictures
        self._instants = instants
        self._decoder = decoder

    async def add(self, actor: Actor, run_id: int, new: NewFinding) -> FindingView:
        """Note a finding, with a picture if one can be had within a few seconds.

        Raises HubError: NOT_FOUND (also `no_such_stop`, `no_such_camera`), FORBIDDEN (`tour_not_yours`,
        `not_operator`), CONFLICT (`run_ended`, `already_confirmed`, `not_seen`, `too_many_findings`), INVALID
        (`no_such_category`).
        """
        township.require(actor, "run")
        self._check_category(new.category)
        async with self._database.read() as session:
            run, row = await _of_camera(session, actor, run_id, new)
            await _judge(session, actor, run, row, new)
            # What is found later, in the list of what is open, has the picture of when its stop was on.
            wanted = is_on(run, new.position) or row.picture is None
        instant = await self._instants.take(new.camera_id) if wanted else Instant()
        async with self._pictures.writing() as session:
            run, row = await _of_camera(session, actor, run_id, new, locked=True)
            after = await _judge(session, actor, run, row, new)
            camera = await session.get_one(Camera, new.camera_id)
            now = self._clock.now()
            finding = Finding(
                run_id=run_id,
                position=new.position,
                camera_id=new.camera_id,
                village_id=camera.village_id,
                category=new.category,
                words=new.words,
                at=now,
                user_id=actor.user_id,
                user_name=name_of(actor),
            )
            await keep_instant(session, self._pictures, row, instant)
            finding.picture, finding.picture_at = row.picture, row.picture_at
            finding.sha256, finding.picture_why = row.sha256, row.picture_why
            session.add(finding)
            await session.flush()
            write_result(session, run, row, after, actor, now, finding.id)
            await session.flush()
            view = await view_of(session, finding.id)
        self._changed(finding)
        return view

    async def change(self, actor: Actor, finding_id: int, category: str, words: str) -> FindingView:
        """Correct a finding while its patrol is on.

        Raises HubError: NOT_FOUND, FORBIDDEN (`not_operator`), CONFLICT (`run_ended`), INVALID.
        """
        township.require(actor, "finding")
        self._check_category(category)
        async with self._database.write() as session:
            finding, run = await _open(session, actor, finding_id)
            await _follow(session, run, finding, Act("reword", words, was=finding.words), actor, self._clock.now())
            finding.category, finding.words = category, words
            await session.flush()
            view = await view_of(session, finding_id)
        self._changed(finding)
        return view

    async def delete(self, actor: Actor, finding_id: int) -> None:
        """Delete a finding while its patrol is on: it was a mistake. Its camera's result is open again, if nothing else
        was said of it. What it said, and who deleted it when, stays in the record as an event.

        Raises HubError: NOT_FOUND, FORBIDDEN (`not_operator`), CONFLICT (`run_ended`).
        """
        township.require(actor, "finding")
        async with self._database.write() as session:
            finding, run = await _open(session, actor, finding_id)
            await _follow(session, run, finding, Act("unfind", was=finding.words), actor, self._clock.now())
            pictures = (finding.picture, finding.photo)
            await session.delete(finding)
            await session.flush()
            for picture in pictures:
                await self._pictures.forget(session, run.id, picture)
        self._changed(finding)

    async def add_photo(self, actor: Actor, finding_id: int, data: bytes) -> FindingView:
        """Add a photo to a finding, in place of the one before.

        Raises HubError: NOT_FOUND, CONFLICT (`run_ended`), TOO_LARGE, UNSUPPORTED (PHOTO_UNREADABLE), BUSY,
        STORAGE_FULL.
        """
        await self.require_open(actor, finding_id)
        if len(data) > MAX_PHOTO:
            raise HubError(Kind.TOO_LARGE, f"a photo may have {MAX_PHOTO >> 20} MiB", max=MAX_PHOTO)
        self._pictures.require_room("photo")
        _, jpeg = await self._decoder.photo(Photo(max_side=PHOTO_SIDE), data, PHOTO_SECONDS)
        async with self._pictures.writing() as session:
            finding, run = await _open(session, actor, finding_id)
            kept = await self._pictures.add(session, run.id, "photo", jpeg, self._clock.now())
            before, finding.photo, finding.photo_sha256 = finding.photo, kept.id, kept.sha256
            await session.flush()
            await self._pictures.forget(session, run.id, before)
            view = await view_of(session, finding_id)
        self._changed(finding)
        return view

    async def require_open(self, actor: Actor, finding_id: int) -> None:
        """Raises HubError: NOT_FOUND, CONFLICT (`run_ended`), when a photo of it is not wanted: before it is read."""
        township.require(actor, "finding")
        async with self._database.read() as session:
            await _open(session, actor, finding_id)

    def _check_category(self, category: str) -> None:
        if category not in self._categories:
            raise HubError(
                Kind.INVALID,
                f"there is no such category; there are: {', '.join(self._categories)}",
                reason="no_such_category",
                field="category",
            )

    def _changed(self, finding: Finding) -> None:
        self._bus.publish(FindingChanged(finding.id, finding.village_id))
        self._bus.publish(ResultChanged(finding.run_id))


async def _of_camera(
    session: AsyncSession, actor: Actor, run_id: int, new: NewFinding, *, locked: bool = False
) -> tuple[Run, RunResult]:
    run = await run_row(session, run_id, locked=locked)
    await require_runner(session, actor, run)
    rows = await result_rows(session, run_id, new.position, locked=locked)
    if not rows:
        raise HubError(Kind.NOT_FOUND, "there is no such stop in this patrol", reason="no_such_stop")
    row = next((row for row in rows if row.camera_id == new.camera_id), None)
    if row is None:
        raise HubError(Kind.NOT_FOUND, "there is no such camera at this stop", reason="no_such_camera")
    return run, row


async def _judge(session: AsyncSession, actor: Actor, run: Run, row: RunResult, new: NewFinding) -> CameraResult:
    """The camera's result after the finding. What is confirmed to be normal only the operator changes.

    Raises HubError: CONFLICT, FORBIDDEN (`not_operator`).
    """
    (one,) = await decided(session, run, [row])
    if one.result == "normal" and run.state != "ended":
        require_operator(actor, run)
    after = found(patrol_state(run), one, new.words, change=new.change)
    number = await session.scalar(select(func.count()).where(Finding.run_id == run.id)) or 0
    if number >= MOST:
        raise HubError(
            Kind.CONFLICT, f"this patrol has {MOST} findings, which is the limit", reason="too_many_findings", max=MOST
        )
    return after


async def _open(session: AsyncSession, actor: Actor, finding_id: int) -> tuple[Finding, Run]:
    """The finding and its patrol, locked: whoever made it and the operator may change it.

    Raises HubError: NOT_FOUND, FORBIDDEN (`tour_not_yours`, `not_operator`), CONFLICT (`run_ended`).
    """
    run_id = await session.scalar(select(Finding.run_id).where(Finding.id == finding_id))
    run = await run_row(session, run_id, locked=True) if run_id is not None else None
    finding = await session.get(Finding, finding_id, populate_existing=True) if run is not None else None
    if run is None or finding is None:
        raise township.not_found("finding")
    await require_runner(session, actor, run)
    if run.state == "ended":
        raise HubError(Kind.CONFLICT, "the patrol has ended; its record cannot be changed any more", reason="run_ended")
    if finding.user_id != actor.user_id:
        require_operator(actor, run)
    return finding, run


_EVENTS: Mapping[str, EventKind] = {"reword": "finding_changed", "unfind": "finding_deleted"}


async def _follow(session: AsyncSession, run: Run, finding: Finding, act: Act, actor: Actor, now: datetime) -> None:
    """Keep what a finding was as an event before the act, and have its camera's result follow."""
    add_event(
        session,
        run,
        _EVENTS[act.kind],
        now,
        actor,
        stop=finding.position,
        camera=finding.camera_id,
        finding=finding.id,
        before=finding.category,
        before_words=finding.words,
        before_by=finding.user_id,
        before_name=finding.user_name,
        words=act.words,
    )
    rows = await result_rows(session, finding.run_id, finding.position, locked=True)
    row = next((row for row in rows if row.camera_id == finding.camera_id), None)
    if row is not None:
        (one,) = await decided(session, run, [row])
        write_result(session, run, row, finding_changed(patrol_state(run), one, act), actor, now, finding.id)
