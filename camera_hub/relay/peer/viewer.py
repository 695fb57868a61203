"""One browser peer: its handshake, its tracks, its pacer, its end. Read `run` from top to bottom."""

import asyncio
import itertools
import random
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.relay.ingest.audio import AudioTrack
from camera_hub.relay.ingest.frame import Frame
from camera_hub.relay.messages import (
    AudioState,
    FeedPhase,
    LinkLevel,
    LinkState,
    RelayConfig,
    TrackState,
    ViewerAnswer,
    ViewerState,
)
from camera_hub.relay.peer.audio_listener import AudioListener
from camera_hub.relay.peer.pacer import BREATH_TURN, TURN, Breath, Bucket, next_of
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
from camera_hub.relay.webrtc.srtp_sender import SrtpSender
from camera_hub.relay.webrtc.udp_port import UdpPort
from camera_hub.running import ended, running, to_beat

JUDGE_EVERY = 1.0
SECONDS_PER_REPORT = 2
REPORTS_AT_ONCE = 20
"""Sender reports in one compound packet; each is 48 bytes with its name."""
CONSENT = 30.0
"""Seconds without a binding request after which the browser has gone (RFC 7675)."""


class _NotYet:
    """The outlet of a viewer that is not connected: takes nothing."""

    blocked = True

    def send(self, *_: object) -> int:
        return 0

    def send_one(self, *_: object) -> int:
        return 0

    def leg(self, *_: object) -> None:
        return None


class Viewer:
    """State of one peer. `run` lives as long as the peer; the relay runs it as a task."""

    def __init__(
        self,
        name: str,
        offer: Offer,
        port: UdpPort,
        certificate: Certificate,
        config: RelayConfig,
        clock: Clock,
        *,
        gso: bool,
        tell_viewer: Callable[[ViewerState], None],
        tell_link: Callable[[LinkState], None],
        tell_track: Callable[[TrackState], None],
        tell_audio: Callable[[AudioState], None],
        wants_key: Callable[[str], None],
    ) -> None:
        self.name = name
        self.tell_track = tell_track
        self._offer = offer
        self._port = port
        self._certificate = certificate
        self._config = config
        self._clock = clock
        self._gso = gso
        self._tell_viewer = tell_viewer
        self._wants_key = wants_key
        self._ice = IcePeer(port, offer.ufrag, clock.monotonic)
        self._dtls = Dtls(self._ice, certificate)
        self._bucket = Bucket(config.pacer_rate)
        self._breath = Breath()
        self._repair = RepairBudget()
        self._awake = asyncio.Event()
        self._outlet: SrtpSender | None = None
        self._pacer_waits = 0
        types = [section.types for section in offer.sections if section.types is not None]
        ssrcs = iter(random.sample(range(1, 1 << 32), 2 * len(types) + 1))  # all different: one key protects them all
        self.tiles = [
            TileSwitch(self, number, one, _NotYet(), clock.monotonic, ssrcs=(next(ssrcs), next(ssrcs)))
            for number, one in enumerate(types)
        ]
        self._tracks = {tile.track.ssrc: tile.track for tile in self.tiles}
        self._audio = next((section for section in offer.sections if section.audio is not None), None)
        self.ear: AudioListener | None = None
        if self._audio is not None and self._audio.audio is not None:
            self.ear = AudioListener(
                name, self._audio.audio, _NotYet(), next(ssrcs), sent=self._sounded, tell=tell_audio
            )
        self._thinning = Thinning(
            [tile.track for tile in self.tiles],
            self._bucket,
            self._repair,
            lambda level: tell_link(LinkState(name, level)),
        )

    def answer(self, addresses: tuple[str, ...]) -> ViewerAnswer:
        """What the browser is told."""
        mids = [section.mid for section in self._offer.sections if section.types is not None]
        ssrcs = {mid: Ssrcs(tile.track.ssrc, tile.track.rtx_ssrc) for mid, tile in zip(mids, self.tiles, strict=True)}
        if self._audio is not None and self.ear is not None:
            ssrcs[self._audio.mid] = Ssrcs(self.ear.track.ssrc, None)
        transport = Transport(
            self._ice.ufrag, self._ice.password, self._certificate.fingerprint, addresses, self._port.number
        )
        sdp = write_answer(self._offer, transport, ssrcs, random.getrandbits(62))
        return ViewerAnswer(sdp, len(self.tiles), self._offer.codecs)

    async def run(self) -> str:
        """From the first check to the end; the reason of the end. Cancelled by the relay: closed from our side."""
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
        """Take no more of any feed. Idempotent."""
        for tile in self.tiles:
            tile.leave()
        if self.ear is not None:
            self.ear.leave()

    def _connect(self) -> None:
        self._outlet = self._dtls.outlet(self._port, gso=self._gso)
        self._outlet.stalled = self._fall_out
        self._dtls.listen(self._clock, self._heard)
        self._tell_viewer(ViewerState(self.name, "connected"))
        for tile in self.tiles:
            tile.track.outlet = self._outlet
            tile.track.point(tile.track.feed, tile.track.serial)
        if self.ear is not None:
            self.ear.track.outlet = self._outlet
        self.wake()

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

    def wake(self) -> None:
        """Something may wait to be sent, or for a key frame."""
        self._awake.set()
        for tile in self.tiles:
            feed = tile.waits_for
            if feed is not None and feed.state.phase is FeedPhase.LIVE:
                self._wants_key(feed.name)

    def deliver(self, track: Track, frame: Frame) -> None:
        """A live frame: out at once if the pacer allows, else behind what waits."""
        outlet, bucket = self._outlet, self._bucket
        if outlet is None:
            return
        self._account(frame.arrived)  # this very turn of the loop
        bucket.spend(track.live(frame, TURN if bucket.live and not outlet.blocked else 0))
        if track.backlog or outlet.blocked:
            self._awake.set()

    def _account(self, now: float) -> None:
        """Let the bucket know of what unisons have sent, then of the time that has passed; never the other way round,
        since a full bucket forgets time."""
        self._bucket.spend(sum(tile.track.take_unspent() for tile in self.tiles))
        self._bucket.refill(now)

    def _fall_out(self) -> None:
        """The socket is full, or too much has been sent: each track queues what it cannot send."""
        for tile in self.tiles:
            tile.track.fall_out()
        self._awake.set()

    def _sounded(self, size: int) -> None:
        """Sound went out: small and never late, it does not wait for the pacer, but counts."""
        self._bucket.spend(size)
        if self._outlet is not None and self._outlet.blocked:
            self._awake.set()

    def _heard(self, reports: list[tuple[int, rtcp.Report]]) -> None:
        """What one RTCP packet of the browser says, by SSRC."""
        for ssrc, report in reports:
            if (track := self._tracks.get(ssrc)) is not None:
                self._reported(track, report)
            elif self.ear is not None and ssrc == self.ear.track.ssrc and isinstance(report, rtcp.Reception):
                self.ear.track.figures.lost = report.lost

    def _reported(self, track: Track, word: rtcp.Report) -> None:
        if isinstance(word, rtcp.Nack):
            allowed = self._repair.look_up(len(word.sequences))
            track.figures.rtx_refused += len(word.sequences) - allowed
            sent = track.resend(word.sequences[:allowed], self._repair.room)
            self._repair.spend(sent)
            self._bucket.spend(sent)
        elif isinstance(word, rtcp.PictureLost):
            track.picture_lost()
            if track.feed is not None and not track.feed.gop_cache.frames:
                self._wants_key(track.feed.name)
        else:
            track.figures.fraction_lost, track.figures.lost = word.fraction_lost, word.lost
            if word.round_trip is not None:
                track.figures.round_trip = word.round_trip
            self._thinning.heard(track, word)
        if track.backlog or (self._outlet is not None and self._outlet.blocked):
            self._awake.set()

    async def _pace(self) -> None:
        """Send what waits, a turn at a time."""
        outlet, bucket = self._outlet, self._bucket
        assert outlet is not None
        while True:
            await self._awake.wait()
            if outlet.blocked:
                await self._port.writable()
                if not outlet.flush():
                    continue
            waiting = [tile.track for tile in self.tiles if tile.track.backlog]
            if not waiting:
                self._awake.clear()
                continue
            self._account(self._clock.monotonic())
            if not bucket.worth_a_turn:
                self._pacer_waits += 1
                await self._clock.sleep(bucket.wait())
                continue
            track = next_of(waiting, in_turn=self._thinning.level is LinkLevel.KEYS)
            now = self._clock.monotonic()
            if track.opens:
                self._breath.opened(now)
            elif rest := self._breath.left(now, len(waiting), sum(one.waits for one in waiting)):
                await self._clock.sleep(min(rest, BREATH_TURN))  # meanwhile another tile may be opened
                continue
            bucket.spend(track.work(bucket.turn))
            await asyncio.sleep(0)  # the other peers' turn

    async def _report(self) -> None:
        """Judge the link, send sender reports; ends when the browser no longer asks for our consent."""
        for second in itertools.count():
            if self._clock.monotonic() - self._ice.seen >= CONSENT:
                return
            self._account(self._clock.monotonic())
            if not self._bucket.live:
                self._fall_out()
            self._thinning.judge(self._clock.monotonic())
            if second % SECONDS_PER_REPORT == 0:
                self._send_reports()
            await self._clock.sleep(to_beat(self._clock.monotonic(), JUDGE_EVERY))

    def _send_reports(self) -> None:
        assert self._outlet is not None
        tracks: list[Track | AudioTrack] = [tile.track for tile in self.tiles]
        if self.ear is not None:
            tracks.append(self.ear.track)
        unix, now = self._clock.now().timestamp(), self._clock.monotonic()
        reports = [
            sender_report(track.ssrc, unix, track.rtp_time(now), track.figures.packets, track.figures.bytes)
            for track in tracks
            if track.figures.packets
        ]
        for at in range(0, len(reports), REPORTS_AT_ONCE):
            self._outlet.send_rtcp(b"".join(reports[at : at + REPORTS_AT_ONCE]))

    def read_figures(self) -> dict[str, Any]:
        """What this peer has been sent."""
        for tile in self.tiles:
            tile.track.settle()
        outlet = asdict(self._outlet.figures) if self._outlet is not None else {}
        tracks = [{"feed": tile.wanted, "phase": tile.track.phase, **asdict(tile.track.figures)} for tile in self.tiles]
        audio = {"feed": self.ear.wanted, **asdict(self.ear.track.figures)} if self.ear is not None else None
        return {
            "connected": self._outlet is not None,
            "link": self._thinning.level,
            **outlet,
            "pacer_waits": self._pacer_waits,
            "tracks": tracks,
            "audio": audio,
        }
