"""What judging needs of the database, for some rows of a list together: a handful of statements for each time named."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.health.county.judging import AspectSpan, CameraEvidence
from camera_hub.health.county.listed import ListedTime
from camera_hub.health.county.matching import MatchableCamera
from camera_hub.health.exclusion_terms import approved_terms
from camera_hub.health.exclusions import ExclusionTerm
from camera_hub.store.tables import (
    Alarm,
    AlarmMember,
    AlarmPicture,
    Camera,
    CameraState,
    Device,
    LedgerFile,
    Observation,
    ObservingPeriod,
    Village,
)

_BEAT = timedelta(minutes=5)
"""How late the end of the running observing period may be written."""
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class AskedCamera:
    """A camera of a list, and the time that the list names. Placed, as exclusions take it."""

    camera_id: int
    device_id: int
    village_id: int
    name: str
    village: str
    in_use: bool
    time: ListedTime


@dataclass(frozen=True, slots=True)
class CountyEvidence:
    """All that is said of one row. `alarm_id`: the open alarm, else the one that covered it then; `picture_id`: a proof
    picture of it, None: there is none."""

    evidence: CameraEvidence
    exclusion: ExclusionTerm | None = None
    alarm_id: int | None = None
    alarm_open: bool = False
    picture_id: int | None = None


@dataclass(slots=True)
class _Alarms:
    """Of one camera: alarms by id, with whether they are open, and what they covered."""

    rows: list[tuple[int, str, bool, datetime, datetime | None]] = field(default_factory=list)


async def known_cameras(session: AsyncSession) -> list[MatchableCamera]:
    """All cameras that were ever registered, in the order of their ids."""
    query = (
        select(
            Camera.id,
            Camera.name,
            Camera.village_id,
            Village.name,
            Device.host,
            Camera.number,
            Camera.state,
            LedgerFile.gb_id,
            LedgerFile.address,
            LedgerFile.details,
        )
        .join(Village, Village.id == Camera.village_id)
        .join(Device, Device.id == Camera.device_id)
        .outerjoin(LedgerFile, LedgerFile.camera_id == Camera.id)
        .order_by(Camera.id)
    )
    return [
        MatchableCamera(
            *(id, name, village_id, village, host, number),
            gb_ids=tuple(one for one in (gb_id, (details or {}).get("former_id")) if one),
            address=address or "",
            retired=state == "retired",
        )
        for id, name, village_id, village, host, number, state, gb_id, address, details in await session.execute(query)
    ]


async def asked_cameras(session: AsyncSession, times: Sequence[tuple[int, ListedTime]]) -> list[AskedCamera | None]:
    """The cameras of these ids, in their order; None for one that is gone."""
    query = (
        select(Camera.id, Camera.device_id, Camera.village_id, Camera.name, Village.name, Camera.state)
        .join(Village, Village.id == Camera.village_id)
        .where(Camera.id.in_({camera for camera, _ in times}))
    )
    rows = {row[0]: row for row in await session.execute(query)}
    found: list[AskedCamera | None] = []
    for camera, time in times:
        row = rows.get(camera)
        found.append(None if row is None else AskedCamera(*row[:5], row[5] == "approved", time))
    return found


async def gathered(
    session: AsyncSession, zone: ZoneInfo, now: datetime, asked: Sequence[AskedCamera]
) -> list[CountyEvidence]:
    """The evidence of each, in their order."""
    if not asked:
        return []
    ids = {one.camera_id for one in asked}
    current = await _states(session, ids, None)
    alarms = await _alarms(session, ids, min(one.time.begin for one in asked))
    terms = await approved_terms(session, zone, min(one.time.begin for one in asked))
    then: dict[ListedTime, Mapping[int, list[AspectSpan]]] = {}
    observed: dict[ListedTime, bool] = {}
    for time in {one.time for one in asked}:
        same = {one.camera_id for one in asked if one.time == time}
        then[time] = await _states(session, same, time)
        observed[time] = await _observed(session, time, now)
    pictures = await _pictures(session, {row[0] for one in alarms.values() for row in one.rows}, ids)
    found = []
    for one in asked:
        exclusion = next((term for term in terms if term.concerns(one) and _holds(term, one.time, now)), None)
        evidence = CameraEvidence(
            then[one.time].get(one.camera_id, ()),
            current.get(one.camera_id, ()),
            observed[one.time],
            exclusion is not None,
            one.in_use,
        )
        alarm = _alarm(alarms[one.camera_id], one.time) if one.camera_id in alarms else None
        number = None if alarm is None else alarm[0]
        picture = pictures.get((number or 0, one.camera_id))
        found.append(CountyEvidence(evidence, exclusion, number, alarm is not None and alarm[2], picture))
    return found


async def last_seen_well(
    session: AsyncSession, asked: Sequence[tuple[int, datetime, datetime]]
) -> list[datetime | None]:
    """For each camera the last look that was good, from the first time until the second; None: none is kept."""
    found: dict[int, datetime | None] = {}
    for start in range(0, len(asked), _AT_ONCE):
        parts = [
            select(literal(start + place).label("place"), func.max(Observation.at).label("at")).where(
                Observation.camera_id == camera,
                Observation.at >= begin,
                Observation.at <= end,
                Observation.media == "ok",
            )
            for place, (camera, begin, end) in enumerate(asked[start : start + _AT_ONCE])
        ]
        for place, at in await session.execute(union_all(*parts)):
            found[place] = at
    return [found.get(place) for place in range(len(asked))]


def _holds(term: ExclusionTerm, time: ListedTime, now: datetime) -> bool:
    """Whether it was in force at that moment, or for all of that day (as far as the day has come)."""
    if not time.whole_day:
        return term.holds(time.begin)
    end = max(min(time.end, now), time.begin + timedelta(minutes=1))
    covered = sum((until - since for since, until in term.within(time.begin, end)), timedelta())
    return covered >= end - time.begin


async def _states(
    session: AsyncSession, ids: Collection[int], time: ListedTime | None
) -> Mapping[int, list[AspectSpan]]:
    """Those that overlap the time; None: those of now."""
    query = select(CameraState).where(CameraState.camera_id.in_(ids)).order_by(CameraState.since, CameraState.id)
    if time is None:
        query = query.where(CameraState.until.is_(None))
    else:
        query = query.where(
            CameraState.since <= time.end, or_(CameraState.until.is_(None), CameraState.until > time.begin)
        )
    found: defaultdict[int, list[AspectSpan]] = defaultdict(list)
    for row in await session.scalars(query):
        found[row.camera_id].append(AspectSpan(row.aspect, row.state, row.cause, row.since, row.until))
    return found


async def _observed(session: AsyncSession, time: ListedTime, now: datetime) -> bool:
    if time.begin > now:
        return False
    query = select(ObservingPeriod.id).where(
        ObservingPeriod.since <= time.end, ObservingPeriod.until >= time.begin - _BEAT
    )
    return await session.scalar(query.limit(1)) is not None


async def _alarms(session: AsyncSession, ids: Collection[int], begin: datetime) -> dict[int, _Alarms]:
    """The alarms that cover these cameras now, or did since that time, the newest first."""
    query = (
        select(
            AlarmMember.camera_id, Alarm.id, Alarm.aspect, Alarm.closed_at, AlarmMember.joined_at, AlarmMember.left_at
        )
        .join(Alarm, Alarm.id == AlarmMember.alarm_id)
        .where(AlarmMember.camera_id.in_(ids), or_(AlarmMember.left_at.is_(None), AlarmMember.left_at > begin))
        .order_by(Alarm.id.desc())
    )
    found: dict[int, _Alarms] = {}
    for camera, alarm, aspect, closed, joined, left in await session.execute(query):
        is_open = closed is None and left is None
        found.setdefault(camera, _Alarms()).rows.append((alarm, aspect, is_open, joined, left))
    return found


def _alarm(alarms: _Alarms, time: ListedTime) -> tuple[Any, ...] | None:
    """The open one that is most serious for a list (no picture at all), else the one that covered it then."""
    opened = [row for row in alarms.rows if row[2]]
    if opened:
        return min(opened, key=lambda row: (row[1] != "media", row[1] != "picture"))
    then = (row for row in alarms.rows if row[3] <= time.end and (row[4] is None or row[4] > time.begin))
    return next(then, None)


async def _pictures(
    session: AsyncSession, alarms: Collection[int], cameras: Collection[int]
) -> dict[tuple[int, int], int]:
    """By alarm and camera: what was seen, else any picture that is kept with it."""
    query = (
        select(AlarmPicture.alarm_id, AlarmPicture.camera_id, AlarmPicture.kind, AlarmPicture.id)
        .where(AlarmPicture.alarm_id.in_(alarms), AlarmPicture.camera_id.in_(cameras))
        .order_by(AlarmPicture.id)
    )
    found: dict[tuple[int, int], int] = {}
    for alarm, camera, kind, picture in await session.execute(query):
        if kind == "present" or (alarm, camera) not in found:
            found[alarm, camera] = picture
    return found
