"""One tick of health in one transaction: observations, cameras' health, alarms, and the notices that tell them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.events import AlarmChanged, CameraChanged, Event, VillageChanged
from camera_hub.health.judging.alarm_changes import Change, CloseAlarm, OpenAlarm, StandingAlarm, UpdateAlarm
from camera_hub.health.judging.causes import AlarmKey, ExpectedAlarm
from camera_hub.health.judging.verdict import aspect_of
from camera_hub.health.rounds.look_result import LookResult
from camera_hub.store.tables import Alarm, Camera, Device, Notice, Observation, Village


@dataclass(frozen=True, slots=True)
class HealthChange:
    """A camera's health and its cause, new."""

    camera_id: int
    health: str
    cause: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick has to write."""

    now: datetime
    findings: Sequence[LookResult]
    healths: Sequence[HealthChange]
    clocks: Mapping[int, float]  # device id → offset in seconds
    changes: Sequence[Change]
    details: Mapping[int, str]  # camera id → what its latest bad look said
    clock_limit: float


async def standing(session: AsyncSession) -> list[StandingAlarm]:
    """The open alarms."""
    rows = await session.scalars(select(Alarm).where(Alarm.closed_at.is_(None)).order_by(Alarm.id))
    return [_standing(row) for row in rows]


async def write(session: AsyncSession, tick: Tick) -> list[Event]:
    """Write the tick; answers what to publish once it is committed."""
    ids = {f.camera_id for f in tick.findings} | {h.camera_id for h in tick.healths}
    villages = dict((await session.execute(select(Camera.id, Camera.village_id).where(Camera.id.in_(ids)))).all())
    session.add_all(_observation(f, tick.clock_limit) for f in tick.findings if f.camera_id in villages)
    events: list[Event] = []
    for health in tick.healths:
        if health.camera_id in villages:
            await session.execute(
                update(Camera)
                .where(Camera.id == health.camera_id)
                .values(health=health.health, cause=health.cause, health_since=health.since)
            )
            events.append(CameraChanged(health.camera_id, villages[health.camera_id]))
    for device, offset in tick.clocks.items():
        await session.execute(update(Device).where(Device.id == device).values(clock_offset_s=offset))
    events += await _alarms(session, tick)
    # A village tells how many of its cameras are well and whether its link is down: both have just been decided.
    moved = {e.village_id for e in events if isinstance(e, CameraChanged | AlarmChanged) and e.village_id is not None}
    return events + [VillageChanged(village) for village in sorted(moved)]


async def _alarms(session: AsyncSession, tick: Tick) -> list[Event]:
    touched: list[Alarm] = []
    told: list[tuple[Alarm, str, list[int]]] = []  # alarm, kind, alarms merged into it
    merged: list[Alarm] = []
    for change in tick.changes:
        if isinstance(change, OpenAlarm):
            row = _row(change.wanted, tick)
            session.add(row)
            told.append((row, "opened", [m.id for m in merged if set(m.members) & set(row.members)]))
        else:
            found = await session.get(Alarm, change.alarm_id)
            if found is None or found.closed_at is not None:
                continue
            row = found
            if isinstance(change, UpdateAlarm):
                row.cause, row.members = change.cause, sorted(change.members)
            else:
                _close(row, change, tick.now)
                if change.merged:
                    merged.append(row)
                else:
                    told.append((row, "closed", []))
        touched.append(row)
    await session.flush()
    for row in merged:
        into = next((w for w, kind, _ in told if kind == "opened" and set(w.members) & set(row.members)), None)
        row.detail = f"merged into alarm {into.id}" if into is not None else "merged into an alarm of its village"
    for row, kind, ids in told:
        payload = await _payload(session, row, kind, ids, tick.now)
        session.add(Notice(alarm_id=row.id, kind=kind, payload=payload, created_at=tick.now, next_attempt_at=tick.now))
    return [AlarmChanged(row.id, row.village_id) for row in touched]


def _row(wanted: ExpectedAlarm, tick: Tick) -> Alarm:
    detail = tick.details.get(wanted.camera_id, "") if wanted.camera_id is not None else ""
    return Alarm(
        level=wanted.key.level,
        cause=wanted.cause,
        village_id=wanted.village_id,
        device_id=wanted.device_id,
        camera_id=wanted.camera_id,
        members=sorted(wanted.members),
        detail=detail[:255],
        opened_at=tick.now,
    )


def _close(row: Alarm, change: CloseAlarm, now: datetime) -> None:
    row.closed_at = max(now, row.opened_at)


def _standing(row: Alarm) -> StandingAlarm:
    subject = {"hub": 0, "village": row.village_id, "device": row.device_id, "camera": row.camera_id}[row.level]
    key = AlarmKey(row.level, aspect_of(row.cause), subject or 0)
    return StandingAlarm(row.id, key, row.cause, frozenset(row.members), row.opened_at)


def _observation(found: LookResult, clock_limit: float) -> Observation:
    return Observation(
        camera_id=found.camera_id,
        at=found.wall,
        reason=found.reason(clock_limit),
        detail=found.detail,
        signalling_ms=found.signalling_ms,
        stream_ms=found.stream_ms,
        key_frame_ms=found.key_frame_ms,
        clock_error_s=found.clock_error_s,
        scores=found.scores,
    )


async def _payload(session: AsyncSession, row: Alarm, kind: str, merged: list[int], now: datetime) -> dict[str, Any]:
    """What a notice says; `webhook` documents it. Names as of now: a notice is a letter, not a view."""
    village = await session.get(Village, row.village_id) if row.village_id is not None else None
    device = await session.get(Device, row.device_id) if row.device_id is not None else None
    names = (await session.execute(select(Camera.id, Camera.name).where(Camera.id.in_(row.members)))).all()
    closed = row.closed_at
    return {
        "kind": kind,
        "at": now.isoformat(),
        "alarm": {
            "id": row.id,
            "level": row.level,
            "cause": row.cause,
            "village": None if village is None else {"id": village.id, "name": village.name},
            "device": None if device is None else {"id": device.id, "name": device.name or device.host},
            "camera": next(({"id": i, "name": n} for i, n in names if i == row.camera_id), None),
            "cameras": [{"id": i, "name": n} for i, n in sorted(names)],
            "detail": row.detail,
            "opened_at": row.opened_at.isoformat(),
            "closed_at": None if closed is None else closed.isoformat(),
            "duration_s": None if closed is None else (closed - row.opened_at).total_seconds(),
            "merged": merged,
        },
    }
