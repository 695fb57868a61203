"""Admission control: how many camera sessions are opened at once, per village and in total, and in which order.

A feed that somebody watches goes before those that are opened for a look, and one place is reserved for watched feeds.
A login is tried only with the hub's permit. When a village's link returns, the first stream that opens ends the retry
waits of the others in the village; they are admitted through the same limits.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from camera_hub.clock import Clock
from camera_hub.relay.ingest.login_permits import LoginPermit, LoginPermitRequests
from camera_hub.relay.messages import FeedSpec
from camera_hub.running import ended

WAKE_INTERVAL = 30.0
"""Seconds between two early ends of a village's retry waits: one flapping camera must not redial the dead ones."""


@dataclass(eq=False, slots=True)
class _QueuedOpening:
    watched: Callable[[], bool]
    admitted: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class _OpenLimit:
    """At most `limit` sessions are being opened at once; the last place is only for feeds that are watched. One at a
    time while the relay is `overloaded`."""

    def __init__(self, limit: int, overloaded: Callable[[], bool]) -> None:
        self._limit = limit
        self._overloaded = overloaded
        self._open = 0
        self._queue: list[_QueuedOpening] = []

    @asynccontextmanager
    async def place(self, watched: Callable[[], bool]) -> AsyncIterator[None]:
        queued = _QueuedOpening(watched)
        self._queue.append(queued)
        self.admit()
        try:
            await queued.admitted
        except asyncio.CancelledError:
            if queued in self._queue:
                self._queue.remove(queued)
            else:
                self._release()
            raise
        try:
            yield
        finally:
            self._release()

    def admit(self) -> None:
        """Admit as many as there are places for, watched ones first (which may have changed since they queued)."""
        limit = 1 if self._overloaded() else self._limit
        for queued in sorted(self._queue, key=lambda one: not one.watched()):
            if queued.admitted.done():  # cancelled just now; its task has not yet left the queue
                continue
            if self._open >= (limit if queued.watched() else max(1, limit - 1)):
                return
            self._open += 1
            self._queue.remove(queued)
            queued.admitted.set_result(None)

    def _release(self) -> None:
        self._open -= 1
        self.admit()


class _VillageAdmission:
    """A village's limit, and those of its feeds that wait before they retry."""

    def __init__(self, limit: int) -> None:
        self.limit = _OpenLimit(limit, lambda: False)
        self._retrying: set[asyncio.Future[None]] = set()
        self._woken_at = float("-inf")

    async def wait_to_retry(self, clock: Clock, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sleeping = asyncio.create_task(clock.sleep(seconds), name="retry wait")
        self._retrying.add(woken)
        try:
            await asyncio.wait({sleeping, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._retrying.discard(woken)
            await ended(sleeping)

    def wake(self, now: float) -> None:
        """End all retry waits, at most once per WAKE_INTERVAL."""
        if self._retrying and now - self._woken_at >= WAKE_INTERVAL:
            self._woken_at = now
            for woken in self._retrying:
                if not woken.done():
                    woken.set_result(None)


class AdmissionControl:
    """Shared by all feeds of a relay. `per_village`, `at_once`: sessions that may be in the course of being opened.
    `overloaded`: whether the relay cannot keep up; asked at each admission."""

    def __init__(
        self,
        per_village: int,
        at_once: int,
        permits: LoginPermitRequests,
        clock: Clock,
        *,
        overloaded: Callable[[], bool] = lambda: False,
    ) -> None:
        self._villages: dict[str, _VillageAdmission] = defaultdict(lambda: _VillageAdmission(per_village))
        self._total = _OpenLimit(at_once, overloaded)
        self._permits = permits
        self._clock = clock
        # device → `watched` of each of its feeds that waits for the device's login permit, or holds it
        self._permit_queues: dict[str, list[Callable[[], bool]]] = defaultdict(list)

    def watched(self, spec: FeedSpec) -> None:
        """Somebody has started to watch this feed; if it waits, its priority has changed."""
        self._villages[spec.group].limit.admit()
        self._total.admit()

    async def wait_to_retry(self, spec: FeedSpec, seconds: float) -> None:
        """Wait before the next attempt at an unreachable camera; shorter when its village is reachable again."""
        await self._villages[spec.group].wait_to_retry(self._clock, seconds)

    @asynccontextmanager
    async def opening(self, spec: FeedSpec, watched: Callable[[], bool] = lambda: False) -> AsyncIterator[LoginPermit]:
        """Hold this while the session is being opened. `watched`: whether somebody watches the feed, asked repeatedly.

        Raises HubError when the login must not be tried now (see `LoginPermitRequests.trying`).
        """
        village = self._villages[spec.group]
        # The login permit first, since it may take long: the channels of a silent recorder wait for one another, and
        # must not occupy their village's places meanwhile. Whoever has a place never waits for a permit.
        with self._queued(spec, watched) as urgent:
            async with (
                self._permits.trying(spec) as permit,
                village.limit.place(urgent),
                self._total.place(urgent),
            ):
                yield permit
        village.wake(self._clock.monotonic())

    def renewing(self, spec: FeedSpec) -> AbstractAsyncContextManager[LoginPermit]:
        """Hold this while a session that plays answers another challenge. Raises HubError as `opening`."""
        return self._permits.trying(spec)

    @contextmanager
    def _queued(self, spec: FeedSpec, watched: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
        """Whether the opening is urgent: this feed is watched, or one that waits for the same device's permit is."""
        if spec.username is None:
            yield watched
            return
        queue = self._permit_queues[spec.device]
        queue.append(watched)
        try:
            yield lambda: any(one() for one in queue)
        finally:
            queue.remove(watched)
            if not queue:
                del self._permit_queues[spec.device]
