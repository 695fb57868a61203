"""What devices record, built and connected."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from camera_hub.cameras.device_settings.links import VillageLinks
from camera_hub.cameras.jobs import Jobs
from camera_hub.cameras.recordings.checks import RecordingChecks, RecordingPlan
from camera_hub.cameras.recordings.judging import RecordingLimits
from camera_hub.cameras.recordings.onvif_road import OnvifRecordings
from camera_hub.cameras.recordings.roads import RecordingRoads
from camera_hub.cameras.recordings.store import RecordingStore
from camera_hub.cameras.recordings.vendor_road import VendorRoad
from camera_hub.cameras.register.register import Register
from camera_hub.wiring.core import CoreParts
from camera_hub.wiring.devices import DeviceParts
from camera_hub.wiring.rooms import Parts

_ONVIF_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class RecordingParts:
    """What routes use."""

    store: RecordingStore
    checks: RecordingChecks

    def parts(self) -> Parts:
        """By their types, for routes."""
        return {RecordingStore: self.store, RecordingChecks: self.checks}


@asynccontextmanager
async def recording_parts(
    core: CoreParts, devices: DeviceParts, register: Register, links: VillageLinks, jobs: Jobs
) -> AsyncIterator[RecordingParts]:
    """Checks of recordings, running; `links` bounds them together with whatever else asks a village's devices."""
    store = RecordingStore(core.database, core.zone)
    roads = recording_roads(core, devices, register)
    plan = recording_plan(core)
    async with RecordingChecks(store, roads, links, jobs, core.bus, core.clock, plan) as checks:
        yield RecordingParts(store, checks)


def recording_roads(core: CoreParts, devices: DeviceParts, register: Register) -> RecordingRoads:
    """How devices are asked for their recordings. ONVIF's conversation keeps the device's other calls waiting, so it
    gets less time."""
    clock, zone, checks = core.clock, core.zone, devices.checks
    seconds = core.settings.recordings.read_seconds
    at_most = min(seconds, _ONVIF_SECONDS)
    return RecordingRoads(
        {
            "onvif": OnvifRecordings(devices.onvif, register, checks, clock, zone, at_most),
            "vendor": VendorRoad(devices.http, devices.signed_http, register, checks, clock, zone, seconds),
        }
    )


def recording_plan(core: CoreParts) -> RecordingPlan:
    """How often devices are asked for their recordings, and what must be there."""
    given = core.settings.recordings
    limits = RecordingLimits(
        given.days, given.complete_percent / 100, given.silent_hours * 3600, given.confirm_minutes * 60
    )
    return RecordingPlan(given.check_hours * 3600, given.at_once, limits, core.zone)
