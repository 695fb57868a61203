"""What rounds measured of a camera, read by people: the looks themselves, and the summary of a longer span."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor, require_village
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Param, Reason
from camera_hub.health.judging.verdict import LOOKED_AT, Aspect, aspect_of
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Observation

LIMIT = 5000
"""The most looks of one answer."""

POINTS = 720
"""The most points of a curve in a summary: about one per pixel of a page's chart."""

GAP = timedelta(minutes=20)
"""After this long without a look the state is not known: a camera that nobody looked at is not well."""

SPANS = 3000
"""The most stretches of one state in a summary; of a camera that changes more often the oldest are left out."""

CHUNK = 2000
GOOD = "ok"

Judged = tuple[str | None, str | None, str | None]
"""What a look said of (media, picture, clock): None = not judged, "ok" = good, else the reason."""


@dataclass(frozen=True, slots=True)
class LookView:
    """One look. `media`, `picture`, `clock`: None = not judged by it, "ok" = good, else the reason. Delays in ms."""

    id: int
    at: datetime
    reason: str | None
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


@dataclass(slots=True)
class StateSpan:
    """One aspect was in one state: `reason` is None while it was well."""

    aspect: str
    since: datetime
    until: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Means over a stretch of time that begins at `at`; None where nothing was measured. Delays in ms."""

    at: datetime
    signalling_ms: float | None
    stream_ms: float | None
    key_frame_ms: float | None
    clock_error_s: float | None


@dataclass(frozen=True, slots=True)
class HistorySummary:
    """All looks of a span: states by aspect, curves of at most 720 points, and totals."""

    since: datetime
    until: datetime
    looks: int
    bad: int
    key_frame_median_ms: float | None
    spans: Sequence[StateSpan] = ()
    points: Sequence[CurvePoint] = ()


class ObservationHistory:
    """The observations of one camera."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

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
        """All looks of the last `hours`, none left out. Raises HubError(NOT_FOUND) outside the actor's villages."""
        until = self._clock.now()
        summing = _Summing(until - timedelta(hours=hours), until)
        async with self._database.read() as session:
            await _require_camera(session, actor, camera_id)
            query = (
                select(
                    Observation.at,
                    Observation.reason,
                    Observation.media,
                    Observation.picture,
                    Observation.clock,
                    Observation.signalling_ms,
                    Observation.stream_ms,
                    Observation.key_frame_ms,
                    Observation.clock_error_s,
                )
                .where(Observation.camera_id == camera_id, Observation.at >= summing.since, Observation.at <= until)
                .order_by(Observation.at, Observation.id)
            )
            # In pieces, so that a month of looks never stops the event loop for long.
            rows = await session.stream(query.execution_options(yield_per=CHUNK))
            async for at, reason, media, picture, clock, *measured in rows:
                summing.add(at, reason, judged(reason, media, picture, clock, measured[3] is not None), measured)
        return summing.result()


def judged(reason: str | None, media: str | None, picture: str | None, clock: str | None, clock_read: bool) -> Judged:
    """What a look judged. Rows of versions before 0.2 have the weightiest reason alone: of those only that is said, and
    that a look without a fault found media well."""
    if media is not None or picture is not None or clock is not None:
        return media, picture, clock
    if reason is None:
        return GOOD, None, GOOD if clock_read else None
    aspect = aspect_of(reason)
    if aspect is Aspect.MEDIA:
        return reason, None, None
    return GOOD, reason if aspect is Aspect.PICTURE else None, reason if reason == Reason.CLOCK_WRONG else None


class _Summing:
    """A summary while its looks are read, the oldest first."""

    def __init__(self, since: datetime, until: datetime) -> None:
        self.since = since
        self._until = until
        self._width = max((until - since) / POINTS, timedelta(seconds=1))
        self._spans: deque[StateSpan] = deque(maxlen=SPANS)
        self._current: dict[str, StateSpan] = {}
        self._points: list[CurvePoint] = []
        self._cell = -1
        self._measured: tuple[list[float], ...] = ([], [], [], [])
        self._key_frames: list[float] = []
        self._looks = 0
        self._bad = 0

    def add(self, at: datetime, reason: str | None, said: Judged, measured: Sequence[float | None]) -> None:
        """Take in the next look; `measured`: signalling, stream, key frame (ms), clock error (s)."""
        self._looks += 1
        self._bad += reason is not None
        for aspect, state in zip(LOOKED_AT, said, strict=True):
            if state is not None:
                self._extend(aspect, at, None if state == GOOD else state)
        cell = (at - self.since) // self._width
        if cell != self._cell:
            self._end_cell()
            self._cell = cell
        for values, value in zip(self._measured, measured, strict=True):
            if value is not None:
                values.append(value)
        if measured[2] is not None:
            self._key_frames.append(measured[2])

    def result(self) -> HistorySummary:
        """The summary; nothing may be added afterwards."""
        self._end_cell()
        for span in self._current.values():
            span.until = min(self._until, span.until + GAP)
        self._key_frames.sort()
        median = self._key_frames[(len(self._key_frames) - 1) // 2] if self._key_frames else None
        return HistorySummary(self.since, self._until, self._looks, self._bad, median, list(self._spans), self._points)

    def _extend(self, aspect: Aspect, at: datetime, reason: str | None) -> None:
        """A state lasts until the next look that judges the same aspect, at most GAP. `until` of the current span is
        its latest look until it ends."""
        span = self._current.get(aspect)
        if span is not None:
            connected = at - span.until <= GAP
            if connected and span.reason == reason:
                span.until = at
                return
            span.until = at if connected else span.until + GAP
        self._current[aspect] = StateSpan(aspect.value, at, at, reason)
        self._spans.append(self._current[aspect])

    def _end_cell(self) -> None:
        if self._cell < 0:
            return
        means = [sum(values) / len(values) if values else None for values in self._measured]
        self._points.append(CurvePoint(self.since + self._cell * self._width, *means))
        for values in self._measured:
            values.clear()


async def _require_camera(session: AsyncSession, actor: Actor, camera_id: int) -> None:
    camera = await session.get(Camera, camera_id)
    if camera is None:
        raise HubError(Kind.NOT_FOUND, "there is no such camera")
    require_village(actor, camera.village_id, "camera")


def _look(row: Observation) -> LookView:
    said = judged(row.reason, row.media, row.picture, row.clock, row.clock_error_s is not None)
    return LookView(
        row.id,
        row.at,
        row.reason,
        *said,
        row.detail,
        row.params,
        row.signalling_ms,
        row.stream_ms,
        row.key_frame_ms,
        row.clock_error_s,
        row.scores,
    )
