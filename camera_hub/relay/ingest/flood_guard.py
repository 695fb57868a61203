"""Flood guard: one camera must not take all of the relay's time. Pure: the time is given."""

from camera_hub.errors import HubError, Kind, Reason

WINDOW = 2.0
"""Seconds."""
VIDEO_PACKETS = 40_000
VIDEO_BYTES = 50_000_000
"""Per window: 200 Mbit/s. The largest camera streams have 40 Mbit/s; recorders start with a burst of some megabytes."""
AUDIO_PACKETS = 2000
AUDIO_BYTES = 1_000_000
"""Per window: Opus in its shortest frames has 400 packets a second, linear PCM 1.5 Mbit/s."""


class FloodGuard:
    """Ends the session of a camera that sends more than any camera does."""

    def __init__(self, max_packets: int = VIDEO_PACKETS, max_bytes: int = VIDEO_BYTES) -> None:
        self._max_packets = max_packets
        self._max_bytes = max_bytes
        self._began = 0.0
        self._packets = 0
        self._bytes = 0

    def count(self, now: float, size: int, packets: int = 1) -> None:
        """Count packets of `size` bytes in all at `now` (monotonic seconds). Raises HubError(TOO_LARGE) above the
        limits."""
        if now - self._began > WINDOW:
            self._began, self._packets, self._bytes = now, 0, 0
        self._packets += packets
        self._bytes += size
        if self._packets > self._max_packets or self._bytes > self._max_bytes:
            raise HubError(
                Kind.TOO_LARGE,
                f"the camera sent {self._packets} packets, {self._bytes} bytes within {WINDOW:g} s, more than any "
                "camera stream has; restart the camera",
                reason=Reason.REPLY_TOO_LARGE,
            )
