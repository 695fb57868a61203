"""Exclusions as people ask for them, approve, end and list them.

Whoever keeps cameras asks; the township approves, and what it enters itself is approved at once. An exclusion cannot be
changed: one ends it and enters another, so that it is always known who approved what.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Action, Actor, allows
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, ExclusionChanged
from camera_hub.health.exclusion_terms import state_of, term_of
from camera_hub.health.exclusions import weekly_window
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, Exclusion, Village

LONGEST = timedelta(days=400)
"""From `since` until `until`: an exclusion expires, and somebody has to ask anew."""
LATEST_REQUEST = timedelta(days=31)
"""How long after its begin an exclusion may still be asked for."""
AT_ONCE = 500
"""Subjects of one request, and exclusions of one page."""
ASKED = 2000
"""Exclusions of a village that may be in force, planned or wait for approval at once."""


@dataclass(frozen=True, slots=True)
class NewExclusion:
    """What is asked for, for each of the subjects. `weekly`: (days, from, to) as weekly_window takes them."""

    level: str
    subject_ids: Sequence[int]
    kind: str
    reason: str
    since: datetime
    until: datetime
    weekly: tuple[Sequence[int], str, str] | None = None


@dataclass(frozen=True, slots=True)
class ExclusionQuery:
    """Which exclusions. `states`: of STATES; `camera_id`: those that concern it; `begin`, `end`: those whose time
    overlaps; `before`: with a smaller id."""

    states: Sequence[str] = ()
    kind: str | None = None
    village_id: int | None = None
    camera_id: int | None = None
    begin: datetime | None = None
    end: datetime | None = None
    before: int | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True)
class ExclusionView:
    """An exclusion with the names of what it is about. `state`: one of STATES; `holds`: its camera is not judged at
    this moment; `cameras`: how many cameras in use it concerns; `late`: it was approved after it had begun."""

    id: int
    level: str
    village_id: int
    village_name: str
    device_id: int | None
    camera_id: int | None
    name: str
    cameras: int
    kind: str
    reason: str
    since: datetime
    until: datetime
    weekly: dict[str, Any] | None
    created_name: str
    created_at: datetime
    approved_name: str | None
    approved_at: datetime | None
    ended_name: str | None
    ended_at: datetime | None
    state: str
    holds: bool
    late: bool


_Row = tuple[Exclusion, Village, Device | None, Camera | None]
_Rows = Select[Exclusion, Village, Device, Camera]


class ExclusionRegister:
    """The operations behind api/exclusions. A village admin sees and asks for those of one village."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock, zone: ZoneInfo) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._zone = zone

    async def listed(self, actor: Actor, query: ExclusionQuery) -> Sequence[ExclusionView]:
        """The newest first. Raises HubError(NOT_FOUND) for a camera of another village."""
        now = self._clock.now()
        where = [*_narrowed(query), *([_in_states(query.states, now)] if query.states else [])]
        async with self._database.read() as session:
            if query.camera_id is not None:
                where.append(await _concerning(session, actor, query.camera_id))
            rows = (
                _rows()
                .where(in_scope(actor, Village.id), *where)
                .order_by(Exclusion.id.desc())
                .limit(max(1, min(query.limit, AT_ONCE)))
            )
            return await self._views(session, rows, now)

    async def counts(self, actor: Actor) -> Mapping[str, int]:
        """How many wait for approval (asked), are planned and in force."""
        now = self._clock.now()
        async with self._database.read() as session:
            found = {}
            for state in ("asked", "planned", "in_force"):
                query = _rows().where(in_scope(actor, Village.id), _in_states((state,), now))
                found[state] = await session.scalar(select(func.count()).select_from(query.subquery())) or 0
            return found

    async def ask(self, actor: Actor, wanted: NewExclusion) -> Sequence[ExclusionView]:
        """Enter an exclusion for each subject, all or none; approved at once by whom may approve.

        Raises HubError: INVALID for times and windows that cannot be, NOT_FOUND for a subject of another village,
        CONFLICT where a village has too many.
        """
        now = self._clock.now()
        weekly = self._checked(wanted, now)
        subjects = list(dict.fromkeys(wanted.subject_ids))
        if not subjects or len(subjects) > AT_ONCE:
            raise HubError(Kind.INVALID, f"name 1 to {AT_ONCE} cameras, devices or villages")
        approves = allows(actor, Action.APPROVE)
        async with self._database.write() as session:
            villages = await _villages_of(session, wanted.level, subjects)
            for subject in subjects:
                if subject not in villages or not actor.sees(villages[subject]):
                    raise HubError(Kind.NOT_FOUND, f"there is no such {wanted.level}")
            await _require_room(session, set(villages.values()), now)
            rows = [
                Exclusion(
                    level=wanted.level,
                    **{f"{wanted.level}_id": subject},
                    kind=wanted.kind,
                    reason=wanted.reason,
                    since=wanted.since,
                    until=wanted.until,
                    weekly=weekly,
                    created_by=actor.user_id,
                    created_name=_name(actor),
                    created_at=now,
                    approved_by=actor.user_id if approves else None,
                    approved_name=_name(actor) if approves else None,
                    approved_at=now if approves else None,
                )
                for subject in subjects
            ]
            session.add_all(rows)
            await session.flush()
            views = await self._views(session, _rows().where(Exclusion.id.in_([row.id for row in rows])), now)
        self._publish(views)
        return views

    async def approve(self, actor: Actor, ids: Sequence[int]) -> Sequence[ExclusionView]:
        """Approve what was asked for, also where its time is over already; all or none. One that is approved stays as
        it is. Raises HubError: NOT_FOUND, CONFLICT for one that was refused or withdrawn."""
        now = self._clock.now()
        async with self._database.write() as session:
            rows = await self._wanted(session, actor, ids)
            for row in rows:
                if row.approved_at is None and row.ended_at is not None:
                    raise HubError(
                        Kind.CONFLICT,
                        f"{row.ended_name} has refused or withdrawn this exclusion; enter a new one",
                        reason="exclusion_declined",
                        name=row.ended_name or "",
                    )
                if row.approved_at is None:
                    row.approved_by, row.approved_name, row.approved_at = actor.user_id, _name(actor), now
            await session.flush()
            views = await self._views(session, _rows().where(Exclusion.id.in_(ids)), now)
        self._publish(views)
        return views

    async def end(self, actor: Actor, ids: Sequence[int]) -> Sequence[ExclusionView]:
        """End exclusions now; what is not approved yet is refused or withdrawn. All or none; one that is over stays as
        it is. Raises HubError(NOT_FOUND)."""
        now = self._clock.now()
        async with self._database.write() as session:
            for row in await self._wanted(session, actor, ids):
                if row.ended_at is None and (row.approved_at is None or now < row.until):
                    row.ended_name, row.ended_at = _name(actor), now
            await session.flush()
            views = await self._views(session, _rows().where(Exclusion.id.in_(ids)), now)
        self._publish(views)
        return views

    def _checked(self, wanted: NewExclusion, now: datetime) -> dict[str, Any] | None:
        """The weekly window as it is stored. Raises HubError(INVALID)."""
        if wanted.until <= wanted.since:
            raise HubError(Kind.INVALID, "it must end after it begins", reason="exclusion_order")
        if wanted.until - wanted.since > LONGEST:
            raise HubError(
                Kind.INVALID,
                f"it must end within {LONGEST.days} days; ask anew when it expires",
                reason="exclusion_too_long",
                days=LONGEST.days,
            )
        if wanted.since < now - LATEST_REQUEST:
            raise HubError(
                Kind.INVALID,
                f"it may begin at most {LATEST_REQUEST.days} days ago",
                reason="exclusion_too_old",
                days=LATEST_REQUEST.days,
            )
        if wanted.weekly is None:
            return None
        days, begins, ends = wanted.weekly
        window = weekly_window(days, begins, ends, self._zone)
        if not window.within(wanted.since, min(wanted.until, wanted.since + timedelta(days=15))):
            raise HubError(Kind.INVALID, "no such window lies between begin and end", reason="exclusion_no_window")
        return {"days": sorted(window.days), "from": begins, "to": ends}

    async def _wanted(self, session: AsyncSession, actor: Actor, ids: Sequence[int]) -> list[Exclusion]:
        query = _rows().where(Exclusion.id.in_(ids), in_scope(actor, Village.id)).with_for_update(of=Exclusion)
        rows = [row[0] for row in await session.execute(query)]
        if len(rows) != len(set(ids)):
            raise HubError(Kind.NOT_FOUND, "there is no such exclusion")
        return rows

    async def _views(self, session: AsyncSession, query: _Rows, now: datetime) -> list[ExclusionView]:
        rows = (await session.execute(query)).all()
        counts = await _camera_counts(session, [row[0] for row in rows])
        return [self._view((row[0], row[1], row[2], row[3]), counts.get(row[0].id, 0), now) for row in rows]

    def _view(self, row: _Row, cameras: int, now: datetime) -> ExclusionView:
        exclusion, village, device, camera = row
        name = village.name
        if camera is not None:
            name = camera.name
        elif device is not None:
            name = device.name or device.host
        return ExclusionView(
            exclusion.id,
            exclusion.level,
            village.id,
            village.name,
            exclusion.device_id,
            exclusion.camera_id,
            name,
            cameras,
            exclusion.kind,
            exclusion.reason,
            exclusion.since,
            exclusion.until,
            exclusion.weekly,
            exclusion.created_name,
            exclusion.created_at,
            exclusion.approved_name,
            exclusion.approved_at,
            exclusion.ended_name,
            exclusion.ended_at,
            state_of(exclusion, now),
            term_of(exclusion, self._zone).holds(now),
            exclusion.approved_at is not None and exclusion.approved_at > exclusion.since,
        )

    def _publish(self, views: Iterable[ExclusionView]) -> None:
        for view in views:
            self._bus.publish(ExclusionChanged(view.id, view.village_id))


def _rows() -> _Rows:
    """Each exclusion with its village: of its camera or device as it is now, else its own."""
    return (
        select(Exclusion, Village, Device, Camera)
        .outerjoin(Camera, Camera.id == Exclusion.camera_id)
        .outerjoin(Device, Device.id == Exclusion.device_id)
        .join(Village, Village.id == func.coalesce(Camera.village_id, Device.village_id, Exclusion.village_id))
    )


def _in_states(states: Iterable[str], now: datetime) -> ColumnElement[bool]:
    """The condition that `state_of` is one of these."""
    approved, waits = Exclusion.approved_at.is_not(None), Exclusion.approved_at.is_(None)
    stands = or_(Exclusion.ended_at.is_(None), Exclusion.ended_at > now)
    each = {
        "asked": and_(waits, Exclusion.ended_at.is_(None), Exclusion.until > now),
        "lapsed": and_(waits, Exclusion.ended_at.is_(None), Exclusion.until <= now),
        "declined": and_(waits, Exclusion.ended_at.is_not(None)),
        "planned": and_(approved, Exclusion.since > now, stands, Exclusion.until > now),
        "in_force": and_(approved, Exclusion.since <= now, Exclusion.until > now, stands),
        "ended": and_(approved, or_(Exclusion.until <= now, Exclusion.ended_at <= now)),
    }
    return or_(*(each[state] for state in states))


def _narrowed(query: ExclusionQuery) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if query.kind is not None:
        where.append(Exclusion.kind == query.kind)
    if query.village_id is not None:
        where.append(Village.id == query.village_id)
    if query.begin is not None:
        where += [Exclusion.until > query.begin, or_(Exclusion.ended_at.is_(None), Exclusion.ended_at > query.begin)]
    if query.end is not None:
        where.append(Exclusion.since < query.end)
    if query.before is not None:
        where.append(Exclusion.id < query.before)
    return where


async def _concerning(session: AsyncSession, actor: Actor, camera_id: int) -> ColumnElement[bool]:
    camera = await session.get(Camera, camera_id)
    if camera is None or not actor.sees(camera.village_id):
        raise HubError(Kind.NOT_FOUND, "there is no such camera")
    return or_(
        Exclusion.camera_id == camera_id,
        Exclusion.device_id == camera.device_id,
        Exclusion.village_id == camera.village_id,
    )


async def _villages_of(session: AsyncSession, level: str, ids: Sequence[int]) -> dict[int, int]:
    """The village of each subject that there is."""
    if level == "village":
        return {one: one for one in await session.scalars(select(Village.id).where(Village.id.in_(ids)))}
    table = Camera if level == "camera" else Device
    found = await session.execute(select(table.id, table.village_id).where(table.id.in_(ids)))
    return {subject: village for subject, village in found}


async def _require_room(session: AsyncSession, villages: set[int], now: datetime) -> None:
    stands = (
        select(Village.id)
        .select_from(Exclusion)
        .outerjoin(Camera, Camera.id == Exclusion.camera_id)
        .outerjoin(Device, Device.id == Exclusion.device_id)
        .join(Village, Village.id == func.coalesce(Camera.village_id, Device.village_id, Exclusion.village_id))
        .where(Village.id.in_(villages), Exclusion.until > now, Exclusion.ended_at.is_(None))
        .group_by(Village.id)
        .having(func.count() >= ASKED)
    )
    if await session.scalar(stands.limit(1)) is not None:
        raise HubError(
            Kind.CONFLICT,
            f"a village has at most {ASKED} exclusions that are not over; end some, or exclude the device or village",
            reason="exclusion_too_many",
            most=ASKED,
        )


async def _camera_counts(session: AsyncSession, rows: Sequence[Exclusion]) -> dict[int, int]:
    """How many cameras in use each of them concerns."""
    found: dict[int, int] = {}
    for level, column in (("camera", Camera.id), ("device", Camera.device_id), ("village", Camera.village_id)):
        subjects = {row.id: getattr(row, f"{level}_id") for row in rows if row.level == level}
        if not subjects:
            continue
        query = (
            select(column, func.count())
            .where(column.in_(set(subjects.values())), Camera.state == "approved")
            .group_by(column)
        )
        counted = {subject: count for subject, count in await session.execute(query)}
        found |= {row_id: counted.get(subject, 0) for row_id, subject in subjects.items()}
    return found


def _name(actor: Actor) -> str:
    return (actor.display_name or actor.username)[:64]
