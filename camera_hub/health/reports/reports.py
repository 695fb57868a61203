"""Reports as pages and sheets ask for them: scope, names, and one computation at a time."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor, require_village
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.health.reports.figures import RANKED
from camera_hub.health.reports.reading import FilesThen, read_report
from camera_hub.health.reports.report import Report, ReportRules
from camera_hub.health.reports.span import ReportSpan, moment, report_span
from camera_hub.settings import ReportSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, Exclusion, ObservingPeriod, Village

KEPT = 4
"""Reports that are remembered: a page asks for one in several pieces."""
FRESH_SECONDS = 60.0
WAITING = 8
"""Requests that may wait for a computation."""
_NEAR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """Whole days of the site's calendar; `village_id` None: all that the actor may see; `ranked_by`: of RANKED."""

    first: date
    last: date
    village_id: int | None = None
    ranked_by: str = "online_time"


@dataclass(frozen=True, slots=True)
class CameraNames:
    """What a camera is called, and its device."""

    name: str
    device: str


@dataclass(frozen=True, slots=True)
class NamedReport:
    """A report with the names of what it is about. `complete`: False where its first states are kept no longer."""

    report: Report
    villages: Mapping[int, str]
    cameras: Mapping[int, CameraNames]
    computed_at: datetime
    complete: bool


_Key = tuple[date, date, frozenset[int] | None, str, object]


class Reports:
    """The operations behind api/reports. A bound user gets a report of their own villages, without a ranking."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: ReportSettings,
        zone: ZoneInfo,
        files: FilesThen,
        keep_days: float,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._zone = zone
        self._files = files
        self._keep = timedelta(days=keep_days)
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._kept: OrderedDict[_Key, tuple[float, NamedReport]] = OrderedDict()

    async def report(self, actor: Actor, query: ReportQuery) -> NamedReport:
        """Raises HubError: INVALID for a span that cannot be, NOT_FOUND for a village of others, BUSY while too many
        wait."""
        if query.ranked_by not in RANKED:
            raise HubError(Kind.INVALID, "villages are not ranked by that figure")
        now = self._clock.now()
        span = report_span(query.first, query.last, self._zone, now)
        if query.village_id is not None:
            require_village(actor, query.village_id, "village")
        scope = actor.villages if query.village_id is None else frozenset({query.village_id})
        if self._waiting >= WAITING:
            raise HubError(Kind.BUSY, "other reports are being computed; try again in a minute", reason="reports_busy")
        self._waiting += 1
        try:
            async with self._turn:
                return await self._remembered(query, scope, span, now)
        finally:
            self._waiting -= 1

    async def _remembered(
        self, query: ReportQuery, scope: frozenset[int] | None, span: ReportSpan, now: datetime
    ) -> NamedReport:
        async with self._database.read() as session:
            key = (query.first, query.last, scope, query.ranked_by, await _exclusions_mark(session))
        for old in [one for one, (at, _) in self._kept.items() if self._clock.monotonic() - at > FRESH_SECONDS]:
            del self._kept[old]
        if key in self._kept:
            return self._kept[key][1]
        found = await self._computed(query, scope, span, now)
        self._kept[key] = (self._clock.monotonic(), found)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return found

    async def _computed(
        self, query: ReportQuery, scope: frozenset[int] | None, span: ReportSpan, now: datetime
    ) -> NamedReport:
        async with self._database.read() as session:
            if query.village_id is not None and await session.get(Village, query.village_id) is None:
                raise HubError(Kind.NOT_FOUND, "there is no such village")
            beaten = await session.scalar(select(func.max(ObservingPeriod.until)))
        if not span.over and beaten is not None and now - _NEAR < beaten < now:
            span = ReportSpan(span.first, span.last, self._zone, beaten)  # what came since is not stored yet
        rules = ReportRules(self._settings.due_hours, query.ranked_by)
        report = await read_report(self._database, span, rules, self._zone, scope, self._files)
        async with self._database.read() as session:
            villages = {one.id: one.name for one in await session.scalars(select(Village))}
            cameras = await _names(session, {one.camera_id for one in report.cameras})
        wanted = villages if scope is None else {key: name for key, name in villages.items() if key in scope}
        return NamedReport(report, wanted, cameras, now, now - self._keep <= moment(span.begin))


async def _names(session: AsyncSession, cameras: Collection[int]) -> dict[int, CameraNames]:
    query = select(Camera.id, Camera.name, Device.name, Device.host).join(Device, Device.id == Camera.device_id)
    found = await session.execute(query)
    return {camera: CameraNames(name, device or host) for camera, name, device, host in found if camera in cameras}


async def _exclusions_mark(session: AsyncSession) -> object:
    """Changes with every exclusion that is entered, approved or ended."""
    query = select(func.count(), func.max(Exclusion.id), func.max(Exclusion.approved_at), func.max(Exclusion.ended_at))
    return tuple((await session.execute(query)).one())
