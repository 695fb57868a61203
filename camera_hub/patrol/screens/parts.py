"""The parts of screens, put together and running."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from camera_hub.access.screen_tokens import ScreenTokens
from camera_hub.access.throttle import Throttle
from camera_hub.clock import Clock
from camera_hub.events import EventBus
from camera_hub.patrol.screens.following import ScreenFollowing
from camera_hub.patrol.screens.pictures import RunsNow
from camera_hub.patrol.screens.presence import ScreenPresence
from camera_hub.patrol.screens.screens import Screens
from camera_hub.store.database import Database


@dataclass(frozen=True, slots=True)
class ScreenParts:
    """What routes use."""

    screens: Screens
    presence: ScreenPresence
    tokens: ScreenTokens

    def by_type(self) -> dict[type, Any]:
        """Each by its type."""
        return {Screens: self.screens, ScreenPresence: self.presence, ScreenTokens: self.tokens}


@asynccontextmanager
async def screen_parts(
    database: Database, clock: Clock, bus: EventBus, throttle: Throttle, runs: RunsNow
) -> AsyncIterator[ScreenParts]:
    """Screens that follow what they show, while the block runs."""
    presence = ScreenPresence(database, clock, bus)
    screens = Screens(database, bus, clock, runs, presence)
    async with ScreenFollowing(screens, database, bus, clock):
        yield ScreenParts(screens, presence, ScreenTokens(database, clock, bus, throttle))
