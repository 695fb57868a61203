"""When a relay process collects garbage: at moments of its own choosing, and so that memory comes back.

Every viewer leaves a few cycles behind (aiortc's transports and their tasks), each holding C memory of OpenSSL and
libsrtp. Python's collector looks at old objects only when a quarter of them is new: with the 100,000 objects of the
imports that is thousands of viewers later, and memory grows by 2.5 kB each until then (measured). So what the imports
made is frozen, and the old objects are looked at when viewers have gone, and now and then.
"""

import contextlib
import ctypes
import gc
from collections.abc import Callable

from camera_hub.clock import Clock

LOOK_EVERY = 5.0
PERIOD = 60.0
MANY = 64
NEVER = 1_000_000


def take_over() -> None:
    """To be called once in a relay process, when all is imported: from now on only `collect` looks at old objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], NEVER)


def collect() -> None:
    """Collect all garbage, and give free memory back to the system where the C library can (glibc)."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class GcControl:
    """Collects within LOOK_EVERY seconds after a viewer has gone, at once after MANY have, else each PERIOD seconds."""

    def __init__(self, clock: Clock, collect: Callable[[], None] = collect) -> None:
        self._clock = clock
        self._collect = collect
        self._left = 0

    def left(self) -> None:
        """A viewer has gone."""
        self._left += 1
        if self._left >= MANY:
            self._left = 0
            self._collect()

    async def run(self) -> None:
        """Until cancelled."""
        collected = self._clock.monotonic()
        while True:
            await self._clock.sleep(LOOK_EVERY)
            began = self._clock.monotonic()
            if not self._left and began - collected < PERIOD:
                continue
            self._left, collected = 0, began
            self._collect()
