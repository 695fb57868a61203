"""What devices report themselves, built and connected."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from camera_hub.cameras.device_events.listening import DeviceEvents
from camera_hub.cameras.device_events.roster import ListeningTargets
from camera_hub.cameras.device_events.store import DeviceEventHistory
from camera_hub.cameras.onvif.pull_points import PullPoints
from camera_hub.cameras.register.register import Register
from camera_hub.wiring.core import CoreParts
from camera_hub.wiring.devices import DeviceParts
from camera_hub.wiring.rooms import Parts


@dataclass(frozen=True, slots=True)
class DeviceEventParts:
    """What routes use."""

    events: DeviceEvents
    history: DeviceEventHistory

    def parts(self) -> Parts:
        """By their types, for routes."""
        return {DeviceEvents: self.events, DeviceEventHistory: self.history}


@asynccontextmanager
async def device_event_parts(
    core: CoreParts, devices: DeviceParts, register: Register
) -> AsyncIterator[DeviceEventParts]:
    """Listening to devices. Leaving ends each subscription at its device, then closes the conversations."""
    clock, database = core.clock, core.database
    seconds = core.settings.discovery.onvif_timeout
    targets = ListeningTargets(register, devices.checks)
    async with (
        PullPoints(clock, devices.logins, devices.peculiarities, call_seconds=seconds) as pull_points,
        DeviceEvents(core.settings.device_events, clock, core.bus, database, pull_points, targets) as events,
    ):
        yield DeviceEventParts(events, DeviceEventHistory(database, clock))
