"""One running pull of a camera's stream, shared by every track that shows it."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any, Protocol

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.relay.fanout.in_step import InStepTracks
from camera_hub.relay.ingest.admission import AdmissionControl
from camera_hub.relay.ingest.feed_audio import FeedAudio
from camera_hub.relay.ingest.intake import Intake
from camera_hub.relay.ingest.lateness import Lateness
from camera_hub.relay.ingest.liveness import Liveness
from camera_hub.relay.ingest.login_permits import LoginPermit
from camera_hub.relay.ingest.nal import annex_b
from camera_hub.relay.ingest.packet_history import Frame, PacketHistory
from camera_hub.relay.ingest.rtp import FloodGuard, ReceiverStats, parse_rtp
from camera_hub.relay.ingest.timeline import Timeline
from camera_hub.relay.messages import FeedPhase, FeedSpec, FeedState, KeyFrame, RelayConfig, RtspLiveSource
from camera_hub.relay.rtsp.client import RtspSession
from camera_hub.running import Backoff, ended, keep_running, to_beat

FINAL = frozenset(
    {
        Reason.CODEC_UNSUPPORTED,
        Reason.SOURCE_UNSUPPORTED,
        Reason.LOGIN_NEEDED,
        Reason.WRONG_PASSWORD,
        Reason.LOCKED_OUT,
        Reason.REDIRECTED,
    }
)
"""What another try will not mend: the relay waits until the hub opens the feed anew."""

CUT_OFF = frozenset({Reason.UNREACHABLE, Reason.PORT_CLOSED, Reason.TIMED_OUT, Reason.NO_MEDIA, Reason.STALLED})
"""What a dead link looks like."""

B_FRAMES = "the stream holds B-frames, which no browser shows live; switch them off in the camera"

LOOK_EVERY = 0.5


class Taker(Protocol):
    """A tile that shows a feed."""

    def take(self, frame: Frame) -> None:
        """A new frame; called at once, must not block or raise."""
        ...

    def feed_says(self, state: FeedState) -> None:
        """The feed's state has changed."""
        ...


@dataclass(slots=True)
class FeedFigures:
    """Counters of one feed over all its openings."""

    packets: int = 0
    bytes: int = 0
    frames: int = 0
    key_frames: int = 0
    gaps: int = 0
    dropped: int = 0
    bad_packets: int = 0
    opens: int = 0
    failures: int = 0


class Feed:
    """Started by `start`, ended by `stop`. Reports go to `report`, tapped key frames to `on_key` (head, Annex B)."""

    def __init__(
        self,
        spec: FeedSpec,
        config: RelayConfig,
        clock: Clock,
        gate: AdmissionControl,
        *,
        report: Callable[[FeedState], None],
        on_key: Callable[[KeyFrame, bytes], None],
        wants_key: Callable[[str], None],
    ) -> None:
        self.spec = spec
        self.codec: str | None = None
        self.figures = FeedFigures()
        self.history = PacketHistory(
            gop_bytes=config.gop_cache_bytes, gop_seconds=config.gop_cache_seconds, packets=config.history_packets
        )
        self.state = FeedState(spec.feed, FeedPhase.CONNECTING)
        self.trouble: str | None = None  # why the last try failed, until the next one succeeds
        self.takers: set[Taker] = set()
        self.unison = InStepTracks()
        self.sound = FeedAudio(spec.feed, config.payload_limit, clock.monotonic)
        self._config = config
        self._clock = clock
        self._gate = gate
        self._report = report
        self._on_key = on_key
        self._wants_key = wants_key
        self._timeline = Timeline()
        self._lateness = Lateness(config.late_seconds, config.late_for)
        self._intake: Intake | None = None
        self._stats: ReceiverStats | None = None
        self._task: asyncio.Task[None] | None = None
        self._next_index = 0
        self._payload_type = -1
        self._flood = FloodGuard()
        self._dialled = 0.0
        self._arrivals = Liveness()
        self._keys_every: float | None = None
        self._key_next = False
        self._key_sent: float | None = None
        self._final = False
        self._digest_address: str | None = None  # of the camera that has offered Digest

    @property
    def name(self) -> str:
        return self.spec.feed

    @property
    def parameters(self) -> tuple[bytes, ...]:
        """The parameter sets of the stream as it is now; empty while none runs."""
        return self._intake.parameters if self._intake is not None else ()

    def start(self) -> None:
        """Begin pulling."""
        self._final = False
        self._task = asyncio.create_task(
            keep_running(
                f"feed {self.name}",
                self._run_once,
                clock=self._clock,
                backoff=Backoff(first=1.0, cap=30.0),
                on_failure=self._failed,
                rest=self._rest,
            ),
            name=f"feed {self.name}",
        )

    async def stop(self) -> None:
        """End, tear the session down, and say so."""
        if self._task is not None:
            await ended(self._task)
            self._task = None
        self.history.clear()
        self._say(FeedState(self.name, FeedPhase.STOPPED))

    async def reopen(self, spec: FeedSpec) -> None:
        """Pull what the hub says now."""
        if self._task is not None:
            await ended(self._task)
        self.spec = spec
        self.codec = None
        self.sound.forget()
        self.history.forget_gop()
        self.start()

    def tap(self, every: float | None) -> None:
        """Hand out key frames: at most one each `every` seconds, None = no more; 0 = the next one besides."""
        if every == 0:
            self._key_next = True
        else:
            self._keys_every = every

    async def _rest(self, seconds: float) -> None:
        """Until the next try. Whoever was cut off tries again as soon as the village answers."""
        if self.trouble in CUT_OFF:
            await self._gate.rest(self.spec, seconds)
        else:
            await self._clock.sleep(seconds)

    async def _run_once(self) -> None:
        """One session from dial to its end, which is always an error."""
        if self._final:
            await asyncio.Event().wait()  # until the hub reopens or closes
        self._say(FeedState(self.name, FeedPhase.CONNECTING))
        if not isinstance(source := self.spec.source, RtspLiveSource):
            raise HubError(
                Kind.UNSUPPORTED,
                f"relays do not pull sources of kind {source.kind} yet; show the camera live",
                reason=Reason.SOURCE_UNSUPPORTED,
            )
        self._arrivals = Liveness()
        self._lateness.restart()
        try:
            async with AsyncExitStack() as life:
                async with self._gate.opening(self.spec, lambda: bool(self.takers)) as permit:
                    session = await self._open(source, life, permit)
                self._played()
                await self._watch(session)
        finally:
            self._close_intake()

    async def _open(self, source: RtspLiveSource, life: AsyncExitStack, permit: LoginPermit) -> RtspSession:
        """Dial to PLAY within the open timeout. Leaving `life` tears the session down."""
        self.figures.opens += 1
        self._dialled = self._clock.monotonic()
        session = RtspSession(source, self._clock, self._media, digest_seen=self._digest_address == source.address)
        try:
            async with asyncio.timeout(self._config.open_timeout):
                await life.enter_async_context(session)
                stream = await session.describe()
                if session.proved:
                    permit.accepted()
                self.codec, self._payload_type = stream.codec, stream.payload_type
                await session.set_up(stream.control)
                await self.sound.set_up(session, allowed=self.spec.audio)
                self._intake = Intake(
                    stream.codec,
                    stream.parameters,
                    self._timeline,
                    limit=self._config.payload_limit,
                    first=self._next_index,
                    ordered=session.ordered,
                )
                self._stats = session.stats
                self._arrivals.began = self._clock.monotonic()
                await session.play()
                if session.proved:
                    permit.accepted()
        except TimeoutError as error:
            raise HubError(
                Kind.TIMEOUT,
                f"the camera was not ready within {self._config.open_timeout:g} s",
                reason=Reason.TIMED_OUT,
            ) from error
        finally:
            if session.digest_seen:
                self._digest_address = source.address
        return session

    async def _watch(self, session: RtspSession) -> None:
        """Keep the session until it fails or falls silent."""
        keeping = asyncio.create_task(session.run(), name=f"feed {self.name} keep-alive")
        try:
            while not keeping.done():
                await asyncio.wait([keeping], timeout=to_beat(self._clock.monotonic(), LOOK_EVERY))
                now = self._clock.monotonic()
                self._judge(now)
                self._judge_lateness(now)
            keeping.result()
        finally:
            if not keeping.done():
                await ended(keeping)
            elif not keeping.cancelled():
                keeping.exception()  # raised above, unless the feed was ended in the same moment

    def _judge(self, now: float) -> None:
        """Raise when packets or key frames have failed to come; ask for a key frame that keeps a tile waiting."""
        self._arrivals.judge(
            now,
            media_timeout=self._config.media_timeout,
            key_frame_timeout=self._config.key_frame_timeout,
            bare=self._intake is not None and self._intake.bare > 0,
        )
        if self.takers and self._arrivals.worth_asking_for_key(now):
            self._wants_key(self.name)

    def _judge_lateness(self, now: float) -> None:
        """Say when frames begin to come too late, or in time again. Raise when the stream had better begin anew."""
        if self.state.phase is not FeedPhase.LIVE or self.state.reason not in (None, Reason.LATE):
            return
        seconds = self._timeline.lateness
        if self._lateness.judge(now, seconds):
            late = self._lateness.late
            detail = f"the picture comes {seconds:.0f} s late; the camera's link is too thin for it" if late else ""
            self._say(replace(self.state, reason=Reason.LATE if late else None, detail=detail))
        if self.takers and self._lateness.worth_opening_anew(now):
            raise HubError(Kind.TIMEOUT, f"the picture came {seconds:.0f} s late; it begins anew", reason=Reason.LATE)

    def _played(self) -> None:
        """The camera agreed to PLAY; said once per session."""
        if self.state.phase is FeedPhase.CONNECTING:
            signalling = (self._clock.monotonic() - self._dialled) * 1000
            self._say(replace(self._described(), phase=FeedPhase.WAITING_KEY, signalling_ms=signalling))

    def _media(self, data: bytes) -> None:
        """One RTP packet, in the socket's read callback. HubError ends the session."""
        figures = self.figures
        figures.packets += 1
        figures.bytes += len(data)
        packet = parse_rtp(data)
        if packet is None or self._intake is None or packet.payload_type != self._payload_type:
            figures.bad_packets += 1
            return
        now = self._clock.monotonic()
        self._flood.count(now, len(data))
        if self._arrivals.heard is None:
            self._played()  # its answer may stand in the same read, before these packets
            self.state = replace(self.state, stream_ms=(now - self._arrivals.began) * 1000)
        self._arrivals.heard = now
        if self._stats is not None:
            self._stats.count(packet)
        for frame, units in self._intake.push(packet, now):
            self._frame(frame, units)
        if self._intake.reorders and self.state.phase is FeedPhase.LIVE and self.state.reason is None:
            self.history.forget_gop()
            self._say(replace(self.state, reason=Reason.B_FRAMES, detail=B_FRAMES))

    def _frame(self, frame: Frame, units: tuple[bytes, ...]) -> None:
        self.figures.frames += 1
        if self._intake is not None and self._intake.reorders:
            self._key(frame, units)  # no video for a browser, yet a picture for whoever taps
            return
        self.history.add(frame)
        if frame.key:
            self._key(frame, units)
        for taker in self.takers - self.unison.take(frame):
            taker.take(frame)

    def _key(self, frame: Frame, units: tuple[bytes, ...]) -> None:
        self.figures.key_frames += 1
        if self._arrivals.keyed is None:
            key_frame_ms = (frame.arrived - self._arrivals.began) * 1000
            self._say(replace(self._described(), phase=FeedPhase.LIVE, key_frame_ms=key_frame_ms))
        self._arrivals.keyed = frame.arrived
        every, sent = self._keys_every, self._key_sent
        if not self._key_next and (every is None or (sent is not None and frame.arrived - sent < every)):
            return
        self._key_next, self._key_sent = False, frame.arrived
        head = KeyFrame(self.name, self.codec or "", self._clock.now().timestamp())
        self._on_key(head, annex_b(units))

    def _described(self) -> FeedState:
        picture = self._intake.picture if self._intake is not None else None
        return replace(
            self.state,
            codec=self.codec,
            profile=picture.profile if picture is not None else None,
            width=picture.width if picture is not None else None,
            height=picture.height if picture is not None else None,
            audio=self.sound.audio,
            audio_codec=self.sound.codec,
        )

    def _failed(self, failure: Exception) -> None:
        self.figures.failures += 1
        known = isinstance(failure, HubError)
        reason = failure.reason if isinstance(failure, HubError) else Reason.BAD_REPLY
        codec = failure.params.get("codec") if isinstance(failure, HubError) else None
        self._final = reason in FINAL
        self._say(
            FeedState(
                self.name,
                FeedPhase.FAILED,
                reason=str(reason),
                detail=str(failure) if known else "the relay failed; its log says why",
                final=self._final,
                retry_in=failure.params.get("retry_in") if isinstance(failure, HubError) else None,
                codec=codec or self.codec,
            )
        )

    def _close_intake(self) -> None:
        if self._intake is not None:
            self._next_index = self._intake.next_index
            self.figures.gaps += self._intake.gaps
            self.figures.dropped += self._intake.dropped
        self._intake = self._stats = None
        self.sound.ended(pictured=self._arrivals.keyed is not None)
        self.history.forget_gop()

    def _say(self, state: FeedState) -> None:
        self.state = state
        if state.phase is not FeedPhase.CONNECTING:
            self.trouble = state.reason
        self._report(state)
        for taker in tuple(self.takers):
            taker.feed_says(state)

    def read_figures(self) -> dict[str, Any]:
        """What this feed has done, for the hub's figures."""
        figures, intake = self.figures, self._intake
        return {
            "phase": self.state.phase,
            "codec": self.codec,
            "packets": figures.packets,
            "bytes": figures.bytes,
            "frames": figures.frames,
            "key_frames": figures.key_frames,
            "width": self.state.width,
            "height": self.state.height,
            "gop_seconds": self.history.gop_seconds,
            "gop_frames": self.history.gop_frames,
            "gop_bytes": self.history.gop_size,
            "gop_overflows": self.history.overflows,
            "gaps": figures.gaps + (intake.gaps if intake is not None else 0),
            "dropped": figures.dropped + (intake.dropped if intake is not None else 0),
            "bad_packets": figures.bad_packets,
            "lateness": self._timeline.lateness,
            "late": self._lateness.late,
            "jitter": self._timeline.jitter,
            "jumps": self._timeline.jumps,
            "opens": figures.opens,
            "failures": figures.failures,
            "tracks": len(self.takers),
            "in_step": len(self.unison),
            **self.sound.figures(),
        }
