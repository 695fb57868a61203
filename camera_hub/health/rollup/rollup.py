"""Rolls looks up into hours, and hours into days: what is complete, once, in small transactions.

A stretch is added up from all that lies in it and replaces what was there of it, so that one that is rolled up again
(after a crash in the middle, after a restart) is the same as before. `rollup_marks` say up to when everything is done;
what lies behind a mark may be deleted (health.expiry_rules), and nothing else.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.clock import Clock
from camera_hub.health.rollup.tally import LOOK_COLUMNS, LookTally
from camera_hub.store.database import Database
from camera_hub.store.retention import EARLIEST, SETTLE
from camera_hub.store.tables import Camera, Observation, ObservationDay, ObservationHour, RollUpMark

log = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
LATE = timedelta(minutes=30)
"""So long after its end an hour is rolled up: looks are kept for up to twenty minutes while the database is away."""

CAMERAS_PER_BATCH = 20
"""Cameras added up and written in one transaction: some 1,200 looks, a few milliseconds of the writer's time."""

BREATH = 0.02
"""Seconds between two batches, so that rolling up weeks of an upgraded hub hinders nobody."""

STRETCHES_PER_RUN = 24 * 60
"""At most so many hours in one run."""


class RollUp:
    """`run_once` belongs into `keep_running`. `rolled` counts hours and days that were rolled up."""

    def __init__(self, database: Database, clock: Clock, zone: tzinfo, keep_looks: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._zone = zone
        self._keep_looks = keep_looks
        self.rolled = {"hours": 0, "days": 0}

    async def run_once(self) -> None:
        """Wait until the clock can be believed, then roll up what is complete."""
        await self._clock.sleep(SETTLE)
        await self.roll_up()

    async def roll_up(self) -> None:
        """Everything that is complete now. Raises HubError when the database fails; the next run goes on."""
        now = self._clock.now()
        if now < EARLIEST:
            return
        for _ in range(STRETCHES_PER_RUN):
            if not await self._next_hour(now):
                break
        for _ in range(STRETCHES_PER_RUN):
            if not await self._next_day():
                break

    async def _next_hour(self, now: datetime) -> bool:
        """Roll up the next hour that has looks. False when there is none that is complete."""
        async with self._database.read() as session:
            mark = await self._mark(session, "hours", now)
            first = await _first_look(session, mark)
            cameras = (await session.scalars(select(Camera.id).order_by(Camera.id))).all()
        complete = _hour(now - LATE)
        begin = complete if first is None else min(_hour(first), complete)
        if begin >= complete:
            if mark is None or begin > mark:
                await self._advance("hours", begin)
            return False
        for batch in _batches(cameras):
            async with self._database.read() as session:
                rows = await _looks(session, batch, begin)
            await self._write(ObservationHour, begin, batch, rows)
        await self._advance("hours", begin + HOUR)
        self.rolled["hours"] += 1
        return True

    async def _next_day(self) -> bool:
        """Roll up the next day that has hours. False when there is none that is complete."""
        async with self._database.read() as session:
            hours = await session.scalar(select(RollUpMark.until).where(RollUpMark.level == "hours"))
            if hours is None:
                return False
            mark = await self._mark(session, "days", hours)
            first = await _first_hour(session, mark)
            cameras = (await session.scalars(select(Camera.id).order_by(Camera.id))).all()
        complete = self._day(hours)
        begin = complete if first is None else min(self._day(first), complete)
        if begin >= complete:
            if mark is None or begin > mark:
                await self._advance("days", begin)
            return False
        end = self._day(begin + timedelta(hours=36))  # a day of 23 or 25 hours, where clocks are changed
        for batch in _batches(cameras):
            async with self._database.read() as session:
                rows = await _hours(session, batch, begin, end)
            await self._write(ObservationDay, begin, batch, rows)
        await self._advance("days", end)
        self.rolled["days"] += 1
        return True

    async def _mark(self, session: AsyncSession, level: str, now: datetime) -> datetime | None:
        """Up to when this level is done. One in the future was set under a wrong clock: begin again at the first hour
        of which all looks are still there."""
        mark = await session.scalar(select(RollUpMark.until).where(RollUpMark.level == level))
        if mark is not None and mark > now:
            log.warning("the %s were rolled up until %s, which is in the future: begun again", level, mark)
            return _hour(now - self._keep_looks) + 2 * HOUR
        return mark

    async def _write(
        self,
        table: type[ObservationHour] | type[ObservationDay],
        begin: datetime,
        batch: Sequence[int],
        tallies: dict[int, LookTally],
    ) -> None:
        rows = [{"camera_id": camera, "at": begin} | tally.row() for camera, tally in tallies.items()]
        async with self._database.write() as session:
            # Cameras may have been deleted since they were read.
            kept = set(await session.scalars(select(Camera.id).where(Camera.id.in_(tallies))))
            await session.execute(
                delete(table).where(table.camera_id.in_(batch), table.at == begin),
                execution_options={"synchronize_session": False},
            )
            if rows := [row for row in rows if row["camera_id"] in kept]:
                await session.execute(insert(table), rows)
        await self._clock.sleep(BREATH)

    async def _advance(self, level: str, until: datetime) -> None:
        async with self._database.write() as session:
            mark = await session.get(RollUpMark, level)
            if mark is None:
                session.add(RollUpMark(level=level, until=until))
            else:
                mark.until = until

    def _day(self, at: datetime) -> datetime:
        """The midnight of the site before."""
        local = at.astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
        return local.astimezone(UTC)


async def _first_look(session: AsyncSession, since: datetime | None) -> datetime | None:
    """Found camera by camera: there is no index on the time alone."""
    of_camera = select(func.min(Observation.at)).where(Observation.camera_id == Camera.id)
    if since is not None:
        of_camera = of_camera.where(Observation.at >= since)
    first: datetime | None = await session.scalar(select(func.min(of_camera.scalar_subquery())))
    return first


async def _first_hour(session: AsyncSession, since: datetime | None) -> datetime | None:
    of_camera = select(func.min(ObservationHour.at)).where(ObservationHour.camera_id == Camera.id)
    if since is not None:
        of_camera = of_camera.where(ObservationHour.at >= since)
    first: datetime | None = await session.scalar(select(func.min(of_camera.scalar_subquery())))
    return first


async def _looks(session: AsyncSession, cameras: Sequence[int], begin: datetime) -> dict[int, LookTally]:
    columns = [getattr(Observation, name) for name in LOOK_COLUMNS]
    query = select(Observation.camera_id, *columns).where(
        Observation.camera_id.in_(cameras), Observation.at >= begin, Observation.at < begin + HOUR
    )
    tallies: dict[int, LookTally] = {}
    # In order: a mean of the same looks is then the same to the last digit, whatever plan the database follows.
    for camera, *values in await session.execute(query.order_by(Observation.camera_id, Observation.at)):
        tallies.setdefault(camera, LookTally()).add_look(values)
    return tallies


async def _hours(session: AsyncSession, cameras: Sequence[int], begin: datetime, end: datetime) -> dict[int, LookTally]:
    table = ObservationHour.__table__
    query = select(table).where(table.c.camera_id.in_(cameras), table.c.at >= begin, table.c.at < end)
    tallies: dict[int, LookTally] = {}
    for row in (await session.execute(query.order_by(table.c.camera_id, table.c.at))).mappings():
        tallies.setdefault(row["camera_id"], LookTally()).add_row(dict(row))
    return tallies


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _batches(cameras: Sequence[int]) -> Iterator[Sequence[int]]:
    return (cameras[start : start + CAMERAS_PER_BATCH] for start in range(0, len(cameras), CAMERAS_PER_BATCH))
