"""An event loop that takes turns and can be measured: how late it runs, and what share of its time it is busy.

asyncio serves everything that is ready before it looks again. With hundreds of cameras that is hundreds of reads, each
of up to 256 KiB; a process that cannot keep up takes seconds per round then, and answers nobody meanwhile. A round of
this loop is a few descriptors long, and those that are preferred are part of each.
"""

import asyncio
import select
import selectors
import statistics
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from camera_hub.clock import Clock
from camera_hub.running import BEAT, to_beat

AT_ONCE = 32
"""Descriptors that are served before timers, tasks and preferred descriptors have their turn."""

LATE_SAMPLES = 100
"""Ten seconds."""
RECENT_SAMPLES = 50
BUSY_SECONDS = 3
"""The share of time that is busy is taken over so many seconds."""


class TurnSelector(selectors.EpollSelector):
    """At most `at_once` descriptors a turn; the kernel serves those that are ready one after the other (epoll(7)).

    `waited`: seconds spent waiting for something to do, since the beginning.
    """

    def __init__(self, at_once: int = AT_ONCE) -> None:
        super().__init__()
        self._at_once = at_once
        self._ready = select.epoll()
        self._preferred = select.epoll()
        self._wanted: set[int] = set()
        self._known: dict[int, selectors.SelectorKey] = {}
        self.waited = 0.0

    def prefer(self, fd: int) -> None:
        """Serve this descriptor in each turn in which it can be read, however many others are ready."""
        self._wanted.add(fd)
        if fd in self._known:
            self._preferred.register(fd, select.EPOLLIN)

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = self._known_as(super().register(fileobj, events, data))
        self._ready.register(key.fd, _mask(events))
        if key.fd in self._wanted:
            self._preferred.register(key.fd, select.EPOLLIN)
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = self._known_as(super().modify(fileobj, events, data))
        self._ready.modify(key.fd, _mask(events))
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key = super().unregister(fileobj)
        del self._known[key.fd]
        _forget(self._ready, key.fd)
        if key.fd in self._wanted:
            _forget(self._preferred, key.fd)
        return key

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        seconds = -1.0 if timeout is None else max(0.0, timeout)
        if seconds:
            began = time.monotonic()
            found = self._ready.poll(seconds, self._at_once)
            self.waited += time.monotonic() - began
        else:
            found = self._ready.poll(0, self._at_once)
        if len(found) == self._at_once and self._wanted:
            listed = {fd for fd, _ in found}
            found += [one for one in self._preferred.poll(0, len(self._wanted)) if one[0] not in listed]
        ready = []
        for fd, mask in found:
            key = self._known.get(fd)
            if key is None:
                continue
            events = 0
            if mask & ~select.EPOLLIN:
                events |= selectors.EVENT_WRITE
            if mask & ~select.EPOLLOUT:
                events |= selectors.EVENT_READ
            if events & key.events:
                ready.append((key, events & key.events))
        return ready

    def close(self) -> None:
        self._ready.close()
        self._preferred.close()
        super().close()

    def _known_as(self, key: selectors.SelectorKey) -> selectors.SelectorKey:
        self._known[key.fd] = key
        return key


def _mask(events: int) -> int:
    read = select.EPOLLIN if events & selectors.EVENT_READ else 0
    return read | (select.EPOLLOUT if events & selectors.EVENT_WRITE else 0)


def _forget(poll: "select.epoll", fd: int) -> None:
    """A descriptor that was closed before it was unregistered has left by itself (epoll(7))."""
    try:
        poll.unregister(fd)
    except OSError:
        return


class LoopMeter:
    """Measures the loop that `run` runs in. `waited`: seconds that it has spent waiting for something to do, where its
    selector counts them; `cpu`: the CPU time of the process in seconds.
    """

    def __init__(
        self, clock: Clock, waited: Callable[[], float] | None = None, cpu: Callable[[], float] = time.process_time
    ) -> None:
        self._clock = clock
        self._waited = waited
        self._cpu = cpu
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
        """Share of the time, 0 to 1, in which the loop had something to do: also while the machine let it wait."""
        if self._waited is None:
            return min(1.0, self.cpu)
        began, waited, _ = self._marks[0] if self._marks else (0.0, 0.0, 0.0)
        now, waited_now, _ = self._marks[-1] if self._marks else (0.0, 0.0, 0.0)
        return min(1.0, max(0.0, 1 - (waited_now - waited) / (now - began))) if now > began else 0.0

    @property
    def cpu(self) -> float:
        """CPU time of the process as a share of one core; more than 1 where other threads work, too."""
        if len(self._marks) < 2 or self._marks[-1][0] <= self._marks[0][0]:
            return 0.0
        return (self._marks[-1][2] - self._marks[0][2]) / (self._marks[-1][0] - self._marks[0][0])

    def _mark(self) -> None:
        waited = self._waited() if self._waited is not None else 0.0
        self._marks.append((self._clock.monotonic(), waited, self._cpu()))


def loop_with(selector: TurnSelector) -> Callable[[], asyncio.AbstractEventLoop]:
    """For asyncio.Runner(loop_factory=…)."""
    return lambda: asyncio.SelectorEventLoop(selector)
