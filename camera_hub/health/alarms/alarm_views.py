"""An alarm with the names of what it is about, and the two queries that read any number of them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor, require_village
from camera_hub.errors import HubError, Kind, Param
from camera_hub.store.tables import Alarm, AlarmMember, Camera, Device, Village


@dataclass(frozen=True, slots=True)
class Owner:
    """Who takes care of an alarm."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Suspension:
    """That nobody is notified of an alarm until then, and why (parts | power_cut | construction | other)."""

    since: datetime
    until: datetime
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class AlarmView:
    """An alarm with the names of what it is about.

    `members`: the cameras that it stands for now, or that it stood for when it closed. `recovered`: those that left it
    before. `duration_s`: how long it was open, None while it is. `escalation`: 0, or how far up it was taken (1, 2).
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
    duration_s: float | None
    ending: str | None
    owner: Owner | None
    notified_at: datetime | None
    reminders: int
    escalation: int
    escalated_at: datetime | None
    suspended: Suspension | None
    note: str
    flapping: bool
    place_group: str | None
    hint: dict[str, Any] | None


Query = Select[Alarm, str, str, str, str]


def alarm_query() -> Query:
    """Alarms with the names of what they are about."""
    return (
        select(Alarm, Village.name, Device.name, Device.host, Camera.name)
        .outerjoin(Village, Village.id == Alarm.village_id)
        .outerjoin(Device, Device.id == Alarm.device_id)
        .outerjoin(Camera, Camera.id == Alarm.camera_id)
    )


async def one_view(session: AsyncSession, actor: Actor, alarm_id: int) -> AlarmView:
    """Raises HubError(NOT_FOUND) for no such alarm, and for one that the actor may not see."""
    found = await alarm_views(session, alarm_query().where(Alarm.id == alarm_id))
    if not found:
        raise HubError(Kind.NOT_FOUND, "there is no such alarm")
    require_village(actor, found[0].village_id, "alarm")
    return found[0]


async def alarm_views(session: AsyncSession, query: Query) -> list[AlarmView]:
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
        (alarm.closed_at - alarm.opened_at).total_seconds() if alarm.closed_at is not None else None,
        alarm.ending,
        Owner(alarm.owner_id, alarm.owner_name or "") if alarm.owner_id is not None else None,
        alarm.notified_at,
        alarm.reminders,
        alarm.escalation,
        alarm.escalated_at,
        _suspension(alarm),
        alarm.note,
        alarm.flapping,
        alarm.place_group,
        alarm.hint,
    )


def _suspension(alarm: Alarm) -> Suspension | None:
    if alarm.suspended_until is None:
        return None
    since = alarm.suspended_at or alarm.opened_at
    return Suspension(since, alarm.suspended_until, alarm.suspended_reason or "other", alarm.suspended_by or "")
