"""The register: villages, devices, cameras, favourites, over one database; and the logins of devices."""

from collections.abc import Callable, Collection, Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.logins import Sealer, open_login, sealed_logins
from camera_hub.cameras.credentials.purposes import Purpose
from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.peculiarities import Peculiarities
from camera_hub.cameras.register.asking import Describer
from camera_hub.cameras.register.cameras import Cameras
from camera_hub.cameras.register.devices import Devices
from camera_hub.cameras.register.favourites import Favourites
from camera_hub.cameras.register.returns import Returns
from camera_hub.cameras.register.villages import Villages
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus
from camera_hub.store.database import Database
from camera_hub.store.tables import Device


class Register:
    """One object per noun. Proofs are separate (cameras.register.proofs)."""

    def __init__(
        self,
        database: Database,
        bus: EventBus,
        clock: Clock,
        vault: Sealer,
        describer: Describer,
        checks: DeviceChecks,
        peculiarities: Peculiarities | None = None,
    ) -> None:
        """`peculiarities`: the one of this process; without it, one of its own."""
        peculiarities = peculiarities or Peculiarities(database, bus, clock)
        self._database = database
        self._vault = vault
        self.villages = Villages(database, bus, clock)
        self.cameras = Cameras(database, bus, clock, checks)
        self.returns = Returns(database, bus, clock)
        self.devices = Devices(database, bus, clock, vault, describer, checks, peculiarities)
        self.favourites = Favourites(database, bus, clock)

    async def login(self, device_id: int, purpose: Purpose) -> DeviceLogin:
        """The device's login for that purpose, with an empty name when it has none.

        Raises HubError: NOT_FOUND, or UNAVAILABLE (credential_locked).
        """
        async with self._database.read() as session:
            device = await session.scalar(select(Device).where(Device.id == device_id))
            if device is None:
                raise HubError(Kind.NOT_FOUND, "there is no such device")
            return await open_login(session, self._vault, device, purpose)

    async def logins(
        self, session: AsyncSession, devices: Collection[Device], purpose: Purpose
    ) -> Mapping[int, Callable[[], DeviceLogin]]:
        """The logins of several devices, by device, read in the caller's session with one statement. Each is opened by
        a call, which raises HubError: UNAVAILABLE (credential_locked)."""
        return await sealed_logins(session, self._vault, devices, purpose)
