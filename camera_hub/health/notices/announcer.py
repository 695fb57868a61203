"""Announces alarms: every few seconds it reads them, decides whom to notify (`policy`), and writes that down.

A pass is one transaction, and what it writes is what the next pass reads: killed at any point, it has written all of a
decision or nothing of it, and nothing is decided twice. Who has been told stands in told_alarms, so a restart tells
nothing anew.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from sqlalchemy import Update, update
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.clock import Clock
from camera_hub.events import AccessChanged, AlarmChanged, Event, EventBus, NoticeAdded, NoticeChannelChanged
from camera_hub.health.alarms.handling import end_suspension
from camera_hub.health.notices.facts import (
    digest_made,
    key_alarms,
    open_or_told,
    receivers,
    recent_notices,
    subject_of,
    told_before,
)
from camera_hub.health.notices.outbox import write_notices
from camera_hub.health.notices.policy import NoticePolicy, decide
from camera_hub.health.notices.situation import AlarmFacts, Decisions, ReceiverKey, Situation
from camera_hub.running import keep_running, running
from camera_hub.store.database import Database
from camera_hub.store.tables import Alarm, Digest, ToldAlarm

log = logging.getLogger(__name__)

PASS = 5.0
"""Seconds between two looks at whether something has changed."""

IDLE_PASSES = 3
"""Where nothing has changed, every third pass reads the alarms: they grow older all the same."""

_CHANGES = (AlarmChanged, NoticeChannelChanged, AccessChanged)


class AlarmAges:
    """How long alarms are open, and closed, whatever the wall clock does meanwhile: what it said when an alarm was
    first seen counts, and from then on the clock that never steps."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, bool], tuple[float, float]] = {}

    def of(self, number: int, since: datetime, closed: bool, wall: datetime, now: float) -> float:
        """Seconds since then; `closed`: since it closed, else since it opened."""
        before, at = self._seen.setdefault((number, closed), (max(0.0, (wall - since).total_seconds()), now))
        return before + now - at

    def keep(self, numbers: set[int]) -> None:
        """Forget all others."""
        self._seen = {key: seen for key, seen in self._seen.items() if key[0] in numbers}


@dataclass(frozen=True, slots=True)
class AnnouncedNotices:
    """What one pass wrote: how many notices, and what to publish."""

    notices: int = 0
    events: tuple[Event, ...] = ()


class Announcer:
    """A part of the hub, an async context manager. `notices` counts those that it wrote."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock, policy: NoticePolicy, zone: ZoneInfo) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._policy = policy
        self._zone = zone
        self._ages = AlarmAges()
        self._stack = AsyncExitStack()
        self.notices = 0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            work = keep_running("notices of alarms", self._run, clock=self._clock)
            await stack.enter_async_context(running(work, "notices of alarms"))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _run(self) -> None:
        with self._bus.subscribe(*_CHANGES) as events:
            idle = IDLE_PASSES
            while True:
                changed = events.take()
                idle = 0 if changed else idle + 1
                if changed or idle >= IDLE_PASSES:
                    idle = 0
                    await self.announce()
                await self._clock.sleep(PASS)

    async def announce(self) -> int:
        """One pass. Returns how many notices were written; a pass that changes nothing writes nothing."""
        async with self._database.read() as session:
            if not await self._is_due(session):
                return 0
        async with self._database.write() as session:
            written = await self._write(session)
        self.notices += written.notices
        for event in written.events:
            self._bus.publish(event)
        return written.notices

    async def _is_due(self, session: AsyncSession) -> bool:
        rows = await open_or_told(session)
        wall = self._clock.now()
        if any(row.suspended_until is not None and row.suspended_until <= wall for row in rows):
            return True
        return not decide(await self._situation(session, rows, wall), self._policy).is_empty

    async def _write(self, session: AsyncSession) -> AnnouncedNotices:
        wall = self._clock.now()
        rows = await open_or_told(session)
        resumed = [row for row in rows if row.closed_at is None and _has_expired(row, wall)]
        for row in rows:
            if _has_expired(row, wall):
                end_suspension(row, wall)
        alarms = {row.id: row for row in rows}
        decisions = decide(await self._situation(session, rows, wall), self._policy)
        notices = await write_notices(session, decisions.notices, alarms, wall, self._zone)
        await _note_told(session, decisions, alarms, wall)
        touched = {row.id for row in resumed} | _note_alarms(decisions, alarms, wall)
        if decisions.digest is not None:
            session.add(Digest(day=decisions.digest, made_at=wall))
        events: list[Event] = [AlarmChanged(number, alarms[number].village_id) for number in sorted(touched)]
        events += [NoticeAdded(row.id, row.user_id) for row in notices if row.user_id is not None]
        return AnnouncedNotices(len(notices), tuple(events))

    async def _situation(self, session: AsyncSession, rows: Sequence[Alarm], wall: datetime) -> Situation:
        now, local = self._clock.monotonic(), wall.astimezone(self._zone)
        self._ages.keep({row.id for row in rows})
        keys = await key_alarms(session, rows)
        since = wall - timedelta(seconds=self._policy.flapping_window)
        return Situation(
            wall,
            local,
            [self._facts(row, row.id in keys, wall, now) for row in rows],
            await receivers(session, wall, self._policy.quiet),
            await told_before(session, since),
            await recent_notices(session, wall, self._policy.window),
            await digest_made(session, local.date()),
        )

    def _facts(self, row: Alarm, key: bool, wall: datetime, now: float) -> AlarmFacts:
        age = self._ages.of(row.id, row.opened_at, False, wall, now)
        closed = None if row.closed_at is None else self._ages.of(row.id, row.closed_at, True, wall, now)
        unattended = age if row.resumed_at is None else max(0.0, (wall - row.resumed_at).total_seconds())
        return AlarmFacts(
            id=row.id,
            level=row.level,
            aspect=row.aspect,
            severity=row.severity,
            subject=subject_of(row),
            village_id=row.village_id,
            key=key,
            age=age,
            closed_for=closed,
            ending=row.ending,
            merged_into=row.merged_into,
            owner_id=row.owner_id,
            acknowledged=row.acknowledged_at is not None,
            suspended=row.suspended_until is not None and row.suspended_until > wall,
            flapping=row.flapping,
            place_group=row.place_group,
            escalation=row.escalation,
            unattended=unattended,
            untold=_untold(row, wall),
            notified_at=row.notified_at,
        )


def _has_expired(row: Alarm, wall: datetime) -> bool:
    return row.suspended_until is not None and row.suspended_until <= wall


def _untold(row: Alarm, wall: datetime) -> float | None:
    """Since when nobody was told or reminded. A suspension that has ended by itself is told at once."""
    if row.notified_at is None:
        return None
    last = max(row.notified_at, row.reminded_at or row.notified_at)
    if row.resumed_at is not None and row.resumed_at > last:
        return float("inf")
    return max(0.0, (wall - last).total_seconds())


async def _note_told(session: AsyncSession, decisions: Decisions, alarms: Mapping[int, Alarm], wall: datetime) -> None:
    session.add_all(
        ToldAlarm(
            alarm_id=number,
            channel_id=key[1] if key[0] == "channel" else None,
            user_id=key[1] if key[0] == "user" else None,
            subject=subject_of(alarms[number]),
            kind=kind,
            told_at=wall,
        )
        for number, key, kind in decisions.told
    )
    await session.flush()
    for number, key in decisions.changed:
        await session.execute(_row_of(number, key).values(kind="flapping"))
    for number, key in decisions.ended:
        await session.execute(_row_of(number, key).values(closed_at=wall))


def _row_of(number: int, key: ReceiverKey) -> Update:
    column = ToldAlarm.channel_id if key[0] == "channel" else ToldAlarm.user_id
    return update(ToldAlarm).where(ToldAlarm.alarm_id == number, column == key[1], ToldAlarm.closed_at.is_(None))


def _note_alarms(decisions: Decisions, alarms: Mapping[int, Alarm], wall: datetime) -> set[int]:
    """Note in the alarms what was decided. Returns those that a page shows otherwise now."""
    fresh = {number for number in decisions.notified if alarms[number].notified_at is None}
    for number in fresh:
        alarms[number].notified_at = wall
    for number in decisions.reminded:
        alarms[number].reminded_at = wall
        alarms[number].reminders += 1
    for number, level in decisions.escalated.items():
        alarms[number].escalation, alarms[number].escalated_at = level, wall
    return fresh | decisions.reminded | decisions.escalated.keys()
