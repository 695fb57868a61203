"""A register of simulated devices with approved cameras, and all that asks them for their recordings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import update

from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.device_settings.links import VillageLinks
from camera_hub.cameras.http.device_http import DeviceHttp
from camera_hub.cameras.http.messages import HttpLimits
from camera_hub.cameras.http.signed_http import SignedHttp
from camera_hub.cameras.jobs import Jobs
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.cameras.recordings.checks import RecordingChecks, RecordingPlan
from camera_hub.cameras.recordings.judging import RecordingLimits
from camera_hub.cameras.recordings.onvif_road import OnvifRecordings
from camera_hub.cameras.recordings.roads import RecordingRoads
from camera_hub.cameras.recordings.store import ListedRecording, RecordingStore
from camera_hub.cameras.recordings.vendor_road import VendorRoad
from camera_hub.cameras.register.register import Register
from camera_hub.errors import HubError
from camera_hub.events import AspectFound, EventBus, Subscription
from camera_hub.simulator.device import Device as SimulatedDevice
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.model import DeviceKind, FarmPlan, Vendor
from camera_hub.simulator.testing import small_farm, small_plan
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera
from tests.cameras.device_settings.site import SettableClock
from tests.cameras.fakes import ADMIN, FakeVault
from tests.cameras.vendor_site import describing
from tests.fakes.reach import local

ZONE = ZoneInfo("Asia/Shanghai")
LIMITS = RecordingLimits()


@dataclass
class RecordingSite:
    """The parts, the farm, and its one device."""

    farm: Farm
    device: SimulatedDevice
    register: Register
    store: RecordingStore
    checks: RecordingChecks
    clock: SettableClock
    events: Subscription
    village: int
    device_id: int

    async def fault(self, fault: str, value: float | None = None, *, channel: int = 0, on: bool = True) -> None:
        """Of one channel, 0: of the device."""
        plan = self.device.state.plan
        key = plan.channels[channel - 1].key if channel else plan.key
        await self.farm.set_fault(key, fault, on, value)

    async def check(self) -> HubError | None:
        (device,) = await self.store.devices([self.device_id])
        return await self.checks.check(device)

    async def confirmed(self) -> list[ListedRecording]:
        """What is known after two checks, ten minutes apart, in the order of the channels."""
        await self.check()
        self.clock.ahead += timedelta(seconds=LIMITS.confirm_s)
        await self.check()
        return await self.listed()

    async def listed(self) -> list[ListedRecording]:
        today = self.clock.now().astimezone(ZONE).date()
        found = await self.store.listed(ADMIN, today - timedelta(days=40), today)
        return sorted(found, key=lambda one: one.camera_id)

    def found(self) -> list[AspectFound]:
        """What was told to health."""
        queue = [one for one in self.events._queue if isinstance(one, AspectFound)]
        self.events._queue.clear()
        return queue


def device_plan(vendor: Vendor = Vendor.HIKVISION, *, recorder: bool = True, kept_days: int = 36) -> FarmPlan:
    """One village with one recorder of eight channels, or one camera with a card."""
    (village,) = small_plan(1, 10).villages
    device = next(one for one in village.devices if (one.kind is DeviceKind.RECORDER) is recorder)
    return FarmPlan((replace(village, devices=(replace(device, vendor=vendor, kept_days=kept_days),)),))


def _in_the_evening() -> SettableClock:
    """The clock of hub and devices. Whether a device records just now, and what of today is due, depends on the hour:
    of the fault `recording_gaps` it is the morning and noon that lack."""
    clock = SettableClock()
    now = clock.now().astimezone(ZONE)
    clock.ahead = now.replace(hour=20, minute=0) - now
    return clock


@asynccontextmanager
async def recording_site(
    database: Database, plan: FarmPlan, *, onvif_off: bool = False, seconds: float = 20.0
) -> AsyncIterator[RecordingSite]:
    clock, bus = _in_the_evening(), EventBus()
    budget = LoginBudget(clock)
    checks = DeviceChecks(database, local)
    async with (
        small_farm(plan=plan, clock=clock) as farm,
        describing(clock, budget) as describer,
        DeviceHttp(HttpLimits()) as http,
        Jobs(clock, bus) as jobs,
    ):
        onvif = describer._onvif
        assert isinstance(onvif, Onvif)
        register = Register(database, bus, clock, FakeVault(), describer, checks)
        await register.villages.add(["董家村"], "village")
        (village,) = await register.villages.all(ADMIN)
        (device,) = farm.devices.values()
        known = device.state.plan
        if onvif_off:
            await farm.set_fault(known.key, "onvif_off")
        found = await register.devices.register(
            ADMIN, village.id, known.address, device.state.http_port, username=known.username, password=known.password
        )
        async with database.write() as session:
            await session.execute(update(Camera).values(state="approved"))
        roads = RecordingRoads(
            {
                "onvif": OnvifRecordings(onvif, register, checks, clock, ZONE, seconds),
                "vendor": VendorRoad(http, SignedHttp(http, budget), register, checks, clock, ZONE, seconds),
            }
        )
        store = RecordingStore(database, ZONE)
        made = RecordingChecks(
            store, roads, VillageLinks(4, 8), jobs, bus, clock, RecordingPlan(6 * 3600.0, 4, LIMITS, ZONE)
        )
        with bus.subscribe(AspectFound) as events:
            yield RecordingSite(farm, device, register, store, made, clock, events, village.id, found.device.id)
