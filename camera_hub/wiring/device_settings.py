"""Settings of devices, built and connected: clock, text in the picture, encoders; read, checked every night, set."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from camera_hub.api import device_settings
from camera_hub.api.live_changes import SharedReader
from camera_hub.api.schemas.media import Topic
from camera_hub.cameras.device_settings.applying import SettingsChanges
from camera_hub.cameras.device_settings.clock_checks import ClockLimits
from camera_hub.cameras.device_settings.links import VillageLinks
from camera_hub.cameras.device_settings.listing import RecorderLists
from camera_hub.cameras.device_settings.nightly import NightlyClockChecks
from camera_hub.cameras.device_settings.onvif_way import OnvifSettingsWay
from camera_hub.cameras.device_settings.osd_checks import OsdChecks, OsdNight, OsdStore
from camera_hub.cameras.device_settings.previews import SettingsPreviews
from camera_hub.cameras.device_settings.reading import SettingsReadings
from camera_hub.cameras.device_settings.store import SettingsStore
from camera_hub.cameras.device_settings.vendor_way import VendorSettingsWay
from camera_hub.cameras.device_settings.way import SettingsWay
from camera_hub.cameras.jobs import Jobs
from camera_hub.cameras.register.register import Register
from camera_hub.cameras.vendors.recognition import VENDORS
from camera_hub.wiring.core import CoreParts
from camera_hub.wiring.devices import DeviceParts
from camera_hub.wiring.rooms import Parts


@dataclass(frozen=True, slots=True)
class DeviceSettingsParts:
    """What others need of the settings of devices."""

    links: VillageLinks
    store: SettingsStore
    readings: SettingsReadings
    previews: SettingsPreviews
    changes: SettingsChanges
    nightly: NightlyClockChecks
    osd: OsdStore

    def parts(self) -> Parts:
        """By their types, for routes."""
        return {
            SettingsStore: self.store,
            SettingsReadings: self.readings,
            SettingsPreviews: self.previews,
            SettingsChanges: self.changes,
            NightlyClockChecks: self.nightly,
            OsdStore: self.osd,
        }

    def live(self) -> dict[Topic, SharedReader]:
        """By topic, for pages."""
        return {"device_settings": device_settings.live(self.readings)}


@asynccontextmanager
async def device_settings_parts(
    core: CoreParts, devices: DeviceParts, register: Register, jobs: Jobs
) -> AsyncIterator[DeviceSettingsParts]:
    """The settings of devices, with their nightly checks running."""
    settings, clock, database, zone = core.settings.device_settings, core.clock, core.database, core.zone
    store = SettingsStore(database)
    links = VillageLinks(settings.at_once_per_village, settings.at_once)
    limits = ClockLimits(settings.clock_warn_seconds, settings.clock_fail_seconds)
    lists = RecorderLists(devices.http, devices.signed_http, register, devices.checks, clock)
    ways = settings_ways(core, devices, register)
    readings = SettingsReadings(store, ways, lists, links, core.bus, clock, limits)
    previews = SettingsPreviews(store, readings, jobs, clock, settings.at_once)
    osd = OsdStore(database, zone, clock, limits)
    night = OsdNight(settings.osd_check_at, zone, settings.at_once)
    async with (
        NightlyClockChecks(store, readings, clock, settings.clock_check_at, zone, settings.at_once) as nightly,
        OsdChecks(store, osd, readings, core.bus, clock, night),
    ):
        yield DeviceSettingsParts(
            links,
            store,
            readings,
            previews,
            SettingsChanges(store, readings, previews, links, jobs, settings.at_once),
            nightly,
            osd,
        )


def settings_ways(core: CoreParts, devices: DeviceParts, register: Register) -> dict[str, SettingsWay]:
    """How devices are asked for their settings: over ONVIF, or their maker's interface by its name."""
    seconds = core.settings.device_settings.read_seconds
    return {"onvif": OnvifSettingsWay(devices.onvif, register, devices.checks, core.clock, seconds)} | {
        vendor: VendorSettingsWay(vendor, devices.signed_http, register, devices.checks, core.clock, core.zone, seconds)
        for vendor in VENDORS
    }
