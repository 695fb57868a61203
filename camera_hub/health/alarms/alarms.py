"""Alarms as people read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor, require_village
from camera_hub.errors import HubError, Kind
from camera_hub.health.alarms.alarm_views import AlarmView, alarm_query, alarm_views, one_view
from camera_hub.store.database import Database
from camera_hub.store.tables import Alarm, AlarmMember, Camera, Device, Village

LIMIT = 500
"""The most alarms of one answer."""


@dataclass(frozen=True, slots=True)
class MemberView:
    """A camera that an alarm stood for, from `joined_at` to `left_at` (None: still does)."""

    camera_id: int
    camera_name: str
    joined_at: datetime
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class AlarmFilter:
    """Which alarms a list shows; None: all. Everything given must apply.

    `since`, `until`: alarms that were open at some time from `since` until just before `until`. `text`: part of the
    name of the camera, device or village, or of a member. `camera_id`: alarms that stand or stood for it.
    """

    open: bool | None = None
    severity: str | None = None
    aspect: str | None = None
    cause: str | None = None
    village_id: int | None = None
    camera_id: int | None = None
    acknowledged: bool | None = None
    suspended: bool | None = None
    owner: int | None = None
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Alarms:
    """The verbs behind api/alarms. A village admin sees the alarms of one village; the hub's own are the township's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(
        self, actor: Actor, wanted: AlarmFilter = AlarmFilter(), *, limit: int = 200, before: int | None = None
    ) -> Sequence[AlarmView]:
        """The newest first. `before`: only alarms with a smaller id. Raises HubError(NOT_FOUND) for a camera or village
        that the actor may not see.

        An id never changes, so a page that continues with the last id of the *answer* before misses nothing and gets
        nothing twice, whatever opens, closes or is acknowledged meanwhile.
        """
        if wanted.village_id is not None:
            require_village(actor, wanted.village_id, "village")
        query = alarm_query().where(in_scope(actor, Alarm.village_id), *_conditions(wanted))
        if before is not None:
            query = query.where(Alarm.id < before)
        async with self._database.read() as session:
            if wanted.camera_id is not None:
                camera = await session.get(Camera, wanted.camera_id)
                if camera is None:
                    raise HubError(Kind.NOT_FOUND, "there is no such camera")
                require_village(actor, camera.village_id, "camera")
            return await alarm_views(session, query.order_by(Alarm.id.desc()).limit(max(1, min(limit, LIMIT))))

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
            return await one_view(session, actor, alarm_id)

    async def members(self, actor: Actor, alarm_id: int) -> Sequence[MemberView]:
        """Every camera that the alarm stands or stood for, in the order in which they joined."""
        query = (
            select(AlarmMember.camera_id, Camera.name, AlarmMember.joined_at, AlarmMember.left_at)
            .join(Camera, Camera.id == AlarmMember.camera_id)
            .where(AlarmMember.alarm_id == alarm_id)
            .order_by(AlarmMember.joined_at, AlarmMember.id)
        )
        async with self._database.read() as session:
            await one_view(session, actor, alarm_id)
            return [MemberView(*row) for row in await session.execute(query)]


def _conditions(wanted: AlarmFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        column == value
        for column, value in (
            (Alarm.severity, wanted.severity),
            (Alarm.aspect, wanted.aspect),
            (Alarm.cause, wanted.cause),
            (Alarm.village_id, wanted.village_id),
            (Alarm.owner_id, wanted.owner),
        )
        if value is not None
    ]
    if wanted.camera_id is not None:
        found.append(Alarm.id.in_(select(AlarmMember.alarm_id).where(AlarmMember.camera_id == wanted.camera_id)))
    if wanted.open is not None:
        found.append(_missing(Alarm.closed_at, wanted.open))
    if wanted.acknowledged is not None:
        found.append(_missing(Alarm.acknowledged_at, not wanted.acknowledged))
    if wanted.suspended is not None:
        found.append(_missing(Alarm.suspended_until, not wanted.suspended))
    if wanted.since is not None:
        found.append(or_(Alarm.closed_at.is_(None), Alarm.closed_at >= wanted.since))
    if wanted.until is not None:
        found.append(Alarm.opened_at < wanted.until)
    if wanted.text:
        found.append(_named(wanted.text))
    return found


def _missing(column: Any, missing: bool) -> ColumnElement[bool]:
    absent: ColumnElement[bool] = column.is_(None)
    return absent if missing else ~absent


def _named(text: str) -> ColumnElement[bool]:
    """A part of one of the names, whatever the case; the members' too, so that a camera of a dead village is found."""
    members = select(AlarmMember.alarm_id).join(Camera, Camera.id == AlarmMember.camera_id)
    return or_(
        Camera.name.icontains(text, autoescape=True),
        Device.name.icontains(text, autoescape=True),
        Device.host.icontains(text, autoescape=True),
        Village.name.icontains(text, autoescape=True),
        Alarm.id.in_(members.where(Camera.name.icontains(text, autoescape=True)).scalar_subquery()),
    )
