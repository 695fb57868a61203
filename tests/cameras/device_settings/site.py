"""A register of simulated devices, and all that reads, plans, sets and checks their settings."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from camera_hub.access.policy import Actor
from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.device_settings.applying import SettingsChanges
from camera_hub.cameras.device_settings.clock_checks import ClockLimits
from camera_hub.cameras.device_settings.links import VillageLinks
from camera_hub.cameras.device_settings.listing import RecorderLists
from camera_hub.cameras.device_settings.nightly import NightlyClockChecks
from camera_hub.cameras.device_settings.onvif_way import OnvifSettingsWay
from camera_hub.cameras.device_settings.previews import SettingsPreviews
from camera_hub.cameras.device_settings.reading import SettingsReadings
from camera_hub.cameras.device_settings.store import SettingsStore
from camera_hub.cameras.device_settings.values import PlannedItem, WantedChange
from camera_hub.cameras.device_settings.vendor_way import VendorSettingsWay
from camera_hub.cameras.device_settings.way import SettingsWay
from camera_hub.cameras.http.device_http import DeviceHttp
from camera_hub.cameras.http.messages import HttpLimits
from camera_hub.cameras.http.signed_http import SignedHttp
from camera_hub.cameras.jobs import Jobs, JobView
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.cameras.register.register import Register
from camera_hub.cameras.vendors.recognition import VENDORS
from camera_hub.clock import SystemClock
from camera_hub.events import EventBus
from camera_hub.simulator.device import Device as SimulatedDevice
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.model import DeviceKind, FarmPlan
from camera_hub.simulator.plan import Ports, default_farm
from camera_hub.simulator.testing import QUICK_MAIN, QUICK_SUB, own_network, small_farm, small_plan
from camera_hub.store.database import Database
from tests.cameras.fakes import ADMIN, FakeVault
from tests.cameras.vendor_site import describing
from tests.fakes.reach import local


class SettableClock(SystemClock):
    """The machine's clock, with `ahead` added to what the wall shows."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


@dataclass
class SettingsSite:
    """The parts, the farm, and the devices by the id under which they are registered."""

    farm: Farm
    register: Register
    store: SettingsStore
    readings: SettingsReadings
    previews: SettingsPreviews
    changes: SettingsChanges
    nightly: NightlyClockChecks
    jobs: Jobs
    budget: LoginBudget
    clock: SettableClock
    village: int
    last: str = ""
    devices: dict[int, SimulatedDevice] = field(default_factory=dict)

    async def fault(self, device_id: int, fault: str, value: float | None = None, *, on: bool = True) -> None:
        await self.farm.set_fault(self.devices[device_id].state.plan.key, fault, on, value)

    def off_by(self, device_id: int) -> float:
        """Seconds that the device's clock is ahead of the hub's."""
        return (self.devices[device_id].state.now() - self.clock.now()).total_seconds()

    async def preview(self, change: WantedChange, ids: Sequence[int] = (), actor: Actor = ADMIN) -> list[PlannedItem]:
        """Of all devices, or these; the newest preview is what `apply` carries out."""
        job = await self.previews.start(actor, change, device_ids=list(ids or self.devices))
        await self.ended(job, actor)
        self.last = job.id
        return list(self.previews.get(actor, job.id).items)

    async def apply(self, only: Sequence[str] | None = None, actor: Actor = ADMIN) -> dict[str, str]:
        """What became of each item: "ok" or the reason."""
        job = await self.ended(self.changes.start(actor, self.last, only), actor)
        assert job.state == "done"
        return {one.key: "ok" if one.ok else str(one.reason) for one in job.verdicts}

    async def ended(self, job: JobView, actor: Actor = ADMIN) -> JobView:
        task = self.jobs._jobs[job.id].task
        assert task is not None
        await asyncio.wait([task])
        return self.jobs.get(actor, job.id)


def cameras_plan(count: int) -> FarmPlan:
    """One village with so many single cameras."""
    plan = small_plan(1, count + 8)
    (village,) = plan.villages
    cameras = [one for one in village.devices if one.kind is not DeviceKind.RECORDER]
    return FarmPlan((replace(village, devices=tuple(cameras[:count])),))


def recorder_plan() -> FarmPlan:
    """One village with one recorder of eight channels."""
    (village,) = small_plan(1, 10).villages
    return FarmPlan((replace(village, devices=tuple(one for one in village.devices if len(one.channels) > 1)),))


def direct_plan() -> FarmPlan:
    """One village with a recorder, and one of its cameras that is reached directly, too."""
    plan = default_farm(1, 10, network=own_network(), ports=Ports(0, 0), main=QUICK_MAIN, sub=QUICK_SUB, direct=1)
    (village,) = plan.villages
    kept = tuple(one for one in village.devices if len(one.channels) > 1 or one.recorder)
    return FarmPlan((replace(village, devices=kept),))


@asynccontextmanager
async def settings_site(
    database: Database, plan: FarmPlan, at_once: int = 16, *, onvif_off: bool = False, bus: EventBus | None = None
) -> AsyncIterator[SettingsSite]:
    clock, bus = SettableClock(), bus or EventBus()
    budget = LoginBudget(clock)
    checks = DeviceChecks(database, local)
    async with (
        small_farm(plan=plan) as farm,
        describing(clock, budget) as describer,
        DeviceHttp(HttpLimits()) as http,
        Jobs(clock, bus) as jobs,
    ):
        onvif = describer._onvif
        assert isinstance(onvif, Onvif)
        register = Register(database, bus, clock, FakeVault(), describer, checks)
        await register.villages.add(["董家村"], "village")
        (village,) = await register.villages.all(ADMIN)
        store, links = SettingsStore(database), VillageLinks(8, at_once)
        way = OnvifSettingsWay(onvif, register, checks, clock, 15.0)
        signed, zone = SignedHttp(http, budget), ZoneInfo("Asia/Shanghai")
        lists = RecorderLists(http, signed, register, checks, clock)
        ways: dict[str, SettingsWay] = {"onvif": way} | {
            vendor: VendorSettingsWay(vendor, signed, register, checks, clock, zone, 15.0) for vendor in VENDORS
        }
        readings = SettingsReadings(store, ways, lists, links, bus, clock, ClockLimits(5.0, 30.0))
        previews = SettingsPreviews(store, readings, jobs, clock, at_once)
        changes = SettingsChanges(store, readings, previews, links, jobs, at_once)
        nightly = NightlyClockChecks(store, readings, clock, "02:30", ZoneInfo("Asia/Shanghai"), at_once)
        site = SettingsSite(
            farm, register, store, readings, previews, changes, nightly, jobs, budget, clock, village.id
        )
        for device in farm.devices.values():
            known = device.state.plan
            if onvif_off:
                await farm.set_fault(known.key, "onvif_off", True)
            found = await register.devices.register(
                ADMIN,
                village.id,
                known.address,
                device.state.http_port,
                username=known.onvif_username or known.username,
                password=known.onvif_password or known.password,
                name=known.name,
            )
            site.devices[found.device.id] = device
        yield site
