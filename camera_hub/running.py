"""The one retry loop of the code base, and the one way to run a task alongside a block."""

import asyncio
import logging
import math
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from camera_hub.clock import Clock
from camera_hub.errors import HubError

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Backoff:
    """Full-jitter back-off: the n-th pause is uniform in [0, min(cap, first * 2**n)], never under `floor` (seconds).

    Full jitter keeps a village's cameras from reconnecting all at once (AWS architecture blog, "Exponential backoff and
    jitter"). When the work stayed healthy for `reset_after` seconds, counting starts again.
    """

    first: float = 1.0
    cap: float = 60.0
    floor: float = 0.1
    reset_after: float = 30.0

    def pause(self, failures: int, draw: Callable[[], float] = random.random) -> float:
        """Seconds to wait after the `failures`-th failure in a row (1 = the first)."""
        ceiling = min(self.cap, self.first * 2.0 ** min(failures - 1, 32))
        return max(self.floor, ceiling * draw())


async def keep_running(
    name: str,
    run_once: Callable[[], Awaitable[None]],
    *,
    clock: Clock,
    backoff: Backoff = Backoff(),
    on_failure: Callable[[Exception], None] | None = None,
    draw: Callable[[], float] = random.random,
    rest: Callable[[float], Awaitable[None]] | None = None,
) -> None:
    """Run `run_once` for ever: when it returns or raises, pause and run it again. Ends only by cancellation.

    An expected failure (`HubError`) is logged as a warning once per change of its text; anything else as an error with
    traceback each time. `on_failure` gets every exception before the pause; `rest` waits that long, or less.
    """
    failures = 0
    logged: str | None = None
    while True:
        began = clock.monotonic()
        failure: Exception | None = None
        try:
            await run_once()
        except HubError as error:
            failure = error
            if str(error) != logged:
                logged = str(error)
                log.warning("%s: %s", name, error)
        except Exception as error:
            failure = error
            log.exception("%s failed unexpectedly", name)
        if failure is not None and on_failure is not None:
            on_failure(failure)
        if clock.monotonic() - began >= backoff.reset_after:
            failures, logged = 0, None
        failures += 1
        await (rest or clock.sleep)(backoff.pause(failures, draw))


BEAT = 0.1
"""Seconds between the common points in time at which small periodic work is done."""


def to_beat(now: float, seconds: float) -> float:
    """Seconds until the first beat that is at least `seconds` away.

    Hundreds of viewers and feeds do a little work every second. Waking up for each separately costs more than the work:
    some 100 µs of cold caches. On common beats they wake up together, at most ten times a second.
    """
    return max(0.0, math.ceil((now + seconds) / BEAT - 1e-6) * BEAT - now)


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[asyncio.Task[None]]:
    """Run `work` as a named task while the block runs; on leaving, cancel it and wait until it has ended."""
    task = asyncio.create_task(work, name=name)
    try:
        yield task
    finally:
        await ended(task)


async def ended(task: "asyncio.Task[Any]") -> None:
    """Cancel `task` and wait for its end. Its failure is logged, not raised; our own cancellation is raised, once the
    task has ended: else it would go on with what it has to give back when nobody waits for it any longer.
    """
    task.cancel()
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s ended with an error", task.get_name(), exc_info=error)


async def completed(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which goes on to its end however often we are cancelled; that is raised after it, with
    the failure of `work` as its cause."""
    task = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from None if task.cancelled() else task.exception()
    return task.result()


async def acquired(work: Coroutine[Any, Any, T], give_back: Callable[[T], Coroutine[Any, Any, object]]) -> T:
    """What `work` acquires, which is not given up half-way; if we are cancelled meanwhile, it is given back first."""
    got: list[T] = []

    async def acquire() -> None:
        got.append(await work)

    try:
        await completed(acquire())
    except asyncio.CancelledError:
        for one in got:
            await completed(give_back(one))
        raise
    return got[0]
