"""How the relay itself is: how late its loop runs, and how much memory it holds."""

import os
import statistics
from collections import deque

from camera_hub.clock import Clock

STEP = 0.1
KEPT = 100
"""Samples: ten seconds."""

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Lag:
    """`run` wakes ten times a second and notes how much too late; a loop that is busy or blocked shows here first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._late: deque[float] = deque(maxlen=KEPT)

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            due = self._clock.monotonic() + STEP
            await self._clock.sleep(STEP)
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
