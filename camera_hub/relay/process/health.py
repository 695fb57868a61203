"""The relay process's own health: how late its event loop runs, and how much memory it uses."""

import os
import statistics
from collections import deque

from camera_hub.clock import Clock
from camera_hub.running import BEAT, to_beat

SAMPLES = 100
"""Ten seconds."""

_PAGE = os.sysconf("SC_PAGE_SIZE")


class LoopLag:
    """How late the event loop runs: `run` wakes at each beat, ten a second, and records by how much too late."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._late: deque[float] = deque(maxlen=SAMPLES)

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
        """Seconds, over the last ten."""
        return statistics.median(self._late) if self._late else 0.0

    @property
    def longest(self) -> float:
        """Seconds, over the last ten."""
        return max(self._late, default=0.0)


def rss_bytes() -> int:
    """Resident memory of this process (proc_pid_statm(5): second field, in pages)."""
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[1]) * _PAGE
