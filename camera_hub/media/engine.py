"""Media: everything the rooms above may ask of video, put together."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Self

from camera_hub.access.policy import Actor
from camera_hub.access.stream_tokens import StreamTokens
from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import (
    AccessChanged,
    CameraChanged,
    CameraQuarantined,
    DeviceChanged,
    EventBus,
    Lagged,
    StreamTokenChanged,
    Subscription,
)
from camera_hub.media.background import Background
from camera_hub.media.child_process import Spawn, spawn_process
from camera_hub.media.decoders.looks import Looks, MediaProver, Wish
from camera_hub.media.decoders.pictures import Pictures
from camera_hub.media.decoders.pool import DecoderPool
from camera_hub.media.decoders.stills import Stills
from camera_hub.media.feeds.desired_state import FeedKey, relay_of
from camera_hub.media.feeds.feeds import Feeds
from camera_hub.media.feeds.login_permits import LoginPermits
from camera_hub.media.interface import LookOutcome, OfferAnswer, Present, Quality, Sources, TileWish
from camera_hub.media.readings import FeedReading, Readings, RelayReading, TileReading
from camera_hub.media.relays.inbound import InboundMessages
from camera_hub.media.relays.supervisor import COMMAND, RelaySupervisor, config_of, memory_limit
from camera_hub.media.rtsp_out.service import RtspOutService
from camera_hub.media.wall.audio import PageAudio
from camera_hub.media.wall.authorization import watchable
from camera_hub.media.wall.pages import OpenPages, PageOutbox
from camera_hub.media.wall.reauthorization import Reauthorization
from camera_hub.media.wall.stream_selection import choose_stream
from camera_hub.media.wall.tile_state import FeedNews, TileSlot
from camera_hub.media.wall.viewers import Viewers
from camera_hub.relay.messages import FeedPhase
from camera_hub.running import Backoff, keep_running, running
from camera_hub.settings import Settings
from camera_hub.store.database import Database

log = logging.getLogger(__name__)

_TICK = 1.0
_WARMED_AT_ONCE = 4
_BROWSER_CODECS = frozenset({"h264"})
"""What every browser takes; warming must open the stream that a tile will ask for."""


class MediaEngine:
    """An async context manager. Entering starts relays and eyes; leaving ends them and waits."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        bus: EventBus,
        database: Database,
        sources: Sources,
        *,
        logins: LoginBudget | None = None,
        relay_command: Sequence[str] = COMMAND,
        eye_command: Sequence[str] | None = None,
        spawn: Spawn = spawn_process,
    ) -> None:
        self.epoch = secrets.token_hex(8)
        self.settings = settings
        self.clock = clock
        self.bus = bus
        self.database = database
        self._sources = sources
        self._background = Background()
        self._pages = OpenPages()
        logins = logins or LoginBudget(clock)  # without one, tries are counted for this run alone
        self._feeds = Feeds(
            sources,
            clock,
            bus,
            self._background,
            logins,
            linger=settings.media.linger,
            audio=settings.media.audio,
            sessions_per_device=settings.ingest.sessions_per_device,
            on_news=self._feed_news,
        )
        tokens = StreamTokens(database, clock, bus)
        self.rtsp_out = RtspOutService(settings.media, clock, database, sources, self._feeds, self._background, tokens)
        self.eyes = DecoderPool(
            settings.eye, clock, eye_command, lambda camera: bus.publish(CameraQuarantined(camera)), spawn=spawn
        )
        self.stills = Stills(
            clock,
            self._feeds,
            self.eyes,
            self._background,
            at_once=max(1, settings.eye.processes // 2),
            on_still=lambda key: self._viewers.heard_still(key),
        )
        self._viewers = Viewers(
            settings.media, clock, database, sources, self._feeds, self.stills, self._pages, self._background
        )
        self.listening = PageAudio(settings.media, self._viewers, self._feeds, self._pages)
        self._dispatch = InboundMessages(
            bus, self._feeds, self._viewers, self.listening, self.rtsp_out, LoginPermits(logins, self._background)
        )
        self._feeds.relays = [
            RelaySupervisor(
                number,
                config_of(settings, number),
                clock,
                self._dispatch,
                memory_bytes=memory_limit(settings),
                command=relay_command,
                spawn=spawn,
            )
            for number in range(settings.media.relays)
        ]
        self._rejudging = Reauthorization(self._viewers, database, clock)
        self.pictures = Pictures(settings.server.data_dir, database)
        self._looks = Looks(sources, clock, self._feeds, self.eyes)
        self.prover = MediaProver(self._looks, self.pictures)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._background)
            await stack.enter_async_context(self.rtsp_out)
            for relay in self._feeds.relays:
                relay.begin()
                stack.push_async_exit(relay)
            for relay in self._feeds.relays:
                await stack.enter_async_context(relay)
            await stack.enter_async_context(self.eyes)  # not before: their imports would delay what viewers wait for
            subscription = stack.enter_context(
                self.bus.subscribe(AccessChanged, CameraChanged, DeviceChanged, StreamTokenChanged)
            )
            listening = keep_running("media events", lambda: self._listen(subscription), clock=self.clock)
            await stack.enter_async_context(running(listening, "media events"))
            beat = Backoff(first=_TICK, cap=_TICK, floor=_TICK)
            sweeping = keep_running("media sweep", self._sweep, clock=self.clock, backoff=beat)
            await stack.enter_async_context(running(sweeping, "media sweep"))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    # For pages

    @property
    def relay_epochs(self) -> dict[int, int]:
        """Relay → how many processes it has had; a page whose relay's number grew offers again."""
        return {relay.number: relay.epoch for relay in self._feeds.relays}

    @asynccontextmanager
    async def page(self, page: str, actor: Actor) -> AsyncIterator[PageOutbox]:
        """The page's WebSocket for the length of the block: iterate the outbox for its news, all tiles first."""
        outbox = self._pages.open(page, actor.user_id)
        if any(viewer.actor.user_id != actor.user_id for viewer in self._viewers.of_page(page)):
            self.sign_out(page)
        self._viewers.tell_tiles(page)
        self.listening.tell(page)
        try:
            yield outbox
        finally:
            self._pages.leave(page, outbox, self.clock.monotonic())

    def sign_out(self, page: str) -> None:
        """The session that the page was opened in has ended: so do its pictures and its sound, at once."""
        self._viewers.close_all(self._viewers.of_page(page), "signed_out")
        self.listening.forget(page)

    def viewers_of(self, page: str) -> list[str]:
        """Viewers of the page that still stand."""
        return [viewer.id for viewer in self._viewers.of_page(page)]

    async def offer(self, actor: Actor, page: str | None, relay: int, sdp: str, *, first: int = 0) -> OfferAnswer:
        """Answer a browser's offer. Raises HubError: BUSY, NOT_FOUND, UNAVAILABLE, INVALID (the SDP)."""
        return await self._viewers.offer(actor, page, relay, sdp, first=first)

    async def close_viewer(self, viewer: str, actor: Actor) -> None:
        """Close a viewer of the actor's. Raises HubError(NOT_FOUND)."""
        await self._viewers.close(viewer, actor)

    async def viewer_figures(self, viewer: str, actor: Actor) -> list[TileReading]:
        """What is measured of the tiles of a viewer of the actor's. Raises HubError(NOT_FOUND, UNAVAILABLE)."""
        return await self._viewers.figures(viewer, actor)

    async def show(self, page: str | None, wish: TileWish) -> None:
        """Put a camera into a tile, or empty it; what becomes of it is told to the page as Tile."""
        self._viewers.show(page, wish)

    async def offer_camera(self, actor: Actor, camera_id: int, sdp: str, present: Present) -> OfferAnswer:
        """A viewer of one camera without a page (WHEP), which ends with its session: `present` is asked each second.

        Raises HubError when the camera cannot be watched or shown.
        """
        facts = await watchable(self.database, actor, camera_id)
        relay = relay_of(facts.village_id, len(self._feeds.relays))
        answered = await self._viewers.offer(actor, None, relay, sdp, present)
        try:  # the refusal belongs into the answer
            await self._sources.choose(camera_id, "auto", frozenset(answered.codecs))
        except HubError:
            await self._viewers.close(answered.viewer, actor)
            raise
        self._viewers.show(None, TileWish(answered.viewer, 0, 1, camera_id))
        return answered

    # For health, tours and pictures

    async def look(
        self,
        camera_id: int,
        *,
        scores: bool = False,
        previous: str | None = None,
        jpeg: bool = True,
        max_width: int = 0,
        quality: Quality = "sub",
        deadline: float = 15.0,
    ) -> LookOutcome:
        """One key frame of the camera: picture, scores, delays. Never raises for a sick camera."""
        wish = Wish(camera_id, quality, jpeg, max_width, scores, previous)
        return await self._looks.look(wish, deadline)

    async def warm(self, camera_ids: Sequence[int], holder: str, seconds: float) -> None:
        """Keep the tile streams of these cameras running for `seconds`. Those that cannot run are left out."""
        until = self.clock.monotonic() + seconds
        slots = asyncio.Semaphore(_WARMED_AT_ONCE)

        async def one(camera_id: int) -> None:
            async with slots:
                try:
                    chosen, _ = await choose_stream(self._sources, TileSlot(0, camera_id=camera_id), _BROWSER_CODECS)
                except HubError as error:
                    log.info("camera %d is not warmed for %s: %s", camera_id, holder, error)
                    return
                relay = relay_of(chosen.village_id, len(self._feeds.relays))
                self._feeds.hold(relay, chosen, f"warm {holder}", until)

        async with asyncio.TaskGroup() as tasks:
            for camera_id in dict.fromkeys(camera_ids):
                tasks.create_task(one(camera_id), name=f"warm camera {camera_id}")

    def feed_reason(self, camera_id: int) -> tuple[str, str | None] | None:
        """(phase, reason) of the camera's running feed, the best one if there are two; None when none runs."""
        for key in self._feeds.of_camera(camera_id):
            if (news := self._feeds.news(key)) is not None:
                rests = news.state.phase is FeedPhase.LIVE and self._feeds.rests(camera_id)
                return news.state.phase.value, Reason.LATE if rests else news.reason
        return None

    async def restart_relay(self, number: int) -> int:
        """Let a fresh process take a relay over, pictures going on meanwhile; answers its new epoch.

        Raises HubError: NOT_FOUND, UNAVAILABLE (it is down), or why the fresh one could not start.
        """
        if not 0 <= number < len(self._feeds.relays):
            raise HubError(Kind.NOT_FOUND, f"there is no relay {number}")
        relay = self._feeds.relays[number]
        await relay.replace()
        return relay.epoch

    async def figures(self) -> dict[str, Any]:
        """For /api/system."""
        limit = memory_limit(self.settings)
        relays = [
            {"relay": relay.number, "epoch": relay.epoch, "up": relay.up, "port": relay.port, "pid": relay.pid}
            | {"rss_bytes": relay.figures.get("relay", {}).get("rss_bytes"), "memory_limit_bytes": limit}
            | {key: value for key, value in relay.figures.get("relay", {}).items() if _is_told(key, value)}
            for relay in self._feeds.relays
        ]
        return {
            "feeds": len(self._feeds),
            "viewers": len(self._viewers),
            "pages": len(self._pages),
            "dropped_news": self._pages.dropped,
            "stills": len(self.stills),
            "dropped_stills": self.stills.dropped,
            "odd_messages": self._dispatch.odd_messages,
            "relays": relays,
            "eyes": [self.eyes.figures],
        }

    def readings(self) -> Readings:
        """All that is measured, as of the relays' last pulses."""
        relays, feeds = [], []
        for relay in self._feeds.relays:
            values = relay.figures if relay.up else {}
            relays.append(
                RelayReading(
                    relay.number, relay.epoch, relay.up, len(values.get("viewers", {})), values.get("relay", {})
                )
            )
            for name, figures in values.get("feeds", {}).items():
                key = FeedKey.of(relay.number, name)
                if key is not None and (about := self._feeds.about(key)) is not None:
                    feeds.append(FeedReading(relay.number, about.camera_id, about.role, figures))
        return Readings(relays, feeds, self.eyes.figures)

    # What is heard

    def _feed_news(self, key: FeedKey, news: FeedNews) -> None:
        self._viewers.heard_feed(key, news)

    async def _listen(self, subscription: Subscription) -> None:
        async for event in subscription:
            match event:
                case AccessChanged():
                    await self._rejudging.access_changed(event.user_id)
                case CameraChanged():
                    if not await self._rejudging.camera_changed(event.camera_id):
                        self._feeds.drop_camera(event.camera_id)
                    await self.rtsp_out.camera_changed(event.camera_id)
                case StreamTokenChanged():
                    await self.rtsp_out.tokens_changed()
                case DeviceChanged():
                    self._feeds.device_changed(event.device_id)
                case Lagged():
                    await self._rejudging.everything()
                    await self.rtsp_out.judge_all()

    async def _sweep(self) -> None:
        self._viewers.sweep()
        self.listening.sweep()
        await self._rejudging.sessions()
        await self.rtsp_out.sweep()
        self._feeds.sweep()


def _is_told(key: str, value: object) -> bool:
    """Whether a person reads it; the sums of what was sent are for /metrics, whose reader makes rates of them."""
    plain = value is None or isinstance(value, str | int | float)
    return plain and not key.startswith("sent_") and key != "udp_port"  # which is told as `port`
