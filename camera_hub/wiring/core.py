"""What every room is given: settings, time, events, the database and its vault."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from camera_hub.acceptor import ConnectionFigures
from camera_hub.access.vault import Vault
from camera_hub.clock import Clock
from camera_hub.events import EventBus
from camera_hub.instance import only_instance
from camera_hub.private_files import make_private
from camera_hub.settings import Settings
from camera_hub.store.database import Database
from camera_hub.store.lock import only_hub
from camera_hub.wiring.rooms import Parts


@dataclass(frozen=True, slots=True)
class CoreParts:
    """The same for all rooms. A room's module hands each part on by name; no part is given all of this."""

    settings: Settings
    clock: Clock
    bus: EventBus
    database: Database
    vault: Vault

    @property
    def data_dir(self) -> Path:
        """The folder of the database, the keys and the pictures."""
        return self.settings.server.data_dir

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the site."""
        return self.settings.site.zone

    def parts(self) -> Parts:
        """By their types, for routes."""
        return {
            Settings: self.settings,
            Clock: self.clock,
            EventBus: self.bus,
            Database: self.database,
            Vault: self.vault,
            ConnectionFigures: ConnectionFigures(),
        }


@asynccontextmanager
async def core_parts(settings: Settings, clock: Clock) -> AsyncIterator[CoreParts]:
    """The folder and the database, taken for this hub alone, and open. Raises HubError."""
    data_dir = settings.server.data_dir
    with only_instance(data_dir):
        make_private(data_dir, settings.database_file)
        async with Database(settings.database_url) as database, only_hub(database, clock):
            yield CoreParts(settings, clock, EventBus(), database, Vault.open_or_create(data_dir / "vault.key"))
