"""Key frames of feeds: for taps, which are handed each one, and for looks, which wait for the next one."""

import asyncio
from collections.abc import Callable

from camera_hub.errors import HubError
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.relay.messages import KeyFrame

OnKey = Callable[[FeedKey, KeyFrame, bytes], None]
"""Called in the loop with each key frame that is tapped."""


class KeyFrames:
    """`ask` tells the feed's relay: a key frame each so many seconds, None = no more, 0 = the next one besides."""

    def __init__(self, ask: Callable[[FeedKey, float | None], None]) -> None:
        self._ask = ask
        self._taps: dict[FeedKey, tuple[float, OnKey]] = {}
        self._waiters: dict[FeedKey, set[asyncio.Future[tuple[KeyFrame, bytes]]]] = {}

    def tap(self, key: FeedKey, every: float, on_key: OnKey) -> None:
        """Hand out the feed's key frames until `untap`, one each `every` seconds, and those that looks ask for."""
        self._taps[key] = (every, on_key)
        self._ask(key, every)

    def untap(self, key: FeedKey) -> None:
        """No more of them."""
        if self._taps.pop(key, None) is not None:
            self._ask(key, None)

    async def next(self, key: FeedKey) -> tuple[KeyFrame, bytes]:
        """The feed's next key frame; the caller sets the deadline. Raises what `fail` is given meanwhile."""
        future: asyncio.Future[tuple[KeyFrame, bytes]] = asyncio.get_running_loop().create_future()
        waiters = self._waiters.setdefault(key, set())
        waiters.add(future)
        if len(waiters) == 1:
            self._ask(key, 0)
        try:
            return await future
        finally:
            waiters.discard(future)
            if not waiters and self._waiters.get(key) is waiters:
                del self._waiters[key]

    def opened(self, key: FeedKey) -> None:
        """A relay opens the feed (anew): it knows of no tap, and of nobody who waits."""
        if key in self._taps:
            self._ask(key, self._taps[key][0])
        if key in self._waiters:
            self._ask(key, 0)

    def heard(self, key: FeedKey, frame: KeyFrame, data: bytes) -> None:
        """A key frame came."""
        for waiter in self._waiters.pop(key, set()):
            if not waiter.done():
                waiter.set_result((frame, data))
        if (tap := self._taps.get(key)) is not None:
            tap[1](key, frame, data)

    def fail(self, key: FeedKey, error: HubError) -> None:
        """None will come just now: whoever waits is told why."""
        for waiter in self._waiters.pop(key, set()):
            if not waiter.done():
                waiter.set_exception(error)
