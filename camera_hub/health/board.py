"""The health board: what is true of every village now. Four figures, of which none hides another.

*Due* are approved cameras that are not excluded, *connected* those of them that the hub can pull. Online = the media
aspect is well; intact = online and the picture aspect is well; clock right; recording. Each is a share of the connected
cameras of which it is known, as in reports: what is not known yet stands beside it and counts neither way. An excluded
camera counts in no figure and is listed apart.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, Self
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, case, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor
from camera_hub.cameras.addresses import NO_HOST
from camera_hub.clock import Clock
from camera_hub.health.exclusion_terms import approved_terms
from camera_hub.health.exclusions import ExclusionTerm
from camera_hub.health.rounds.schedule import RoundsPace
from camera_hub.store.database import Database
from camera_hub.store.tables import Alarm, Camera, CameraState, Device, Observation, Village

MEDIA, PICTURE, CLOCK, RECORDING = "media", "picture", "clock", "recording"
WELL, FAULT = "ok", "fault"


@dataclass(frozen=True, slots=True)
class FigureCount:
    """One figure: `well` of the `of` cameras of which it is known, `fault` of them otherwise; `unknown` beside them."""

    well: int = 0
    of: int = 0
    fault: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class OpenAlarmCounts:
    """Open alarms by severity (ITU-T X.733); `unacknowledged` of them have no name yet."""

    critical: int = 0
    major: int = 0
    minor: int = 0
    warning: int = 0
    unacknowledged: int = 0


@dataclass(frozen=True, slots=True)
class HealthCounts:
    """The cameras of one village, or of all. `unknown`: connected, and never judged. `looked_at`: the latest look."""

    due: int = 0
    connected: int = 0
    excluded: int = 0
    unknown: int = 0
    online: FigureCount = FigureCount()
    intact: FigureCount = FigureCount()
    clock: FigureCount = FigureCount()
    recording: FigureCount = FigureCount()
    alarms: OpenAlarmCounts = OpenAlarmCounts()
    looked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class VillageHealth:
    """One village. `link`: down (since `link_since`) while an alarm says so, up where a camera of it is online."""

    village_id: int
    name: str
    link: str  # up | down | unknown
    link_since: datetime | None
    counts: HealthCounts


@dataclass(frozen=True, slots=True)
class BoardView:
    """All villages that the actor may see, in the official order; `totals` are theirs together.

    `hub_alarms`: open alarms of the hub itself, for who sees the whole township. `pace`: whether rounds are in
    time.
    """

    at: datetime
    totals: HealthCounts
    villages: Sequence[VillageHealth]
    hub_alarms: OpenAlarmCounts
    pace: RoundsPace


@dataclass(frozen=True, slots=True)
class CameraGroup:
    """Cameras of one village that are alike: `count` of them, with the state (ok | fault | None) of each aspect."""

    village_id: int
    connected: bool
    excluded: bool
    media: str | None
    picture: str | None
    clock: str | None
    recording: str | None
    count: int
    looked_at: datetime | None


@dataclass(frozen=True, slots=True)
class ExcludedPlaces:
    """What is excluded now."""

    cameras: frozenset[int] = frozenset()
    devices: frozenset[int] = frozenset()
    villages: frozenset[int] = frozenset()

    @classmethod
    def at(cls, terms: Iterable[ExclusionTerm], now: datetime) -> Self:
        """What these exclude at that time."""
        found: dict[str, set[int]] = {"camera": set(), "device": set(), "village": set()}
        for term in terms:
            if term.holds(now):
                found[term.level].add(term.subject_id)
        return cls(frozenset(found["camera"]), frozenset(found["device"]), frozenset(found["village"]))

    def condition(self) -> ColumnElement[bool]:
        """Whether a camera is excluded, or its device or village."""
        columns = ((Camera.id, self.cameras), (Camera.device_id, self.devices), (Camera.village_id, self.villages))
        parts = [column.in_(sorted(ids)) for column, ids in columns if ids]
        return or_(*parts) if parts else false()


class RoundsGauge(Protocol):
    """What the board needs of health.rounds."""

    def pace(self) -> RoundsPace:
        """Whether looks begin when they are due."""
        ...


class HealthBoard:
    """The verb behind `GET /api/health/board`: five statements, however many cameras there are."""

    def __init__(self, database: Database, clock: Clock, rounds: RoundsGauge, zone: ZoneInfo) -> None:
        self._database = database
        self._clock = clock
        self._rounds = rounds
        self._zone = zone

    async def read(self, actor: Actor) -> BoardView:
        """The board as of now, of the villages that the actor may see."""
        now = self._clock.now()
        async with self._database.read() as session:
            excluded = ExcludedPlaces.at(await approved_terms(session, self._zone, now), now)
            villages = (
                await session.execute(
                    select(Village.id, Village.name)
                    .where(in_scope(actor, Village.id))
                    .order_by(Village.position, Village.id)
                )
            ).all()
            groups = [CameraGroup(*row) for row in await session.execute(_groups(actor, excluded))]
            alarms = await _open_alarms(session, actor)
            links = await _links(session)
        counted = {
            village: tally((group for group in groups if group.village_id == village), alarms.get(village))
            for village, _ in villages
        }
        return BoardView(
            now,
            tally(groups, _together(count for village, count in alarms.items() if village is not None)),
            [_village(village, name, counted[village], links) for village, name in villages],
            alarms.get(None, OpenAlarmCounts()),
            self._rounds.pace(),
        )


def tally(groups: Iterable[CameraGroup], alarms: OpenAlarmCounts | None = None) -> HealthCounts:
    """The figures of groups of cameras. Pure."""
    sums = _Sums()
    for group in groups:
        sums.add(group)
    connected = sums.connected
    return HealthCounts(
        due=sums.due,
        connected=connected,
        excluded=sums.excluded,
        unknown=connected - sums.online[0] - sums.online[1],
        online=_of_judged(sums.online, connected),
        intact=_of_judged(sums.intact, connected),
        clock=_of_judged(sums.clock, connected),
        recording=_of_judged(sums.recording, connected),
        alarms=alarms or OpenAlarmCounts(),
        looked_at=sums.looked_at,
    )


@dataclass(slots=True)
class _Sums:
    """[well, fault] of each figure, while groups are counted."""

    due: int = 0
    connected: int = 0
    excluded: int = 0
    online: list[int] = field(default_factory=lambda: [0, 0])
    intact: list[int] = field(default_factory=lambda: [0, 0])
    clock: list[int] = field(default_factory=lambda: [0, 0])
    recording: list[int] = field(default_factory=lambda: [0, 0])
    looked_at: datetime | None = None

    def add(self, group: CameraGroup) -> None:
        if group.looked_at is not None and (self.looked_at is None or group.looked_at > self.looked_at):
            self.looked_at = group.looked_at
        if group.excluded:
            self.excluded += group.count
            return
        self.due += group.count
        if not group.connected:
            return
        self.connected += group.count
        _put(self.online, group.media, group.count)
        _put(
            self.intact, FAULT if FAULT in (group.media, group.picture) else group.media and group.picture, group.count
        )
        _put(self.clock, group.clock, group.count)
        _put(self.recording, group.recording, group.count)


def _put(sums: list[int], state: str | None, count: int) -> None:
    if state is not None:
        sums[state != WELL] += count


def _of_judged(sums: Sequence[int], connected: int) -> FigureCount:
    well, fault = sums
    return FigureCount(well, well + fault, fault, connected - well - fault)


def _together(counts: Iterable[OpenAlarmCounts]) -> OpenAlarmCounts:
    added = [0, 0, 0, 0, 0]
    for one in counts:
        for place, number in enumerate((one.critical, one.major, one.minor, one.warning, one.unacknowledged)):
            added[place] += number
    return OpenAlarmCounts(*added)


def _village(village_id: int, name: str, counts: HealthCounts, links: Mapping[int | None, datetime]) -> VillageHealth:
    """Where the hub's own uplink is down, all links are."""
    since = min((links[key] for key in (village_id, None) if key in links), default=None)
    link = "down" if since is not None else "up" if counts.online.well else "unknown"
    return VillageHealth(village_id, name, link, since, counts)


def _groups(actor: Actor, excluded: ExcludedPlaces) -> Select[*tuple[Any, ...]]:
    """Approved cameras by village and state: some ten rows a village. The latest look is one step in an index each."""
    states = (
        select(
            CameraState.camera_id,
            *(
                func.max(case((CameraState.aspect == aspect, CameraState.state))).label(aspect)
                for aspect in (MEDIA, PICTURE, CLOCK, RECORDING)
            ),
        )
        .where(CameraState.until.is_(None))
        .group_by(CameraState.camera_id)
        .subquery()
    )
    looked = select(func.max(Observation.at)).where(Observation.camera_id == Camera.id).correlate(Camera)
    each = (
        select(
            Camera.village_id,
            case((Device.host == NO_HOST, 0), else_=1).label("connected"),
            case((excluded.condition(), 1), else_=0).label("excluded"),
            *(states.c[aspect] for aspect in (MEDIA, PICTURE, CLOCK, RECORDING)),
            looked.scalar_subquery().label("looked_at"),
        )
        .join(Device, Device.id == Camera.device_id)
        .outerjoin(states, states.c.camera_id == Camera.id)
        .where(Camera.state == "approved", Device.retired_at.is_(None), in_scope(actor, Camera.village_id))
        .subquery()
    )
    alike = [each.c[name] for name in ("village_id", "connected", "excluded", MEDIA, PICTURE, CLOCK, RECORDING)]
    return select(*alike, func.count(), func.max(each.c.looked_at)).group_by(*alike)


async def _open_alarms(session: AsyncSession, actor: Actor) -> dict[int | None, OpenAlarmCounts]:
    """By village; None: of the hub itself."""
    nameless = func.sum(case((Alarm.acknowledged_at.is_(None), 1), else_=0))
    query = (
        select(Alarm.village_id, Alarm.severity, func.count(), nameless)
        .where(Alarm.closed_at.is_(None), in_scope(actor, Alarm.village_id))
        .group_by(Alarm.village_id, Alarm.severity)
    )
    found: dict[int | None, dict[str, int]] = {}
    for village, severity, count, unacknowledged in await session.execute(query):
        own = found.setdefault(village, {"unacknowledged": 0})
        own[severity] = count
        own["unacknowledged"] += unacknowledged
    return {village: OpenAlarmCounts(**counts) for village, counts in found.items()}


async def _links(session: AsyncSession) -> dict[int | None, datetime]:
    """Since when links are down: of villages, and (None) of the hub itself."""
    query = (
        select(Alarm.village_id, func.min(Alarm.opened_at))
        .where(Alarm.level.in_(("village", "hub")), Alarm.aspect == MEDIA, Alarm.closed_at.is_(None))
        .group_by(Alarm.village_id)
    )
    return {village: since for village, since in await session.execute(query)}
