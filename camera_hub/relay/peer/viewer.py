"""One browser peer: its handshake, its tracks, its pacer, its end. Read `run` from top to bottom."""

import asyncio
import itertools
import random
from dataclasses import asdict, dataclass
from typing import Any

from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.relay.fanout.interface import Fanout, PeerSender
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.ingest.frame import Frame
from camera_hub.relay.messages import (
    FeedPhase,
    LinkLevel,
    LinkState,
    RelayConfig,
    TrackState,
    ViewerAnswer,
    ViewerState,
)
from camera_hub.relay.peer.audio_listener import AudioListener
from camera_hub.relay.peer.audio_track import AudioTrack
from camera_hub.relay.peer.events import ViewerEvents
from camera_hub.relay.peer.pacer import BURST, REPLAY_PAUSE_STEP, ReplayPause, TokenBucket, next_track
from camera_hub.relay.peer.repair_budget import RepairBudget
from camera_hub.relay.peer.thinning import Thinning
from camera_hub.relay.peer.tile_switch import TileSwitch
from camera_hub.relay.peer.track import Track
from camera_hub.relay.sender_report import sender_report
from camera_hub.relay.webrtc import rtcp
from camera_hub.relay.webrtc.answer import Ssrcs, Transport, write_answer
from camera_hub.relay.webrtc.dtls import Certificate, Dtls
from camera_hub.relay.webrtc.ice import IcePeer
from camera_hub.relay.webrtc.offer import Offer
from camera_hub.relay.webrtc.udp_port import UdpPort
from camera_hub.running import ended, running, to_beat

JUDGE_EVERY = 1.0
SECONDS_PER_REPORT = 2
REPORTS_AT_ONCE = 20
"""Sender reports in one compound packet; each is 48 bytes with its name."""
CONSENT_SECONDS = 30.0
"""Without a binding request for so long the browser has gone (RFC 7675)."""


@dataclass(frozen=True, slots=True)
class PeerEnvironment:
    """What all viewers of a relay share."""

    port: UdpPort
    fanout: Fanout
    certificate: Certificate
    config: RelayConfig
    clock: Clock


class _Unconnected:
    """Stands for the sender of a viewer that is not connected: accepts nothing."""

    blocked = True

    def send(self, *_: object) -> int:
        return 0

    def send_one(self, *_: object) -> int:
        return 0

    def batch_stream(self, *_: object) -> None:
        return None


class Viewer:
    """State of one peer. `run` lives as long as the peer; the relay runs it as a task."""

    def __init__(self, name: str, offer: Offer, environment: PeerEnvironment, events: ViewerEvents) -> None:
        self.name = name
        self._offer = offer
        self._events = events
        self._port = environment.port
        self._fanout = environment.fanout
        self._certificate = environment.certificate
        self._config = environment.config
        self._clock = clock = environment.clock
        self._ice = IcePeer(self._port, offer.ufrag, clock.monotonic, self._on_route_changed)
        self._dtls = Dtls(self._ice, self._certificate)
        self._bucket = TokenBucket(self._config.pacer_rate)
        self._replay_pause = ReplayPause()
        self._repair = RepairBudget()
        self._awake = asyncio.Event()
        self._sender: PeerSender | None = None
        self._pacer_waits = 0
        types = [section.types for section in offer.sections if section.types is not None]
        ssrcs = iter(random.sample(range(1, 1 << 32), 2 * len(types) + 1))  # all different: one key protects them all
        self.tiles = [
            TileSwitch(self, number, one, _Unconnected(), clock.monotonic, ssrcs=(next(ssrcs), next(ssrcs)))
            for number, one in enumerate(types)
        ]
        self._tracks = {tile.track.ssrc: tile.track for tile in self.tiles}
        self._audio = next((section for section in offer.sections if section.audio is not None), None)
        self.listener: AudioListener | None = None
        if self._audio is not None and self._audio.audio is not None:
            self.listener = AudioListener(
                name,
                self._audio.audio,
                _Unconnected(),
                next(ssrcs),
                on_sent=self._on_audio_sent,
                on_state=events.on_audio_state,
            )
        self._thinning = Thinning([tile.track for tile in self.tiles], self._bucket, self._repair, self._on_link_level)

    def answer(self, addresses: tuple[str, ...]) -> ViewerAnswer:
        """The reply to the browser's offer."""
        numbered = list(enumerate(self._offer.sections))
        videos = [number for number, section in numbered if section.types is not None]
        ssrcs = {
            number: Ssrcs(tile.track.ssrc, tile.track.rtx_ssrc) for number, tile in zip(videos, self.tiles, strict=True)
        }
        if self.listener is not None:
            ssrcs |= {number: Ssrcs(self.listener.track.ssrc, None) for number, one in numbered if one is self._audio}
        transport = Transport(
            self._ice.ufrag, self._ice.password, self._certificate.fingerprint, addresses, self._port.number
        )
        sdp = write_answer(self._offer, transport, ssrcs, random.getrandbits(62))
        return ViewerAnswer(sdp, len(self.tiles), self._offer.codecs, self.listener is not None)

    async def run(self) -> str:
        """From the first ICE check to the end; returns the reason. The relay cancels it to close the viewer."""
        try:
            async with asyncio.timeout(self._config.connect_timeout):
                await self._ice.selected.wait()
                await self._dtls.start(self._offer.fingerprints)
            self._connect()
            return await self._serve()
        except TimeoutError:
            return "reaped"
        except HubError as error:
            return error.reason
        finally:
            self.leave()
            await self._dtls.stop()

    def leave(self) -> None:
        """Unsubscribe from every feed. Idempotent."""
        for tile in self.tiles:
            tile.leave()
        if self.listener is not None:
            self.listener.leave()

    def _connect(self) -> None:
        self._sender = self._fanout.peer_sender(self._ice, self._dtls.sending_session, self._leave_in_step)
        self._dtls.receive_reports(self._clock, self._on_reports)
        self._events.on_viewer_state(ViewerState(self.name, "connected"))
        for tile in self.tiles:
            tile.track.connect(self._sender)
        if self.listener is not None:
            self.listener.track.connect(self._sender)
        self.on_feed_changed()

    async def _serve(self) -> str:
        name = f"viewer {self.name}"
        closed = asyncio.create_task(self._dtls.closed.wait(), name=f"{name} end")
        try:
            async with (
                running(self._pace(), f"{name} pacer") as pace,
                running(self._report(), f"{name} reports") as reports,
            ):
                await asyncio.wait([pace, reports, closed], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await ended(closed)
        return "gone"

    def feed_opened(self, feed: Feed) -> None:
        """A feed has been opened: subscribe what waits for it."""
        for tile in self.tiles:
            if tile.wanted == feed.name:
                tile.join(feed)
        if self.listener is not None and self.listener.wanted == feed.name:
            self.listener.join(feed)

    def on_track_state(self, state: TrackState) -> None:
        """A tile reports what it shows."""
        self._events.on_track_state(state)

    def on_feed_changed(self) -> None:
        """Something may wait to be sent, or for a key frame."""
        self._awake.set()
        for tile in self.tiles:
            feed = tile.waits_for
            if feed is not None and feed.state.phase is FeedPhase.LIVE:
                self._events.on_key_frame_wanted(feed.name)

    def deliver(self, track: Track, frame: Frame) -> None:
        """A live frame: sent at once if the pacer allows it, else queued."""
        sender, bucket = self._sender, self._bucket
        if sender is None:
            return
        self._account(frame.arrived)  # this very turn of the loop
        bucket.spend(track.send_live(frame, BURST if bucket.allows_live and not sender.blocked else 0))
        if track.backlog or sender.blocked:
            self._awake.set()

    def _account(self, now: float) -> None:
        """Spend what in-step batches have sent, then refill; never the other way round, since a full bucket loses
        tokens."""
        self._bucket.spend(sum(tile.track.collect_unspent() for tile in self.tiles))
        self._bucket.refill(now)

    def _leave_in_step(self) -> None:
        """The socket is full, or too much has been sent: from now on each track sends, or queues, for itself."""
        for tile in self.tiles:
            tile.track.leave_in_step()
        self._awake.set()

    def _on_route_changed(self) -> None:
        if self._sender is not None:
            self._sender.route_changed()

    def _on_link_level(self, level: LinkLevel) -> None:
        self._events.on_link_state(LinkState(self.name, level))

    def _on_audio_sent(self, size: int) -> None:
        """Audio is small and must not be late: it does not wait for the pacer, but counts."""
        self._bucket.spend(size)
        if self._sender is not None and self._sender.blocked:
            self._awake.set()

    def _on_reports(self, reports: list[tuple[int, rtcp.Report]]) -> None:
        """One RTCP packet of the browser, by SSRC."""
        for ssrc, report in reports:
            if (track := self._tracks.get(ssrc)) is not None:
                self._on_report(track, report)
            elif self.listener is not None and ssrc == self.listener.track.ssrc and isinstance(report, rtcp.Reception):
                self.listener.track.figures.lost = report.lost

    def _on_report(self, track: Track, report: rtcp.Report) -> None:
        if isinstance(report, rtcp.Nack):
            allowed = self._repair.look_up(len(report.sequences))
            track.figures.rtx_refused += len(report.sequences) - allowed
            sent = track.retransmit(report.sequences[:allowed], self._repair.room)
            self._repair.spend(sent)
            self._bucket.spend(sent)
        elif isinstance(report, rtcp.PictureLost):
            track.on_picture_lost()
            if track.feed is not None and not track.feed.gop_cache.frames:
                self._events.on_key_frame_wanted(track.feed.name)
        else:
            track.figures.fraction_lost, track.figures.lost = report.fraction_lost, report.lost
            if report.round_trip is not None:
                track.figures.round_trip = report.round_trip
            self._thinning.on_report(track, report)
        if track.backlog or (self._sender is not None and self._sender.blocked):
            self._awake.set()

    async def _pace(self) -> None:
        """Send what is queued, a burst at a time."""
        sender, bucket = self._sender, self._bucket
        assert sender is not None
        while True:
            await self._awake.wait()
            if sender.blocked:
                await self._port.writable()
                if not sender.flush():
                    continue
            waiting = [tile.track for tile in self.tiles if tile.track.backlog]
            if not waiting:
                self._awake.clear()
                continue
            self._account(self._clock.monotonic())
            if not bucket.allows_burst:
                self._pacer_waits += 1
                await self._clock.sleep(bucket.wait())
                continue
            track = next_track(waiting, in_turn=self._thinning.level is LinkLevel.KEYS)
            now = self._clock.monotonic()
            if track.starts_next:
                self._replay_pause.key_frame_sent(now)
            elif rest := self._replay_pause.remaining(now, len(waiting), sum(one.queued_frames for one in waiting)):
                await self._clock.sleep(min(rest, REPLAY_PAUSE_STEP))  # meanwhile another tile may be switched on
                continue
            bucket.spend(track.send_queued(bucket.burst))
            await asyncio.sleep(0)  # the other peers' turn

    async def _report(self) -> None:
        """Judge the link, send sender reports; ends when the browser no longer renews its consent (RFC 7675)."""
        for second in itertools.count():
            if self._clock.monotonic() - self._ice.seen >= CONSENT_SECONDS:
                return
            self._account(self._clock.monotonic())
            if not self._bucket.allows_live:
                self._leave_in_step()
            self._thinning.judge(self._clock.monotonic())
            if second % SECONDS_PER_REPORT == 0:
                self._send_reports()
            await self._clock.sleep(to_beat(self._clock.monotonic(), JUDGE_EVERY))

    def _send_reports(self) -> None:
        assert self._sender is not None
        tracks: list[Track | AudioTrack] = [tile.track for tile in self.tiles]
        if self.listener is not None:
            tracks.append(self.listener.track)
        unix, now = self._clock.now().timestamp(), self._clock.monotonic()
        reports = [
            sender_report(track.ssrc, unix, track.rtp_time(now), track.figures.packets, track.figures.bytes)
            for track in tracks
            if track.figures.packets
        ]
        for at in range(0, len(reports), REPORTS_AT_ONCE):
            self._sender.send_rtcp(b"".join(reports[at : at + REPORTS_AT_ONCE]))

    def read_figures(self) -> dict[str, Any]:
        """Counters of what this peer has been sent."""
        for tile in self.tiles:
            tile.track.settle()
        sender = asdict(self._sender.figures) if self._sender is not None else {}
        tracks = [{"feed": tile.wanted, "phase": tile.track.phase, **asdict(tile.track.figures)} for tile in self.tiles]
        audio = (
            {"feed": self.listener.wanted, **asdict(self.listener.track.figures)} if self.listener is not None else None
        )
        return {
            "connected": self._sender is not None,
            "link": self._thinning.level,
            **sender,
            "pacer_waits": self._pacer_waits,
            "tracks": tracks,
            "audio": audio,
        }
