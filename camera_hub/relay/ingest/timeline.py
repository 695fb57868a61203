"""Camera timestamps become times of the hub's clock, and cached frames get times that a browser hurries through. Pure.

Every feed lives on one clock (90 kHz, hub time), so a track that changes its feed never steps back in time, and one
sender report fits whatever it shows.
"""

from camera_hub.relay.ingest.rtp import Unwrapper

RATE = 90_000
JUMP = 2.0
"""Seconds by which a camera's timestamps may leave their course before it counts as a jump."""
DRIFT = 500e-6
"""Seconds per second by which the course may follow a camera whose clock runs slow; quartz is far better."""


class Timeline:
    """Where the frames of one feed lie on the hub's clock, and how late they are.

    The course is that of the earliest frame seen: later ones are late by what the link held them back. A camera clock
    slower than ours would look ever later, so the course gives way by DRIFT.
    """

    def __init__(self, rate: int = RATE) -> None:
        self._rate = rate
        self._unwrap = Unwrapper(32)
        self._offset: float | None = None
        self._arrived = 0.0
        self._last = 0
        self._transit: float | None = None
        self.lateness = 0.0
        self.jitter = 0.0  # seconds, smoothed as in RFC 3550 A.8, of whole frames rather than packets
        self.jumps = 0

    def restart(self) -> None:
        """The stream has been opened anew: its timestamps tell nothing about those before. Hub times still grow."""
        self._unwrap = Unwrapper(32)
        self._offset = self._transit = None
        self.lateness = self.jitter = 0.0

    def place(self, timestamp: int, arrived: float) -> int:
        """Hub time (in ticks of `rate`) of what has this camera timestamp and arrived then (seconds). Grows."""
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
        elif seconds + self._offset < self._last / self._rate - JUMP:  # the camera's timestamps went back
            self.jumps += 1
            self._offset = arrived - seconds
            late = 0.0
        self._arrived = arrived
        self.lateness = late
        self._last = max(self._last + 1, round((seconds + self._offset) * self._rate))
        return self._last


def squeeze(count: int, last_sent: int | None, newest: int, step: int = 90) -> list[int]:
    """Times for `count` replayed frames: 1 ms apart, ending at `newest`, all after `last_sent`.

    A browser shows each as soon as it is decoded, and so is at the live edge at once.
    """
    if last_sent is not None and newest - (count - 1) * step <= last_sent:
        step = max(1, (newest - last_sent) // count)
        newest = max(newest, last_sent + count * step)
    return [newest - (count - 1 - index) * step for index in range(count)]
