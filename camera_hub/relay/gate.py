"""Who may open a camera now: a village's streams do not all dial at once, and a login needs the hub's leave.

A feed that somebody watches goes before those that are opened for a look, and finds a place that looks may not take.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from camera_hub.relay.messages import FeedSpec
from camera_hub.relay.permits import Permit, Permits


@dataclass(eq=False, slots=True)
class _Waiting:
    watched: Callable[[], bool]
    let_in: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class _Village:
    """`places` sessions may be opened at once; the last of them only for somebody who watches."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken = 0
        self._waiting: list[_Waiting] = []

    @asynccontextmanager
    async def place(self, watched: Callable[[], bool]) -> AsyncIterator[None]:
        one = _Waiting(watched)
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
            if self._taken >= (self._places if one.watched() else max(1, self._places - 1)):
                return
            self._taken += 1
            self._waiting.remove(one)
            one.let_in.set_result(None)

    def _leave(self) -> None:
        self._taken -= 1
        self.let_in()


class Gate:
    """Shared by all feeds of a relay."""

    def __init__(self, opens_at_once: int, permits: Permits) -> None:
        self._villages: dict[str, _Village] = defaultdict(lambda: _Village(opens_at_once))
        self._permits = permits

    def watched(self, spec: FeedSpec) -> None:
        """Somebody has begun to watch this feed, which may be waiting."""
        self._villages[spec.group].let_in()

    @asynccontextmanager
    async def opening(self, spec: FeedSpec, watched: Callable[[], bool] = lambda: False) -> AsyncIterator[Permit]:
        """Hold while the session is being opened. Raises HubError when its login must not be tried now."""
        async with self._villages[spec.group].place(watched), self._permits.trying(spec) as permit:
            yield permit
