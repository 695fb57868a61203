"""What devices have recorded, and whether the texts in their pictures are right."""

from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import WithJsonSchema

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.jobs import JobProgressAnswer
from camera_hub.api.schemas.recordings import (
    CheckRecordings,
    CheckState,
    OsdCheckAnswer,
    OsdChecksAnswer,
    RecordingAnswer,
    RecordingDayAnswer,
    RecordingsAnswer,
)
from camera_hub.cameras.device_settings.osd_checks import CheckedOsd, OsdStore
from camera_hub.cameras.jobs import JobView
from camera_hub.cameras.recordings.checks import RecordingChecks
from camera_hub.cameras.recordings.judging import completeness, kept_days
from camera_hub.cameras.recordings.store import KEEP, ListedRecording, RecordingStore
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.settings import Settings

router = APIRouter(tags=["health"])

Reader = Annotated[Actor, needs(Action.READ_HEALTH)]
Stored = Annotated[RecordingStore, part(RecordingStore)]
HubSettings = Annotated[Settings, part(Settings)]
HubClock = Annotated[Clock, part(Clock)]
OfVillage = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
Day = Annotated[date, WithJsonSchema({"type": "string", "format": "date", "maxLength": 10})]

MOST_DAYS = KEEP.days


@router.get("/api/recordings")
async def recordings(
    actor: Reader, stored: Stored, settings: HubSettings, clock: HubClock, village_id: OfVillage = None
) -> RecordingsAnswer:
    """Each camera's recording as it was checked last, with its days of the last month; those with faults first."""
    now = clock.now()
    last = now.astimezone(settings.site.zone).date()
    first = last - timedelta(days=settings.recordings.days - 1)
    found = await stored.listed(actor, first, last, village_id)
    return RecordingsAnswer(
        due_days=settings.recordings.days,
        complete_percent=settings.recordings.complete_percent,
        first=first,
        last=last,
        cameras=[_answer(one, now, settings.site.zone) for one in found],
    )


@router.get("/api/cameras/{camera_id}/recordings")
async def camera_recordings(
    camera_id: Id,
    actor: Reader,
    stored: Stored,
    settings: HubSettings,
    clock: HubClock,
    from_: Annotated[Day | None, Query(alias="from")] = None,
    to: Day | None = None,
) -> RecordingAnswer:
    """One camera's recording with its days from `from` to `to`, at most 400; none given: the last month."""
    now = clock.now()
    last = to or now.astimezone(settings.site.zone).date()
    month = timedelta(days=settings.recordings.days - 1)
    if from_ is None and last < date.min + month:
        raise _bad_span()
    first = from_ or last - month
    if first > last or (last - first).days >= MOST_DAYS:
        raise _bad_span()
    return _answer(await stored.of_camera(actor, camera_id, first, last), now, settings.site.zone)


@router.post("/api/recordings/check", response_model=JobProgressAnswer, status_code=201)
async def check_recordings(
    body: CheckRecordings, actor: Reader, checks: Annotated[RecordingChecks, part(RecordingChecks)]
) -> JobView:
    """Ask the devices of these cameras now what they have recorded, as a job; its items are the devices."""
    return await checks.start(actor, body.camera_ids)


@router.get("/api/osd")
async def osd_checks(
    actor: Reader,
    stored: Annotated[OsdStore, part(OsdStore)],
    settings: HubSettings,
    village_id: OfVillage = None,
    state: Annotated[CheckState | None, Query()] = None,
) -> OsdChecksAnswer:
    """The texts in each camera's picture as they were read last; those with faults first."""
    found = await stored.listed(actor, village_id)
    known = [one for one in found if one.found.state != "unknown"]
    return OsdChecksAnswer(
        checked=len(known),
        compliant=sum(one.found.state == "ok" for one in known),
        limit_s=settings.device_settings.clock_fail_seconds,
        cameras=[_osd(one) for one in found if state in (None, one.found.state)],
    )


def _answer(one: ListedRecording, now: datetime, zone: ZoneInfo) -> RecordingAnswer:
    status = one.status
    first = status.oldest.astimezone(zone).date() if status.oldest is not None else None
    nothing = status.told_at is not None and first is None
    kept = [day for day in one.days if not nothing and (first is None or day.date >= first)]
    recorded, due = completeness(kept)
    if nothing:
        due = sum(day.due for day in one.days)
    return RecordingAnswer(
        camera_id=one.camera_id,
        village_id=one.village_id,
        device_id=one.device_id,
        name=one.name,
        device_name=one.device_name,
        state=status.state,
        reason=status.reason,
        params={name: value for name, value in status.params.items() if value is not None},
        since=status.since,
        unconfirmed=status.unconfirmed,
        checked_at=status.checked_at,
        told_at=status.told_at,
        problem=status.problem,
        oldest=status.oldest,
        latest=status.latest,
        kept_days=kept_days(status, now),
        recorded_s=recorded,
        due_s=due,
        disk=status.disk,
        road=status.road,
        clock_offset_s=status.clock_offset_s,
        days=[
            RecordingDayAnswer(
                date=day.date, seconds=day.seconds, due=day.due, gaps=day.gaps, kept=day.seconds == 0 or day in kept
            )
            for day in one.days
        ],
    )


def _osd(one: CheckedOsd) -> OsdCheckAnswer:
    return OsdCheckAnswer(
        camera_id=one.camera_id,
        village_id=one.village_id,
        device_id=one.device_id,
        camera_name=one.camera_name,
        device_name=one.device_name,
        state=one.found.state,
        faults=list(one.found.faults),
        shown_name=one.found.name,
        time_format=one.found.time,
        lines=one.found.lines,
        off_s=one.found.off_s,
        read_at=one.read_at,
        problem=one.problem,
    )


def _bad_span() -> HubError:
    return HubError(
        Kind.INVALID, f"choose a span of 1 to {MOST_DAYS} days, the earlier one first", reason="bad_span", max=MOST_DAYS
    )
