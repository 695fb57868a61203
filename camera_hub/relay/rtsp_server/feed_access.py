"""A player's way to the hub and to the relay's feeds: asks over the pipe, few at a time."""

import asyncio
from collections.abc import Callable, Mapping

from camera_hub.relay.ingest.admission import AdmissionControl
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.messages import RtspAsk, RtspEnded
from camera_hub.relay.process.outbox import HubOutbox
from camera_hub.wire import Pipe

ASKS_AT_ONCE = 8
ASK_SECONDS = 12.0
"""The hub may have to ask the device for its stream's address, and the device to be slow."""


class FeedAccess:
    """What a player may ask of the relay and, through it, of the hub."""

    def __init__(
        self,
        pipe: Pipe,
        outbox: HubOutbox,
        feeds: Mapping[str, Feed],
        gate: AdmissionControl,
        want_key: Callable[[str], None],
    ) -> None:
        self._pipe = pipe
        self._outbox = outbox
        self._feeds = feeds
        self._gate = gate
        self._places = asyncio.Semaphore(ASKS_AT_ONCE)
        self.want_key = want_key

    async def ask(self, ask: RtspAsk) -> str:
        """The feed that the session may have. Raises HubError with the hub's refusal, TIMEOUT or UNAVAILABLE."""
        async with self._places:
            reply = await self._pipe.call(ask.head("rtsp.ask"), deadline=ASK_SECONDS)
        return str(reply.head["feed"])

    def ended(self, word: RtspEnded) -> None:
        """A session that was asked for is over."""
        self._outbox.post(word.head("rtsp.ended"))

    def feed(self, name: str) -> Feed | None:
        """The feed of that name, where it is open."""
        return self._feeds.get(name)

    def watched(self, feed: Feed) -> None:
        """Somebody has begun to watch the feed, which may be waiting to be opened."""
        self._gate.watched(feed.spec)
