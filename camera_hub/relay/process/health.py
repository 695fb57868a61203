"""How the relay itself is: how late its loop runs, and how much memory it holds."""

import os
import statistics
from collections import deque

from camera_hub.clock import Clock
from camera_hub.running import BEAT, to_beat

KEPT = 100
"""Samples: ten seconds."""

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Lag:
    """`run` wakes at each beat, ten a second, and notes how much too late; a loop that is blocked shows here first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._late: deque[float] = deque(maxlen=KEPT)

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            now = self._clock.monotonic()
            wait = to_beat(now, BEAT / 2)
            due = now + wait
            await self._clock.sleep(wait)
            self._late.append(max(0.0, self._clock.monotonic() - due))

    @property
    def median(self) -> float:
        """Seconds, of the last ten."""
        return statistics.median(self._late) if self._late else 0.0

    @property
    def longest(self) -> float:
        """Seconds, of the last ten."""
        return max(self._late, default=0.0)


def rss_bytes() -> int:
    """Memory that this process holds now (statm(5): second field, in pages)."""
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[1]) * _PAGE
