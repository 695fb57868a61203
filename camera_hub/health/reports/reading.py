"""What a report needs, out of the database in pieces, so that requests are answered in between.

Rows are turned into values, and measured, in a thread: 1,000 cameras have a million intervals in 400 days.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.health.exclusion_terms import approved_terms
from camera_hub.health.reports.builder import ReportBuilder
from camera_hub.health.reports.repairs import Fault
from camera_hub.health.reports.report import CameraHistory, LedgerFacts, RecordedDay, Report, ReportRules, UsePeriod
from camera_hub.health.reports.span import ReportSpan, Stretch, holds, moment, ticks, united, without
from camera_hub.health.reports.tally import ASPECTS, FOREVER, StateStretch
from camera_hub.store.database import Database
from camera_hub.store.tables import (
    Alarm,
    AlarmMember,
    CameraState,
    ObservingPeriod,
    RecordingDayRow,
    ServicePeriod,
    Village,
)

PIECE = 50
"""Cameras that are read and measured together."""
ROWS = 1000
"""Rows that are fetched together: some milliseconds."""
MOST_FAULTS = 100_000

Rows = Sequence[Row[*tuple[Any, ...]]]
Scope = Collection[int] | None
"""The villages of a report; None: all."""


class FileThen(Protocol):
    """A camera's file at one time: mandatory fields that are filled in, of how many, and who maintains it."""

    @property
    def camera_id(self) -> int: ...

    @property
    def filled(self) -> int: ...

    @property
    def asked(self) -> int: ...

    @property
    def maintainer_unit(self) -> str: ...


class FilesThen(Protocol):
    """What is needed of the ledger."""

    async def at(self, camera_ids: Collection[int], at: datetime) -> Sequence[FileThen]:
        """The files of these cameras as they were at that time."""
        ...


@dataclass(frozen=True, slots=True)
class _FaultRows:
    alarms: Rows
    members: Mapping[int, frozenset[int]]


async def read_report(
    database: Database, span: ReportSpan, rules: ReportRules, zone: ZoneInfo, scope: Scope, files: FilesThen
) -> Report:
    """Compute the report of these villages."""
    begin, end = moment(span.begin), moment(span.end)
    async with database.read() as session:
        villages = list(
            await session.scalars(
                select(Village.id).where(_of(Village.id, scope)).order_by(Village.position, Village.id)
            )
        )
        faults = await _fault_rows(session, begin, end, scope)
        earliest = min((row.opened_at for row in faults.alarms), default=begin)
        terms = await approved_terms(session, zone, min(begin, earliest), end)
        observed = await _observed(session, begin, end)
        periods = await _periods(session, begin, end, scope)
    builder = ReportBuilder(span, rules, terms, observed, min(span.begin, ticks(earliest)))
    ids = sorted(periods)
    for start in range(0, len(ids), PIECE):
        piece = ids[start : start + PIECE]
        async with database.read() as session:
            states = await _fetched(session, _states(piece, begin, end))
            pictured = set(await session.scalars(_pictured(piece, end)))
            recorded = await _fetched(session, _recorded(piece, span.first, span.last))
        then = {one.camera_id: one for one in await files.at(piece, end)}
        # What the thread is given is of this piece alone: it shares nothing with the event loop.
        await asyncio.to_thread(_measure, builder, piece, periods, states, pictured, recorded, then)
    return await asyncio.to_thread(_finish, builder, faults, periods, villages)


def _finish(
    builder: ReportBuilder,
    faults: _FaultRows,
    periods: Mapping[int, Sequence[UsePeriod]],
    villages: Sequence[int],
) -> Report:
    return builder.finish(_faults(faults, builder, periods), villages)


def _measure(
    builder: ReportBuilder,
    piece: Sequence[int],
    periods: Mapping[int, Sequence[UsePeriod]],
    states: Rows,
    pictured: Collection[int],
    recorded: Rows,
    then: Mapping[int, FileThen],
) -> None:
    of_state: dict[int, list[StateStretch]] = defaultdict(list)
    for camera_id, aspect, state, cause, since, until in states:
        stretch = StateStretch(
            aspect, state == "fault", cause, ticks(since), FOREVER if until is None else ticks(until)
        )
        of_state[camera_id].append(stretch)
    of_day: dict[int, list[RecordedDay]] = defaultdict(list)
    for camera_id, day, seconds, due in recorded:
        of_day[camera_id].append(RecordedDay(day, seconds, due))
    facts = {key: LedgerFacts(one.filled, one.asked, one.maintainer_unit) for key, one in then.items()}
    builder.add(
        CameraHistory(one, periods[one], of_state[one], one in pictured, of_day[one], facts.get(one, LedgerFacts()))
        for one in piece
    )


def _faults(rows: _FaultRows, builder: ReportBuilder, periods: Mapping[int, Sequence[UsePeriod]]) -> Iterator[Fault]:
    for row in rows.alarms:
        excluded = builder.excluded(row.level, row.camera_id, row.device_id, row.village_id or 0)
        closed = None if row.closed_at is None else ticks(row.closed_at)
        in_use = [(one.since, one.until) for one in periods.get(row.camera_id, ())]
        yield Fault(
            row.id,
            row.level,
            row.aspect,
            row.cause,
            row.severity,
            row.village_id,
            row.device_id,
            row.camera_id,
            ticks(row.opened_at),
            closed,
            closed is not None and _is_repaired(row, closed, excluded, in_use),
            row.flapping,
            excluded,
            rows.members.get(row.id, frozenset({row.camera_id} if row.camera_id is not None else ())),
        )


def _is_repaired(
    row: Row[*tuple[Any, ...]], closed: int, excluded: Sequence[Stretch], in_use: Sequence[Stretch]
) -> bool:
    """An alarm also closes when its subject is excluded, or goes out of service. Those of before endings were kept are
    told by what was true at that moment."""
    if row.ending is not None:
        return bool(row.ending == "recovered")
    return not holds(excluded, closed) and (row.level != "camera" or holds(in_use, closed))


async def _fetched(session: AsyncSession, query: Select[*tuple[Any, ...]]) -> Rows:
    """All rows, some milliseconds of them at a time."""
    found: list[Row[*tuple[Any, ...]]] = []
    result = await session.stream(query)
    async for part in result.partitions(ROWS):
        found += part
        await asyncio.sleep(0)
    return found


async def _fault_rows(session: AsyncSession, begin: datetime, end: datetime, scope: Scope) -> _FaultRows:
    """Alarms that were open in the span, but neither those of the hub itself nor those that another took over."""
    where = (
        Alarm.level != "hub",
        Alarm.opened_at < end,
        or_(Alarm.closed_at.is_(None), Alarm.closed_at >= begin),
        or_(Alarm.ending.is_(None), Alarm.ending != "merged"),
        _of(Alarm.village_id, scope),
    )
    columns = select(
        Alarm.id,
        Alarm.level,
        Alarm.aspect,
        Alarm.cause,
        Alarm.severity,
        Alarm.village_id,
        Alarm.device_id,
        Alarm.camera_id,
        Alarm.opened_at,
        Alarm.closed_at,
        Alarm.ending,
        Alarm.flapping,
    )
    alarms = await _fetched(session, columns.where(*where).order_by(Alarm.id.desc()).limit(MOST_FAULTS))
    joined = select(AlarmMember.alarm_id, AlarmMember.camera_id).join(Alarm, Alarm.id == AlarmMember.alarm_id)
    members: dict[int, set[int]] = defaultdict(set)
    for alarm_id, camera_id in await _fetched(session, joined.where(*where)):
        members[alarm_id].add(camera_id)
    return _FaultRows(alarms, {key: frozenset(cameras) for key, cameras in members.items()})


async def _observed(session: AsyncSession, begin: datetime, end: datetime) -> list[Stretch]:
    """When the hub ran and its own uplink was well: otherwise it could not look."""
    ran = select(ObservingPeriod.since, ObservingPeriod.until).where(
        ObservingPeriod.since < end, ObservingPeriod.until > begin
    )
    cut_off = select(Alarm.opened_at, Alarm.closed_at).where(
        Alarm.level == "hub",
        Alarm.aspect == "media",
        Alarm.opened_at < end,
        or_(Alarm.closed_at.is_(None), Alarm.closed_at > begin),
    )
    running = united((ticks(since), ticks(until)) for since, until in await _fetched(session, ran))
    away = united((ticks(since), ticks(until or end)) for since, until in await _fetched(session, cut_off))
    return without(running, away)


async def _periods(session: AsyncSession, begin: datetime, end: datetime, scope: Scope) -> dict[int, list[UsePeriod]]:
    query = select(
        ServicePeriod.camera_id,
        ServicePeriod.village_id,
        ServicePeriod.device_id,
        ServicePeriod.since,
        ServicePeriod.until,
    ).where(
        ServicePeriod.since < end,
        or_(ServicePeriod.until.is_(None), ServicePeriod.until > begin),
        _of(ServicePeriod.village_id, scope),
    )
    found: dict[int, list[UsePeriod]] = defaultdict(list)
    for camera_id, village_id, device_id, since, until in await _fetched(session, query):
        period = UsePeriod(village_id, device_id, ticks(since), FOREVER if until is None else ticks(until))
        found[camera_id].append(period)
    return found


def _states(cameras: Sequence[int], begin: datetime, end: datetime) -> Select[*tuple[Any, ...]]:
    return select(
        CameraState.camera_id,
        CameraState.aspect,
        CameraState.state,
        CameraState.cause,
        CameraState.since,
        CameraState.until,
    ).where(
        CameraState.camera_id.in_(cameras),
        CameraState.aspect.in_(ASPECTS),
        CameraState.since < end,
        or_(CameraState.until.is_(None), CameraState.until > begin),
    )


def _pictured(cameras: Sequence[int], end: datetime) -> Select[int]:
    """Those of which a picture came before that time."""
    return (
        select(CameraState.camera_id)
        .where(
            CameraState.camera_id.in_(cameras),
            CameraState.aspect == "media",
            CameraState.state == "ok",
            CameraState.since < end,
        )
        .distinct()
    )


def _recorded(cameras: Sequence[int], first: date, last: date) -> Select[*tuple[Any, ...]]:
    return select(RecordingDayRow.camera_id, RecordingDayRow.date, RecordingDayRow.seconds, RecordingDayRow.due).where(
        RecordingDayRow.camera_id.in_(cameras), RecordingDayRow.date >= first, RecordingDayRow.date <= last
    )


def _of(column: Any, scope: Scope) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = true() if scope is None else column.in_(sorted(scope))
    return condition
