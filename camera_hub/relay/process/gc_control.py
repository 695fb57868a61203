"""Garbage collection of a relay process: after viewers have ended and once a minute, and freed memory goes back.

Every viewer leaves a few reference cycles (aiortc's transports and their tasks), each holding C memory of OpenSSL and
libsrtp. Python collects the oldest generation only once a quarter of all objects is new: with the 100,000 objects of
the imports that is thousands of viewers later, and memory grows by 2.5 kB for each until then (measured). So the
objects of the imports are frozen, and the oldest generation is collected here only.
"""

import contextlib
import ctypes
import gc
from collections.abc import Callable

from camera_hub.clock import Clock

CHECK_SECONDS = 5.0
PERIOD_SECONDS = 60.0
MANY_ENDED = 64
NEVER = 1_000_000


def take_control() -> None:
    """To be called once in a relay process, after the imports: from now on only `collect` collects old objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], NEVER)


def collect() -> None:
    """Collect all garbage, and return free memory to the system where the C library can (glibc)."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class GcControl:
    """Collects within CHECK_SECONDS after a viewer has ended, at once after MANY_ENDED, else each PERIOD_SECONDS."""

    def __init__(self, clock: Clock, collect: Callable[[], None] = collect) -> None:
        self._clock = clock
        self._collect = collect
        self._ended = 0

    def viewer_ended(self) -> None:
        """A viewer has ended."""
        self._ended += 1
        if self._ended >= MANY_ENDED:
            self._ended = 0
            self._collect()

    async def run(self) -> None:
        """Until cancelled."""
        collected = self._clock.monotonic()
        while True:
            await self._clock.sleep(CHECK_SECONDS)
            began = self._clock.monotonic()
            if not self._ended and began - collected < PERIOD_SECONDS:
                continue
            self._ended, collected = 0, began
            self._collect()
