"""A camera's health file: the states of its aspects over a span of time, what is true now, what was measured last."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor, require_village
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.health.exclusion_terms import approved_terms
from camera_hub.health.exclusions import ExclusionTerm, Interval, in_force
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
class ExcludedInterval:
    """The camera was not judged from `since` until `until`, because of the exclusion `id` of its `level`."""

    id: int
    level: str  # camera | device | village
    kind: str
    reason: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class CameraPlace:
    """Where a camera belongs."""

    camera_id: int
    device_id: int
    village_id: int


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
    fps: float | None = None
    bitrate_kbit: float | None = None
    gop_seconds: float | None = None
    scores_at: datetime | None = None
    profile: str | None = None  # day | night, of the picture that was scored
    scores: Mapping[str, float] | None = None  # by Reason; None: no picture was judged lately


@dataclass(frozen=True, slots=True)
class HealthFileView:
    """The health file of one camera. `states` are those that meet the span, the oldest first; `cut`: older ones of the
    span are left out. `verdicts`: what is true now; an aspect that is missing is not known. `excluded`: what keeps it
    from being judged now, `exclusions` within the span, in the order of time."""

    camera_id: int
    since: datetime
    until: datetime
    verdicts: Sequence[AspectInterval]
    states: Sequence[AspectInterval]
    cut: bool
    excluded: ExcludedInterval | None
    exclusions: Sequence[ExcludedInterval]
    alarms: Sequence[CoveringAlarm]
    measured: Measured


class HealthFiles:
    """The verb behind `GET /api/cameras/{id}/health`."""

    def __init__(self, database: Database, clock: Clock, zone: ZoneInfo) -> None:
        self._database = database
        self._clock = clock
        self._zone = zone

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
            terms = await approved_terms(session, self._zone, since)
        place = CameraPlace(camera_id, camera.device_id, camera.village_id)
        now = in_force(terms, place, until)
        verdicts = [one for one in states if one.until is None]
        kept = states[-INTERVALS:]
        return HealthFileView(
            camera_id,
            since,
            until,
            verdicts,
            kept,
            len(kept) < len(states),
            None if now is None else _interval(now, (now.since, now.until)),
            excluded_within(terms, place, since, until),
            alarms,
            measured,
        )


def excluded_within(
    terms: Iterable[ExclusionTerm], place: CameraPlace, since: datetime, until: datetime
) -> list[ExcludedInterval]:
    """When the camera was excluded, and why; at most INTERVALS, the newest. Pure."""
    own = [one for one in terms if one.concerns(place)]
    found = [_interval(one, part) for one in own for part in one.within(since, until)]
    return sorted(found, key=lambda one: (one.since, one.id))[-INTERVALS:]


def _interval(term: ExclusionTerm, part: Interval) -> ExcludedInterval:
    return ExcludedInterval(term.id, term.level, term.kind, term.reason, *part)


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
        fps=first("fps"),
        bitrate_kbit=first("bitrate_kbit"),
        gop_seconds=first("gop_seconds"),
        scores_at=scored.at if scored else None,
        profile=scored.profile if scored else None,
        scores=scored.scores if scored else None,
    )
