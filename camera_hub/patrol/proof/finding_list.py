"""Findings as people read and look for them, with the names that camera and village have now."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.patrol import township
from camera_hub.patrol.proof.pictures import RunPictures
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Finding, Run, Village

LIMIT = 200
"""Findings of one page."""


@dataclass(frozen=True, slots=True)
class FindingQuery:
    """Which findings, newest first; None: all. `begin` ≤ at < `end`; `text`: part of the words or of the names of
    camera or village; `before`: the id of the last one of the page before."""

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
    """A finding. `picture_why`: why the hub has no picture of that moment; the photo is a person's."""

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


class FindingList:
    """The reading operations behind api/findings. Users who are bound to villages find none."""

    def __init__(self, database: Database, pictures: RunPictures) -> None:
        self._database = database
        self._pictures = pictures

    async def get(self, actor: Actor, finding_id: int) -> FindingView:
        """Raises HubError(NOT_FOUND)."""
        township.require(actor, "finding")
        async with self._database.read() as session:
            return await view_of(session, finding_id)

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

    async def newest(self, actor: Actor, query: FindingQuery, most: int) -> Sequence[FindingView]:
        """All that the query asks for, whatever its page; of more than `most`, the newest."""
        found: list[FindingView] = []
        asked = replace(query, limit=LIMIT, before=None)
        while len(found) < most:
            page = await self.listed(actor, asked)
            found += page.findings
            if page.next is None:
                break
            asked = replace(asked, before=page.next)
        return found[:most]

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


async def view_of(session: AsyncSession, finding_id: int) -> FindingView:
    """Raises HubError(NOT_FOUND)."""
    row = (await session.execute(_selected().where(Finding.id == finding_id))).one_or_none()
    if row is None:
        raise township.not_found("finding")
    return _named(row)


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
