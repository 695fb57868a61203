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
    """The last `max_packets` packets of one feed, and all of the cached GOP: what is replayed can be resent."""

    def __init__(self, *, max_packets: int) -> None:
        self._max_packets = max_packets
        self._frames: deque[Frame] = deque()
        self._count = 0

    def add(self, frame: Frame, *, keep_from: int | None) -> None:
        """Append the newest frame. Packets from index `keep_from` on (None: from this frame) are always kept."""
        oldest_kept = frame.first if keep_from is None else keep_from
        self._frames.append(frame)
        self._count += len(frame.payloads)
        while self._count > self._max_packets and self._frames[0].first < oldest_kept:
            self._count -= len(self._frames.popleft().payloads)

    def clear(self) -> None:
        """Drop all packets; tracks may keep a reference and then find nothing."""
        self._frames.clear()
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
