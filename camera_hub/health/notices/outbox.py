"""Writes decided notices as rows, in the transaction that notes in the alarms that they were decided.

A fixed number of queries, however many notices. A person's notice is delivered with its row; those of channels are
fetched by `delivery`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.health.judging.alarm_severity import rank
from camera_hub.health.notices.situation import PlannedNotice
from camera_hub.health.notices.words import AlarmWords, NoticeWords, notice_words
from camera_hub.store.tables import Alarm, AlarmMember, Camera, Device, LedgerFile, Notice, Village

DETAILED = 50
"""Alarms that a notice of many names one by one; `count` says how many there are."""


@dataclass(frozen=True, slots=True)
class _Names:
    villages: dict[int, str]
    devices: dict[int, str]
    cameras: dict[int, str]
    places: dict[int, str]  # camera id → landmark or address
    members: dict[int, list[int]]  # alarm id → the cameras that it ever stood for
    merged: dict[int, list[int]]  # alarm id → alarms that it took over


async def write_notices(
    session: AsyncSession,
    planned: Sequence[PlannedNotice],
    alarms: Mapping[int, Alarm],
    now: datetime,
    zone: tzinfo,
) -> list[Notice]:
    """Add the rows; the words of one notice for many receivers are made once."""
    if not planned:
        return []
    meant = {number for one in planned for number in one.alarm_ids}
    names = await _names(session, [alarms[number] for number in meant])
    payloads: dict[tuple[object, ...], dict[str, Any]] = {}
    rows = []
    for one in planned:
        about = (one.kind, one.alarm_ids, one.sound, one.level, one.open)
        if about not in payloads:
            payloads[about] = _payload(one, [alarms[number] for number in one.alarm_ids], names, now, zone)
        rows.append(_row(one, payloads[about], now))
    session.add_all(rows)
    await session.flush()
    return rows


def _row(one: PlannedNotice, payload: dict[str, Any], now: datetime) -> Notice:
    what, number = one.receiver
    person = what == "user"
    return Notice(
        channel_id=None if person else number,
        user_id=number if person else None,
        alarm_id=one.alarm_ids[0] if len(one.alarm_ids) == 1 else None,
        kind=one.kind,
        payload=payload,
        created_at=now,
        next_attempt_at=now,
        delivered_at=now if person else None,
    )


def _payload(one: PlannedNotice, alarms: Sequence[Alarm], names: _Names, now: datetime, zone: tzinfo) -> dict[str, Any]:
    """What a notice says (documented in `webhook`). Names as of now: a notice is a letter, not a view."""
    said = _words(one, alarms, names, now, zone)
    payload: dict[str, Any] = {
        "kind": one.kind,
        "at": now.isoformat(),
        "title": said.title,
        "text": said.text,
        "short": said.short,
        "severity": min((alarm.severity for alarm in alarms), key=rank),
        "sound": one.sound,
        "count": len(alarms),
        "alarm_ids": [alarm.id for alarm in alarms][:500],
    }
    if one.level:
        payload["level"] = one.level
    if len(alarms) == 1:
        payload["alarm"] = _described(alarms[0], names)
    else:
        payload["alarms"] = [_described(alarm, names) for alarm in alarms[:DETAILED]]
    return payload


def _words(one: PlannedNotice, alarms: Sequence[Alarm], names: _Names, now: datetime, zone: tzinfo) -> NoticeWords:
    described = [
        AlarmWords(
            alarm.level,
            alarm.aspect,
            alarm.cause,
            alarm.opened_at,
            alarm.closed_at,
            names.villages.get(alarm.village_id or 0, ""),
            names.devices.get(alarm.device_id or 0, ""),
            names.cameras.get(alarm.camera_id or 0, ""),
            names.places.get(alarm.camera_id or 0, ""),
            len(names.members[alarm.id]),
        )
        for alarm in alarms
    ]
    return notice_words(one.kind, described, now, zone, level=one.level, known=one.open)


def _described(alarm: Alarm, names: _Names) -> dict[str, Any]:
    closed = alarm.closed_at
    return {
        "id": alarm.id,
        "level": alarm.level,
        "aspect": alarm.aspect,
        "severity": alarm.severity,
        "cause": alarm.cause,
        "village": _named(alarm.village_id, names.villages),
        "device": _named(alarm.device_id, names.devices),
        "camera": _named(alarm.camera_id, names.cameras),
        "cameras": [_named(camera, names.cameras) for camera in sorted(names.members[alarm.id])],
        "detail": alarm.detail,
        "params": alarm.params,
        "opened_at": alarm.opened_at.isoformat(),
        "closed_at": None if closed is None else closed.isoformat(),
        "duration_s": None if closed is None else (closed - alarm.opened_at).total_seconds(),
        "merged": names.merged.get(alarm.id, []),
    }


async def _names(session: AsyncSession, alarms: Iterable[Alarm]) -> _Names:
    """The names that the words of these alarms need."""
    alarms = list(alarms)
    numbers = [alarm.id for alarm in alarms]
    members: dict[int, list[int]] = defaultdict(list)
    found = select(AlarmMember.alarm_id, AlarmMember.camera_id).where(AlarmMember.alarm_id.in_(numbers)).distinct()
    for alarm_id, camera_id in await session.execute(found):
        members[alarm_id].append(camera_id)
    ids = {camera for cameras in members.values() for camera in cameras} | {one.camera_id for one in alarms}
    villages = select(Village.id, Village.name).where(Village.id.in_({one.village_id for one in alarms}))
    devices = select(Device.id, Device.name, Device.host).where(Device.id.in_({one.device_id for one in alarms}))
    cameras = select(Camera.id, Camera.name).where(Camera.id.in_(ids))
    files = select(LedgerFile.camera_id, LedgerFile.landmark, LedgerFile.address).where(
        LedgerFile.camera_id.in_({one.camera_id for one in alarms})
    )
    merged: dict[int, list[int]] = defaultdict(list)
    for number, into in await session.execute(
        select(Alarm.id, Alarm.merged_into).where(Alarm.merged_into.in_(numbers)).order_by(Alarm.id)
    ):
        merged[into or 0].append(number)
    return _Names(
        dict((await session.execute(villages)).all()),
        {number: name or host for number, name, host in await session.execute(devices)},
        dict((await session.execute(cameras)).all()),
        {number: landmark or address for number, landmark, address in await session.execute(files)},
        members,
        merged,
    )


def _named(number: int | None, names: dict[int, str]) -> dict[str, Any] | None:
    return {"id": number, "name": names[number]} if number is not None and number in names else None
