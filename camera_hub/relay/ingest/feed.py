"""A feed: the relay's one running pull of a camera's stream, shared by all who watch it."""

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from typing import Any

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.peculiarity_kinds import PeculiarityKind
from camera_hub.relay.fanout.in_step import InStepTracks
from camera_hub.relay.ingest.access_unit import units_of
from camera_hub.relay.ingest.admission import AdmissionControl
from camera_hub.relay.ingest.feed_audio import FeedAudio
from camera_hub.relay.ingest.feed_listeners import FeedObserver, FeedSubscriber
from camera_hub.relay.ingest.feed_state import (
    LINK_LOST,
    failed,
    loss_error,
    with_b_frames,
    with_lateness,
    with_loss,
    with_wait,
)
from camera_hub.relay.ingest.frame import Frame
from camera_hub.relay.ingest.gop_cache import GopCache
from camera_hub.relay.ingest.key_frame_throttle import KeyFrameThrottle
from camera_hub.relay.ingest.lateness import Lateness
from camera_hub.relay.ingest.login_permits import LoginPermit
from camera_hub.relay.ingest.nal import annex_b
from camera_hub.relay.ingest.resend_history import ResendHistory
from camera_hub.relay.ingest.session_reader import FeedFigures, SessionReader
from camera_hub.relay.ingest.timestamps import TimestampMapper
from camera_hub.relay.ingest.video_pipeline import VideoPipeline
from camera_hub.relay.messages import FeedLearnt, FeedPhase, FeedSpec, FeedState, KeyFrame, RelayConfig, RtspLiveSource
from camera_hub.relay.rtsp.client import RtspSession
from camera_hub.relay.rtsp.learnt import Learnt
from camera_hub.running import Backoff, ended, keep_running, to_beat

CHECK_INTERVAL = 0.5
"""Seconds between two checks of timeouts, losses and lateness."""
KEY_FRAME_PATIENCE = 5.0
"""Seconds after a key frame from which on the next one may take long."""
LONG_GOP_SECONDS = 60.0
"""How long a GOP is kept where the camera makes hardly any key frames: nobody could begin to watch without."""


class Feed:
    """`start` begins to pull, `stop` ends it. Subscribers add themselves to `subscribers` and `audio.subscribers`."""

    def __init__(
        self, spec: FeedSpec, config: RelayConfig, clock: Clock, admission: AdmissionControl, observer: FeedObserver
    ) -> None:
        self.spec = spec
        self.codec: str | None = None
        self.figures = FeedFigures()
        self.gop_cache = GopCache(max_bytes=config.gop_cache_bytes, max_seconds=config.gop_cache_seconds)
        self.history = ResendHistory(max_packets=config.history_packets, seconds=config.history_seconds)
        self.state = FeedState(spec.feed, FeedPhase.CONNECTING)
        self.last_failure: str | None = None  # reason of the last attempt's failure, until one succeeds
        self.subscribers: set[FeedSubscriber] = set()
        self.in_step = InStepTracks()
        self.audio = FeedAudio(spec.feed, config.payload_limit, clock.monotonic)
        self._config = config
        self._clock = clock
        self._admission = admission
        self._observer = observer
        self._timestamps = TimestampMapper()
        self._lateness = Lateness(config.late_seconds, config.late_for)
        self._throttle = KeyFrameThrottle()
        self._reader = SessionReader(self, self._timestamps, clock, self.figures)  # of this session, or the last
        self._task: asyncio.Task[None] | None = None
        self._next_index = 0
        self._dialled_at = 0.0
        self._opened_at = clock.now().timestamp()
        self._final = False
        self._learnt = Learnt(self._on_learnt)
        self._taught = False  # the last session's end taught how to keep the next one alive

    @property
    def name(self) -> str:
        return self.spec.feed

    @property
    def parameters(self) -> tuple[bytes, ...]:
        """The parameter sets of the running stream, as NAL units; empty while there is none."""
        pipeline = self._reader.pipeline
        return pipeline.parameters if pipeline is not None else ()

    def start(self) -> None:
        """Begin to pull."""
        self._final = False
        self._task = asyncio.create_task(
            keep_running(
                f"feed {self.name}",
                self._run_once,
                clock=self._clock,
                backoff=Backoff(first=1.0, cap=30.0),
                on_failure=self._on_failure,
                rest=self._wait_to_retry,
            ),
            name=f"feed {self.name}",
        )

    async def stop(self) -> None:
        """Tear the session down and publish STOPPED."""
        if self._task is not None:
            await ended(self._task)
            self._task = None
        self.gop_cache.clear()
        self.history.clear()
        self._publish(FeedState(self.name, FeedPhase.STOPPED))

    async def reopen(self, spec: FeedSpec) -> None:
        """Pull what the hub asks for now; indices and hub timestamps go on."""
        if self._task is not None:
            await ended(self._task)
        self.spec = spec
        self.codec = None
        self.audio.forget()
        self.gop_cache.clear()
        self.start()

    def tap(self, every: float | None) -> None:
        """Which key frames to hand to the observer (see `KeyFrameThrottle.set`).

        Where the next one may take long, whoever wants it is given the last one, unless it was handed out already.
        """
        self._throttle.set(every)
        key = self.gop_cache.frames[0] if self.gop_cache.frames else None
        if every != 0 or key is None or not key.key or not self._throttle.is_new(key.arrived):
            return
        age = self._clock.monotonic() - key.arrived
        if age > KEY_FRAME_PATIENCE:
            self._hand_out(key, units_of(key.payloads, h265=self.codec == "h265"), age)

    async def _wait_to_retry(self, seconds: float) -> None:
        if self._taught:
            return
        if self.last_failure in LINK_LOST:
            await self._admission.wait_to_retry(self.spec, seconds)
        else:
            await self._clock.sleep(seconds)

    async def _run_once(self) -> None:
        """One session, from dialling to its end, which is always an error."""
        if self._final:
            await asyncio.Event().wait()  # until the hub reopens or closes the feed
        self._publish(FeedState(self.name, FeedPhase.CONNECTING))
        if not isinstance(source := self.spec.source, RtspLiveSource):
            raise HubError(
                Kind.UNSUPPORTED,
                f"relays do not pull sources of kind {source.kind} yet; show the camera live",
                reason=Reason.SOURCE_UNSUPPORTED,
            )
        self._reader = SessionReader(self, self._timestamps, self._clock, self.figures)
        self._lateness.restart()
        self._taught = False
        self._learnt.of_address(source.address, source.peculiarities)
        try:
            async with AsyncExitStack() as session_stack:
                async with self._admission.opening(self.spec, lambda: bool(self.subscribers)) as permit:
                    session = await self._open(source, session_stack, permit)
                self._on_playing()
                try:
                    await self._supervise(session)
                except HubError as error:
                    cut = error.reason in (Reason.UNREACHABLE, Reason.STALLED)
                    self._taught = cut and session.learns_from_cut(self._reader.timeouts.packet_at)
                    raise
        finally:
            self._end_session()

    async def _open(self, source: RtspLiveSource, session_stack: AsyncExitStack, permit: LoginPermit) -> RtspSession:
        """From dialling to the answer to PLAY, within `open_timeout`. Leaving `session_stack` sends TEARDOWN."""
        self.figures.opens += 1
        self._dialled_at = self._clock.monotonic()
        session = RtspSession(source, self._clock, self._reader, self._learnt, permit, self._renewing)
        try:
            async with asyncio.timeout(self._config.open_timeout):
                await session_stack.enter_async_context(session)
                stream = await session.describe()
                if session.login_accepted:
                    permit.accepted()
                self.codec = stream.codec
                await session.set_up(stream.control)
                await self.audio.set_up(session, allowed=self.spec.audio)
                pipeline = VideoPipeline(
                    stream.codec,
                    stream.parameters,
                    self._timestamps,
                    limit=self._config.payload_limit,
                    first=self._next_index,
                    ordered=session.ordered,
                    payload_type=stream.payload_type,
                )
                self._reader.begin(pipeline)
                await session.play()
                if session.login_accepted:
                    permit.accepted()
        except TimeoutError as error:
            raise HubError(
                Kind.TIMEOUT,
                f"the camera did not complete the RTSP handshake within {self._config.open_timeout:g} s; check its "
                "link, or restart it",
                reason=Reason.TIMED_OUT,
            ) from error
        return session

    def _renewing(self) -> AbstractAsyncContextManager[LoginPermit]:
        """Permission for a session that plays to sign with another challenge."""
        return self._admission.renewing(self.spec)

    async def _supervise(self, session: RtspSession) -> None:
        """Keep the session alive until it fails, times out or is too late."""
        keep_alive = asyncio.create_task(session.run(), name=f"feed {self.name} keep-alive")
        try:
            while not keep_alive.done():
                await asyncio.wait([keep_alive], timeout=to_beat(self._clock.monotonic(), CHECK_INTERVAL))
                now = self._clock.monotonic()
                self._check_stream(now)
                self._check_lateness(now)
            keep_alive.result()
        finally:
            if not keep_alive.done():
                await ended(keep_alive)
            elif not keep_alive.cancelled():
                keep_alive.exception()  # raised above, unless the feed was stopped in the same moment

    def _check_stream(self, now: float) -> None:
        """Raise when packets or frames fail to arrive; publish when many are lost, or no longer; request a key frame
        that subscribers wait for."""
        reader = self._reader
        reader.check(now, media_timeout=self._config.media_timeout, key_frame_timeout=self._config.key_frame_timeout)
        self._publish_losses()
        self._publish_wait(now)
        for kind, value in reader.peculiarities(now).items():
            self._learnt.note(kind, value)
        if reader.has_intra_refresh(now):
            self.gop_cache.lengthen(LONG_GOP_SECONDS)
        if self.subscribers and reader.timeouts.should_request_key_frame(now):
            self._observer.on_key_frame_wanted(self.name)

    def _publish_losses(self) -> None:
        loss, state = self._reader.losses.lossy, self.state
        error = loss_error(loss, ordered=self._reader.timeouts.ordered) if loss is not None else None
        if state.phase is not FeedPhase.LIVE or state.reason not in (None, Reason.LOSSY):
            return
        told = state.params.get("cause") if state.reason == Reason.LOSSY else None
        if told != (error.params["cause"] if error is not None else None):
            self._publish(with_loss(state, error))

    def _publish_wait(self, now: float) -> None:
        """Whoever waits long for a picture is told why, before the session is given up for it."""
        state = self.state
        if state.phase is not FeedPhase.WAITING_KEY:
            return
        why = self._reader.why_waiting(now, self._config.key_frame_timeout / 2)
        if why is not None and (why.reason, why.params.get("cause")) != (state.reason, state.params.get("cause")):
            self._publish(with_wait(state, why))

    def _check_lateness(self, now: float) -> None:
        """Publish when frames become late, or are in time again. Raise when the stream is to be reopened for it."""
        if self.state.phase is not FeedPhase.LIVE or self.state.reason not in (None, Reason.LATE):
            return
        seconds = self._timestamps.lateness
        if self._lateness.update(now, seconds):
            self._publish(with_lateness(self.state, self._lateness.late, seconds))
        if self.subscribers and self._lateness.should_reopen(now):
            raise HubError(
                Kind.TIMEOUT,
                f"the picture was {seconds:.0f} s late, the stream is reopened; lower the camera's bit rate or show "
                "the sub stream",
                reason=Reason.LATE,
            )

    def _on_playing(self) -> None:
        """The camera has accepted PLAY; published once per session."""
        if self.state.phase is FeedPhase.CONNECTING:
            signalling = (self._clock.monotonic() - self._dialled_at) * 1000
            self._publish(replace(self._described_state(), phase=FeedPhase.WAITING_KEY, signalling_ms=signalling))

    def on_stream_began(self) -> None:
        """See FrameReceiver."""
        self._on_playing()  # the answer to PLAY may be in the same read, in front of these packets
        self.state = replace(self.state, stream_ms=(self._clock.monotonic() - self._reader.timeouts.play_at) * 1000)

    def on_b_frames(self) -> None:
        """See FrameReceiver."""
        if self.state.phase is FeedPhase.LIVE and self.state.reason in (None, Reason.LOSSY):
            self.gop_cache.clear()
            self._publish(with_b_frames(self.state))

    def on_frame(self, frame: Frame, units: tuple[bytes, ...]) -> None:
        """See FrameReceiver."""
        self.figures.frames += 1
        pipeline = self._reader.pipeline
        if pipeline is not None and pipeline.has_b_frames:
            if frame.key:
                self._on_key_frame(frame, units)  # not for browsers, but a picture for whoever taps key frames
            return
        self.gop_cache.add(frame)
        self.history.add(frame, keep_from=self.gop_cache.first_index)
        if frame.key:
            self._on_key_frame(frame, units)
        served = self.in_step.send_frame(frame)
        if len(served) < len(self.subscribers):
            for subscriber in self.subscribers - served:
                subscriber.on_frame(frame)

    def _on_key_frame(self, frame: Frame, units: tuple[bytes, ...]) -> None:
        self.figures.key_frames += 1
        timeouts = self._reader.timeouts
        if timeouts.key_frame_at is None:
            key_frame_ms = (frame.arrived - timeouts.play_at) * 1000
            state = replace(self._described_state(), phase=FeedPhase.LIVE, key_frame_ms=key_frame_ms)
            self._publish(replace(state, reason=None, detail="", params={}))
        timeouts.key_frame_at = frame.arrived
        self._hand_out(frame, units, 0.0)

    def _hand_out(self, frame: Frame, units: tuple[bytes, ...], age: float) -> None:
        """Hand a key frame of that age in seconds to the observer, if it is wanted."""
        if self._throttle.passes(frame.arrived):
            figures, pipeline = self.figures, self._reader.pipeline
            head = KeyFrame(
                self.name,
                self.codec or "",
                self._clock.now().timestamp() - age,
                self._opened_at,
                figures.frames,
                figures.key_frames,
                figures.bytes,
                figures.gaps + (pipeline.gaps if pipeline is not None else 0),
            )
            self._observer.on_key_frame(head, annex_b(units))

    def _described_state(self) -> FeedState:
        pipeline = self._reader.pipeline
        sps = pipeline.sps if pipeline is not None else None
        return replace(
            self.state,
            codec=self.codec,
            profile=sps.profile if sps is not None else None,
            width=sps.width if sps is not None else None,
            height=sps.height if sps is not None else None,
            audio=self.audio.state,
            audio_codec=self.audio.codec,
        )

    def _on_learnt(self, kind: PeculiarityKind, value: str) -> None:
        self._observer.on_feed_learnt(FeedLearnt(self.name, kind, value))

    def _on_failure(self, failure: Exception) -> None:
        if self._taught:
            return  # it is opened again at once, the other way
        self.figures.failures += 1
        state = failed(self.name, failure, self.codec)
        self._final = state.final
        self._publish(state)

    def _end_session(self) -> None:
        next_index = self._reader.end()
        if next_index is not None:
            self._next_index = next_index
        self.audio.session_ended(had_picture=self._reader.timeouts.key_frame_at is not None)
        self.gop_cache.clear()

    def _publish(self, state: FeedState) -> None:
        self.state = state
        if state.phase is not FeedPhase.CONNECTING:
            self.last_failure = state.reason
        self._observer.on_feed_state(state)
        for subscriber in tuple(self.subscribers):
            subscriber.on_feed_state(state)

    def read_figures(self) -> dict[str, Any]:
        """Counters and measurements of this feed, for the relay's figures."""
        cache = self.gop_cache
        return {
            "phase": self.state.phase,
            "codec": self.codec,
            **self._reader.read_figures(),
            "width": self.state.width,
            "height": self.state.height,
            "gop_seconds": cache.gop_seconds,
            "gop_frames": cache.gop_frames,
            "gop_bytes": cache.size,
            "gop_overflows": cache.overflows,
            "lateness": self._timestamps.lateness,
            "late": self._lateness.late,
            "jitter": self._timestamps.jitter,
            "jumps": self._timestamps.jumps,
            "tracks": len(self.subscribers),
            "in_step": len(self.in_step),
            **self.audio.read_figures(),
        }
