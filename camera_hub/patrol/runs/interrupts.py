"""Alarms that interrupt patrols: which do, by the tour's rule, and what pages are told of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.patrol.runs.itinerary import ItineraryCamera
from camera_hub.store.tables import Alarm, AlarmMember, Camera, Village

SHOWN = 16
"""Cameras of an alarm that pages are told of: as many as a wall shows at once."""

RULES = {"none": frozenset[str](), "critical": frozenset({"critical"}), "major": frozenset({"critical", "major"})}
"""The severities that interrupt, by the rule of the tour."""


@dataclass(frozen=True, slots=True)
class RunInterrupt:
    """The alarm that interrupted a run. `village`: empty for the hub's own; `more`: alarms since then."""

    alarm_id: int
    level: str
    severity: str
    cause: str
    village: str
    opened_at: datetime
    closed_at: datetime | None
    cameras: tuple[ItineraryCamera, ...]
    more: int = 0


def interrupts_by(rule: str, severity: str) -> bool:
    """Whether an alarm of that severity interrupts a patrol whose tour has that rule."""
    return severity in RULES.get(rule, frozenset())


async def interrupts(session: AsyncSession, alarms: Mapping[int, int]) -> dict[int, RunInterrupt]:
    """What is told of these alarms, {run: alarm}; one that is gone from the table is left out."""
    return {
        run_id: found
        for run_id, alarm_id in alarms.items()
        if (found := await _interrupt(session, alarm_id)) is not None
    }


async def _interrupt(session: AsyncSession, alarm_id: int) -> RunInterrupt | None:
    alarm = await session.get(Alarm, alarm_id)
    if alarm is None:
        return None
    village = None if alarm.village_id is None else await session.get(Village, alarm.village_id)
    members = (
        select(Camera.id, Camera.name, Village.name)
        .join(Village, Village.id == Camera.village_id)
        .join(AlarmMember, AlarmMember.camera_id == Camera.id)
        .where(AlarmMember.alarm_id == alarm_id)
        .distinct()
        .order_by(Camera.id)
        .limit(SHOWN)
    )
    cameras = tuple(ItineraryCamera(*row) for row in await session.execute(members))
    return RunInterrupt(
        alarm.id,
        alarm.level,
        alarm.severity,
        alarm.cause,
        "" if village is None else village.name,
        alarm.opened_at,
        alarm.closed_at,
        cameras,
    )
