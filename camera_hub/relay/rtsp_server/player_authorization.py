"""Authorization of players: the hub is asked over the pipe whether a token opens a camera, and which feed that is.

A few requests at a time: a crowd of players must not flood the hub.
"""

import asyncio
from collections.abc import Mapping
from typing import Protocol

from camera_hub.errors import HubError, Kind
from camera_hub.relay.ingest.admission import AdmissionControl
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.messages import RtspAsk, RtspEnded, RtspGranted
from camera_hub.relay.process.outbox import HubOutbox
from camera_hub.wire import Pipe

MAX_CONCURRENT = 8
MAX_BACKLOG = 8 * 1024 * 1024
"""Bytes that the hub has not read, from which on it is asked nothing more: no queue without a bound."""
REPLY_DEADLINE = 12.0
"""Seconds. The hub may have to ask a slow device for its stream's address first."""


class KeyFrameRequests(Protocol):
    """Where key frames are requested (`process.hub_notifier.HubNotifier`)."""

    def on_key_frame_wanted(self, feed: str) -> None:
        """Somebody waits for this feed's next key frame."""
        ...


class PlayerAuthorization:
    """The `PlayerHost` of all players of a relay. `feeds`: the relay's open feeds, by name."""

    def __init__(
        self,
        pipe: Pipe,
        outbox: HubOutbox,
        feeds: Mapping[str, Feed],
        admission: AdmissionControl,
        key_frame_requests: KeyFrameRequests,
    ) -> None:
        self._pipe = pipe
        self._outbox = outbox
        self._feeds = feeds
        self._admission = admission
        self._key_frame_requests = key_frame_requests
        self._concurrent = asyncio.Semaphore(MAX_CONCURRENT)

    async def authorize(self, ask: RtspAsk) -> RtspGranted:
        """The feed that the session may have; it is open then.

        Raises HubError: the hub's refusal, TIMEOUT when it does not answer, UNAVAILABLE when it is gone.
        """
        if self._pipe.backlog > MAX_BACKLOG:
            raise HubError(Kind.UNAVAILABLE, "the hub does not read its messages; try again when it has been restarted")
        async with self._concurrent:
            reply = await self._pipe.call(ask.head("rtsp.ask"), deadline=REPLY_DEADLINE)
        return RtspGranted.of(reply.head)

    def session_ended(self, ended: RtspEnded) -> None:
        """A session that the hub was asked for has ended."""
        self._outbox.post(ended.head("rtsp.ended"))

    def feed(self, name: str) -> Feed | None:
        """The feed of that name, if it is open."""
        return self._feeds.get(name)

    def key_frame_wanted(self, feed: str) -> None:
        """A player waits for this feed's next key frame."""
        self._key_frame_requests.on_key_frame_wanted(feed)

    def watched(self, feed: Feed) -> None:
        """A player has started to watch the feed, which may still wait to be opened."""
        self._admission.watched(feed.spec)
