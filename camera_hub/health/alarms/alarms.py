"""Alarms as people read and acknowledge them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor, require_village
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Param
from camera_hub.events import AlarmChanged, EventBus
from camera_hub.store.database import Database
from camera_hub.store.tables import Alarm, AlarmMember, Camera, Device, Village

LIMIT = 500
"""The most alarms of one answer."""


@dataclass(frozen=True, slots=True)
class AlarmView:
    """An alarm with the names of what it is about.

    `members`: the cameras that it stands for now, or that it stood for when it closed. `recovered`: those that left it
    before.
    """

    id: int
    level: str
    aspect: str
    severity: str
    cause: str
    village_id: int | None
    village_name: str | None
    device_id: int | None
    device_name: str | None
    camera_id: int | None
    camera_name: str | None
    members: list[int]
    recovered: list[int]
    detail: str
    params: dict[str, Param]
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_name: str | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class MemberView:
    """A camera that an alarm stood for, from `joined_at` to `left_at` (None: still does)."""

    camera_id: int
    camera_name: str
    joined_at: datetime
    left_at: datetime | None


class Alarms:
    """The verbs behind api/alarms. A village admin sees the alarms of one village; the hub's own are the township's."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock

    async def list(
        self,
        actor: Actor,
        *,
        open: bool | None = None,
        camera_id: int | None = None,
        limit: int = 200,
        before: int | None = None,
    ) -> Sequence[AlarmView]:
        """The newest first. `before`: only alarms with a smaller id. `camera_id`: those that stand or stood for it.

        An id never changes, so a page that continues with the last id of the *answer* before misses nothing and gets
        nothing twice, whatever opens, closes or is acknowledged meanwhile.
        """
        query = (
            _query().where(in_scope(actor, Alarm.village_id)).order_by(Alarm.id.desc()).limit(max(1, min(limit, LIMIT)))
        )
        if open is not None:
            query = query.where(Alarm.closed_at.is_(None) if open else Alarm.closed_at.is_not(None))
        if before is not None:
            query = query.where(Alarm.id < before)
        async with self._database.read() as session:
            if camera_id is not None:
                camera = await session.get(Camera, camera_id)
                if camera is None:
                    raise HubError(Kind.NOT_FOUND, "there is no such camera")
                require_village(actor, camera.village_id, "camera")
                stood_for = select(AlarmMember.alarm_id).where(AlarmMember.camera_id == camera_id)
                query = query.where(Alarm.id.in_(stood_for))
            return await _views(session, query)

    async def count_open(self, actor: Actor) -> int:
        """How many alarms are open."""
        query = (
            select(func.count()).select_from(Alarm).where(Alarm.closed_at.is_(None), in_scope(actor, Alarm.village_id))
        )
        async with self._database.read() as session:
            return await session.scalar(query) or 0

    async def get(self, actor: Actor, alarm_id: int) -> AlarmView:
        """Raises HubError(NOT_FOUND) for no such alarm, and for one of another village."""
        async with self._database.read() as session:
            return await _one(session, actor, alarm_id)

    async def members(self, actor: Actor, alarm_id: int) -> Sequence[MemberView]:
        """Every camera that the alarm stands or stood for, in the order in which they joined."""
        query = (
            select(AlarmMember.camera_id, Camera.name, AlarmMember.joined_at, AlarmMember.left_at)
            .join(Camera, Camera.id == AlarmMember.camera_id)
            .where(AlarmMember.alarm_id == alarm_id)
            .order_by(AlarmMember.joined_at, AlarmMember.id)
        )
        async with self._database.read() as session:
            await _one(session, actor, alarm_id)
            return [MemberView(*row) for row in await session.execute(query)]

    async def acknowledge(self, actor: Actor, alarm_id: int) -> AlarmView:
        """Put one's name to the alarm. The first name stands: a later person gets it in a CONFLICT."""
        async with self._database.write() as session:
            view = await _one(session, actor, alarm_id)
            row = await session.get_one(Alarm, alarm_id)
            if row.acknowledged_at is not None and row.acknowledged_by == actor.user_id:
                return view
            if row.acknowledged_at is not None:
                raise HubError(
                    Kind.CONFLICT,
                    f"{row.acknowledged_name} has acknowledged this alarm already",
                    reason="acknowledged_already",
                    name=row.acknowledged_name,
                )
            row.acknowledged_at = self._clock.now()
            row.acknowledged_by = actor.user_id
            row.acknowledged_name = actor.display_name
            await session.flush()
            view = await _one(session, actor, alarm_id)
        self._bus.publish(AlarmChanged(alarm_id, view.village_id))
        return view


Query = Select[Alarm, str, str, str, str]
AnySelect = TypeVar("AnySelect", bound=Select[*tuple[Any, ...]])


def _query() -> Query:
    return (
        select(Alarm, Village.name, Device.name, Device.host, Camera.name)
        .outerjoin(Village, Village.id == Alarm.village_id)
        .outerjoin(Device, Device.id == Alarm.device_id)
        .outerjoin(Camera, Camera.id == Alarm.camera_id)
    )


async def _one(session: AsyncSession, actor: Actor, alarm_id: int) -> AlarmView:
    found = await _views(session, _query().where(Alarm.id == alarm_id))
    if not found:
        raise HubError(Kind.NOT_FOUND, "there is no such alarm")
    require_village(actor, found[0].village_id, "alarm")
    return found[0]


async def _views(session: AsyncSession, query: Query) -> list[AlarmView]:
    """Two queries, however many alarms."""
    rows = (await session.execute(query)).all()
    members: dict[int, list[tuple[int, datetime | None]]] = defaultdict(list)
    listed = select(AlarmMember.alarm_id, AlarmMember.camera_id, AlarmMember.left_at)
    ids = [alarm.id for alarm, *_ in rows]
    if ids:
        for alarm_id, camera_id, left_at in await session.execute(listed.where(AlarmMember.alarm_id.in_(ids))):
            members[alarm_id].append((camera_id, left_at))
    return [_view(*row, members[row[0].id]) for row in rows]


def _view(
    alarm: Alarm,
    village: str | None,
    device: str | None,
    host: str | None,
    camera: str | None,
    members: Iterable[tuple[int, datetime | None]],
) -> AlarmView:
    stayed: set[int] = set()
    left: set[int] = set()
    for camera_id, left_at in members:
        to_the_end = left_at is None or (alarm.closed_at is not None and left_at >= alarm.closed_at)
        (stayed if to_the_end else left).add(camera_id)
    return AlarmView(
        alarm.id,
        alarm.level,
        alarm.aspect,
        alarm.severity,
        alarm.cause,
        alarm.village_id,
        village,
        alarm.device_id,
        device or host,
        alarm.camera_id,
        camera,
        sorted(stayed),
        sorted(left - stayed),
        alarm.detail,
        alarm.params,
        alarm.opened_at,
        alarm.acknowledged_at,
        alarm.acknowledged_name,
        alarm.closed_at,
    )
