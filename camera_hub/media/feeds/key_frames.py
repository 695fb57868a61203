"""Key frames of feeds: for taps, which are handed each one, and for looks, which wait for the next one."""

import asyncio
from collections.abc import Callable, Container, Sequence
from typing import Any, Protocol

from camera_hub.errors import HubError
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.relay.messages import KeyFrame

OnKeyFrame = Callable[[FeedKey, KeyFrame, bytes], None]
"""Called in the loop with each key frame that is tapped."""


class RelayCommands(Protocol):
    """Where commands for a relay go (relays.link)."""

    def post(self, type_: str, values: dict[str, Any]) -> bool: ...


def request_key_frames(
    relays: Sequence[RelayCommands], desired: Container[FeedKey], key: FeedKey, every: float | None
) -> None:
    """Ask the relay of a desired feed for its key frames (the `request` of KeyFrames)."""
    if key in desired:
        relays[key.relay].post("feed.keys", {"feed": key.source_id, "every": every})


class KeyFrames:
    """`request` asks the feed's relay: a key frame every so many seconds, None = no more, 0 = the next one besides."""

    def __init__(self, request: Callable[[FeedKey, float | None], None]) -> None:
        self._request = request
        self._taps: dict[FeedKey, tuple[float, OnKeyFrame]] = {}
        self._waiters: dict[FeedKey, set[asyncio.Future[tuple[KeyFrame, bytes]]]] = {}

    def tap(self, key: FeedKey, every: float, on_key_frame: OnKeyFrame) -> None:
        """Hand out the feed's key frames until `untap`, one every `every` seconds, and those that looks ask for."""
        self._taps[key] = (every, on_key_frame)
        self._request(key, every)

    def untap(self, key: FeedKey) -> None:
        """No more of them."""
        if self._taps.pop(key, None) is not None:
            self._request(key, None)

    async def next(self, key: FeedKey) -> tuple[KeyFrame, bytes]:
        """The feed's next key frame; the caller sets the deadline. Raises what `fail` is given meanwhile."""
        future: asyncio.Future[tuple[KeyFrame, bytes]] = asyncio.get_running_loop().create_future()
        waiters = self._waiters.setdefault(key, set())
        waiters.add(future)
        if len(waiters) == 1:
            self._request(key, 0)
        try:
            return await future
        finally:
            waiters.discard(future)
            if not waiters and self._waiters.get(key) is waiters:
                del self._waiters[key]

    def on_opened(self, key: FeedKey) -> None:
        """A relay (re)opens the feed: it knows of no tap, and of nobody who waits."""
        if key in self._taps:
            self._request(key, self._taps[key][0])
        if key in self._waiters:
            self._request(key, 0)

    def on_key_frame(self, key: FeedKey, frame: KeyFrame, data: bytes) -> None:
        """A key frame came."""
        for waiter in self._waiters.pop(key, set()):
            if not waiter.done():
                waiter.set_result((frame, data))
        if (tap := self._taps.get(key)) is not None:
            tap[1](key, frame, data)

    def fail(self, key: FeedKey, error: HubError) -> None:
        """None will come just now: whoever waits gets the error."""
        for waiter in self._waiters.pop(key, set()):
            if not waiter.done():
                waiter.set_exception(error)
