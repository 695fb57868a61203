"""Alarms as people read and acknowledge them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor, require_village
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import AlarmChanged, EventBus
from camera_hub.store.database import Database
from camera_hub.store.tables import Alarm, Camera, Device, Village

LIMIT = 500
"""The most alarms of one answer."""


@dataclass(frozen=True, slots=True)
class AlarmView:
    """An alarm with the names of what it is about."""

    id: int
    level: str
    cause: str
    village_id: int | None
    village_name: str | None
    device_id: int | None
    device_name: str | None
    camera_id: int | None
    camera_name: str | None
    members: list[int]
    detail: str
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_name: str | None
    closed_at: datetime | None


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
        """The newest first. `before`: only alarms with a smaller id. `camera_id`: those that speak for that camera."""
        limit = max(1, min(limit, LIMIT))
        query = _query().where(in_scope(actor, Alarm.village_id)).order_by(Alarm.id.desc())
        if open is not None:
            query = query.where(Alarm.closed_at.is_(None) if open else Alarm.closed_at.is_not(None))
        async with self._database.read() as session:
            if camera_id is None:
                rows = (await session.execute(_before(query, before).limit(limit))).all()
                return [_view(*row) for row in rows]
            query = query.where(await _may_be_of(session, actor, camera_id))
            found: list[AlarmView] = []
            while len(found) < limit:
                page = (await session.execute(_before(query, before).limit(LIMIT))).all()
                views = [_view(*row) for row in page]
                found += [view for view in views if camera_id in view.members]
                if len(page) < LIMIT:
                    break
                before = views[-1].id
            return found[:limit]

    async def get(self, actor: Actor, alarm_id: int) -> AlarmView:
        """Raises HubError(NOT_FOUND) for no such alarm, and for one of another village."""
        async with self._database.read() as session:
            return await _one(session, actor, alarm_id)

    async def acknowledge(self, actor: Actor, alarm_id: int) -> AlarmView:
        """Put one's name to the alarm. The first name stands: a later person is told it (CONFLICT)."""
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


def _query() -> Query:
    return (
        select(Alarm, Village.name, Device.name, Device.host, Camera.name)
        .outerjoin(Village, Village.id == Alarm.village_id)
        .outerjoin(Device, Device.id == Alarm.device_id)
        .outerjoin(Camera, Camera.id == Alarm.camera_id)
    )


def _before(query: Query, before: int | None) -> Query:
    return query if before is None else query.where(Alarm.id < before)


async def _may_be_of(session: AsyncSession, actor: Actor, camera_id: int) -> Any:
    """The rows whose members may name the camera: its own, its device's, its village's, the hub's."""
    camera = await session.get(Camera, camera_id)
    if camera is None:
        raise HubError(Kind.NOT_FOUND, "there is no such camera")
    require_village(actor, camera.village_id, "camera")
    return or_(
        Alarm.camera_id == camera_id,
        and_(Alarm.level == "device", Alarm.device_id == camera.device_id),
        and_(Alarm.level == "village", Alarm.village_id == camera.village_id),
        Alarm.level == "hub",
    )


async def _one(session: AsyncSession, actor: Actor, alarm_id: int) -> AlarmView:
    row = (await session.execute(_query().where(Alarm.id == alarm_id))).one_or_none()
    if row is None:
        raise HubError(Kind.NOT_FOUND, "there is no such alarm")
    view = _view(*row)
    require_village(actor, view.village_id, "alarm")
    return view


def _view(alarm: Alarm, village: str | None, device: str | None, host: str | None, camera: str | None) -> AlarmView:
    return AlarmView(
        alarm.id,
        alarm.level,
        alarm.cause,
        alarm.village_id,
        village,
        alarm.device_id,
        device or host,
        alarm.camera_id,
        camera,
        list(alarm.members),
        alarm.detail,
        alarm.opened_at,
        alarm.acknowledged_at,
        alarm.acknowledged_name,
        alarm.closed_at,
    )
