"""The pages that are open: one outbox each, and how long a page may be away before its viewers are closed."""

import asyncio
from collections.abc import Hashable
from typing import Self

from camera_hub.media.interface import PageAudioState, PageMessage, RelayReplaced, TileStatus, ViewerEnded

_BOUND = 256


class PageOutbox:
    """Messages for one page. A newer state of a tile replaces an older one, so it stays small."""

    def __init__(self) -> None:
        self._messages: dict[Hashable, PageMessage] = {}
        self._ready = asyncio.Event()
        self._closed = False
        self.dropped = 0

    def put(self, message: PageMessage) -> None:
        """Add a message; beyond the bound the oldest are dropped and counted."""
        key: Hashable
        match message:
            case TileStatus():
                key = ("tile", message.viewer, message.track)
            case PageAudioState():
                key = "audio"
            case ViewerEnded():
                key = ("gone", message.viewer)
            case RelayReplaced():
                key = ("relay", message.relay)
        self._messages.pop(key, None)
        self._messages[key] = message
        while len(self._messages) > _BOUND:
            del self._messages[next(iter(self._messages))]
            self.dropped += 1
        self._ready.set()

    def close(self) -> None:
        """No more messages: the iteration ends."""
        self._closed = True
        self._ready.set()

    @property
    def closed(self) -> bool:
        return self._closed

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> PageMessage:
        while not self._closed:
            if self._messages:
                return self._messages.pop(next(iter(self._messages)))
            self._ready.clear()
            await self._ready.wait()
        raise StopAsyncIteration


class OpenPages:
    """Which pages are open, and since when the others are away. Times are monotonic seconds."""

    def __init__(self, patience: float = 15.0) -> None:
        self._patience = patience
        self._open: dict[str, PageOutbox] = {}
        self._away: dict[str, float] = {}
        self._owner: dict[str, int] = {}
        self.dropped = 0

    def open(self, page: str, user_id: int) -> PageOutbox:
        """The page's WebSocket is there. An earlier one of the same page is closed."""
        self.forget_stranger(page, user_id)
        if (earlier := self._open.get(page)) is not None:
            earlier.close()
        self._away.pop(page, None)
        self._owner[page] = user_id
        self._open[page] = outbox = PageOutbox()
        return outbox

    def leave(self, page: str, outbox: PageOutbox, now: float) -> None:
        """The page's WebSocket ended; nothing happens when it has already been replaced."""
        self.dropped += outbox.dropped
        if self._open.get(page) is outbox:
            del self._open[page]
            self._away[page] = now

    def expect(self, page: str, user_id: int, now: float) -> None:
        """A page offers; if it has no WebSocket (yet), it is away from now on."""
        self._owner[page] = user_id
        if page not in self._open:
            self._away.setdefault(page, now)

    def belongs(self, page: str, user_id: int) -> bool:
        """Whether the page is free or that user's."""
        return self._owner.get(page, user_id) == user_id

    def forget_stranger(self, page: str, user_id: int) -> None:
        """Somebody else signed in on the same page: the earlier user's connection to it ends."""
        if not self.belongs(page, user_id):
            if (outbox := self._open.pop(page, None)) is not None:
                outbox.close()
            self._away.pop(page, None)
            del self._owner[page]

    def away(self, page: str) -> bool:
        """Whether the page has no WebSocket now."""
        return page not in self._open

    def lost(self, now: float) -> list[str]:
        """Pages that have been away for too long; they are forgotten."""
        lost = [page for page, since in self._away.items() if now - since > self._patience]
        for page in lost:
            del self._away[page]
            self._owner.pop(page, None)
        return lost

    def publish(self, page: str | None, message: PageMessage) -> None:
        """Put a message into the page's outbox, if it is open."""
        if page is not None and (outbox := self._open.get(page)) is not None:
            outbox.put(message)

    def publish_to_all(self, message: PageMessage) -> None:
        """Put a message into every open page's outbox."""
        for outbox in self._open.values():
            outbox.put(message)

    def __len__(self) -> int:
        return len(self._open)
