"""Resend history: the packets of one feed that a browser may still ask for with a NACK (RFC 4585). Pure.

One copy for all tracks. Every packet of a feed has an index that only grows; a track remembers which of its RTP
sequence numbers stand for which indices, so a resend needs no copy per viewer.
"""

from bisect import bisect_right
from collections import deque
from typing import Protocol

from camera_hub.relay.ingest.frame import Frame
from camera_hub.relay.ingest.gop_cache import GopCache


class ResendHistory:
    """The packets of one feed that can be resent, in frames that its GOP cache shares.

    Kept are: the last `seconds`, at most `max_packets` of them; the cached GOP, since it may be replayed at any moment;
    and each replayed GOP for `seconds` after its last replay. A browser repeats a request up to ten times, each time
    after a round trip, and then asks for a key frame: 2 s are enough for round trips of 200 ms.
    """

    def __init__(self, *, max_packets: int, seconds: float) -> None:
        self._max_packets = max_packets
        self._seconds = seconds
        self._frames: deque[Frame] = deque()
        self._count = 0
        self._replayed: deque[tuple[int, float]] = deque()  # (index of a GOP's first packet, kept until), both grow

    def add(self, frame: Frame, *, keep_from: int | None) -> None:
        """Append the newest frame. Packets from index `keep_from` on (None: from this frame) are always kept."""
        while self._replayed and self._replayed[0][1] <= frame.arrived:
            self._replayed.popleft()
        oldest_kept = frame.first if keep_from is None else keep_from
        if self._replayed:
            oldest_kept = min(oldest_kept, self._replayed[0][0])
        self._frames.append(frame)
        self._count += len(frame.payloads)
        since, oldest = frame.arrived - self._seconds, self._frames[0]
        while oldest.first < oldest_kept and (oldest.arrived < since or self._count > self._max_packets):
            self._count -= len(oldest.payloads)
            self._frames.popleft()
            oldest = self._frames[0]

    def on_replay(self, first: int, now: float) -> None:
        """The GOP that begins with packet `first` is sent again from now on (monotonic seconds): keep it."""
        if self._replayed and self._replayed[-1][0] == first:
            self._replayed.pop()
        self._replayed.append((first, now + self._seconds))

    def clear(self) -> None:
        """Drop all packets; tracks may keep a reference and then find nothing."""
        self._frames.clear()
        self._replayed.clear()
        self._count = 0

    def packet(self, index: int) -> tuple[Frame, int] | None:
        """The frame that holds the packet with this index, and its place in it; None when it is no longer kept."""
        if not self._frames or index < self._frames[0].first:
            return None
        at = bisect_right(self._frames, index, key=lambda frame: frame.first) - 1
        frame = self._frames[at]
        place = index - frame.first
        return (frame, place) if place < len(frame.payloads) else None


class FrameSource(Protocol):
    """What those who pass a feed's frames on need of it (`peer.track.Track`, `rtsp_server.rtp_sender.RtpSender`)."""

    @property
    def name(self) -> str: ...

    @property
    def codec(self) -> str | None: ...

    @property
    def gop_cache(self) -> GopCache: ...

    @property
    def history(self) -> ResendHistory: ...
