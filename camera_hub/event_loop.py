"""How late an event loop runs, and what share of its time it is busy."""

import statistics
import time
from collections import deque
from collections.abc import Callable

from camera_hub.clock import Clock
from camera_hub.running import BEAT, to_beat

LATE_SAMPLES = 100
"""Ten seconds."""
RECENT_SAMPLES = 50
BUSY_SECONDS = 3
"""The share of time that is busy is taken over so many seconds."""


def run_queue_seconds() -> float:
    """How long the main thread has been ready to run without a core to run on (proc(5), schedstat: second field, in
    nanoseconds); 0 where the system does not tell."""
    try:
        with open("/proc/self/schedstat", "rb") as schedstat:
            return int(schedstat.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


class LoopMeter:
    """Measures the loop that `run` runs in. `cpu`: the CPU time of the process, `queued`: the time that its main thread
    has been kept waiting for a core (both in seconds since any beginning).
    """

    def __init__(
        self,
        clock: Clock,
        cpu: Callable[[], float] = time.process_time,
        queued: Callable[[], float] = run_queue_seconds,
    ) -> None:
        self._clock = clock
        self._cpu = cpu
        self._queued = queued
        self._late: deque[float] = deque(maxlen=LATE_SAMPLES)
        self._marks: deque[tuple[float, float, float]] = deque(maxlen=BUSY_SECONDS + 1)

    async def run(self) -> None:
        """Measure until cancelled: wake at each beat, ten a second, and see by how much too late that was."""
        self._mark()
        while True:
            now = self._clock.monotonic()
            wait = to_beat(now, BEAT / 2)
            due = now + wait
            await self._clock.sleep(wait)
            self._late.append(max(0.0, self._clock.monotonic() - due))
            if self._clock.monotonic() - self._marks[-1][0] >= 1.0 - BEAT / 2:
                self._mark()

    @property
    def median(self) -> float:
        """Seconds that the loop runs late, over the last ten."""
        return statistics.median(self._late) if self._late else 0.0

    @property
    def longest(self) -> float:
        """The longest of them."""
        return max(self._late, default=0.0)

    @property
    def late(self) -> float:
        """Seconds that the loop runs late: 95 of 100 waits of the last five seconds were no later."""
        recent = sorted(list(self._late)[-RECENT_SAMPLES:])
        return recent[min(len(recent) - 1, int(len(recent) * 0.95))] if recent else 0.0

    @property
    def busy(self) -> float:
        """Share of the time, 0 to 1, in which the process had something to do: also while the machine let it wait."""
        return min(1.0, self._share(1) + self._share(2))

    @property
    def cpu(self) -> float:
        """CPU time of the process as a share of one core; more than 1 where other threads work, too."""
        return self._share(1)

    def _share(self, field: int) -> float:
        """By how much a field of the marks grew per second."""
        if len(self._marks) < 2 or self._marks[-1][0] <= self._marks[0][0]:
            return 0.0
        first, last = self._marks[0], self._marks[-1]
        return max(0.0, (last[field] - first[field]) / (last[0] - first[0]))

    def _mark(self) -> None:
        self._marks.append((self._clock.monotonic(), self._cpu(), self._queued()))
