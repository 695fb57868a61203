"""The register, built and connected: villages, devices and cameras, what waits to join, where streams come from."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from camera_hub.api import cameras, devices, inbox, villages
from camera_hub.api.live_changes import SharedReader
from camera_hub.api.schemas.media import Topic
from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.cameras.credentials.profiles import LoginProfiles
from camera_hub.cameras.intake.inbox import Inbox
from camera_hub.cameras.intake.intake import Intake
from camera_hub.cameras.ledger.ledgers import Ledgers
from camera_hub.cameras.register.register import Register
from camera_hub.cameras.replacements import Replacements
from camera_hub.cameras.streams.sources import StreamSources
from camera_hub.cameras.streams.stored_urls import seal_plain
from camera_hub.cameras.streams.stream_addresses import StreamAddresses
from camera_hub.wiring.core import CoreParts
from camera_hub.wiring.devices import DeviceParts
from camera_hub.wiring.rooms import Parts


@dataclass(frozen=True, slots=True)
class RegisterParts:
    """What others need of the register."""

    register: Register
    profiles: LoginProfiles
    ledgers: Ledgers
    intake: Intake
    inbox: Inbox
    sources: StreamSources
    replacements: Replacements

    def parts(self) -> Parts:
        """By their types, for routes."""
        return {
            Register: self.register,
            LoginProfiles: self.profiles,
            Ledgers: self.ledgers,
            Intake: self.intake,
            Inbox: self.inbox,
            Replacements: self.replacements,
        }

    def live(self, logins: LoginBudget) -> dict[Topic, SharedReader]:
        """By topic, for pages."""
        return {
            "village": villages.live(self.register),
            "device": devices.live(self.register, logins),
            "camera": cameras.live(self.register),
            "inbox": inbox.live(self.inbox),
        }


@asynccontextmanager
async def register_parts(core: CoreParts, devices: DeviceParts) -> AsyncIterator[RegisterParts]:
    """The register. Stream addresses that an earlier version stored unsealed are sealed first."""
    clock, bus, database, vault = core.clock, core.bus, core.database, core.vault
    await seal_plain(database, vault)
    register = Register(database, bus, clock, vault, devices.describer, devices.checks, devices.peculiarities)
    profiles = LoginProfiles(database, clock, vault)
    ledgers = Ledgers(database, bus, clock, core.settings.ledger, core.zone)
    addresses = StreamAddresses(database, clock, register, devices.onvif, vault)
    yield RegisterParts(
        register,
        profiles,
        ledgers,
        Intake(database, bus, clock, vault, register.devices, profiles, ledgers),
        Inbox(database),
        StreamSources(database, addresses, register, devices.onvif, bus, devices.peculiarities, devices.checks),
        Replacements(database, bus, clock, devices.checks, ledgers),
    )
