"""Excuses: a camera that cannot be shown and was not seen needs no confirmation. The hub itself says so, with the cause
and the number of the alarm that is open for it, read from its row."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.patrol.proof.results import excused
from camera_hub.patrol.proof.rows import camera_result
from camera_hub.store.tables import Alarm, AlarmMember, Run, RunResult


async def excuse(session: AsyncSession, run: Run, rows: Sequence[RunResult], dead: Mapping[int, str]) -> bool:
    """Excuse those of the open results whose camera is dead (each with its reason). Whether there were any."""
    gone = [row for row in rows if row.camera_id in dead and excused(camera_result(row), run.least_s)]
    if not gone:
        return False
    causes = {row.camera_id: dead[row.camera_id] for row in gone}
    alarms = await references(session, causes)
    for row in gone:
        row.result, row.cause = "excused", causes[row.camera_id]
        row.why, row.reference = row.cause, alarms.get(row.camera_id)
    await session.flush()
    return True


async def references(session: AsyncSession, dead: Mapping[int, str]) -> dict[int, int]:
    """The alarm to refer to for each of these cameras and its cause; cameras without an open alarm are left out."""
    query = (
        select(AlarmMember.camera_id, Alarm.id, Alarm.cause, Alarm.aspect)
        .join(Alarm, Alarm.id == AlarmMember.alarm_id)
        .where(AlarmMember.camera_id.in_(dead), AlarmMember.left_at.is_(None), Alarm.closed_at.is_(None))
        .order_by(Alarm.opened_at, Alarm.id)
    )
    alarms: dict[int, list[tuple[int, str, str]]] = {}
    for camera_id, alarm_id, cause, aspect in await session.execute(query):
        alarms.setdefault(camera_id, []).append((alarm_id, cause, aspect))
    return {camera_id: chosen(dead[camera_id], found) for camera_id, found in alarms.items()}


def chosen(cause: str, alarms: Sequence[tuple[int, str, str]]) -> int:
    """Of several open alarms (id, cause, aspect), the oldest first: that of the same cause, else one that says that no
    picture comes at all, else the first. Pure."""
    same = [alarm for alarm, why, _ in alarms if why == cause]
    media = [alarm for alarm, _, aspect in alarms if aspect == "media"]
    return (same or media or [alarms[0][0]])[0]
