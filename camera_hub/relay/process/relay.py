"""The relay: does what the hub says over the pipe, and tells it what becomes of feeds, viewers and tracks."""

import asyncio
import logging
import os
import resource
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import Any

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.relay.fanout.gso import gso_works
from camera_hub.relay.ingest.admission import AdmissionControl
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.ingest.login_permits import LoginPermitRequests
from camera_hub.relay.messages import (
    AudioState,
    FeedPhase,
    FeedSpec,
    FeedState,
    KeyFrame,
    LinkState,
    LoginMay,
    RelayConfig,
    TrackState,
    ViewerState,
)
from camera_hub.relay.peer.tile_switch import TileSwitch
from camera_hub.relay.peer.viewer import Viewer
from camera_hub.relay.process.gc_control import GcControl
from camera_hub.relay.process.health import Lag, rss_bytes
from camera_hub.relay.process.outbox import HubOutbox
from camera_hub.relay.process.totals import Totals
from camera_hub.relay.rtsp_server.feed_access import FeedAccess
from camera_hub.relay.rtsp_server.server import RtspServer
from camera_hub.relay.webrtc.answer import machine_addresses, usable_addresses
from camera_hub.relay.webrtc.dtls import Certificate
from camera_hub.relay.webrtc.offer import read_offer
from camera_hub.relay.webrtc.udp_port import UdpPort
from camera_hub.running import ended, running
from camera_hub.wire import Pipe, PipeFrame

log = logging.getLogger(__name__)

MAX_FEEDS = 4096
CERTIFICATE_LIFE = 24 * 3600.0
SYNC_EVERY = 2.0
"""Seconds between two wishes for a synchronization point of one feed."""


class Relay:
    """`run` serves one pipe until it closes."""

    def __init__(self, pipe: Pipe, clock: Clock) -> None:
        self._pipe = pipe
        self._clock = clock
        self._began = clock.monotonic()
        self._outbox = HubOutbox(pipe, clock)
        self._stack = AsyncExitStack()
        self._config = RelayConfig()
        self._permits = LoginPermitRequests(self._outbox.post, asks=False)
        self._gate = AdmissionControl(self._config.opens_per_village, self._config.opens_at_once, self._permits, clock)
        self._configured = False
        self._port: UdpPort | None = None
        self._port_life = AsyncExitStack()
        self._lag = Lag(clock)
        self._garbage = GcControl(clock)
        self._rtsp: RtspServer | None = None
        self._gso = False
        self._certificate: Certificate | None = None
        self._feeds: dict[str, Feed] = {}
        self._viewers: dict[str, tuple[Viewer, asyncio.Task[str]]] = {}
        self._totals = Totals()
        self._sync_asked: dict[str, float] = {}
        self._handlers: dict[str, Callable[[PipeFrame], Awaitable[dict[str, Any]]]] = {
            "configure": self._configure,
            "port.open": self._port_open,
            "port.close": self._port_close,
            "feed.open": self._feed_open,
            "feed.close": self._feed_close,
            "feed.keys": self._feed_keys,
            "viewer.offer": self._viewer_offer,
            "viewer.close": self._viewer_close,
            "track.show": self._track_show,
            "audio.listen": self._audio_listen,
            "viewer.figures": self._viewer_figures,
            "login.may": self._login_may,
            "pulse": self._pulse,
            "figures": self._figures,
            "rtsp.listen": self._rtsp_listen,
            "rtsp.end": self._rtsp_end,
        }

    async def run(self) -> None:
        """Serve until the hub closes the pipe; then end every feed and viewer."""
        telling = asyncio.create_task(self._outbox.run(), name="outbox")
        async with self._stack, running(self._lag.run(), "loop lag"), running(self._garbage.run(), "garbage"):
            try:
                while not telling.done():
                    frame = await self._pipe.receive()
                    if frame is None:
                        return
                    await self._handle(frame)
            finally:
                await ended(telling)
                for name in list(self._viewers):
                    await self._close_viewer(name)
                for feed in list(self._feeds.values()):
                    await feed.stop()

    async def _handle(self, frame: PipeFrame) -> None:
        """Do what one message says. Whatever is wrong with it is the answer, never the end of the relay."""
        try:
            handler = self._handlers.get(frame.type)
            if handler is None:
                raise HubError(Kind.INVALID, f"the relay knows no message {frame.type[:40]!r}")
            if not self._configured and frame.type != "configure":
                raise HubError(Kind.CONFLICT, "the relay is not configured yet")
            answer = await handler(frame)
        except (KeyError, TypeError, ValueError) as error:
            await self._refuse(frame, HubError(Kind.INVALID, f"{frame.type}: {type(error).__name__}: {error}"))
        except HubError as error:
            await self._refuse(frame, error)
        except Exception:  # one bad message must not take every picture with it
            log.exception("%s failed unexpectedly", frame.type)
            await self._refuse(frame, HubError(Kind.INTERNAL, f"{frame.type} failed in the relay; its log says why"))
        else:
            if "id" in frame.head:
                await self._pipe.reply(frame, answer)

    async def _refuse(self, frame: PipeFrame, error: HubError) -> None:
        if "id" in frame.head:
            await self._pipe.refuse(frame, error)
        else:
            log.warning("%s refused: %s", frame.type, error)

    async def _configure(self, frame: PipeFrame) -> dict[str, Any]:
        if self._configured:
            raise HubError(Kind.CONFLICT, "the relay is configured already")
        head = {**frame.head, "announced_addresses": tuple(frame.head.get("announced_addresses", ()))}
        self._config = config = RelayConfig.of(head)
        self._permits = LoginPermitRequests(self._outbox.post, asks=config.asks_logins)
        self._gate = AdmissionControl(config.opens_per_village, config.opens_at_once, self._permits, self._clock)
        self._certificate = Certificate(self._clock.monotonic())
        self._gso = gso_works()
        way_in = FeedAccess(self._pipe, self._outbox, self._feeds, self._gate, self._want_key)
        self._rtsp = await self._stack.enter_async_context(RtspServer(way_in, config, self._clock))
        await self._stack.enter_async_context(self._port_life)
        if not config.standby:
            await self._port_open(frame)
        self._configured = True
        return {"udp_port": self._port.number if self._port is not None else config.udp_port, "gso": self._gso}

    async def _port_open(self, frame: PipeFrame) -> dict[str, Any]:
        if self._port is not None:
            raise HubError(Kind.CONFLICT, "the relay has its port already")
        self._port = await self._port_life.enter_async_context(UdpPort(self._config.udp_host, self._config.udp_port))
        return {"udp_port": self._port.number}

    async def _port_close(self, frame: PipeFrame) -> dict[str, Any]:
        self._port = None
        for name in list(self._viewers):
            await self._close_viewer(name, "replaced")
        await self._port_life.aclose()
        if self._rtsp is not None:
            await self._rtsp.listen(False)
        return {}

    async def _feed_open(self, frame: PipeFrame) -> dict[str, Any]:
        try:
            spec = FeedSpec.of(frame.head)
        except HubError as error:  # nobody waits for the reply of this message: it is the state that says it
            name = str(frame.head["feed"])
            self._tell_feed(FeedState(name, FeedPhase.FAILED, reason=error.reason, detail=error.detail, final=True))
            raise
        feed = self._feeds.get(spec.feed)
        if feed is not None:
            if feed.spec != spec or feed.state.final:
                await feed.reopen(spec)
            else:
                self._tell_feed(feed.state)
            return {}
        if len(self._feeds) >= MAX_FEEDS:
            raise HubError(Kind.BUSY, f"the relay pulls {MAX_FEEDS} feeds already")
        feed = Feed(
            spec,
            self._config,
            self._clock,
            self._gate,
            report=self._tell_feed,
            on_key=self._tell_key,
            wants_key=self._want_key,
        )
        self._feeds[spec.feed] = feed
        for tile in self._tiles():
            if tile.wanted == spec.feed:
                tile.join(feed)
        for viewer, _ in self._viewers.values():
            if viewer.ear is not None and viewer.ear.wanted == spec.feed:
                viewer.ear.join(feed)
        if self._rtsp is not None:
            self._rtsp.feed_opened(feed)
        feed.start()
        return {}

    async def _feed_close(self, frame: PipeFrame) -> dict[str, Any]:
        feed = self._feeds.pop(str(frame.head["feed"]), None)
        if feed is not None:
            self._sync_asked.pop(feed.name, None)
            await feed.stop()
        return {}

    async def _feed_keys(self, frame: PipeFrame) -> dict[str, Any]:
        every = frame.head["every"]
        self._feed(frame).tap(None if every is None else float(every))
        return {}

    async def _login_may(self, frame: PipeFrame) -> dict[str, Any]:
        self._permits.heard(LoginMay.of(frame.head))
        return {}

    async def _viewer_offer(self, frame: PipeFrame) -> dict[str, Any]:
        name = str(frame.head["viewer"])
        if self._port is None:
            raise HubError(Kind.UNAVAILABLE, "another relay process has the port; try again in a second")
        assert self._certificate is not None
        offer = read_offer(str(frame.head["sdp"]), audio=bool(frame.head.get("audio", False)))
        if all(section.types is None for section in offer.sections):
            raise HubError(Kind.UNSUPPORTED, "this browser offers no H.264", reason="no_h264")
        if self._clock.monotonic() - self._certificate.made > CERTIFICATE_LIFE:
            self._certificate = Certificate(self._clock.monotonic())
        await self._close_viewer(name, "replaced")
        if len(self._viewers) >= self._config.max_viewers:
            raise HubError(
                Kind.BUSY, f"{self._config.max_viewers} viewers are connected already; close one", reason="busy"
            )
        viewer = Viewer(
            name,
            offer,
            self._port,
            self._certificate,
            self._config,
            self._clock,
            gso=self._gso,
            tell_viewer=self._tell_viewer,
            tell_link=self._tell_link,
            tell_track=self._tell_track,
            tell_audio=self._tell_audio,
            wants_key=self._want_key,
        )
        task = asyncio.create_task(viewer.run(), name=f"viewer {name}")
        self._viewers[name] = (viewer, task)
        task.add_done_callback(lambda done: self._viewer_ended(name, done))
        await asyncio.sleep(0)  # it has begun: cancelled before its first step, it would never leave port and feeds
        addresses = usable_addresses(self._config.announced_addresses, machine_addresses(), ipv6=self._port.ipv6)
        answer = viewer.answer(addresses)
        return {"sdp": answer.sdp, "tracks": answer.tracks, "codecs": answer.codecs}

    async def _viewer_close(self, frame: PipeFrame) -> dict[str, Any]:
        await self._close_viewer(str(frame.head["viewer"]))
        return {}

    async def _track_show(self, frame: PipeFrame) -> dict[str, Any]:
        head = frame.head
        found = self._viewers.get(str(head["viewer"]))
        number, serial = int(head["track"]), int(head["serial"])
        if found is None or not 0 <= number < len(found[0].tiles):
            raise HubError(Kind.NOT_FOUND, "no such viewer or track")
        name = None if head.get("feed") is None else str(head["feed"])
        feed = self._feeds.get(name) if name is not None else None
        found[0].tiles[number].show(name, feed, serial, hold=bool(head.get("hold", False)))
        if feed is not None:
            self._gate.watched(feed.spec)
        return {}

    async def _audio_listen(self, frame: PipeFrame) -> dict[str, Any]:
        head = frame.head
        found = self._viewers.get(str(head["viewer"]))
        if found is None or (ear := found[0].ear) is None:
            raise HubError(Kind.NOT_FOUND, "no such viewer, or one without sound")
        name = None if head.get("feed") is None else str(head["feed"])
        ear.listen(name, self._feeds.get(name) if name is not None else None, int(head["serial"]))
        return {}

    async def _pulse(self, frame: PipeFrame) -> dict[str, Any]:
        return {"rss_bytes": rss_bytes(), "loop_lag_p50": self._lag.median, "loop_lag_max": self._lag.longest}

    async def _viewer_figures(self, frame: PipeFrame) -> dict[str, Any]:
        found = self._viewers.get(str(frame.head["viewer"]))
        if found is None:
            raise HubError(Kind.NOT_FOUND, "no such viewer")
        figures = found[0].read_figures()
        shown = {tile.wanted for tile in found[0].tiles}.union(frame.head["feeds"])
        feeds = {name: feed.read_figures() for name, feed in self._feeds.items() if name in shown}
        return {"at": self._clock.monotonic(), "viewer": figures, "feeds": feeds}

    async def _rtsp_listen(self, frame: PipeFrame) -> dict[str, Any]:
        assert self._rtsp is not None
        return asdict(await self._rtsp.listen(bool(frame.head["listen"])))

    async def _rtsp_end(self, frame: PipeFrame) -> dict[str, Any]:
        assert self._rtsp is not None
        self._rtsp.end(str(frame.head["session"]), str(frame.head["reason"]))
        return {}

    async def _figures(self, frame: PipeFrame) -> dict[str, Any]:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        assert self._rtsp is not None
        viewers = {name: viewer.read_figures() for name, (viewer, _) in self._viewers.items()}
        return {
            "relay": {
                "pid": os.getpid(),
                "cpu_seconds": usage.ru_utime + usage.ru_stime,
                "rss_bytes": rss_bytes(),
                "loop_lag_p50": self._lag.median,
                "loop_lag_max": self._lag.longest,
                "rss_max_bytes": usage.ru_maxrss * 1024,
                "uptime": self._clock.monotonic() - self._began,
                "gso": self._gso,
                "udp_port": self._port.number if self._port is not None else None,
                "datagrams": dict(self._port.counts) if self._port is not None else {},
                "tasks": len(asyncio.all_tasks()),
                **self._outbox.read_figures(),
                **self._totals.read(viewers.values()),
                **self._rtsp.read_totals(),
            },
            "feeds": {name: feed.read_figures() for name, feed in self._feeds.items()},
            "viewers": viewers,
            "rtsp": self._rtsp.read_figures(),
        }

    def _feed(self, frame: PipeFrame) -> Feed:
        feed = self._feeds.get(str(frame.head["feed"]))
        if feed is None:
            raise HubError(Kind.NOT_FOUND, "no such feed")
        return feed

    def _tiles(self) -> list[TileSwitch]:
        return [tile for viewer, _ in self._viewers.values() for tile in viewer.tiles]

    async def _close_viewer(self, name: str, reason: str = "closed") -> None:
        """End a viewer if it is there, and say why."""
        found = self._viewers.pop(name, None)
        if found is not None:
            await ended(found[1])
            self._gone(found[0])
            self._tell_viewer(ViewerState(name, "closed", reason))

    def _gone(self, viewer: Viewer) -> None:
        viewer.leave()  # again: it may have been pointed at a feed in the turn in which it ended
        self._totals.leave(viewer.read_figures())
        self._garbage.left()

    def _viewer_ended(self, name: str, task: asyncio.Task[str]) -> None:
        """A viewer ended by itself; one that we closed has left the list already."""
        found = self._viewers.get(name)
        if found is None or found[1] is not task:
            return
        del self._viewers[name]
        self._gone(found[0])
        reason = "closed"
        if not task.cancelled():
            if (error := task.exception()) is not None:
                log.error("viewer %s failed unexpectedly", name, exc_info=error)
                reason = "internal"
            else:
                reason = task.result()
        self._tell_viewer(ViewerState(name, "closed", reason))

    def _want_key(self, feed: str) -> None:
        """Someone waits for this feed's key frame: let the hub ask the camera for one."""
        now = self._clock.monotonic()
        if now - self._sync_asked.get(feed, -SYNC_EVERY) >= SYNC_EVERY:
            self._sync_asked[feed] = now
            self._outbox.post({"type": "sync.wanted", "feed": feed})

    def _tell_feed(self, state: FeedState) -> None:
        self._outbox.post(state.head("feed.state"))

    def _tell_key(self, head: KeyFrame, body: bytes) -> None:
        self._outbox.post(head.head("key_frame"), body)

    def _tell_viewer(self, state: ViewerState) -> None:
        self._outbox.post(state.head("viewer.state"))

    def _tell_link(self, state: LinkState) -> None:
        self._outbox.post(state.head("viewer.link"))

    def _tell_track(self, state: TrackState) -> None:
        self._outbox.post(state.head("track.state"))

    def _tell_audio(self, state: AudioState) -> None:
        self._outbox.post(state.head("audio.state"))
