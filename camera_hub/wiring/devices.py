"""How devices are spoken to, built and connected: which may be, who they are, with which login, over what."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.cameras.credentials.login_store import DatabaseLoginStore
from camera_hub.cameras.describing.catalogue_describer import CatalogueDescriber
from camera_hub.cameras.describing.device_describer import DeviceDescriber
from camera_hub.cameras.describing.vendor_describer import VendorDescriber
from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.http.device_http import DeviceHttp
from camera_hub.cameras.http.messages import HttpLimits
from camera_hub.cameras.http.signed_http import SignedHttp
from camera_hub.cameras.hub_addresses import HubAddresses
from camera_hub.cameras.matches.trust import DeviceTrust
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.cameras.peculiarities import Peculiarities
from camera_hub.cameras.reach import checking
from camera_hub.wiring.core import CoreParts
from camera_hub.wiring.rooms import Parts


@dataclass(frozen=True, slots=True)
class DeviceParts:
    """What others need to speak to devices."""

    addresses: HubAddresses
    checks: DeviceChecks
    peculiarities: Peculiarities
    anonymous: Onvif
    """Without logins: who a device is must be known before it gets one."""
    trust: DeviceTrust
    logins: LoginBudget
    onvif: Onvif
    http: DeviceHttp
    signed_http: SignedHttp
    describer: DeviceDescriber

    def parts(self) -> Parts:
        """By their types, for routes."""
        return {LoginBudget: self.logins, Peculiarities: self.peculiarities, DeviceTrust: self.trust}


@asynccontextmanager
async def device_parts(core: CoreParts) -> AsyncIterator[DeviceParts]:
    """The clients of devices, open."""
    settings, clock, database = core.settings.discovery, core.clock, core.database
    addresses = HubAddresses(core.settings, clock)
    check = checking(None, addresses)
    checks = DeviceChecks(database, addresses)
    peculiarities = Peculiarities(database, core.bus, clock)
    async with (
        Onvif(settings, clock, check=check) as anonymous,
        DeviceTrust(database, core.bus, clock, anonymous, checks, peculiarities) as trust,
        LoginBudget(clock, DatabaseLoginStore(database), core.vault.derived("login accounts"), trust) as logins,
        Onvif(settings, clock, logins, peculiarities=peculiarities, check=check) as onvif,
        DeviceHttp(HttpLimits(settings.reply_bytes)) as http,
    ):
        signed_http = SignedHttp(http, logins, peculiarities)
        describer = DeviceDescriber(
            onvif,
            VendorDescriber(http, signed_http, clock, core.zone),
            CatalogueDescriber(logins),
            settings.ports,
            check=check,
        )
        yield DeviceParts(
            addresses, checks, peculiarities, anonymous, trust, logins, onvif, http, signed_http, describer
        )
