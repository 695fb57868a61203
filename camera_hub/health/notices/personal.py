"""The notices of one person: what the page shows as messages, and which of them are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, NoticeAdded
from camera_hub.store.database import Database
from camera_hub.store.tables import Notice

LIMIT = 200
"""The most notices of one answer."""


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notice as its reader sees it. `alarm_ids`: what it tells of, one or many."""

    id: int
    alarm_id: int | None
    alarm_ids: tuple[int, ...]
    kind: str
    title: str
    text: str
    severity: str
    sound: bool
    at: datetime
    read_at: datetime | None


class PersonalNotices:
    """Every user's own; nobody reads those of another."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock

    async def list(
        self, actor: Actor, *, after: int | None = None, before: int | None = None, limit: int = 50
    ) -> Sequence[NoticeView]:
        """The newest first. `after`: only greater ids; `before`: only smaller ones."""
        query = select(Notice).where(Notice.user_id == actor.user_id).order_by(Notice.id.desc())
        if after is not None:
            query = query.where(Notice.id > after)
        if before is not None:
            query = query.where(Notice.id < before)
        async with self._database.read() as session:
            return [_view(row) for row in await session.scalars(query.limit(max(1, min(limit, LIMIT))))]

    async def get(self, actor: Actor, notice_id: int) -> NoticeView:
        """Raises HubError(NOT_FOUND) for one that is not the actor's."""
        async with self._database.read() as session:
            row = await session.get(Notice, notice_id)
        if row is None or row.user_id != actor.user_id:
            raise HubError(Kind.NOT_FOUND, "there is no such notice")
        return _view(row)

    async def unread(self, actor: Actor) -> tuple[int, int | None]:
        """How many are unread, and the id of the newest, read or not."""
        mine = Notice.user_id == actor.user_id
        async with self._database.read() as session:
            newest = await session.scalar(select(func.max(Notice.id)).where(mine))
            waiting = select(func.count()).select_from(Notice).where(mine, Notice.read_at.is_(None))
            return await session.scalar(waiting) or 0, newest

    async def read(self, actor: Actor, up_to: int) -> tuple[int, int | None]:
        """Mark this one and all before it as read; the other pages of the user hear of it. Answers as `unread`."""
        marked = (
            update(Notice)
            .where(Notice.user_id == actor.user_id, Notice.id <= up_to, Notice.read_at.is_(None))
            .values(read_at=self._clock.now())
        )
        async with self._database.write() as session:
            await session.execute(marked, execution_options={"synchronize_session": False})
        found = await self.unread(actor)
        if found[1] is not None:
            self._bus.publish(NoticeAdded(found[1], actor.user_id))
        return found


def _view(row: Notice) -> NoticeView:
    said = row.payload
    numbers = said.get("alarm_ids") or ([row.alarm_id] if row.alarm_id is not None else [])
    return NoticeView(
        row.id,
        row.alarm_id,
        tuple(numbers),
        row.kind,
        said.get("title", ""),
        said.get("text", ""),
        said.get("severity", "major"),
        bool(said.get("sound")),
        row.created_at,
        row.read_at,
    )
