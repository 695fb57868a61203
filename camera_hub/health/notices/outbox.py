"""Writes notices into the outbox, in the transaction that changed the alarms: one per alarm and channel.

A fixed number of queries, however many alarms change in one tick.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.health.notices.rules import RuleView, is_meant
from camera_hub.store.tables import Alarm, AlarmMember, Camera, Device, Notice, NoticeChannel, NoticeRule, Village


@dataclass(frozen=True, slots=True)
class Occasion:
    """An alarm that was opened or closed, and the alarms that were merged into it."""

    alarm: Alarm
    kind: str  # opened | closed
    merged: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class _Names:
    villages: dict[int, str]
    devices: dict[int, str]
    cameras: dict[int, str]
    members: dict[int, list[int]]  # alarm id → the cameras that it ever stood for


async def write_notices(session: AsyncSession, occasions: Sequence[Occasion], now: datetime) -> int:
    """Write the notices of these occasions for every enabled channel whose rules match. Answers how many."""
    if not occasions:
        return 0
    channels = await _channels(session)
    meant = [
        (channel, occasion)
        for occasion in occasions
        for channel, rules in channels.items()
        if is_meant(rules, occasion.alarm.village_id, occasion.alarm.aspect, occasion.alarm.severity)
    ]
    if not meant:
        return 0
    names = await _names(session, [occasion.alarm for _, occasion in meant])
    payloads = {id(occasion): _payload(occasion, names, now) for _, occasion in meant}
    rows = [
        {
            "channel_id": channel,
            "alarm_id": occasion.alarm.id,
            "kind": occasion.kind,
            "payload": payloads[id(occasion)],
            "created_at": now,
            "next_attempt_at": now,
        }
        for channel, occasion in meant
    ]
    await session.execute(insert(Notice), rows)
    return len(rows)


async def _channels(session: AsyncSession) -> dict[int, list[RuleView]]:
    """The rules of each enabled channel."""
    query = (
        select(NoticeChannel.id, NoticeRule.village_id, NoticeRule.aspect, NoticeRule.min_severity)
        .join(NoticeRule, NoticeRule.channel_id == NoticeChannel.id)
        .where(NoticeChannel.enabled.is_(True))
        .order_by(NoticeChannel.id)
    )
    channels: dict[int, list[RuleView]] = defaultdict(list)
    for channel_id, village_id, aspect, min_severity in await session.execute(query):
        channels[channel_id].append(RuleView(village_id, aspect, min_severity))
    return channels


async def _names(session: AsyncSession, alarms: Sequence[Alarm]) -> _Names:
    """The names that the payloads of these alarms need."""
    members: dict[int, list[int]] = defaultdict(list)
    found = (
        select(AlarmMember.alarm_id, AlarmMember.camera_id)
        .where(AlarmMember.alarm_id.in_({alarm.id for alarm in alarms}))
        .distinct()
    )
    for alarm_id, camera_id in await session.execute(found):
        members[alarm_id].append(camera_id)
    ids = {camera for cameras in members.values() for camera in cameras}
    villages = select(Village.id, Village.name).where(Village.id.in_({a.village_id for a in alarms}))
    devices = select(Device.id, Device.name, Device.host).where(Device.id.in_({a.device_id for a in alarms}))
    cameras = select(Camera.id, Camera.name).where(Camera.id.in_(ids))
    return _Names(
        dict((await session.execute(villages)).all()),
        {number: name or host for number, name, host in await session.execute(devices)},
        dict((await session.execute(cameras)).all()),
        members,
    )


def _payload(occasion: Occasion, names: _Names, now: datetime) -> dict[str, Any]:
    """What a notice says (documented in `webhook`). Names as of now: a notice is a letter, not a view."""
    row = occasion.alarm
    closed = row.closed_at
    return {
        "kind": occasion.kind,
        "at": now.isoformat(),
        "alarm": {
            "id": row.id,
            "level": row.level,
            "aspect": row.aspect,
            "severity": row.severity,
            "cause": row.cause,
            "village": _named(row.village_id, names.villages),
            "device": _named(row.device_id, names.devices),
            "camera": _named(row.camera_id, names.cameras),
            "cameras": [_named(camera, names.cameras) for camera in sorted(names.members[row.id])],
            "detail": row.detail,
            "params": row.params,
            "opened_at": row.opened_at.isoformat(),
            "closed_at": None if closed is None else closed.isoformat(),
            "duration_s": None if closed is None else (closed - row.opened_at).total_seconds(),
            "merged": list(occasion.merged),
        },
    }


def _named(number: int | None, names: dict[int, str]) -> dict[str, Any] | None:
    return {"id": number, "name": names[number]} if number is not None and number in names else None
