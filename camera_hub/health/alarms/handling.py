"""What people do with an open alarm: acknowledge it, give it an owner, suspend it and resume it.

Each verb says clearly what became of it when two people act at the same time, and is the same when it is repeated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import read_actor
from camera_hub.access.policy import Action, Actor, allows
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import AlarmChanged, EventBus
from camera_hub.health.alarms.alarm_views import AlarmView, Owner, one_view
from camera_hub.store.database import Database
from camera_hub.store.tables import Alarm, User

AT_ONCE = 500
"""The most alarms that are acknowledged at once."""

LONGEST = timedelta(days=90)
"""The longest suspension: beyond it is an exclusion."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What became of many: `done` are the actor's now (or were already), `others` were somebody's before (id, name),
    `gone` do not exist for the actor."""

    done: tuple[int, ...]
    others: tuple[tuple[int, str], ...]
    gone: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WantedSuspension:
    """Until when, why (parts | power_cut | construction | other), and a person's note."""

    until: datetime
    reason: str
    note: str | None = None


class AlarmHandling:
    """Everything that changes an alarm by hand. Each publishes AlarmChanged after its commit."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock

    async def acknowledge(self, actor: Actor, alarm_id: int) -> AlarmView:
        """Put one's name to the alarm. The first name stands: a later person gets it in a CONFLICT."""
        async with self._database.write() as session:
            await one_view(session, actor, alarm_id)
            row = await session.get_one(Alarm, alarm_id)
            if not self._take(row, actor, None):
                raise HubError(
                    Kind.CONFLICT,
                    f"{row.acknowledged_name} has acknowledged this alarm already",
                    reason="acknowledged_already",
                    name=row.acknowledged_name,
                )
            view = await self._seen(session, actor, alarm_id)
        self._bus.publish(AlarmChanged(alarm_id, view.village_id))
        return view

    async def acknowledge_many(self, actor: Actor, ids: Sequence[int], note: str | None = None) -> Acknowledged:
        """The same for many at once, with an optional note; nobody's name is replaced."""
        if len(ids) > AT_ONCE:
            raise HubError(Kind.INVALID, f"at most {AT_ONCE} alarms at once", reason="too_many_items", max=AT_ONCE)
        wanted = dict.fromkeys(ids)
        async with self._database.write() as session:
            rows = {row.id: row for row in await session.scalars(select(Alarm).where(Alarm.id.in_(wanted)))}
            seen = {number: row for number, row in rows.items() if actor.sees(row.village_id)}
            done = [number for number in wanted if number in seen and self._take(seen[number], actor, note)]
            others = [(number, row.acknowledged_name or "") for number, row in seen.items() if number not in done]
        for number in done:
            self._bus.publish(AlarmChanged(number, seen[number].village_id))
        return Acknowledged(tuple(done), tuple(sorted(others)), tuple(n for n in wanted if n not in seen))

    async def owners(self, actor: Actor, alarm_id: int) -> Sequence[Owner]:
        """Who could take care of the alarm, by name."""
        async with self._database.read() as session:
            view = await one_view(session, actor, alarm_id)
            users = await session.scalars(select(User.id).where(User.disabled.is_(False)).order_by(User.display_name))
            found = [await self._candidate(session, number, view.village_id) for number in users.all()]
        return [one for one in found if one is not None]

    async def set_owner(self, actor: Actor, alarm_id: int, user_id: int | None) -> AlarmView:
        """Give an open alarm to somebody who may take care of it, or to nobody. Raises HubError(INVALID | CONFLICT)."""
        async with self._database.write() as session:
            row = await self._open(session, actor, alarm_id)
            owner = None if user_id is None else await self._candidate(session, user_id, row.village_id)
            if user_id is not None and owner is None:
                raise HubError(
                    Kind.INVALID,
                    "this user cannot take care of it: choose one who may see its village and acknowledge alarms",
                    reason="not_an_owner",
                )
            row.owner_id, row.owner_name = (owner.id, owner.name) if owner is not None else (None, None)
            view = await self._seen(session, actor, alarm_id)
        self._bus.publish(AlarmChanged(alarm_id, view.village_id))
        return view

    async def suspend(self, actor: Actor, alarm_id: int, wanted: WantedSuspension) -> AlarmView:
        """Notify nobody of an open alarm until then; the board shows it as suspended. It resumes by itself."""
        now = self._clock.now()
        if not now < wanted.until <= now + LONGEST:
            raise HubError(
                Kind.INVALID,
                f"a suspension ends in the future, within {LONGEST.days} days; exclude the camera for longer",
                reason="suspension_end",
                days=LONGEST.days,
            )
        async with self._database.write() as session:
            row = await self._open(session, actor, alarm_id)
            if row.suspended_until is None:
                row.suspended_at = now
            row.suspended_until, row.suspended_reason = wanted.until, wanted.reason
            row.suspended_by = actor.display_name
            if wanted.note is not None:
                row.note = wanted.note
            view = await self._seen(session, actor, alarm_id)
        self._bus.publish(AlarmChanged(alarm_id, view.village_id))
        return view

    async def resume(self, actor: Actor, alarm_id: int) -> AlarmView:
        """End the suspension now; nothing happens to an alarm that has none."""
        async with self._database.write() as session:
            row = await self._open(session, actor, alarm_id)
            now = self._clock.now()
            if row.suspended_until is not None:
                end_suspension(row, now)
                row.reminded_at = now  # whoever resumes it knows of it
            view = await self._seen(session, actor, alarm_id)
        self._bus.publish(AlarmChanged(alarm_id, view.village_id))
        return view

    def _take(self, row: Alarm, actor: Actor, note: str | None) -> bool:
        """Whether it is the actor's now."""
        if row.acknowledged_at is not None and row.acknowledged_by != actor.user_id:
            return False
        if row.acknowledged_at is None:
            row.acknowledged_at, row.acknowledged_by = self._clock.now(), actor.user_id
            row.acknowledged_name = actor.display_name
            if row.owner_id is None:
                row.owner_id, row.owner_name = actor.user_id, actor.display_name
        if note is not None:
            row.note = note
        return True

    async def _candidate(self, session: AsyncSession, user_id: int, village_id: int | None) -> Owner | None:
        found = await read_actor(session, user_id, self._clock.now())
        if found is None or not found.actor.sees(village_id) or not allows(found.actor, Action.ACKNOWLEDGE, village_id):
            return None
        return Owner(found.actor.user_id, found.actor.display_name)

    async def _open(self, session: AsyncSession, actor: Actor, alarm_id: int) -> Alarm:
        await one_view(session, actor, alarm_id)
        row = await session.get_one(Alarm, alarm_id)
        if row.closed_at is not None:
            raise HubError(Kind.CONFLICT, "this alarm is closed", reason="alarm_closed")
        return row

    async def _seen(self, session: AsyncSession, actor: Actor, alarm_id: int) -> AlarmView:
        await session.flush()
        return await one_view(session, actor, alarm_id)


def end_suspension(row: Alarm, now: datetime) -> None:
    """The alarm is as others again; escalation counts from here."""
    row.suspended_at = row.suspended_until = row.suspended_reason = row.suspended_by = None
    row.resumed_at = now
