"""Notices, built and connected: who is told of alarms, in the page and over channels."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from camera_hub.api import notices
from camera_hub.api.live_changes import PersonalReader
from camera_hub.api.schemas.media import Topic
from camera_hub.health.notices.announcer import Announcer
from camera_hub.health.notices.channel_test import ChannelTests
from camera_hub.health.notices.channels import NoticeChannels
from camera_hub.health.notices.delivery import NoticeDelivery
from camera_hub.health.notices.personal import PersonalNotices
from camera_hub.health.notices.policy import notice_policy
from camera_hub.wiring.core import CoreParts
from camera_hub.wiring.rooms import Parts


@dataclass(frozen=True, slots=True)
class NoticeParts:
    """What routes use."""

    channels: NoticeChannels
    tests: ChannelTests
    personal: PersonalNotices

    def parts(self) -> Parts:
        """By their types, for routes."""
        return {NoticeChannels: self.channels, ChannelTests: self.tests, PersonalNotices: self.personal}

    def live_personal(self) -> dict[Topic, PersonalReader]:
        """By topic, for the pages of the one user concerned."""
        return {"notice": notices.live(self.personal)}


@asynccontextmanager
async def notice_parts(core: CoreParts) -> AsyncIterator[NoticeParts]:
    """Notices, decided and delivered. Channels of the settings file are rows before anything is sent."""
    settings, clock, bus, database, vault = core.settings.notices, core.clock, core.bus, core.database, core.vault
    channels = NoticeChannels(database, bus, clock, vault, (settings.quiet_from, settings.quiet_to))
    await channels.follow_settings(settings)
    async with (
        Announcer(database, bus, clock, notice_policy(settings), core.zone),
        NoticeDelivery(clock, bus, database, vault),
    ):
        yield NoticeParts(channels, ChannelTests(database, clock, vault), PersonalNotices(database, bus, clock))
