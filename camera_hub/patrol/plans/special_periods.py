"""Special protection periods. Which days are holidays the township says: they are announced anew each year."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, PlanChanged
from camera_hub.patrol import township
from camera_hub.patrol.plans.making import OccurrenceMaker
from camera_hub.store.database import Database
from camera_hub.store.tables import SpecialPeriod

MOST = 500
LONGEST = timedelta(days=120)
"""The drowning or fire season is a plan with a first and a last day, not a special period."""


@dataclass(frozen=True, slots=True)
class NewPeriod:
    """A special period as it is asked for."""

    name: str
    kind: str
    note: str
    begins_at: datetime
    ends_at: datetime
    all_day_duty: bool
    draft: bool


class PeriodMoved(HubError):
    """The period was changed since the caller saw it; `period` is its present state."""

    def __init__(self, period: SpecialPeriod) -> None:
        super().__init__(
            Kind.CONFLICT,
            f"{period.changed_name} has changed this period meanwhile; look at it again",
            reason="period_moved",
            who=period.changed_name,
        )
        self.period = period


class SpecialPeriods:
    """The operations behind api/special-periods."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock, maker: OccurrenceMaker, zone: tzinfo) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._maker = maker
        self._zone = zone

    async def list(self, actor: Actor, begin: datetime, end: datetime) -> Sequence[SpecialPeriod]:
        """Those that touch the span, by time."""
        if not township.sees(actor):
            return []
        async with self._database.read() as session:
            rows = await session.scalars(
                select(SpecialPeriod)
                .where(SpecialPeriod.ends_at > begin, SpecialPeriod.begins_at < end)
                .order_by(SpecialPeriod.begins_at, SpecialPeriod.id)
            )
            return rows.all()

    async def create(self, actor: Actor, new: NewPeriod) -> SpecialPeriod:
        """Raises HubError(INVALID)."""
        township.require(actor, "special period")
        _check(new)
        async with self._database.write() as session:
            await _room(session, 1)
            row = self._row(actor, new)
            session.add(row)
            await session.flush()
        await self._changed()
        return row

    async def change(self, actor: Actor, period_id: int, new: NewPeriod, revision: int) -> SpecialPeriod:
        """Replace it. Raises PeriodMoved when it was changed since `revision`, HubError(INVALID, NOT_FOUND)."""
        township.require(actor, "special period")
        _check(new)
        async with self._database.write() as session:
            row = await _found(session, period_id)
            fits = row.revision == revision
            if fits:
                row.name, row.kind, row.note = new.name, new.kind, new.note
                row.begins_at, row.ends_at = new.begins_at, new.ends_at
                row.all_day_duty, row.draft = new.all_day_duty, new.draft
                row.revision += 1
                row.changed_name, row.changed_at = actor.display_name, self._clock.now()
                await session.flush()
        if not fits:
            raise PeriodMoved(row)
        await self._changed()
        return row

    async def remove(self, actor: Actor, period_id: int) -> None:
        """Delete it; what was due by it and has been due stays. Raises HubError(NOT_FOUND)."""
        township.require(actor, "special period")
        async with self._database.write() as session:
            await session.delete(await _found(session, period_id))
        await self._changed()

    async def copy_year(self, actor: Actor, year: int) -> Sequence[SpecialPeriod]:
        """Copy the holidays that began in the year before into `year`, as drafts, on the same days of the calendar.

        Those whose name the year has already are left out, so that copying twice gives nothing twice.
        """
        township.require(actor, "special period")
        async with self._database.write() as session:
            before = await self._of_year(session, year - 1)
            known = {row.name for row in await self._of_year(session, year)}
            copies = [
                self._row(
                    actor,
                    NewPeriod(
                        row.name,
                        row.kind,
                        row.note,
                        self._next_year(row.begins_at),
                        self._next_year(row.ends_at),
                        row.all_day_duty,
                        draft=True,
                    ),
                )
                for row in before
                if row.kind == "holiday" and row.name not in known
            ]
            await _room(session, len(copies))
            session.add_all(copies)
            await session.flush()
        if copies:
            await self._changed()
        return copies

    async def _of_year(self, session: AsyncSession, year: int) -> Sequence[SpecialPeriod]:
        begin = datetime(year, 1, 1, tzinfo=self._zone).astimezone(UTC)
        end = datetime(year + 1, 1, 1, tzinfo=self._zone).astimezone(UTC)
        rows = await session.scalars(
            select(SpecialPeriod)
            .where(SpecialPeriod.begins_at >= begin, SpecialPeriod.begins_at < end)
            .order_by(SpecialPeriod.begins_at, SpecialPeriod.id)
        )
        return rows.all()

    def _next_year(self, at: datetime) -> datetime:
        local = at.astimezone(self._zone)
        if (local.month, local.day) == (2, 29):
            local -= timedelta(days=1)
        return local.replace(year=local.year + 1, fold=0).astimezone(UTC)

    def _row(self, actor: Actor, new: NewPeriod) -> SpecialPeriod:
        return SpecialPeriod(
            name=new.name,
            kind=new.kind,
            note=new.note,
            begins_at=new.begins_at,
            ends_at=new.ends_at,
            all_day_duty=new.all_day_duty,
            draft=new.draft,
            revision=0,
            changed_name=actor.display_name,
            changed_at=self._clock.now(),
        )

    async def _changed(self) -> None:
        await self._maker.make(self._clock.now(), everything=True)
        self._bus.publish(PlanChanged(0))


def _check(new: NewPeriod) -> None:
    if not timedelta(0) < new.ends_at - new.begins_at <= LONGEST:
        raise HubError(
            Kind.INVALID,
            f"a special period ends after it begins and lasts at most {LONGEST.days} days; for a season, give a plan "
            "a first and a last day instead",
            reason="period_length",
            days=LONGEST.days,
        )


async def _room(session: AsyncSession, more: int) -> None:
    count = await session.scalar(select(func.count()).select_from(SpecialPeriod)) or 0
    if count + more > MOST:
        raise HubError(
            Kind.BUSY,
            f"there are {count} special periods, and {MOST} is the limit; delete old ones",
            reason="too_many_periods",
            most=MOST,
        )


async def _found(session: AsyncSession, period_id: int) -> SpecialPeriod:
    row = await session.get(SpecialPeriod, period_id)
    if row is None:
        raise township.not_found("special period")
    return row
