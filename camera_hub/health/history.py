"""What rounds measured of a camera, read by people: the looks themselves, and the summary of a longer span."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor, require_village
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Param
from camera_hub.health.rollup.summing import HistorySummary, Level, Summing, judged
from camera_hub.health.rollup.tally import ASPECTS, LOOK_COLUMNS
from camera_hub.settings import HealthSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import (
    Camera,
    CameraState,
    Observation,
    ObservationDay,
    ObservationHour,
    RollUpMark,
)

LIMIT = 5000
"""The most looks of one answer."""

CHUNK = 2000


@dataclass(frozen=True, slots=True)
class LookView:
    """One look. `reachable`, `media`, `picture`, `clock`: None = not judged by it, "ok" = good, else the reason. Delays
    in ms; `received_bytes`: of video, for this look or since the one before."""

    id: int
    at: datetime
    reason: str | None
    reachable: str | None
    media: str | None
    picture: str | None
    clock: str | None
    detail: str
    params: dict[str, Param]
    signalling_ms: float | None
    stream_ms: float | None
    key_frame_ms: float | None
    clock_error_s: float | None
    scores: dict[str, float]
    profile: str | None
    fps: float | None
    bitrate_kbit: float | None
    gop_seconds: float | None
    gaps: int | None
    received_bytes: int | None


class ObservationHistory:
    """The observations of one camera."""

    def __init__(self, database: Database, clock: Clock, settings: HealthSettings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings

    async def observations(
        self, actor: Actor, camera_id: int, hours: float, *, limit: int = LIMIT, before: int | None = None
    ) -> Sequence[LookView]:
        """The newest first, of the last `hours`. `before`: the id of the look to continue behind, by time.

        Raises HubError(NOT_FOUND) outside the actor's villages.
        """
        since = self._clock.now() - timedelta(hours=hours)
        async with self._database.read() as session:
            await _require_camera(session, actor, camera_id)
            query = (
                select(Observation)
                .where(Observation.camera_id == camera_id, Observation.at >= since)
                .order_by(Observation.at.desc(), Observation.id.desc())
                .limit(max(1, min(limit, LIMIT)))
            )
            if before is not None:
                last = await session.get(Observation, before)
                if last is None or last.camera_id != camera_id:
                    return []  # it has been deleted since, and so has all that is older
                older = and_(Observation.at == last.at, Observation.id < last.id)
                query = query.where(or_(Observation.at < last.at, older))
            return [_look(row) for row in await session.scalars(query)]

    async def summary(self, actor: Actor, camera_id: int, hours: float) -> HistorySummary:
        """All looks of the last `hours`, none left out: as they are where all are still kept, else as they were rolled
        up by the hour or by the day, and those that are not rolled up yet.

        Raises HubError(NOT_FOUND) outside the actor's villages.
        """
        until = self._clock.now()
        since = until - timedelta(hours=hours)
        level = self._level(hours)
        summing = Summing(since, until, level)
        async with self._database.read() as session:
            await _require_camera(session, actor, camera_id)
            if level != "looks":
                since = await _add_rolled_up(session, summing, camera_id, level)
            await _add_looks(session, summing, camera_id, since)
        return summing.result()

    def _level(self, hours: float) -> Level:
        if hours <= self._settings.look_days * 24:
            return "looks"
        return "hours" if hours <= self._settings.hour_days * 24 else "days"


async def _add_looks(session: AsyncSession, summing: Summing, camera_id: int, since: datetime) -> None:
    columns = [getattr(Observation, name) for name in LOOK_COLUMNS]
    query = (
        select(Observation.at, *columns)
        .where(Observation.camera_id == camera_id, Observation.at >= since, Observation.at <= summing.until)
        .order_by(Observation.at, Observation.id)
    )
    # In pieces, so that days of looks never stop the event loop for long.
    rows = await session.stream(query.execution_options(yield_per=CHUNK))
    async for at, *values in rows:
        summing.add_look(at, values)


async def _add_rolled_up(session: AsyncSession, summing: Summing, camera_id: int, level: Level) -> datetime:
    """Days as far as they go, hours from there on; answers from when on there are only looks."""
    marks = {mark.level: mark.until for mark in await session.scalars(select(RollUpMark))}
    at = summing.since
    if level == "days" and "days" in marks:
        at = await _add_rows(session, summing, camera_id, ObservationDay, at, marks["days"])
    if "hours" in marks:
        at = await _add_rows(session, summing, camera_id, ObservationHour, at, marks["hours"])
    query = select(CameraState).where(
        CameraState.camera_id == camera_id,
        CameraState.since < at,
        or_(CameraState.until.is_(None), CameraState.until > summing.since),
    )
    states = await session.scalars(query.order_by(CameraState.since, CameraState.id))
    summing.add_states(
        (row.aspect, row.cause if row.state == "fault" else None, row.since, row.until) for row in states
    )
    return at


async def _add_rows(
    session: AsyncSession,
    summing: Summing,
    camera_id: int,
    entity: type[ObservationDay] | type[ObservationHour],
    since: datetime,
    until: datetime,
) -> datetime:
    table = entity.__table__
    query = select(table).where(table.c.camera_id == camera_id, table.c.at >= since, table.c.at < until)
    length = timedelta(days=1) if entity is ObservationDay else timedelta(hours=1)
    for row in (await session.execute(query.order_by(table.c.at))).mappings():
        summing.add_row(row["at"], dict(row), length)
    return max(since, until)


async def _require_camera(session: AsyncSession, actor: Actor, camera_id: int) -> None:
    camera = await session.get(Camera, camera_id)
    if camera is None:
        raise HubError(Kind.NOT_FOUND, "there is no such camera")
    require_village(actor, camera.village_id, "camera")


def _look(row: Observation) -> LookView:
    values: list[Any] = [getattr(row, name) for name in LOOK_COLUMNS]
    said = dict(zip(ASPECTS, judged(values), strict=True))
    return LookView(
        id=row.id,
        at=row.at,
        reason=row.reason,
        detail=row.detail,
        params=row.params,
        signalling_ms=row.signalling_ms,
        stream_ms=row.stream_ms,
        key_frame_ms=row.key_frame_ms,
        clock_error_s=row.clock_error_s,
        scores=row.scores,
        profile=row.profile,
        fps=row.fps,
        bitrate_kbit=row.bitrate_kbit,
        gop_seconds=row.gop_seconds,
        gaps=row.gaps,
        received_bytes=row.received_bytes,
        **said,
    )
