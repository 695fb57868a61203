"""The register: villages, devices, cameras, favourites, over one database; and the logins of devices."""

from contextlib import AsyncExitStack
from typing import Self

from sqlalchemy import select

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.logins import Sealer, open_login
from camera_hub.cameras.register.cameras import Cameras
from camera_hub.cameras.register.devices import Describer, Devices
from camera_hub.cameras.register.favourites import Favourites
from camera_hub.cameras.register.proofs import Proofs, Prover
from camera_hub.cameras.register.villages import Villages
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus
from camera_hub.store.database import Database
from camera_hub.store.tables import Device


class Register:
    """An async context manager: while it is entered, proofs run.

    The prover needs media, which needs the register: it may come later, by `proofs.use`.
    """

    def __init__(
        self,
        database: Database,
        bus: EventBus,
        clock: Clock,
        vault: Sealer,
        describer: Describer,
        prover: Prover | None = None,
    ) -> None:
        self._database = database
        self._vault = vault
        self.proofs = Proofs(database, bus, clock, prover)
        self.villages = Villages(database, bus, clock)
        self.cameras = Cameras(database, bus, clock, self.proofs)
        self.devices = Devices(database, bus, clock, vault, describer, self.proofs)
        self.favourites = Favourites(database, bus, clock)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.proofs)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def login(self, device_id: int) -> DeviceLogin:
        """The device's login, empty when it has none. Raises HubError: NOT_FOUND, or UNAVAILABLE credential_locked."""
        async with self._database.read() as session:
            device = await session.scalar(select(Device).where(Device.id == device_id))
        if device is None:
            raise HubError(Kind.NOT_FOUND, "there is no such device")
        return open_login(self._vault, device)
