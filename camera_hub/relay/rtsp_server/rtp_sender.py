"""What one player is sent: the frames of a feed under its own RTP sequence numbers, the cached GOP first.

Live frames leave in the feed's callback. What cannot leave at once is queued, bounded; beyond the bound it is dropped
until the next key frame, so that a slow player harms only itself.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from camera_hub.errors import Reason
from camera_hub.relay.ingest.frame import Frame
from camera_hub.relay.ingest.resend_history import FrameSource
from camera_hub.relay.ingest.timestamps import RATE, replay_timestamps
from camera_hub.relay.messages import FeedPhase, FeedState
from camera_hub.relay.rtsp_server.connection import EndReason
from camera_hub.relay.rtsp_server.transports import PlayerTransport
from camera_hub.relay.sender_report import sender_report

MASK32 = 0xFFFFFFFF
PACKETS_AT_ONCE = 24
"""Packets of a large frame that are sent in one turn: up to 34 kB."""


@dataclass(slots=True)
class SenderFigures:
    """Counters of one player."""

    frames: int = 0
    packets: int = 0
    bytes: int = 0
    dropped_frames: int = 0
    dropped_packets: int = 0

    def add(self, other: "SenderFigures") -> None:
        """Add the other's counters to these."""
        self.frames += other.frames
        self.packets += other.packets
        self.bytes += other.bytes
        self.dropped_frames += other.dropped_frames
        self.dropped_packets += other.dropped_packets


@dataclass(slots=True)
class _QueuedFrame:
    frame: Frame
    timestamp: int | None  # None: the frame's own (live); becomes the one that is sent
    sent: int = 0  # packets


class RtpSender:
    """One stream to one player. `on_end` gets the reason when the stream is no longer as it was described."""

    def __init__(
        self,
        codec: str,
        transport: PlayerTransport,
        *,
        max_backlog: int,
        on_end: Callable[[str], None],
        on_key_frame_wanted: Callable[[str], None],
    ) -> None:
        self.figures = SenderFigures()
        self.transport = transport
        self.ssrc = random.randrange(1, 1 << 32)
        self.sequence = random.randrange(1 << 15)  # of the next packet, not wrapped
        self.playing = False
        self._codec = codec
        self._max_backlog = max_backlog
        self._on_end = on_end
        self._on_key_frame_wanted = on_key_frame_wanted
        self._timestamp_base = random.randrange(1 << 31)
        self._last_timestamp: int | None = None
        self._backlog: deque[_QueuedFrame] = deque()
        self._backlog_bytes = 0
        self._needs_key = True
        self._awake = asyncio.Event()

    def play(self, feed: FrameSource, *, hurried: bool) -> int | None:
        """Send from now on, the cached GOP first. `hurried`: its frames are 1 ms apart, so that who looks sees the
        present at once; else they keep their distances in time, as a recording needs them.

        Returns the first packet's RTP timestamp, None if not known yet.
        """
        self.playing = True
        gop = list(feed.gop_cache.frames)
        self._needs_key = not gop
        if not gop:
            self._on_key_frame_wanted(feed.name)
            return None
        timestamps = [frame.timestamp for frame in gop]
        if hurried or (self._last_timestamp is not None and timestamps[0] <= self._last_timestamp):
            timestamps = replay_timestamps(len(gop), self._last_timestamp, timestamps[-1])
        for frame, timestamp in zip(gop, timestamps, strict=True):
            self._queue(frame, timestamp)
        self._awake.set()
        return (timestamps[0] + self._timestamp_base) & MASK32

    def pause(self) -> None:
        """Send nothing until the next `play`."""
        self.playing = False
        self._drop_backlog()

    def on_frame(self, frame: Frame) -> None:
        """A live frame: sent at once where nothing is queued, else behind the queue."""
        if not self.playing:
            return
        if self._needs_key:
            if not frame.key:
                self.figures.dropped_frames += 1
                return
            self._needs_key = False
        self._queue(frame, None)
        if len(self._backlog) == 1 and self.transport.budget:
            self._send(self.transport.budget)
        if self._backlog_bytes > self._max_backlog:
            self.figures.dropped_frames += self._drop_backlog()
            self._needs_key = True
        if self._backlog:
            self._awake.set()

    def on_feed_state(self, state: FeedState) -> None:
        """After an interruption the stream continues with a key frame; with another codec it ends."""
        if state.final or state.reason == Reason.B_FRAMES:
            self._on_end(state.reason or EndReason.INTERNAL)
        elif state.codec not in (None, self._codec):
            self._on_end(EndReason.CODEC_CHANGED)
        elif state.phase is not FeedPhase.LIVE:
            self.figures.dropped_frames += self._drop_backlog()
            self._needs_key = True

    async def run(self) -> None:
        """Send the queue whenever the transport is ready; runs until it is cancelled."""
        while True:
            await self._awake.wait()
            await self.transport.ready()
            if budget := self.transport.budget:
                self._send(budget)
            if not self._backlog:
                self._awake.clear()
            await asyncio.sleep(0)  # let other tasks run

    def send_report(self, unix_time: float, hub_time: float) -> None:
        """Send an RTCP sender report: the RTP timestamp of `hub_time` (monotonic) is that of `unix_time`."""
        if self.figures.packets:
            rtp_time = (round(hub_time * RATE) + self._timestamp_base) & MASK32
            report = sender_report(self.ssrc, unix_time, rtp_time, self.figures.packets, self.figures.bytes)
            self.transport.send_rtcp(report)

    def _send(self, budget: int) -> None:
        """Send about `budget` bytes of the queue, at least one piece of a frame."""
        while self._backlog and budget > 0:
            queued = self._backlog[0]
            frame, start = queued.frame, queued.sent
            if start == 0:
                queued.timestamp = self._next_timestamp(queued)
            assert queued.timestamp is not None
            end = len(frame.payloads)
            if frame.size > budget:
                end = min(start + PACKETS_AT_ONCE, end)
            timestamp = (queued.timestamp + self._timestamp_base) & MASK32
            self.transport.send(self.ssrc, self.sequence & 0xFFFF, timestamp, frame.payloads, start, end)
            size = sum(map(len, frame.payloads[start:end]))
            budget -= size
            self.sequence += end - start
            self.figures.packets += end - start
            self.figures.bytes += size
            queued.sent = end
            if end == len(frame.payloads):
                self._backlog.popleft()
                self._backlog_bytes -= frame.size
                self.figures.frames += 1

    def _next_timestamp(self, queued: _QueuedFrame) -> int:
        """The frame's timestamp, later than the last one sent."""
        wanted = queued.frame.timestamp if queued.timestamp is None else queued.timestamp
        last = self._last_timestamp
        self._last_timestamp = wanted if last is None else max(wanted, last + 1)
        return self._last_timestamp

    def _queue(self, frame: Frame, timestamp: int | None) -> None:
        self._backlog.append(_QueuedFrame(frame, timestamp))
        self._backlog_bytes += frame.size

    def _drop_backlog(self) -> int:
        """Drop the queue, except a frame that has been sent in part. Returns how many frames were dropped."""
        partial = self._backlog[0] if self._backlog and self._backlog[0].sent else None
        count = len(self._backlog) - (partial is not None)
        self._backlog.clear()
        self._backlog_bytes = 0
        if partial is not None:
            self._backlog.append(partial)
            self._backlog_bytes = partial.frame.size
        return count
