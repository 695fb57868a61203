"""Screens, built and connected: what they show, and which of them are there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from camera_hub.access.screen_tokens import ScreenTokens
from camera_hub.access.throttle import Throttle
from camera_hub.api import screens
from camera_hub.api.live_changes import SharedReader
from camera_hub.api.schemas.media import Topic
from camera_hub.patrol.screens.following import ScreenFollowing
from camera_hub.patrol.screens.pictures import RunsNow
from camera_hub.patrol.screens.presence import ScreenPresence
from camera_hub.patrol.screens.screens import Screens
from camera_hub.wiring.core import CoreParts
from camera_hub.wiring.rooms import Parts


@dataclass(frozen=True, slots=True)
class ScreenParts:
    """What routes use."""

    screens: Screens
    presence: ScreenPresence
    tokens: ScreenTokens

    def parts(self) -> Parts:
        """By their types, for routes."""
        return {Screens: self.screens, ScreenPresence: self.presence, ScreenTokens: self.tokens}

    def live(self, time_zone: str) -> dict[Topic, SharedReader]:
        """By topic, for pages."""
        return {"screen": screens.live(self.screens, time_zone)}


@asynccontextmanager
async def screen_parts(core: CoreParts, throttle: Throttle, runs: RunsNow) -> AsyncIterator[ScreenParts]:
    """Screens that follow what they show."""
    database, clock, bus = core.database, core.clock, core.bus
    presence = ScreenPresence(database, clock, bus)
    shown = Screens(database, bus, clock, runs, presence)
    async with ScreenFollowing(shown, database, bus, clock):
        yield ScreenParts(shown, presence, ScreenTokens(database, clock, bus, throttle))
