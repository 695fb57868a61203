"""The reading of one RTSP session: from the packets of its video to frames, and what is counted and found on the way.

It lives as long as the session does. The feed owns it, and is told of frames in the socket's read callback.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.peculiarity_kinds import PeculiarityKind
from camera_hub.relay.ingest.flood_guard import FloodGuard
from camera_hub.relay.ingest.frame import Frame
from camera_hub.relay.ingest.losses import CAUSES, NO_KEY_FRAME, LossCause, LossWindow
from camera_hub.relay.ingest.rtp import INTERLEAVED_HEADER
from camera_hub.relay.ingest.stream_timeouts import StreamTimeouts
from camera_hub.relay.ingest.timestamps import CameraClock, TimestampMapper
from camera_hub.relay.ingest.video_pipeline import MadeFrame, VideoPipeline

LONG_GOP = 8.0
"""Seconds without a key frame, while there are recovery points, that show intra refresh."""
REPEATED = 3
"""So often something must have been met to be a peculiarity of the camera."""


class FrameReceiver(Protocol):
    """Whom a session's frames go to. Called in the socket's read callback; must not block."""

    def on_stream_began(self) -> None:
        """The first packet of the stream is there."""
        ...

    def on_frame(self, frame: Frame, units: tuple[bytes, ...]) -> None:
        """A frame and, if it is a key frame, its NAL units, parameter sets first."""
        ...

    def on_b_frames(self) -> None:
        """The stream has B-frames; called after each read that finds it so."""
        ...


@dataclass(slots=True)
class FeedFigures:
    """Counters of one feed's video. Packets and what follows are added at the end of each session."""

    opens: int = 0
    failures: int = 0
    frames: int = 0
    key_frames: int = 0
    bytes: int = 0
    packets: int = 0
    gaps: int = 0
    repeats: int = 0
    bad_packets: int = 0
    foreign_payload: int = 0
    foreign_ssrc: int = 0
    stream_restarts: int = 0
    lost: list[int] = field(default_factory=lambda: [0] * CAUSES)


class SessionReader:
    """Implements VideoReader. `begin` once the stream is described; what comes before is not read.

    `figures`: counters of the feed, which this session's are added to at its end.
    """

    def __init__(
        self, receiver: FrameReceiver, timestamps: TimestampMapper, clock: Clock, figures: FeedFigures
    ) -> None:
        self._receiver = receiver
        self._timestamps = timestamps
        self._clock = clock
        self._figures = figures
        self._flood_guard = FloodGuard()
        self._pipeline: VideoPipeline | None = None
        self.timeouts = StreamTimeouts()
        self.losses = LossWindow()

    def begin(self, pipeline: VideoPipeline) -> None:
        """The packets that come from now on are read."""
        self._pipeline = pipeline
        self.timeouts.play_at = self._clock.monotonic()
        self.timeouts.ordered = pipeline.ordered

    def end(self) -> int | None:
        """The session is over: its counters are added to the feed's. Returns the index of the packet that would have
        been made next; None where none could be made."""
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is None:
            return None
        _add(self._figures, pipeline)
        return pipeline.next_index

    @property
    def pipeline(self) -> VideoPipeline | None:
        """What makes the frames; None before `begin` and after `end`."""
        return self._pipeline

    @property
    def packets(self) -> int:
        """See VideoReader."""
        return self._pipeline.packets if self._pipeline is not None else 0

    def receiver_report(self) -> bytes | None:
        """See VideoReader."""
        return self._pipeline.stats.receiver_report() if self._pipeline is not None else None

    def read_interleaved(self, data: bytes, at: int, channel: int) -> int:
        """See VideoReader."""
        pipeline = self._pipeline
        if pipeline is None:  # a camera that sends before it was asked to; the session skips the packet
            return at
        now, packets, own = self._clock.monotonic(), pipeline.packets, pipeline.own_packets
        end, made = pipeline.read_interleaved(data, at, channel, now)
        packets = pipeline.packets - packets
        if packets:
            size = end - at - INTERLEAVED_HEADER * packets
            self._on_read(pipeline, packets, pipeline.own_packets - own, size, now, made)
        return end

    def on_packet(self, data: bytes) -> None:
        """See VideoReader."""
        pipeline = self._pipeline
        if pipeline is None:
            return
        now, own = self._clock.monotonic(), pipeline.own_packets
        made = pipeline.read_packet(data, now)
        self._on_read(pipeline, 1, pipeline.own_packets - own, len(data), now, made)

    def _on_read(
        self, pipeline: VideoPipeline, packets: int, own: int, size: int, now: float, made: list[MadeFrame]
    ) -> None:
        """So many packets have come in one read, some of them the stream's own, and these frames are complete. HubError
        ends the session."""
        self._figures.bytes += size
        self._flood_guard.count(now, size, packets)
        timeouts = self.timeouts
        if own:
            first = timeouts.packet_at is None
            timeouts.packet_at = now
            if first:
                self._receiver.on_stream_began()
        if own < packets:
            timeouts.foreign += packets - own
        if made:
            timeouts.frame_at = now
            for frame, units in made:
                self._receiver.on_frame(frame, units)
        if pipeline.has_b_frames:
            if own:
                timeouts.frame_at = now
            self._receiver.on_b_frames()

    def check(self, now: float, *, media_timeout: float, key_frame_timeout: float) -> bool:
        """Raises HubError when the session must end (see StreamTimeouts). Returns whether a stream that was live has
        become lossy, or is not any longer, or is so for another cause (`losses`)."""
        pipeline = self._pipeline
        if pipeline is None:
            return False
        self.timeouts.check(
            now,
            media_timeout=media_timeout,
            key_frame_timeout=key_frame_timeout,
            lost=pipeline.lost,
            intra_refresh=self.has_intra_refresh(now),
        )
        if self.timeouts.key_frame_at is None or pipeline.has_b_frames:
            return False
        return self.losses.update(now, pipeline.frames, _after_start(pipeline.lost))

    def why_waiting(self, now: float, after: float) -> HubError | None:
        """Why no key frame has come though packets do, once one has been waited for `after` seconds."""
        pipeline = self._pipeline
        if pipeline is None:
            return None
        refreshes = self.has_intra_refresh(now)
        return self.timeouts.why_waiting(now, after, lost=pipeline.lost, intra_refresh=refreshes)

    def has_intra_refresh(self, now: float) -> bool:
        """Whether the camera refreshes its picture otherwise than by key frames."""
        pipeline = self._pipeline
        if pipeline is None or not pipeline.recoveries:
            return False
        at = self.timeouts.key_frame_at
        return now - (at if at is not None else self.timeouts.play_at) > LONG_GOP

    def peculiarities(self, now: float) -> dict[PeculiarityKind, str]:
        """What was met of the camera in this session, by kind."""
        pipeline = self._pipeline
        if pipeline is None:
            return {}
        found: dict[PeculiarityKind, str] = {}
        if self._timestamps.clock is not CameraClock.WELL:
            found[PeculiarityKind.RTP_STANDING_CLOCK] = self._timestamps.clock.value
        if pipeline.source.restarts >= REPEATED:
            found[PeculiarityKind.RTP_SSRC_RESTARTS] = "yes"
        if pipeline.source.foreign_payload >= REPEATED:
            found[PeculiarityKind.RTP_FOREIGN_PAYLOAD] = "yes"
        if self.has_intra_refresh(now):
            found[PeculiarityKind.INTRA_REFRESH] = "yes"
        return found

    def read_figures(self) -> dict[str, Any]:
        """Counters over all sessions, as part of the feed's figures."""
        figures = self._figures
        if self._pipeline is not None:
            figures = replace(figures, lost=list(figures.lost))
            _add(figures, self._pipeline)
        loss = self.losses.lossy
        return {
            "opens": figures.opens,
            "failures": figures.failures,
            "frames": figures.frames,
            "key_frames": figures.key_frames,
            "bytes": figures.bytes,
            "packets": figures.packets,
            "gaps": figures.gaps,
            "repeats": figures.repeats,
            "dropped": sum(figures.lost),
            **{f"lost_{cause}": number for cause, number in zip(LossCause, figures.lost, strict=True)},
            "loss_percent": loss.percent if loss is not None else 0,
            "bad_packets": figures.bad_packets,
            "foreign_payload": figures.foreign_payload,
            "foreign_ssrc": figures.foreign_ssrc,
            "stream_restarts": figures.stream_restarts,
            "camera_clock": self._timestamps.clock.value,
        }


def _add(figures: FeedFigures, pipeline: VideoPipeline) -> None:
    source = pipeline.source
    figures.packets += pipeline.packets
    figures.gaps += pipeline.gaps
    figures.repeats += pipeline.repeats
    figures.bad_packets += pipeline.bad_packets
    figures.foreign_payload += source.foreign_payload
    figures.foreign_ssrc += source.foreign_ssrc
    figures.stream_restarts += source.restarts
    for cause, number in enumerate(pipeline.lost):
        figures.lost[cause] += number


def _after_start(lost: list[int]) -> list[int]:
    """Without the frames in front of the first key frame: nobody could have been shown them."""
    counted = list(lost)
    counted[NO_KEY_FRAME] = 0
    return counted
