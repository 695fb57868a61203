"""Screens, built and connected: what app.py starts, hands to routes and tells pages of."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from camera_hub.access.screen_tokens import ScreenTokens
from camera_hub.access.throttle import Throttle
from camera_hub.api import screen_page, screens
from camera_hub.api.live_changes import SharedReader
from camera_hub.api.schemas.media import Topic
from camera_hub.clock import Clock
from camera_hub.events import EventBus
from camera_hub.patrol.screens.following import ScreenFollowing
from camera_hub.patrol.screens.pictures import RunsNow
from camera_hub.patrol.screens.presence import ScreenPresence
from camera_hub.patrol.screens.screens import Screens
from camera_hub.store.database import Database

SCREEN_ROUTERS = (screens.router, screen_page.router)


@dataclass(frozen=True, slots=True)
class ScreenParts:
    """What routes use."""

    screens: Screens
    presence: ScreenPresence
    tokens: ScreenTokens

    def parts(self) -> dict[type, Any]:
        """By their types, for routes."""
        return {Screens: self.screens, ScreenPresence: self.presence, ScreenTokens: self.tokens}

    def live(self, time_zone: str) -> dict[Topic, SharedReader]:
        """By topic, for pages."""
        return {"screen": screens.live(self.screens, time_zone)}


@asynccontextmanager
async def screen_parts(
    database: Database, clock: Clock, bus: EventBus, throttle: Throttle, runs: RunsNow
) -> AsyncIterator[ScreenParts]:
    """Screens that follow what they show, while the block runs."""
    presence = ScreenPresence(database, clock, bus)
    shown = Screens(database, bus, clock, runs, presence)
    async with ScreenFollowing(shown, database, bus, clock):
        yield ScreenParts(shown, presence, ScreenTokens(database, clock, bus, throttle))
