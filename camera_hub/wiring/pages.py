"""What open pages share, built and connected: their WebSockets, and what these tell of changes."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from camera_hub.access.sessions import Sessions
from camera_hub.api import live, system
from camera_hub.api.live_changes import LiveChanges, PersonalReader, SharedReader
from camera_hub.api.live_ptz import PageSteering
from camera_hub.api.schemas.media import Topic
from camera_hub.cameras.ptz.control import PtzControl
from camera_hub.media.engine import MediaEngine
from camera_hub.wiring.core import CoreParts
from camera_hub.wiring.rooms import Parts


@dataclass(frozen=True, slots=True)
class PageParts:
    """What routes use."""

    pages: live.LivePages
    system: system.System

    def parts(self) -> Parts:
        """By their types, for routes."""
        return {live.LivePages: self.pages, system.System: self.system}


@asynccontextmanager
async def page_parts(
    core: CoreParts,
    sessions: Sessions,
    media: MediaEngine,
    steering: PtzControl,
    sightings: live.RunReports,
    shared: Mapping[Topic, SharedReader],
    personal: Mapping[Topic, PersonalReader],
) -> AsyncIterator[PageParts]:
    """Pages that are told of changes: `shared` says how rows are read for all who may see them, `personal` for the
    one user they concern."""

    async def figures() -> system.Figures:
        found = media.readings.summary()
        return system.Figures(found["feeds"], found["viewers"], found["hub"], found["relays"], found["eyes"])

    clock = core.clock
    steered = PageSteering(steering, core.bus)
    actions = live.PageActions(media.tiles, media.audio, media.page_feeds, sightings, steered)
    async with LiveChanges(core.bus, clock, shared=shared, personal=personal) as changes:
        yield PageParts(
            live.LivePages(media.pages, actions, changes, sessions, clock),
            system.System(started_at=clock.now(), gauge=figures, restart_relay=media.relays.restart),
        )
