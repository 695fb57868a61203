"""Media: the parts of the room, put together in the order in which they need each other.

Commands go down the list, reports come up from the relays through `InboundMessages`, which is therefore built last but
for the supervisors that call it. Nothing is passed through: what another room needs is the part itself.
"""

import logging
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Self

from camera_hub.access.stream_tokens import StreamTokens
from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.clock import Clock
from camera_hub.event_loop import LoopMeter
from camera_hub.events import (
    AccessChanged,
    CameraChanged,
    CameraQuarantined,
    DeviceChanged,
    Event,
    EventBus,
    Lagged,
    StreamTokenChanged,
    Subscription,
    VillageChanged,
)
from camera_hub.media.background import Background
from camera_hub.media.capacity.capacity import Capacity
from camera_hub.media.child_process import Spawn, helper, spawn_process
from camera_hub.media.decoders.looks import FeedBorrowing, Looks, MediaProver
from camera_hub.media.decoders.moment_pictures import MomentPictures
from camera_hub.media.decoders.picture_fit import PictureFits, TrialStreams
from camera_hub.media.decoders.pictures import Pictures
from camera_hub.media.decoders.pool import DecoderPool
from camera_hub.media.decoders.stills import Stills
from camera_hub.media.feeds.camera_feeds import CameraFeeds
from camera_hub.media.feeds.desired_state import DesiredFeeds
from camera_hub.media.feeds.feed_logins import FeedLogins
from camera_hub.media.feeds.feed_recovery import FeedRecovery
from camera_hub.media.feeds.feed_reports import FeedReports
from camera_hub.media.feeds.feed_states import FeedStates
from camera_hub.media.feeds.feeds import FeedPlan, Feeds
from camera_hub.media.feeds.key_frames import KeyFrames, request_key_frames
from camera_hub.media.feeds.known_streams import KnownStreams
from camera_hub.media.feeds.login_permits import LoginPermits
from camera_hub.media.feeds.source_feedback import SourceFeedback
from camera_hub.media.feeds.sub_stream_fallback import LateCameras
from camera_hub.media.interface import Sources
from camera_hub.media.readings import MediaReadings
from camera_hub.media.relays.fleet import RelayFleet
from camera_hub.media.relays.inbound import InboundMessages
from camera_hub.media.relays.link import RelayLink, relay_of
from camera_hub.media.relays.supervisor import COMMAND, RelaySupervisor, config_of, memory_limit
from camera_hub.media.rtsp_out.admission import PlayerAdmission
from camera_hub.media.rtsp_out.player_sessions import PlayerSessions
from camera_hub.media.rtsp_out.ports import RtspPorts
from camera_hub.media.rtsp_out.service import RtspOutService
from camera_hub.media.rtsp_out.session_register import StreamRegister
from camera_hub.media.rtsp_out.whep_players import WhepPlayers
from camera_hub.media.wall.audio import PageAudio
from camera_hub.media.wall.authorization import WatchAuthorization
from camera_hub.media.wall.page_connections import PageConnections
from camera_hub.media.wall.page_warming import PageWarming
from camera_hub.media.wall.pages import OpenPages
from camera_hub.media.wall.player_audio import PlayerAudio
from camera_hub.media.wall.reauthorization import Reauthorization
from camera_hub.media.wall.stream_selection import StreamSelection
from camera_hub.media.wall.tile_bindings import TileBindings
from camera_hub.media.wall.tile_reports import TileReports
from camera_hub.media.wall.tile_requests import TileRequests
from camera_hub.media.wall.tile_updates import TileUpdates
from camera_hub.media.wall.viewer_session import ViewerSessions
from camera_hub.media.wall.viewers import Viewers
from camera_hub.media.wall.whep import WhepViewers
from camera_hub.running import Backoff, keep_running, running
from camera_hub.settings import Settings
from camera_hub.store.database import Database

log = logging.getLogger(__name__)

_TICK = 1.0


@dataclass(frozen=True, slots=True)
class HelperCommands:
    """How relays and eyes are started; `eye` None: as the settings say."""

    relay: Sequence[str] = COMMAND
    eye: Sequence[str] | None = None
    spawn: Spawn = spawn_process


class MediaEngine:
    """An async context manager. Entering starts relays and eyes; leaving ends them and waits.

    Its attributes are the parts that other rooms are given.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        bus: EventBus,
        database: Database,
        sources: Sources,
        logins: LoginBudget,
        commands: HelperCommands = HelperCommands(),
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._background = background = Background()
        self._stack = AsyncExitStack()
        self._missed = False  # what an event changed could not be read
        self.links = links = [RelayLink(number) for number in range(settings.media.relays)]
        relay_for = partial(relay_of, relays=len(links))
        self.authorization = WatchAuthorization(database, clock)
        self._loop = LoopMeter(clock, cpu=time.thread_time)

        # Feeds
        desired = DesiredFeeds(settings.media.linger, settings.ingest.sessions_per_device)
        states = FeedStates(bus, clock)
        self._capacity = capacity = Capacity(links, desired, bus, clock, self._loop, settings.media.load_limit)
        key_frames = KeyFrames(partial(request_key_frames, links, desired))
        self._late = LateCameras(clock)
        self._feeds = Feeds(links, desired, states, key_frames, sources, clock, audio=settings.media.audio)
        feed_logins = FeedLogins(logins, desired, states)
        self._recovery = FeedRecovery(self._feeds, desired, states, feed_logins, sources, background, clock)
        self.cameras = CameraFeeds(self._feeds, states, self._late, sources, clock, relay_for, capacity)

        # Decoders
        self.eyes = DecoderPool(
            settings.eye,
            clock,
            commands.eye,
            lambda camera: bus.publish(CameraQuarantined(camera)),
            spawn=commands.spawn,
        )
        half = max(1, settings.eye.processes // 2)
        self.stills = Stills(clock, key_frames, self.eyes, background, at_once=half)
        self.moments = MomentPictures(self._feeds, states, key_frames, self.eyes, at_once=half)
        borrowing = FeedBorrowing(self._feeds, states, key_frames, sources, relay_for, capacity)
        self.looks = Looks(borrowing, self.cameras, self.eyes, clock)
        self.pictures = Pictures(settings.server.data_dir, database)
        self.prover = MediaProver(self.looks, self.pictures)
        trials = TrialStreams()
        borrowing = FeedBorrowing(self._feeds, states, key_frames, trials, relay_for, capacity)
        trial_looks = Looks(borrowing, self.cameras, self.eyes, clock)
        self.picture_fits = PictureFits(trials, trial_looks, self.eyes, self.pictures)

        # The wall
        sessions = ViewerSessions(len(links))
        pages = OpenPages()
        self.audio = PageAudio(settings.media, sessions, states, links, pages)
        updates = TileUpdates(pages, self.audio)
        self.known_streams = KnownStreams(sources, states, relay_for)
        selection = StreamSelection(self.known_streams, self._late, capacity)
        bindings = TileBindings(self._feeds, self.stills, links, updates)
        self.tiles = TileRequests(sessions, self.authorization, selection, bindings, updates, background, clock)
        self._tile_reports = TileReports(sessions, self.tiles, selection, updates, clock)
        self.viewers = Viewers(settings.media, sessions, links, pages, self.tiles, self.audio, clock)
        self._player_audio = PlayerAudio(settings.media, sessions, states, self._feeds, links)
        self.whep = WhepViewers(
            self.authorization, self.viewers, selection, self._player_audio, self.tiles, sessions, len(links)
        )
        self.pages = PageConnections(pages, sessions, self.viewers, updates, self.audio, links, clock)
        self.page_feeds = PageWarming(self.authorization, self.cameras, background, clock)
        self._reauthorization = Reauthorization(sessions, self.viewers, self.tiles, updates, self.authorization)

        # Players, by token
        self.stream_tokens = StreamTokens(database, clock, bus)
        self.admission = admission = PlayerAdmission(
            settings.media, self.stream_tokens, self.authorization, clock, capacity
        )
        self.players = PlayerSessions(admission, StreamRegister(database, clock), background, clock)
        self.rtsp_ports = RtspPorts(links, background, clock, admission.anybody_may_come)
        self._rtsp_out = RtspOutService(admission, self.players, sources, self._feeds, links, background)
        self.whep_players = WhepPlayers(self.players, self.whep, self.viewers, links)

        # Relays, whose reports reach all of the above
        feed_reports = FeedReports(
            self._feeds,
            states,
            key_frames,
            self._late,
            feed_logins,
            SourceFeedback(sources, background),
            on_change=self._tile_reports.on_feed_changed,
        )
        inbound = InboundMessages(
            [self._feeds.on_relay_started, self._rtsp_out.on_relay_started, self.rtsp_ports.on_relay_started],
            feed_reports,
            self._tile_reports,
            self.audio,
            self.viewers,
            self._rtsp_out,
            LoginPermits(logins, feed_logins, background),
        )
        launch = partial(helper, commands.relay, commands.spawn)
        self.relays = RelayFleet(
            [
                RelaySupervisor(
                    link,
                    config_of(settings, link.number),
                    clock,
                    inbound,
                    FeedPlan(desired, states),
                    memory_bytes=memory_limit(settings),
                    launch=launch,
                )
                for link in links
            ]
        )
        self.readings = MediaReadings(
            links,
            states,
            lambda: self.eyes.figures,
            {
                "feeds": lambda: len(desired),
                "viewers": lambda: len(sessions),
                "pages": lambda: len(pages),
                "dropped_news": lambda: pages.dropped,
                "warmed_pages": lambda: len(self.page_feeds),
                "dropped_warm": lambda: self.page_feeds.dropped,
                "stills": lambda: len(self.stills),
                "dropped_stills": lambda: self.stills.dropped,
                "failed_moments": lambda: self.moments.failed,
                "odd_messages": lambda: inbound.unreadable,
            },
            memory_limit(settings),
            capacity,
        )

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(running(self._loop.run(), "loop meter"))
            await stack.enter_async_context(self._background)
            await stack.enter_async_context(self.players)
            await stack.enter_async_context(self.relays)
            await stack.enter_async_context(self.eyes)  # not before: their imports would delay what viewers wait for
            subscription = stack.enter_context(
                self._bus.subscribe(AccessChanged, CameraChanged, DeviceChanged, StreamTokenChanged, VillageChanged)
            )
            following = keep_running(
                "media events", lambda: self._follow(subscription), clock=self._clock, backoff=Backoff(cap=5.0)
            )
            await stack.enter_async_context(running(following, "media events"))
            beat = Backoff(first=_TICK, cap=_TICK, floor=_TICK)
            sweeping = keep_running("media sweep", self._sweep, clock=self._clock, backoff=beat)
            await stack.enter_async_context(running(sweeping, "media sweep"))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _follow(self, subscription: Subscription) -> None:
        """What changed in other rooms concerns these parts. An event that met a failing database is not forgotten:
        everything is checked as soon as it can be read again."""
        if self._missed:
            await self._on_event(Lagged(1))
            self._missed = False
        async for event in subscription:
            self._missed = True
            await self._on_event(event)
            self._missed = False

    async def _on_event(self, event: Event) -> None:
        match event:
            case AccessChanged():
                await self._reauthorization.on_access_changed(event.user_id)
            case CameraChanged():
                await self._on_camera_changed(event.camera_id)
            case StreamTokenChanged():
                await self.players.on_tokens_changed()
                await self.rtsp_ports.update()
            case DeviceChanged():
                self.known_streams.on_device_changed(event.device_id)
                self.cameras.on_device_changed(event.device_id)
                self._recovery.on_device_changed(event.device_id)
            case VillageChanged():
                self.known_streams.on_village_changed(event.village_id)
            case Lagged():
                self.known_streams.on_events_lost()
                self.cameras.on_events_lost()
                await self._reauthorization.on_events_lost()
                await self.players.on_events_lost()

    async def _on_camera_changed(self, camera_id: int) -> None:
        self.known_streams.on_camera_changed(camera_id)
        self.cameras.on_camera_changed(camera_id)
        if not await self._reauthorization.on_camera_changed(camera_id):
            self._feeds.drop_camera(camera_id)
        await self.players.on_camera_changed(camera_id)

    async def _sweep(self) -> None:
        """Each second; what asks the database comes last, so that its failure holds up nothing else."""
        self._capacity.observe()
        self._tile_reports.sweep()
        self.audio.sweep()
        self._player_audio.sweep()
        self._feeds.sweep()
        self._late.sweep()
        self._recovery.sweep()
        self.cameras.sweep()
        self.page_feeds.sweep()
        await self.viewers.sweep()
        await self.players.sweep()
        await self.rtsp_ports.sweep()
