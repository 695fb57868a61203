"""A page's WebSocket on the hub's side, and the one place that knows what a page is told again after a reconnect.

In this order: `hello` (api.live: the hub's epoch, relays with theirs, and the page's viewers that still stand), the
state of every tile, and what the page hears. What changed meanwhile in lists the page reads anew itself.
"""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.media.wall.pages import OpenPages, PageOutbox
from camera_hub.media.wall.tile_updates import TileUpdates
from camera_hub.media.wall.viewer_session import ViewerSessions
from camera_hub.media.wall.viewers import Viewers
from camera_hub.media.wall.watchers import owner_of


class AudioOfPages(Protocol):
    """Who hears what (wall.audio)."""

    def publish_again(self, page: str) -> None: ...
    def forget(self, page: str) -> None: ...


class Relay(Protocol):
    """A relay that pages connect to (relays.link)."""

    number: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Greeting:
    """The run of the hub, its relays' epochs, and the page's viewers that still stand."""

    epoch: str
    relays: dict[int, int]
    viewers: list[str]


class PageConnections:
    """Of all pages."""

    def __init__(
        self,
        pages: OpenPages,
        sessions: ViewerSessions,
        viewers: Viewers,
        updates: TileUpdates,
        audio: AudioOfPages,
        relays: Sequence[Relay],
        clock: Clock,
    ) -> None:
        self._pages = pages
        self._sessions = sessions
        self._viewers = viewers
        self._updates = updates
        self._audio = audio
        self._relays = relays
        self._epoch = secrets.token_hex(8)
        self._clock = clock

    @asynccontextmanager
    async def connected(self, page: str, actor: Actor) -> AsyncIterator[PageOutbox]:
        """The page's WebSocket for the length of the block: iterate the outbox for its messages, all tiles first."""
        outbox = self._pages.open(page, actor.user_id)
        if any(owner_of(viewer.watcher) != owner_of(actor) for viewer in self._sessions.of_page(page)):
            self.sign_out(page)
        for viewer in self._sessions.of_page(page):
            self._updates.publish_again(viewer)
        self._audio.publish_again(page)
        try:
            yield outbox
        finally:
            self._pages.leave(page, outbox, self._clock.monotonic())

    def sign_out(self, page: str) -> None:
        """The session that the page was opened in has ended: so do its pictures and its audio, at once."""
        self._viewers.close_all(self._sessions.of_page(page), "signed_out")
        self._audio.forget(page)

    def greeting(self, page: str) -> Greeting:
        """What the page is told first, each time that it connects."""
        return Greeting(self._epoch, self.relay_epochs(), [viewer.id for viewer in self._sessions.of_page(page)])

    def relay_epochs(self) -> dict[int, int]:
        """Relay → how many processes it has had; a page whose relay's number grew offers again."""
        return {relay.number: relay.epoch for relay in self._relays}
