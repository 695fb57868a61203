"""An event loop whose time stands still while the machine lets it wait: what is in time when nothing else runs on the
machine is in time on a busy one.

Deadlines of seconds and less are the product's own. A test whose peer runs in the same loop must not miss one because
other processes have taken the processor meanwhile, or a calculation took long: only the time that the loop waits counts
in full, and of anything else a little.
"""

import asyncio
import selectors
import threading
import time
from collections.abc import Callable

STEP = 0.005
"""Seconds that count at most between two looks at the clock. Work that looks at it more often counts as it is."""


class PatientTime:
    """A monotonic clock in seconds without what the machine has withheld; one for all threads."""

    def __init__(self, machine: Callable[[], float] = time.monotonic) -> None:
        self._machine = machine
        self._lock = threading.Lock()
        self._last = machine()
        self._withheld = 0.0

    def monotonic(self) -> float:
        with self._lock:
            now = self._machine() - self._withheld
            if now - self._last > STEP:
                self._withheld += now - self._last - STEP
                now = self._last + STEP
            self._last = now
            return now

    def waited(self, seconds: float) -> None:
        """So long somebody has waited of his own will: it counts in full."""
        with self._lock:
            self._last = min(self._last + seconds, self._machine() - self._withheld)


def counted(seconds: float, wanted: float | None, *, disturbed: bool) -> float:
    """What counts of a wait of so many seconds that was to last `wanted` (None: until something comes) at most.

    If it was over far too late, whatever disturbed it may have come at any time: it goes before the timer that is due.
    """
    if wanted is None or seconds <= wanted:
        return seconds
    return wanted / 2 if disturbed and seconds - wanted > STEP else wanted


TIME = PatientTime()


class _Selector(selectors.DefaultSelector):
    """Tells the clock how long it has waited."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        began = time.monotonic()
        found = super().select(timeout)
        wanted = None if timeout is None else max(0.0, timeout)
        TIME.waited(counted(time.monotonic() - began, wanted, disturbed=bool(found)))
        return found


class PatientLoop(asyncio.SelectorEventLoop):
    """The loop of all tests but those that measure."""

    def __init__(self) -> None:
        super().__init__(_Selector())

    def time(self) -> float:
        return TIME.monotonic()
