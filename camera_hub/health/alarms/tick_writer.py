"""One tick of health in one transaction: observations, states of cameras, and alarms with their members. Notices are
written apart from it (health.notices.announcer).

The number of statements does not grow with the number of cameras; what differs by camera is sent as one batch.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.events import AlarmChanged, CameraChanged, Event, VillageChanged
from camera_hub.health.alarms.states import HealthChange, StateChange
from camera_hub.health.judging.alarm_changes import (
    AlarmChange,
    AlarmClosing,
    AlarmEnding,
    AlarmOpening,
    AlarmUpdate,
    OpenAlarm,
)
from camera_hub.health.judging.causes import AlarmKey, ExpectedAlarm
from camera_hub.health.judging.verdict import Aspect
from camera_hub.health.rounds.look_result import LookResult
from camera_hub.store.tables import Alarm, AlarmMember, Camera, CameraState, Device, Observation
from camera_hub.store.tables.base import table_of


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick has to write."""

    now: datetime
    looks: Sequence[LookResult]
    clocks: Mapping[int, float]  # device id → offset in seconds
    clock_limit: float  # seconds beyond which a clock is wrong
    states: Sequence[StateChange] = ()
    healths: Sequence[HealthChange] = ()
    changes: Sequence[AlarmChange] = ()
    gone: Collection[int] = ()  # cameras that are observed no longer: their states end

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.looks or self.states or self.healths or self.clocks or self.changes or self.gone)


@dataclass(slots=True)
class Written:
    """What to publish once the tick is committed, and the ids of the alarms that it opened."""

    events: list[Event] = field(default_factory=list)
    opened: dict[AlarmKey, int] = field(default_factory=dict)


async def read_open_alarms(session: AsyncSession) -> list[OpenAlarm]:
    """The open alarms with the cameras that they stand for now."""
    rows = (await session.scalars(select(Alarm).where(Alarm.closed_at.is_(None)).order_by(Alarm.id))).all()
    members: dict[int, set[int]] = {row.id: set() for row in rows}
    current = (
        select(AlarmMember.alarm_id, AlarmMember.camera_id)
        .join(Alarm, Alarm.id == AlarmMember.alarm_id)
        .where(Alarm.closed_at.is_(None), AlarmMember.left_at.is_(None))
    )
    for alarm_id, camera_id in await session.execute(current):
        members[alarm_id].add(camera_id)
    return [
        OpenAlarm(
            row.id,
            _key(row),
            row.cause,
            frozenset(members[row.id]),
            row.opened_at,
            row.params,
            row.flapping,
            row.severity,
        )
        for row in rows
    ]


async def write_tick(session: AsyncSession, tick: Tick) -> Written:
    """Write the tick; the caller commits, then publishes the events."""
    written = Written()
    ids = {look.camera_id for look in tick.looks} | _changed(tick)
    query = select(Camera.id, Camera.village_id).where(Camera.id.in_(ids))
    villages = dict((await session.execute(query)).all()) if ids else {}
    observations = [_observation(one, tick.clock_limit) for one in tick.looks if one.camera_id in villages]
    if observations:
        await session.execute(insert(Observation), observations)
    await _write_states(session, tick, villages)
    if tick.clocks:
        offsets = [{"device": number, "offset": offset} for number, offset in tick.clocks.items()]
        table = table_of(Device)
        await (await session.connection()).execute(
            update(table).where(table.c.id == bindparam("device")).values(clock_offset_s=bindparam("offset")), offsets
        )
    written.events = [CameraChanged(camera, villages[camera]) for camera in sorted(_changed(tick) & villages.keys())]
    await _write_alarms(session, tick, written)
    # A village shows how many of its cameras are well and whether its link is down: both have just been decided.
    moved = {
        event.village_id
        for event in written.events
        if isinstance(event, CameraChanged | AlarmChanged) and event.village_id is not None
    }
    written.events += [VillageChanged(village) for village in sorted(moved)]
    return written


def _changed(tick: Tick) -> set[int]:
    return {one.camera_id for one in tick.states} | {one.camera_id for one in tick.healths}


async def _write_states(session: AsyncSession, tick: Tick, villages: Mapping[int, int]) -> None:
    connection = await session.connection()
    await _end_and_begin(session, [one for one in tick.states if one.camera_id in villages])
    healths = [one for one in tick.healths if one.camera_id in villages]
    if healths:
        table = table_of(Camera)
        await connection.execute(
            table.update()
            .where(table.c.id == bindparam("camera"))
            .values(health=bindparam("to"), cause=bindparam("why"), health_since=bindparam("at")),
            [{"camera": one.camera_id, "to": one.health, "why": one.cause, "at": one.since} for one in healths],
        )
    if tick.gone:
        ended = update(CameraState).where(CameraState.camera_id.in_(tick.gone), CameraState.until.is_(None))
        await session.execute(ended.values(until=tick.now))


async def _end_and_begin(session: AsyncSession, states: Sequence[StateChange]) -> None:
    """States that go on with a finer cause keep their row; else one ends and the next begins."""
    table = table_of(CameraState)
    current = table.update().where(
        table.c.camera_id == bindparam("camera"), table.c.aspect == bindparam("of"), table.c.until.is_(None)
    )
    connection = await session.connection()
    if refined := [one for one in states if one.refines]:
        rows = [{"camera": one.camera_id, "of": one.aspect, "why": one.cause} for one in refined]
        await connection.execute(current.values(cause=bindparam("why")), rows)
    if not (changed := [one for one in states if not one.refines]):
        return
    ended = bindparam("at", type_=table.c.until.type)
    # A wall clock that was set back must not make an interval end before it began.
    until = case((table.c.since > ended, table.c.since), else_=ended)
    ends = [{"camera": one.camera_id, "of": one.aspect, "at": one.ended} for one in changed]
    await connection.execute(current.values(until=until), ends)
    await session.execute(
        insert(CameraState),
        [
            {
                "camera_id": one.camera_id,
                "aspect": one.aspect,
                "state": one.state,
                "cause": one.cause,
                "since": one.since,
            }
            for one in changed
        ],
    )


async def _write_alarms(session: AsyncSession, tick: Tick, written: Written) -> None:
    if not tick.changes:
        return
    numbers = {change.alarm_id for change in tick.changes if not isinstance(change, AlarmOpening)}
    rows: dict[int, Alarm] = {}
    if numbers:
        query = select(Alarm).where(Alarm.id.in_(numbers), Alarm.closed_at.is_(None))
        rows = {row.id: row for row in await session.scalars(query)}
    closed: list[tuple[Alarm, AlarmClosing]] = []
    opened: list[tuple[Alarm, ExpectedAlarm]] = []
    updates: list[tuple[Alarm, AlarmUpdate]] = []
    for change in tick.changes:
        if isinstance(change, AlarmOpening):
            opened.append((_row(change.alarm, tick), change.alarm))
        elif (row := rows.get(change.alarm_id)) is None:
            continue
        elif isinstance(change, AlarmUpdate):
            row.cause, row.flapping, row.severity = change.cause, change.flapping, change.severity
            if change.said is not None:  # cause, detail and params are of one observation
                row.detail, row.params = change.said[0][:255], dict(change.said[1])
            updates.append((row, change))
        else:
            row.closed_at = max(tick.now, row.opened_at)
            row.ending = change.ending.value
            closed.append((row, change))
    session.add_all(row for row, _ in opened)
    await session.flush()
    written.opened = {alarm.key: row.id for row, alarm in opened}
    grown = [(row, alarm.members) for row, alarm in opened] + [(row, change.joined) for row, change in updates]
    await _merge(session, [row for row, change in closed if change.ending is AlarmEnding.MERGED], grown)
    await _write_members(session, tick.now, closed, opened, updates)
    touched = [row for row, _ in (*closed, *updates, *opened)]
    written.events += [AlarmChanged(row.id, row.village_id) for row in touched]


async def _merge(
    session: AsyncSession, merged: Sequence[Alarm], grown: Sequence[tuple[Alarm, Collection[int]]]
) -> None:
    """Say in each merged alarm which one stands for its cameras now: one of those that opened or grew with this tick
    (`grown`: with the cameras that joined)."""
    if not merged:
        return
    stood_for: dict[int, set[int]] = {row.id: set() for row in merged}
    query = select(AlarmMember.alarm_id, AlarmMember.camera_id).where(AlarmMember.alarm_id.in_(stood_for))
    for alarm_id, camera_id in await session.execute(query):
        stood_for[alarm_id].add(camera_id)
    for row in merged:
        parent = next((new for new, members in grown if not stood_for[row.id].isdisjoint(members)), None)
        row.detail = "merged into an alarm of its village" if parent is None else f"merged into alarm {parent.id}"
        if parent is not None:
            row.merged_into = parent.id
    await session.flush()


async def _write_members(
    session: AsyncSession,
    now: datetime,
    closed: Sequence[tuple[Alarm, AlarmClosing]],
    opened: Sequence[tuple[Alarm, ExpectedAlarm]],
    updates: Sequence[tuple[Alarm, AlarmUpdate]],
) -> None:
    left = [{"alarm": row.id, "camera": camera, "at": now} for row, change in updates for camera in sorted(change.left)]
    table = table_of(AlarmMember)
    if left:
        member = (table.c.alarm_id == bindparam("alarm")) & (table.c.camera_id == bindparam("camera"))
        ended = table.update().where(member, table.c.left_at.is_(None)).values(left_at=bindparam("at"))
        await (await session.connection()).execute(ended, left)
    if closed:
        of_closed = AlarmMember.alarm_id.in_([row.id for row, _ in closed])
        await session.execute(
            update(AlarmMember).where(of_closed, AlarmMember.left_at.is_(None)).values(left_at=now),
            execution_options={"synchronize_session": False},
        )
    joined = [(row.id, camera) for row, alarm in opened for camera in sorted(alarm.members)]
    joined += [(row.id, camera) for row, change in updates for camera in sorted(change.joined)]
    if joined:
        rows = [{"alarm_id": alarm, "camera_id": camera, "joined_at": now} for alarm, camera in joined]
        await session.execute(insert(AlarmMember), rows)


def _row(alarm: ExpectedAlarm, tick: Tick) -> Alarm:
    return Alarm(
        level=alarm.key.level,
        aspect=alarm.key.aspect.value,
        severity=alarm.severity.value,
        flapping=alarm.flapping,
        cause=alarm.cause,
        village_id=alarm.village_id,
        device_id=alarm.device_id,
        camera_id=alarm.camera_id,
        detail=alarm.detail[:255],
        params=dict(alarm.params),
        opened_at=tick.now,
        hint=dict(alarm.hint) if alarm.hint is not None else None,
        place_group=alarm.place_group,
    )


def _key(row: Alarm) -> AlarmKey:
    subject = {"hub": 0, "village": row.village_id, "device": row.device_id, "camera": row.camera_id}[row.level]
    return AlarmKey(row.level, Aspect(row.aspect), subject or 0)


def _observation(look: LookResult, clock_limit: float) -> dict[str, Any]:
    media, picture, clock = look.aspects(clock_limit)
    return {
        "camera_id": look.camera_id,
        "at": look.wall,
        "reason": look.reason(clock_limit),
        "reachable": look.reachable,
        "media": media,
        "picture": picture,
        "clock": clock,
        "detail": look.detail,
        "params": dict(look.params),
        "signalling_ms": look.signalling_ms,
        "stream_ms": look.stream_ms,
        "key_frame_ms": look.key_frame_ms,
        "clock_error_s": look.clock_error_s,
        "scores": look.scores,
        "profile": look.profile,
        "fps": look.fps,
        "bitrate_kbit": look.bitrate_kbit,
        "gop_seconds": look.gop_seconds,
        "gaps": look.gaps,
        "received_bytes": look.received_bytes,
    }
