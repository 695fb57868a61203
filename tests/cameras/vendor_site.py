"""A register whose devices are described by all roads: ONVIF, their vendor's interface, RTSP paths."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.cameras.describing.catalogue_describer import CatalogueDescriber
from camera_hub.cameras.describing.device_describer import DeviceDescriber
from camera_hub.cameras.describing.vendor_describer import VendorDescriber
from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.http.device_http import DeviceHttp
from camera_hub.cameras.http.messages import HttpLimits
from camera_hub.cameras.http.signed_http import SignedHttp
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.cameras.register.register import Register
from camera_hub.cameras.streams.stream_addresses import StreamAddresses
from camera_hub.clock import Clock, SystemClock
from camera_hub.events import EventBus
from camera_hub.settings import DiscoverySettings
from camera_hub.simulator.device import Device
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.model import DeviceKind, FarmPlan, Vendor
from camera_hub.simulator.testing import small_farm, small_plan
from camera_hub.store.database import Database
from tests.cameras.fakes import ADMIN, FakeVault
from tests.fakes.reach import anywhere, local

SETTINGS = DiscoverySettings(onvif_timeout=3.0, host_timeout=0.5, multicast=False)
SHANGHAI = ZoneInfo("Asia/Shanghai")
_MODELS = {Vendor.DAHUA: "DHI-NVR-V8016", Vendor.HIKVISION: "VN-8016", Vendor.UNIVIEW: "NVR-V8016"}


@asynccontextmanager
async def describing(
    clock: Clock | None = None, budget: LoginBudget | None = None, ports: Sequence[int] = (), limit: int = 1024 * 1024
) -> AsyncIterator[DeviceDescriber]:
    """What app.parts puts together, allowed to reach this machine."""
    clock = clock or SystemClock()
    budget = budget or LoginBudget(clock)
    async with (
        Onvif(SETTINGS, clock, budget, check=anywhere) as onvif,
        DeviceHttp(HttpLimits(reply_bytes=limit, quiet=0.2)) as http,
    ):
        yield DeviceDescriber(
            onvif,
            VendorDescriber(http, SignedHttp(http, budget), clock, SHANGHAI),
            CatalogueDescriber(budget),
            ports,
            check=anywhere,
        )


@dataclass
class VendorSite:
    """One recorder of eight channels, and a register with one village that may reach it."""

    farm: Farm
    device: Device
    register: Register
    addresses: StreamAddresses
    database: Database
    village: int
    budget: LoginBudget

    @property
    def key(self) -> str:
        return self.device.state.plan.key

    @property
    def names(self) -> list[str]:
        return [channel.name for channel in self.device.state.plan.channels]


def recorder_plan(vendor: Vendor) -> FarmPlan:
    """One village with one recorder of that maker."""
    plan = small_plan(1, 10)
    (village,) = plan.villages
    recorder = next(one for one in village.devices if one.kind is DeviceKind.RECORDER)
    own = replace(recorder, vendor=vendor, model=_MODELS[vendor])
    return FarmPlan((replace(village, devices=(own,)),))


@asynccontextmanager
async def vendor_site(database: Database, bus: EventBus, vendor: Vendor) -> AsyncIterator[VendorSite]:
    clock = SystemClock()
    budget = LoginBudget(clock)
    async with small_farm(plan=recorder_plan(vendor)) as farm, describing(clock, budget) as describer:
        (device,) = farm.devices.values()
        register = Register(database, bus, clock, FakeVault(), describer, DeviceChecks(database, local))
        await register.villages.add(["董家村"], "village")
        (village,) = await register.villages.all(ADMIN)
        onvif = describer._onvif
        assert isinstance(onvif, Onvif)
        addresses = StreamAddresses(database, clock, register, onvif, FakeVault())
        yield VendorSite(farm, device, register, addresses, database, village.id, budget)
