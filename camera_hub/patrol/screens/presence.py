"""Whether a screen's browser is connected, and since when: kept in memory, and the last time in the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.events import EventBus, ScreenChanged
from camera_hub.store.database import Database
from camera_hub.store.tables import Screen


@dataclass(slots=True)
class _Pages:
    since: datetime
    count: int = 0


class ScreenPresence:
    """Of all screens. Two browsers with one token are counted as two: somebody may have copied it."""

    def __init__(self, database: Database, clock: Clock, bus: EventBus) -> None:
        self._database = database
        self._clock = clock
        self._bus = bus
        self._pages: dict[int, _Pages] = {}

    @asynccontextmanager
    async def connected(self, screen_id: int, address: str) -> AsyncIterator[None]:
        """A browser of the screen is connected for the length of the block."""
        pages = self._pages.setdefault(screen_id, _Pages(self._clock.now()))
        pages.count += 1
        await self._note(screen_id, address)
        try:
            yield
        finally:
            pages.count -= 1
            if not pages.count:
                self._pages.pop(screen_id, None)
            await self._note(screen_id, address)

    def since(self, screen_id: int) -> datetime | None:
        """Since when it is connected; None while it is not."""
        pages = self._pages.get(screen_id)
        return None if pages is None else pages.since

    def count(self, screen_id: int) -> int:
        """How many browsers show it now."""
        pages = self._pages.get(screen_id)
        return 0 if pages is None else pages.count

    async def _note(self, screen_id: int, address: str) -> None:
        """Where nothing can be written (disk full), the screen works without."""
        try:
            async with self._database.write() as session:
                seen = {"seen_at": self._clock.now(), "address": address[:64]}
                await session.execute(update(Screen).where(Screen.id == screen_id).values(**seen))
        except HubError:
            pass
        self._bus.publish(ScreenChanged(screen_id))
