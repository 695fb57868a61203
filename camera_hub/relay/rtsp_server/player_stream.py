"""What one player is sent: frames of a feed under a sequence of its own, from the cached picture group on.

Live frames go out in the feed's own callback; what cannot go at once waits, bounded, and then gives way to the next key
frame, so that a slow player harms nobody but itself.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from camera_hub.errors import Reason
from camera_hub.relay.ingest.packet_history import Frame, FrameSource
from camera_hub.relay.ingest.timeline import RATE, squeeze
from camera_hub.relay.messages import FeedPhase, FeedState
from camera_hub.relay.rtcp_reports import sender_report
from camera_hub.relay.rtsp_server.transports import PlayerTransport

MASK32 = 0xFFFFFFFF
PIECE = 24
"""Packets of a large frame that are sent at once: up to 34 kB."""


@dataclass(slots=True)
class StreamFigures:
    """Counters of one player."""

    frames: int = 0
    packets: int = 0
    bytes: int = 0
    dropped_frames: int = 0
    dropped_packets: int = 0

    def add(self, other: "StreamFigures") -> None:
        """Count what the other has counted, too."""
        self.frames += other.frames
        self.packets += other.packets
        self.bytes += other.bytes
        self.dropped_frames += other.dropped_frames
        self.dropped_packets += other.dropped_packets


@dataclass(slots=True)
class _QueuedRuns:
    frame: Frame
    timestamp: int | None  # None: its own hub time, live
    place: int = 0


class PlayerStream:
    """A taker of the feed. `on_end` is called with the reason when the stream cannot go on as it was described."""

    def __init__(
        self,
        codec: str,
        way: PlayerTransport,
        *,
        backlog_bytes: int,
        on_end: Callable[[str], None],
        wants_key: Callable[[str], None],
    ) -> None:
        self.figures = StreamFigures()
        self.way = way
        self.ssrc = random.randrange(1, 1 << 32)
        self.sequence = random.randrange(1 << 15)
        self.playing = False
        self._codec = codec
        self._backlog_bytes = backlog_bytes
        self._on_end = on_end
        self._wants_key = wants_key
        self._base = random.randrange(1 << 31)
        self._last: int | None = None
        self._backlog: deque[_QueuedRuns] = deque()
        self._size = 0
        self._needs_key = True
        self._awake = asyncio.Event()

    def play(self, feed: FrameSource) -> int | None:
        """Send from now on, the cached picture group first. The RTP time of the first packet, None if not known yet."""
        self.playing = True
        gop = list(feed.history.gop)
        self._needs_key = not gop
        if not gop:
            self._wants_key(feed.name)
            return None
        times = squeeze(len(gop), self._last, gop[-1].timestamp)
        for frame, timestamp in zip(gop, times, strict=True):
            self._queue(frame, timestamp)
        self._awake.set()
        return (times[0] + self._base) & MASK32

    def pause(self) -> None:
        """Send nothing until the next `play`."""
        self.playing = False
        self._drop()

    def take(self, frame: Frame) -> None:
        """A live frame: out at once where nothing waits, else behind it."""
        if not self.playing:
            return
        if self._needs_key:
            if not frame.key:
                self.figures.dropped_frames += 1
                return
            self._needs_key = False
        self._queue(frame, None)
        if len(self._backlog) == 1 and self.way.turn:
            self._work(self.way.turn)
        if self._size > self._backlog_bytes:
            self.figures.dropped_frames += self._drop()
            self._needs_key = True
        if self._backlog:
            self._awake.set()

    def feed_says(self, state: FeedState) -> None:
        """After a break the picture begins anew with a key frame; another codec is another description."""
        if state.final or state.reason == Reason.B_FRAMES:
            self._on_end(state.reason or "feed_failed")
        elif state.codec not in (None, self._codec):
            self._on_end("codec_changed")
        elif state.phase is not FeedPhase.LIVE:
            self.figures.dropped_frames += self._drop()
            self._needs_key = True

    async def run(self) -> None:
        """Send what waits whenever the way allows; runs until it is cancelled."""
        while True:
            await self._awake.wait()
            await self.way.ready()
            if turn := self.way.turn:
                self._work(turn)
            if not self._backlog:
                self._awake.clear()
            await asyncio.sleep(0)  # the others' turn

    def report(self, unix_time: float, hub_time: float) -> None:
        """A sender report: which RTP time the hub's clock shows now."""
        if self.figures.packets:
            rtp_time = (round(hub_time * RATE) + self._base) & MASK32
            self.way.report(sender_report(self.ssrc, unix_time, rtp_time, self.figures.packets, self.figures.bytes))

    def _work(self, budget: int) -> None:
        """Send about `budget` bytes, at least one piece of a frame."""
        while self._backlog and budget > 0:
            waiting = self._backlog[0]
            frame, start = waiting.frame, waiting.place
            if start == 0:
                waiting.timestamp = self._place(waiting)
            assert waiting.timestamp is not None
            whole = frame.size <= budget
            end = len(frame.payloads) if whole else min(start + PIECE, len(frame.payloads))
            timestamp = (waiting.timestamp + self._base) & MASK32
            self.way.send(self.ssrc, self.sequence & 0xFFFF, timestamp, frame.payloads, start, end)
            size = sum(map(len, frame.payloads[start:end]))
            budget -= size
            self.sequence += end - start
            self.figures.packets += end - start
            self.figures.bytes += size
            waiting.place = end
            if end == len(frame.payloads):
                self._backlog.popleft()
                self._size -= frame.size
                self.figures.frames += 1

    def _place(self, waiting: _QueuedRuns) -> int:
        wanted = waiting.frame.timestamp if waiting.timestamp is None else waiting.timestamp
        self._last = wanted if self._last is None else max(wanted, self._last + 1)
        return self._last

    def _queue(self, frame: Frame, timestamp: int | None) -> None:
        self._backlog.append(_QueuedRuns(frame, timestamp))
        self._size += frame.size

    def _drop(self) -> int:
        """Forget what waits, but for a frame that has been sent in part. How many were forgotten."""
        begun = self._backlog[0] if self._backlog and self._backlog[0].place else None
        count = len(self._backlog) - (begun is not None)
        self._backlog.clear()
        self._size = 0
        if begun is not None:
            self._backlog.append(begun)
            self._size = begun.frame.size
        return count
