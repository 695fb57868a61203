"""Who may open a camera now: streams do not all dial at once, per village and in all; a login needs the hub's leave.

A feed that somebody watches goes before those that are opened for a look, and finds a place that looks may not take.
When a village's link returns, its first stream that opens calls the others, who come through the same door.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from camera_hub.clock import Clock
from camera_hub.relay.ingest.login_permits import LoginPermit, LoginPermitRequests
from camera_hub.relay.messages import FeedSpec
from camera_hub.running import ended

CALL_EVERY = 30.0
"""Seconds between two calls in a village: where one camera comes and goes, the dead ones are not asked each time."""


@dataclass(eq=False, slots=True)
class _QueuedOpening:
    watched: Callable[[], bool]
    let_in: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class _Door:
    """`places` sessions may be opened at once; the last of them only for somebody who watches."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken = 0
        self._waiting: list[_QueuedOpening] = []

    @asynccontextmanager
    async def place(self, watched: Callable[[], bool]) -> AsyncIterator[None]:
        one = _QueuedOpening(watched)
        self._waiting.append(one)
        self.let_in()
        try:
            await one.let_in
        except asyncio.CancelledError:
            if one in self._waiting:
                self._waiting.remove(one)
            else:
                self._leave()
            raise
        try:
            yield
        finally:
            self._leave()

    def let_in(self) -> None:
        """As many as there are places for, those first who are watched; who is may have changed."""
        for one in sorted(self._waiting, key=lambda waiting: not waiting.watched()):
            if one.let_in.done():  # cancelled just now; it has not had its turn to leave the queue
                continue
            if self._taken >= (self._places if one.watched() else max(1, self._places - 1)):
                return
            self._taken += 1
            self._waiting.remove(one)
            one.let_in.set_result(None)

    def _leave(self) -> None:
        self._taken -= 1
        self.let_in()


class _Village:
    """A door, and those who rest until they may knock again."""

    def __init__(self, places: int) -> None:
        self.door = _Door(places)
        self._resting: set[asyncio.Future[None]] = set()
        self._called_at = float("-inf")

    async def rest(self, clock: Clock, seconds: float) -> None:
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sleeping = asyncio.create_task(clock.sleep(seconds), name="rest")
        self._resting.add(called)
        try:
            await asyncio.wait({sleeping, called}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._resting.discard(called)
            await ended(sleeping)

    def call(self, now: float) -> None:
        """Let all that rest try at once."""
        if self._resting and now - self._called_at >= CALL_EVERY:
            self._called_at = now
            for called in self._resting:
                if not called.done():
                    called.set_result(None)


class AdmissionControl:
    """Shared by all feeds of a relay. `per_village` and `at_once`: sessions that may be under way to being opened."""

    def __init__(self, per_village: int, at_once: int, permits: LoginPermitRequests, clock: Clock) -> None:
        self._villages: dict[str, _Village] = defaultdict(lambda: _Village(per_village))
        self._all = _Door(at_once)
        self._permits = permits
        self._clock = clock
        self._in_turn: dict[str, list[Callable[[], bool]]] = defaultdict(list)  # device → who is in its queue or first

    def watched(self, spec: FeedSpec) -> None:
        """Somebody has begun to watch this feed, which may be waiting."""
        self._villages[spec.group].door.let_in()
        self._all.let_in()

    async def rest(self, spec: FeedSpec, seconds: float) -> None:
        """Wait that long before the next try of a camera that could not be reached; less when its village is back."""
        await self._villages[spec.group].rest(self._clock, seconds)

    @asynccontextmanager
    async def opening(self, spec: FeedSpec, watched: Callable[[], bool] = lambda: False) -> AsyncIterator[LoginPermit]:
        """Hold while the session is being opened. Raises HubError when its login must not be tried now."""
        village = self._villages[spec.group]
        # A login's turn first, since it may be long in coming: the channels of a recorder that is silent wait for one
        # another, and must not stand in their village's door meanwhile. Who has a place never waits for a turn.
        with self._queued(spec, watched) as pressing:
            async with (
                self._permits.trying(spec) as permit,
                village.door.place(pressing),
                self._all.place(pressing),
            ):
                yield permit
        village.call(self._clock.monotonic())

    @contextmanager
    def _queued(self, spec: FeedSpec, watched: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
        """Whether somebody watches who waits: for this feed, or for its device's turn, which this feed may have."""
        if spec.username is None:
            yield watched
            return
        queue = self._in_turn[spec.device]
        queue.append(watched)
        try:
            yield lambda: any(one() for one in queue)
        finally:
            queue.remove(watched)
            if not queue:
                del self._in_turn[spec.device]
