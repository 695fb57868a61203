"""A camera's health file: the states of its aspects over a span of time, what is true now, what was measured last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor, require_village
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.store.database import Database
from camera_hub.store.tables import Alarm, AlarmMember, Camera, CameraState, Observation

INTERVALS = 3000
"""The most intervals of one answer; of a camera that changes more often the oldest are left out."""

LOOKS = 50
"""So many of the latest looks are read for what each of them measured: few fetch a picture."""


@dataclass(frozen=True, slots=True)
class AspectInterval:
    """One aspect was in one state from `since` until `until` (None: it still is)."""

    aspect: str
    state: str  # ok | fault
    cause: str | None
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class CoveringAlarm:
    """An open alarm that stands for the camera."""

    id: int
    level: str
    aspect: str
    severity: str
    cause: str
    opened_at: datetime
    acknowledged_name: str | None


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured last, each by the latest look that measured it. Delays in ms."""

    at: datetime | None = None  # of the latest look
    signalling_ms: float | None = None
    stream_ms: float | None = None
    key_frame_ms: float | None = None
    clock_error_s: float | None = None
    scores_at: datetime | None = None
    scores: Mapping[str, float] | None = None  # by Reason; None: no picture was judged lately


@dataclass(frozen=True, slots=True)
class HealthFileView:
    """The health file of one camera. `states` are those that meet the span, the oldest first; `cut`: older ones of the
    span are left out. `verdicts`: what is true now; an aspect that is missing is not known."""

    camera_id: int
    since: datetime
    until: datetime
    verdicts: Sequence[AspectInterval]
    states: Sequence[AspectInterval]
    cut: bool
    alarms: Sequence[CoveringAlarm]
    measured: Measured


class HealthFiles:
    """The verb behind `GET /api/cameras/{id}/health`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def read(self, actor: Actor, camera_id: int, hours: float) -> HealthFileView:
        """The file over the last `hours`. Raises HubError(NOT_FOUND) outside the actor's villages."""
        until = self._clock.now()
        since = until - timedelta(hours=hours)
        async with self._database.read() as session:
            camera = await session.get(Camera, camera_id)
            if camera is None:
                raise HubError(Kind.NOT_FOUND, "there is no such camera")
            require_village(actor, camera.village_id, "camera")
            states = await _states(session, camera_id, since)
            alarms = await _alarms(session, camera_id)
            measured = await _measured(session, camera_id)
        verdicts = [one for one in states if one.until is None]
        kept = states[-INTERVALS:]
        return HealthFileView(camera_id, since, until, verdicts, kept, len(kept) < len(states), alarms, measured)


async def _states(session: AsyncSession, camera_id: int, since: datetime) -> list[AspectInterval]:
    """At most one more than INTERVALS, the newest of them, in the order of time."""
    query = (
        select(CameraState)
        .where(CameraState.camera_id == camera_id, or_(CameraState.until.is_(None), CameraState.until > since))
        .order_by(CameraState.since.desc(), CameraState.id.desc())
        .limit(INTERVALS + 1)
    )
    rows = (await session.scalars(query)).all()
    return [AspectInterval(row.aspect, row.state, row.cause, row.since, row.until) for row in reversed(rows)]


async def _alarms(session: AsyncSession, camera_id: int) -> list[CoveringAlarm]:
    query = (
        select(Alarm)
        .join(AlarmMember, AlarmMember.alarm_id == Alarm.id)
        .where(AlarmMember.camera_id == camera_id, AlarmMember.left_at.is_(None), Alarm.closed_at.is_(None))
        .order_by(Alarm.id.desc())
    )
    return [
        CoveringAlarm(row.id, row.level, row.aspect, row.severity, row.cause, row.opened_at, row.acknowledged_name)
        for row in await session.scalars(query)
    ]


async def _measured(session: AsyncSession, camera_id: int) -> Measured:
    query = (
        select(Observation)
        .where(Observation.camera_id == camera_id)
        .order_by(Observation.at.desc(), Observation.id.desc())
        .limit(LOOKS)
    )
    return latest((await session.scalars(query)).all())


def latest(looks: Sequence[Observation]) -> Measured:
    """What each of the looks (the newest first) measured last. Pure."""

    def first(name: str) -> float | None:
        return next((value for look in looks if (value := getattr(look, name)) is not None), None)

    scored = next((look for look in looks if look.scores), None)
    return Measured(
        at=looks[0].at if looks else None,
        signalling_ms=first("signalling_ms"),
        stream_ms=first("stream_ms"),
        key_frame_ms=first("key_frame_ms"),
        clock_error_s=first("clock_error_s"),
        scores_at=scored.at if scored else None,
        scores=scored.scores if scored else None,
    )
