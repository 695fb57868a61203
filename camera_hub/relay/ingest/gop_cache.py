"""GOP cache: the frames of one feed since its last key frame, replayed to whoever starts watching. Pure.

Bounded in bytes and in age. A GOP that exceeds a bound is dropped as a whole (an incomplete one cannot be decoded);
whoever starts watching then waits for the next key frame.
"""

from camera_hub.relay.ingest.frame import Frame

REPLAY_BYTES_PER_SECOND = 2_000_000
"""Replaying this many bytes is worth one second of waiting: 0.5 s are worth 1 MB, what 16 Mbit/s carry meanwhile."""


class GopCache:
    """Of one feed. `max_bytes` of payload and `max_seconds` of age bound it; `overflows` counts dropped GOPs."""

    def __init__(self, *, max_bytes: int, max_seconds: float) -> None:
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds
        self._frames: list[Frame] = []
        self._size = 0
        self.overflows = 0
        self.gop_seconds: float | None = None  # length of the last complete GOP
        self.gop_frames: int | None = None

    @property
    def frames(self) -> list[Frame]:
        """The frames since the last key frame, that one first. Empty before the first one and after an overflow."""
        return self._frames

    @property
    def size(self) -> int:
        """Payload bytes of `frames`."""
        return self._size

    @property
    def first_index(self) -> int | None:
        """Index of the first cached packet; None while nothing is cached."""
        return self._frames[0].first if self._frames else None

    def add(self, frame: Frame) -> None:
        """Append the newest frame; a key frame starts a new GOP."""
        if frame.key:
            if self._frames:
                self.gop_seconds = frame.arrived - self._frames[0].arrived
                self.gop_frames = len(self._frames)
            self.clear()
        if frame.key or self._frames:
            self._frames.append(frame)
            self._size += frame.size
            if self._size > self._max_bytes or frame.arrived - self._frames[0].arrived > self._max_seconds:
                self.clear()
                self.overflows += 1

    def lengthen(self, seconds: float) -> None:
        """Keep GOPs of up to so many seconds from now on, as far as their bytes allow."""
        self._max_seconds = max(self._max_seconds, seconds)

    def clear(self) -> None:
        """Drop the cached GOP: the stream was reopened, or it is too large."""
        self._frames, self._size = [], 0

    def worth_replaying(self, now: float) -> bool:
        """Whether a replay, at `now` (monotonic seconds), beats waiting for the next key frame."""
        if not self._frames:
            return False
        return worth_replaying(now - self._frames[0].arrived, self.gop_seconds, self._size)


def worth_replaying(age: float, gop_seconds: float | None, size: int) -> bool:
    """Whether replaying `size` bytes beats waiting for the next key frame, `age` seconds after the last one.

    `gop_seconds`: length of the last complete GOP; None = unknown, then a replay is always worth it.
    """
    if gop_seconds is None:
        return True
    return max(0.0, gop_seconds - age) * REPLAY_BYTES_PER_SECOND > size
