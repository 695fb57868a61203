"""Special protection periods. Which days are holidays the township says: they are announced anew each year, and what
is suggested or copied is looked at first."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, PlanChanged
from camera_hub.patrol import township
from camera_hub.patrol.plans.calendar import ONE_DAY, instant
from camera_hub.patrol.plans.making import OccurrenceMaker
from camera_hub.patrol.plans.national_holidays import NationalHoliday, festival_days, national_holidays
from camera_hub.patrol.plans.next_year import a_year_later, length
from camera_hub.store.database import Database
from camera_hub.store.tables import SpecialPeriod

MOST = 500
LONGEST = timedelta(days=120)
"""Of the site's calendar. The drowning or fire season is a plan's season of every year, not a special period."""
SAME_HOLIDAY = timedelta(days=100)
"""Periods of one name that begin so near to each other are the same holiday of the same year."""
_NAMES = select(SpecialPeriod.name, SpecialPeriod.begins_at)


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


@dataclass(frozen=True, slots=True)
class SuggestedPeriod:
    """A national holiday as a special period would have it, and the name of a holiday that is there on its days
    already, be it a draft (None: none)."""

    holiday: NationalHoliday
    begins_at: datetime
    ends_at: datetime
    registered: str | None


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
        _check(new, self._zone)
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
        _check(new, self._zone)
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

    async def suggestions(self, actor: Actor, year: int) -> Sequence[SuggestedPeriod]:
        """The national holidays of the year, in order; nothing is stored. None where their calendar is not known."""
        if not township.sees(actor):
            return []
        holidays = await asyncio.to_thread(national_holidays, year)
        async with self._database.read() as session:
            rows = [row for row in await self._between(session, year - 1, year + 2) if row.kind == "holiday"]
        found = []
        for holiday in holidays:
            begins = instant(holiday.first_day, 0, self._zone)
            ends = instant(holiday.last_day + ONE_DAY, 0, self._zone)
            there = next((row.name for row in rows if row.begins_at < ends and begins < row.ends_at), None)
            found.append(SuggestedPeriod(holiday, begins, ends, there))
        return found

    async def create_many(self, actor: Actor, many: Sequence[NewPeriod]) -> Sequence[SpecialPeriod]:
        """Add all of them, or none when one is wrong. Those that are there already, by name and about the time, are
        left out, so that two who add the same add nothing twice. Raises HubError(INVALID, BUSY)."""
        township.require(actor, "special period")
        for new in many:
            _check(new, self._zone)
        async with self._database.write() as session:
            there = [(name, at) for name, at in await session.execute(_NAMES)]
            rows: list[SpecialPeriod] = []
            for new in many:
                if not _is_there(new.name, new.begins_at, there):
                    there.append((new.name, new.begins_at))
                    rows.append(self._row(actor, new))
            await _room(session, len(rows))
            session.add_all(rows)
            await session.flush()
        if rows:
            await self._changed()
        return rows

    async def copy_year(self, actor: Actor, year: int) -> Sequence[SpecialPeriod]:
        """Copy the holidays of the year before into `year`, as drafts (see next_year); also those that reach over one
        of its ends. Those that are there already are left out, so that copying twice gives nothing twice.
        """
        township.require(actor, "special period")
        await asyncio.to_thread(festival_days, year)  # its first call takes long
        async with self._database.write() as session:
            there = [(row.name, row.begins_at) for row in await self._between(session, year - 1, year + 2)]
            copies: list[SpecialPeriod] = []
            over = datetime(year, 1, 1, tzinfo=self._zone)
            waiting = deque(await self._between(session, year - 1, year))
            while waiting:
                row = waiting.popleft()
                begins, ends = a_year_later(row.name, row.begins_at, row.ends_at, self._zone, LONGEST)
                if row.kind != "holiday" or _is_there(row.name, begins, there):
                    continue
                there.append((row.name, begins))
                new = NewPeriod(row.name, row.kind, row.note, begins, ends, row.all_day_duty, draft=True)
                copies.append(self._row(actor, new))
                if begins < over:
                    waiting.append(copies[-1])  # it reaches into the year from the one before, as the next one does
            await _room(session, len(copies))
            session.add_all(copies)
            await session.flush()
        if copies:
            await self._changed()
        return copies

    async def _between(self, session: AsyncSession, year: int, until: int) -> Sequence[SpecialPeriod]:
        """Those that touch the years from `year` until before `until`."""
        begin = datetime(year, 1, 1, tzinfo=self._zone).astimezone(UTC)
        end = datetime(until, 1, 1, tzinfo=self._zone).astimezone(UTC)
        rows = await session.scalars(
            select(SpecialPeriod)
            .where(SpecialPeriod.ends_at > begin, SpecialPeriod.begins_at < end)
            .order_by(SpecialPeriod.begins_at, SpecialPeriod.id)
        )
        return rows.all()

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


def _is_there(name: str, begins: datetime, there: Iterable[tuple[str, datetime]]) -> bool:
    return any(name == other and abs(begins - at) <= SAME_HOLIDAY for other, at in there)


def _check(new: NewPeriod, zone: tzinfo) -> None:
    if new.ends_at <= new.begins_at or length(new.begins_at, new.ends_at, zone) > LONGEST:
        raise HubError(
            Kind.INVALID,
            f"a special period ends after it begins and lasts at most {LONGEST.days} days; for a season, give a plan "
            "a season of every year instead",
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
