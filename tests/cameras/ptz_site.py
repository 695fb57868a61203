"""A dome of the simulator, registered, and everything that steers it, over a real database."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from camera_hub.access.policy import Actor, Role
from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.cameras.onvif.kept import KeptConversations
from camera_hub.cameras.peculiarities import Peculiarities
from camera_hub.cameras.ptz.control import PtzControl
from camera_hub.cameras.ptz.opening import PtzOpener
from camera_hub.cameras.ptz.presets import PtzPresets
from camera_hub.cameras.ptz.state import PtzState
from camera_hub.cameras.ptz.store import PtzStore
from camera_hub.cameras.register.register import Register
from camera_hub.clock import SystemClock
from camera_hub.events import EventBus, PtzChanged
from camera_hub.settings import DiscoverySettings, PtzSettings
from camera_hub.simulator.device import Device
from camera_hub.simulator.dome import Dome
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.testing import small_farm
from camera_hub.store.database import Database
from tests.cameras.fakes import ADMIN, FakeVault, OnvifOnly
from tests.fakes.reach import anywhere, local

OPERATOR = Actor(2, "operator", "值班员", Role.OPERATOR)
OTHER_OPERATOR = Actor(7, "second", "二班", Role.OPERATOR)


@dataclass
class PtzSite:
    """`camera`: the dome's id; `control` and `presets`: of a hub that runs."""

    farm: Farm
    device: Device
    dome: Dome
    camera: int
    fixed: int
    bus: EventBus
    database: Database
    register: Register
    control: PtzControl
    presets: PtzPresets
    logins: LoginBudget
    onvif: Onvif
    checks: DeviceChecks
    hub: Callable[[], PtzControl]

    def another_hub(self) -> PtzControl:
        """One that starts now, over the same database."""
        return self.hub()

    @property
    def key(self) -> str:
        return self.device.state.plan.key

    def operations(self) -> list[str]:
        """The commands that have reached the dome, refused ones in brackets."""
        return [f"({one.operation})" if one.refused else one.operation for one in self.dome.commands]

    def state(self) -> PtzState:
        return self.control.state(ADMIN, self.camera)

    async def until(self, holds: Callable[[PtzState], bool]) -> PtzState:
        """The first state of the dome of which this holds."""
        with self.bus.subscribe(PtzChanged) as changes:
            async with asyncio.timeout(60):
                while not holds(self.state()):
                    await changes.next()
        return self.state()


@asynccontextmanager
async def ptz_site(
    database: Database, settings: PtzSettings | None = None, faults: dict[str, float] | None = None
) -> AsyncIterator[PtzSite]:
    """A recorder whose third camera is a dome."""
    settings = settings or PtzSettings()
    clock, bus = SystemClock(), EventBus()
    async with small_farm(1, 8) as farm:
        device = next(iter(farm.devices.values()))
        plan = device.state.plan
        logins = LoginBudget(clock)
        peculiarities = Peculiarities(database, bus, clock)
        async with (
            Onvif(DiscoverySettings(), clock, logins, peculiarities=peculiarities, check=anywhere) as onvif,
            KeptConversations(clock, logins, peculiarities, call_seconds=settings.call_seconds, check=anywhere) as kept,
        ):
            checks = DeviceChecks(database, local)
            register = Register(database, bus, clock, FakeVault(), OnvifOnly(onvif), checks)
            await register.villages.add(["东沟村"], "village")
            (village,) = await register.villages.all(ADMIN)
            found = await register.devices.register(
                ADMIN,
                village.id,
                plan.address,
                port=device.state.http_port,
                username=plan.username,
                password=plan.password,
            )
            dome = next(one for one in found.cameras if one.ptz)
            fixed = next(one for one in found.cameras if not one.ptz)
            for fault, value in (faults or {}).items():
                await farm.set_fault(plan.key, fault, value=value)
            store = PtzStore(database, register, checks)

            def hub() -> PtzControl:
                return PtzControl(settings, clock, bus, store, PtzOpener(kept, store, peculiarities))

            async with hub() as control:
                presets = PtzPresets(control, store, onvif, clock)
                yield PtzSite(
                    farm,
                    device,
                    device.state.domes[3],
                    dome.id,
                    fixed.id,
                    bus,
                    database,
                    register,
                    control,
                    presets,
                    logins,
                    onvif,
                    checks,
                    hub,
                )
