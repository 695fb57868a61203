"""Findings: what somebody found at a camera during a patrol. Places and times; never persons.

The hub takes a picture at that moment, in full size; a person may add a photo, which an eye decodes and makes anew,
without metadata. A finding makes its camera's result abnormal. While the patrol is on, its words may be changed and it
may be deleted; afterwards nothing of it changes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, FindingChanged, ResultChanged
from camera_hub.eye.messages import Photo, Seen
from camera_hub.patrol import township
from camera_hub.patrol.proof.instant import Instant, InstantPictures
from camera_hub.patrol.proof.pictures import RunPictures
from camera_hub.patrol.proof.results import CameraResult, found
from camera_hub.patrol.proof.rows import decided, is_on, patrol_state, require_runner, result_rows, run_row
from camera_hub.patrol.proof.run_results import keep_instant, write_confirmed
from camera_hub.patrol.runs.run_events import EventKind, add_event
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Finding, Run, RunResult, Village

MAX_PHOTO = 8 * 1024 * 1024
"""Bytes of an uploaded photo."""
PHOTO_SIDE = 2048
"""Pixels of what is kept of it."""
PHOTO_SECONDS = 10.0
MOST = 300
"""Findings of one patrol."""
LIMIT = 200
"""Findings of one page."""


class FindingPhotoDecoder(Protocol):
    """What findings need of media.decoders.pool."""

    async def photo(self, request: Photo, data: bytes, seconds: float | None = None) -> tuple[Seen, bytes]:
        """Raises HubError: PHOTO_UNREADABLE, BUSY."""
        ...


@dataclass(frozen=True, slots=True)
class NewFinding:
    """What was found: at which camera of which stop, its category (a code of the settings), in words."""

    position: int
    camera_id: int
    category: str
    words: str


@dataclass(frozen=True, slots=True)
class FindingQuery:
    """Which findings, newest first; None: all. `text`: part of the words or of the names of camera or village;
    `before`: the id of the last one of the page before."""

    run_id: int | None = None
    village_id: int | None = None
    camera_id: int | None = None
    category: str | None = None
    begin: datetime | None = None
    end: datetime | None = None
    text: str = ""
    before: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding, with the names that its camera and village have now."""

    id: int
    run_id: int
    tour_name: str
    position: int
    camera_id: int
    camera: str
    village_id: int
    village: str
    category: str
    words: str
    at: datetime
    user_name: str
    picture_url: str | None
    picture_at: datetime | None
    picture_why: str | None
    photo_url: str | None


@dataclass(frozen=True, slots=True)
class FindingPage:
    """A page of findings. `total`: of the query, on all pages; `next`: `before` of the next page, None at the end."""

    findings: Sequence[FindingView]
    total: int
    next: int | None


class Findings:
    """The operations behind api/findings. Users who are bound to villages find none."""

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

        Raises HubError: NOT_FOUND (also `no_such_stop`, `no_such_camera`), FORBIDDEN (`tour_not_yours`), CONFLICT
        (`run_ended`, `not_seen`, `too_many_findings`), INVALID (`no_such_category`).
        """
        township.require(actor, "run")
        self._check_category(new.category)
        async with self._database.read() as session:
            run, row = await _of_camera(session, actor, run_id, new)
            await _judge(session, run, row, new.words)
            # What is found later, in the list of what is open, has the picture of when its stop was on.
            wanted = is_on(run, new.position) or row.picture is None
        instant = await self._instants.take(new.camera_id) if wanted else Instant()
        async with self._pictures.writing() as session:
            run, row = await _of_camera(session, actor, run_id, new, locked=True)
            after = await _judge(session, run, row, new.words)
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
                user_name=_name(actor),
            )
            if row.result != "abnormal":
                write_confirmed(row, after, actor, now)
            await keep_instant(session, self._pictures, row, instant)
            finding.picture, finding.picture_at = row.picture, row.picture_at
            finding.sha256, finding.picture_why = row.sha256, row.picture_why
            session.add(finding)
            await session.flush()
            view = await _view(session, finding.id)
        self._changed(finding)
        return view

    async def change(self, actor: Actor, finding_id: int, category: str, words: str) -> FindingView:
        """Correct a finding while its patrol is on. Raises HubError: NOT_FOUND, CONFLICT (`run_ended`), INVALID."""
        township.require(actor, "finding")
        self._check_category(category)
        async with self._database.write() as session:
            finding, run = await _open(session, actor, finding_id)
            _note_change(session, run, finding, "finding_changed", actor, self._clock.now())
            row = await _result_of(session, finding)
            if row is not None and row.words == finding.words[:255]:
                row.words = words[:255]
            finding.category, finding.words = category, words
            await session.flush()
            view = await _view(session, finding_id)
        self._changed(finding)
        return view

    async def delete(self, actor: Actor, finding_id: int) -> None:
        """Delete a finding while its patrol is on: it was a mistake. Its camera's result is open again, if nothing else
        was said of it. Raises HubError: NOT_FOUND, CONFLICT (`run_ended`)."""
        township.require(actor, "finding")
        async with self._database.write() as session:
            finding, run = await _open(session, actor, finding_id)
            _note_change(session, run, finding, "finding_deleted", actor, self._clock.now())
            row = await _result_of(session, finding)
            others = await session.scalar(
                select(func.count()).where(
                    Finding.run_id == finding.run_id,
                    Finding.position == finding.position,
                    Finding.camera_id == finding.camera_id,
                    Finding.id != finding_id,
                )
            )
            if row is not None and not others and row.words == finding.words[:255]:
                row.result, row.words = "open", ""
                row.confirmed_by = row.confirmed_name = row.confirmed_at = None
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
            view = await _view(session, finding_id)
        self._changed(finding)
        return view

    async def require_open(self, actor: Actor, finding_id: int) -> None:
        """Raises HubError: NOT_FOUND, CONFLICT (`run_ended`), when a photo of it is not wanted: before it is read."""
        township.require(actor, "finding")
        async with self._database.read() as session:
            await _open(session, actor, finding_id)

    async def get(self, actor: Actor, finding_id: int) -> FindingView:
        """Raises HubError(NOT_FOUND)."""
        township.require(actor, "finding")
        async with self._database.read() as session:
            return await _view(session, finding_id)

    async def listed(self, actor: Actor, query: FindingQuery) -> FindingPage:
        """A page of findings. Ids grow with time, so that no page skips or repeats one."""
        if not township.sees(actor):
            return FindingPage((), 0, None)
        limit = max(1, min(query.limit, LIMIT))
        wanted = _wanted(query)
        page = _selected().where(*wanted).order_by(Finding.id.desc()).limit(limit + 1)
        if query.before is not None:
            page = page.where(Finding.id < query.before)
        numbers = select(func.count()).select_from(Finding)
        numbers = numbers.join(Camera, Camera.id == Finding.camera_id).join(Village, Village.id == Finding.village_id)
        async with self._database.read() as session:
            rows = (await session.execute(page)).all()
            total = await session.scalar(numbers.where(*wanted)) or 0
        views = [_named(row) for row in rows[:limit]]
        return FindingPage(views, total, views[-1].id if len(rows) > limit else None)

    async def some(self, finding_ids: Collection[int]) -> Sequence[FindingView]:
        """Those of the given findings that exist. The caller decides who may see them."""
        async with self._database.read() as session:
            return [_named(row) for row in await session.execute(_selected().where(Finding.id.in_(finding_ids)))]

    async def picture(self, actor: Actor, finding_id: int, *, photo: bool = False) -> bytes:
        """The JPEG that the hub took, or the photo. Raises HubError(NOT_FOUND)."""
        township.require(actor, "picture")
        column = Finding.photo if photo else Finding.picture
        async with self._database.read() as session:
            picture = await session.scalar(select(column).where(Finding.id == finding_id))
        jpeg = await self._pictures.read(picture) if picture is not None else None
        if jpeg is None:
            raise township.not_found("picture")
        return jpeg

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


async def _judge(session: AsyncSession, run: Run, row: RunResult, words: str) -> CameraResult:
    """The camera's result after the finding. Raises HubError(CONFLICT)."""
    (one,) = await decided(session, run, [row])
    after = found(patrol_state(run), one, words)
    number = await session.scalar(select(func.count()).where(Finding.run_id == run.id)) or 0
    if number >= MOST:
        raise HubError(
            Kind.CONFLICT, f"this patrol has {MOST} findings, which is the limit", reason="too_many_findings", max=MOST
        )
    return after


async def _open(session: AsyncSession, actor: Actor, finding_id: int) -> tuple[Finding, Run]:
    """The finding and its patrol, locked. Raises HubError: NOT_FOUND, FORBIDDEN (`tour_not_yours`), CONFLICT
    (`run_ended`)."""
    run_id = await session.scalar(select(Finding.run_id).where(Finding.id == finding_id))
    run = await run_row(session, run_id, locked=True) if run_id is not None else None
    finding = await session.get(Finding, finding_id, populate_existing=True) if run is not None else None
    if run is None or finding is None:
        raise township.not_found("finding")
    await require_runner(session, actor, run)
    if run.state == "ended":
        raise HubError(Kind.CONFLICT, "the patrol has ended; its record cannot be changed any more", reason="run_ended")
    return finding, run


async def _result_of(session: AsyncSession, finding: Finding) -> RunResult | None:
    rows = await result_rows(session, finding.run_id, finding.position, locked=True)
    return next((row for row in rows if row.camera_id == finding.camera_id), None)


def _note_change(
    session: AsyncSession, run: Run, finding: Finding, kind: EventKind, actor: Actor, now: datetime
) -> None:
    """Add the event that says what a finding was before it is changed or deleted."""
    add_event(
        session,
        run,
        kind,
        now,
        actor,
        stop=finding.position,
        camera=finding.camera_id,
        finding=finding.id,
        before=finding.category,
        before_words=finding.words,
    )


def _name(actor: Actor) -> str:
    return (actor.display_name or actor.username)[:64]


def _selected() -> Select[Finding, str, str, str]:
    """Findings with the names of tour, camera and village."""
    return (
        select(Finding, Run.tour_name, Camera.name, Village.name)
        .join(Run, Run.id == Finding.run_id)
        .join(Camera, Camera.id == Finding.camera_id)
        .join(Village, Village.id == Finding.village_id)
    )


def _wanted(query: FindingQuery) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if query.run_id is not None:
        wanted.append(Finding.run_id == query.run_id)
    if query.village_id is not None:
        wanted.append(Finding.village_id == query.village_id)
    if query.camera_id is not None:
        wanted.append(Finding.camera_id == query.camera_id)
    if query.category is not None:
        wanted.append(Finding.category == query.category)
    if query.begin is not None:
        wanted.append(Finding.at >= query.begin)
    if query.end is not None:
        wanted.append(Finding.at < query.end)
    if text := query.text.strip():
        wanted.append(
            Finding.words.icontains(text, autoescape=True)
            | Camera.name.icontains(text, autoescape=True)
            | Village.name.icontains(text, autoescape=True)
        )
    return wanted


async def _view(session: AsyncSession, finding_id: int) -> FindingView:
    row = (await session.execute(_selected().where(Finding.id == finding_id))).one_or_none()
    if row is None:
        raise township.not_found("finding")
    return _named(row)


def _named(row: Row[Finding, str, str, str]) -> FindingView:
    finding, tour_name, camera, village = row
    url = f"/api/findings/{finding.id}"
    return FindingView(
        finding.id,
        finding.run_id,
        tour_name,
        finding.position,
        finding.camera_id,
        camera,
        finding.village_id,
        village,
        finding.category,
        finding.words,
        finding.at,
        finding.user_name,
        f"{url}/picture.jpg" if finding.picture is not None else None,
        finding.picture_at,
        finding.picture_why,
        f"{url}/photo.jpg" if finding.photo is not None else None,
    )
