"""PTZ, built and connected."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from camera_hub.cameras.onvif.kept import KeptConversations
from camera_hub.cameras.ptz.control import PtzControl
from camera_hub.cameras.ptz.opening import PtzOpener
from camera_hub.cameras.ptz.presets import PtzPresets
from camera_hub.cameras.ptz.store import PtzStore
from camera_hub.cameras.register.register import Register
from camera_hub.wiring.core import CoreParts
from camera_hub.wiring.devices import DeviceParts
from camera_hub.wiring.rooms import Parts


@dataclass(frozen=True, slots=True)
class PtzParts:
    """What others need to steer cameras."""

    control: PtzControl
    presets: PtzPresets

    def parts(self) -> Parts:
        """By their types, for routes."""
        return {PtzControl: self.control, PtzPresets: self.presets}


@asynccontextmanager
async def ptz_parts(core: CoreParts, devices: DeviceParts, register: Register) -> AsyncIterator[PtzParts]:
    """Steering. Leaving stops every camera that moves, over conversations that are still open then."""
    settings, clock = core.settings.ptz, core.clock
    store = PtzStore(core.database, register, devices.checks)
    async with KeptConversations(
        clock, devices.logins, devices.peculiarities, call_seconds=settings.call_seconds
    ) as kept:
        opener = PtzOpener(kept, store, devices.peculiarities)
        async with PtzControl(settings, clock, core.bus, store, opener) as control:
            yield PtzParts(control, PtzPresets(control, store, devices.onvif, clock))
