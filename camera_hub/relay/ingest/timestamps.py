"""RTP timestamps: from the camera's clock to the hub's clock, and those of a replayed GOP. Pure.

The timestamps of all feeds are on one clock (90 kHz, hub time), so a track that changes its feed never steps back in
time, and one sender report is right for whatever it shows.
"""

from camera_hub.relay.ingest.rtp import Unwrapper

RATE = 90_000
"""RTP clock of video in Hz."""
JUMP = 2.0
"""Seconds. A larger step of a camera's timestamps against its arrival times is a jump: the mapping starts again."""
DRIFT = 500e-6
"""Seconds per second by which the mapping follows a camera whose clock runs slow; every quartz is far better."""


class TimestampMapper:
    """Maps the timestamps of one stream (RTP clock of `rate` Hz) to the hub's clock, and measures how late frames are.

    The offset is that of the frame with the shortest transit so far; others are late by what the link delayed them.
    With a camera clock slower than ours each frame would look later than the one before, so the offset drifts by DRIFT.
    """

    def __init__(self, rate: int = RATE) -> None:
        self._rate = rate
        self._unwrap = Unwrapper(32)
        self._offset: float | None = None
        self._arrived = 0.0
        self._last = 0  # hub time of the last frame, in ticks
        self._transit: float | None = None
        self.lateness = 0.0  # seconds, of the last frame
        self.jitter = 0.0  # seconds, smoothed as in RFC 3550 A.8, of whole frames rather than packets
        self.jumps = 0

    def restart(self) -> None:
        """The stream was reopened: its timestamps have nothing to do with those before. Hub times still increase."""
        self._unwrap = Unwrapper(32)
        self._offset = self._transit = None
        self.lateness = self.jitter = 0.0

    def map(self, timestamp: int, arrived: float) -> int:
        """Hub time in ticks of `rate`, not wrapped, of a frame. Strictly increasing.

        `timestamp`: RTP timestamp (32 bit) of the camera. `arrived`: monotonic seconds.
        """
        seconds = self._unwrap(timestamp) / self._rate
        transit = arrived - seconds
        if self._transit is not None and (moved := abs(transit - self._transit)) < JUMP:
            self.jitter += (moved - self.jitter) / 16
        self._transit = transit
        if self._offset is None:
            self._offset = arrived - seconds
        else:
            self._offset += DRIFT * max(0.0, arrived - self._arrived)
        late = arrived - seconds - self._offset
        if late < 0:
            if late < -JUMP:
                self.jumps += 1
            self._offset += late
            late = 0.0
        elif seconds + self._offset < self._last / self._rate - JUMP:  # the camera's timestamps jumped back
            self.jumps += 1
            self._offset = arrived - seconds
            late = 0.0
        self._arrived = arrived
        self.lateness = late
        self._last = max(self._last + 1, round((seconds + self._offset) * self._rate))
        return self._last


def replay_timestamps(count: int, last_sent: int | None, newest: int, step: int = 90) -> list[int]:
    """Timestamps (90 kHz, hub time) for `count` replayed frames: 1 ms apart, ending at `newest`, all after `last_sent`.

    A browser shows each of them as soon as it is decoded, and so reaches the live edge at once.
    """
    if last_sent is not None and newest - (count - 1) * step <= last_sent:
        step = max(1, (newest - last_sent) // count)
        newest = max(newest, last_sent + count * step)
    return [newest - (count - 1 - index) * step for index in range(count)]
