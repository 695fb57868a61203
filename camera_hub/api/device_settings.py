"""Settings on devices: read, previewed, set as a job; the list of clocks."""

from typing import Annotated, get_args

from fastapi import APIRouter, Path, Query

from camera_hub.access.policy import Action, Actor, allows
from camera_hub.api.live_changes import HUB, Render, SharedReader, each
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.device_settings import (
    ApplySettings,
    CameraSettingsAnswer,
    CheckedClockAnswer,
    ClockAnswer,
    ClockCheckAnswer,
    ClocksAnswer,
    ClockVerdict,
    DeviceSettingsAnswer,
    PlannedItemAnswer,
    SettingsChangeBody,
    SettingsDefaultsAnswer,
    SettingsPreviewAnswer,
    SettingsPreviewBody,
    SettingsProblemAnswer,
)
from camera_hub.api.schemas.jobs import JobProgressAnswer
from camera_hub.cameras.device_settings import plan, zones
from camera_hub.cameras.device_settings.applying import SettingsChanges
from camera_hub.cameras.device_settings.nightly import NightlyClockChecks
from camera_hub.cameras.device_settings.previews import PreviewView, SettingsPreviews
from camera_hub.cameras.device_settings.reading import SettingsReadings
from camera_hub.cameras.device_settings.store import SettingsStore, StoredSettings
from camera_hub.cameras.device_settings.values import (
    PlannedItem,
    WantedChange,
    WantedClock,
    WantedOsd,
    WantedSub,
)
from camera_hub.cameras.hub_addresses import own_address
from camera_hub.cameras.jobs import JobView
from camera_hub.settings import Settings

router = APIRouter(tags=["device settings"])

Reader = Annotated[Actor, needs(Action.READ_HEALTH)]
Setter = Annotated[Actor, needs(Action.SET_DEVICES)]
Readings = Annotated[SettingsReadings, part(SettingsReadings)]
Previews = Annotated[SettingsPreviews, part(SettingsPreviews)]
Changes = Annotated[SettingsChanges, part(SettingsChanges)]
Stored = Annotated[SettingsStore, part(SettingsStore)]
Nightly = Annotated[NightlyClockChecks, part(NightlyClockChecks)]
HubSettings = Annotated[Settings, part(Settings)]
PreviewId = Annotated[str, Path(max_length=32)]


@router.get("/api/devices/{device_id}/settings")
async def device_settings(
    device_id: Id, actor: Setter, readings: Readings, fresh: bool = False
) -> DeviceSettingsAnswer:
    """What was read of the device last; `fresh`: ask it now."""
    found = await (readings.fresh(actor, device_id) if fresh else readings.latest(actor, device_id))
    return _shown(found)


@router.get("/api/device-settings/defaults")
async def defaults(actor: Setter, settings: HubSettings) -> SettingsDefaultsAnswer:
    """What pages put into an empty form."""
    ours = settings.device_settings
    return SettingsDefaultsAnswer(
        zone=zones.of_site(settings.site.zone),
        time_zone=settings.site.time_zone,
        ntp_server=ours.ntp_server or own_address(),
        warn_s=ours.clock_warn_seconds,
        fail_s=ours.clock_fail_seconds,
    )


@router.get("/api/device-settings/clocks")
async def clocks(
    actor: Reader,
    stored: Stored,
    nightly: Nightly,
    settings: HubSettings,
    village_id: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    verdict: Annotated[list[ClockVerdict] | None, Query(max_length=len(get_args(ClockVerdict)))] = None,
) -> ClocksAnswer:
    """Each device's clock as it was checked last, the worst first."""
    found = await stored.checks(actor, village_id=village_id, verdicts=verdict or ())
    return ClocksAnswer(
        next_at=nightly.next_at(),
        warn_s=settings.device_settings.clock_warn_seconds,
        fail_s=settings.device_settings.clock_fail_seconds,
        clocks=[CheckedClockAnswer.model_validate(one) for one in found],
    )


@router.post("/api/device-settings/preview", response_model=JobProgressAnswer, status_code=201)
async def preview_settings(body: SettingsPreviewBody, actor: Setter, previews: Previews) -> JobView:
    """Read the devices and plan the change, as a job; the preview has the job's id. Nothing is set."""
    return await previews.start(
        actor,
        _wanted(body.change),
        device_ids=body.device_ids,
        camera_ids=body.camera_ids,
        village_id=body.village_id,
    )


@router.get("/api/device-settings/previews/{preview_id}")
async def preview(preview_id: PreviewId, actor: Setter, previews: Previews) -> SettingsPreviewAnswer:
    """What would change, of the devices that have been read so far."""
    found = previews.get(actor, preview_id)
    return SettingsPreviewAnswer(
        id=found.id,
        state=found.state,
        created_at=found.created_at,
        devices=found.devices,
        read=found.read,
        items=[_item(one, found) for one in found.items],
    )


@router.post("/api/device-settings/previews/{preview_id}/apply", response_model=JobProgressAnswer, status_code=201)
async def apply_settings(preview_id: PreviewId, body: ApplySettings, actor: Setter, changes: Changes) -> JobView:
    """Set what the preview would change and read it back, as a job: its items have the preview's keys."""
    return changes.start(actor, preview_id, body.only)


def _wanted(change: SettingsChangeBody) -> WantedChange:
    clock, osd, sub = change.clock, change.osd, change.sub
    return WantedChange(
        None
        if clock is None
        else WantedClock(clock.set_now, zones.posix(clock.zone) if clock.zone is not None else None, clock.ntp_server),
        None if osd is None else WantedOsd(osd.name, osd.time, osd.name_position, osd.time_position),
        None if sub is None else WantedSub(**sub.model_dump()),
    )


def _item(item: PlannedItem, found: PreviewView) -> PlannedItemAnswer:
    return PlannedItemAnswer(
        key=item.key,
        device_id=item.device_id,
        device_name=found.names[item.device_id],
        camera_id=item.camera_id,
        camera_name=found.camera_names.get(item.camera_id) if item.camera_id is not None else None,
        part=item.part,
        verdict=item.verdict,
        before=dict(item.before),
        after=dict(item.after),
        reason=item.reason,
        detail=item.detail,
        params=dict(item.params),
        bounded=dict(plan.bounded(item, found.change)),
        via_device_id=item.via_device_id,
    )


def _shown(found: StoredSettings) -> DeviceSettingsAnswer:
    reading = found.reading
    return DeviceSettingsAnswer(
        device_id=found.device.device_id,
        village_id=found.device.village_id,
        read_at=found.read_at,
        clock=ClockAnswer.model_validate(reading.clock) if reading.clock is not None else None,
        cameras=[CameraSettingsAnswer.model_validate(one) for one in reading.cameras],
        can=list(reading.can),
        problems=[SettingsProblemAnswer.model_validate(one) for one in reading.problems],
        recorder_id=found.device.recorder_id,
        check=ClockCheckAnswer.model_validate(found.check) if found.check is not None else None,
    )


def live(readings: SettingsReadings) -> SharedReader:
    """Settings for the pages' WebSockets, as they were read last."""

    def render(found: StoredSettings) -> Render:
        answer = _shown(found)
        village_id = found.device.village_id
        return lambda actor: answer if allows(actor, Action.SET_DEVICES, village_id) else None

    return lambda ids: each(ids, lambda id: readings.latest(HUB, id), render)
