"""The pages that are open: one outbox each, and how long a page may be away before its viewers are closed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable

from camera_hub.media.interface import PageAudioState, PageNews, RelayReplaced, TileStatus, ViewerEnded

_BOUND = 256


class PageOutbox:
    """News for one page. A newer tile takes the place of an older word about the same tile, so it stays small."""

    def __init__(self) -> None:
        self._news: dict[Hashable, PageNews] = {}
        self._ready = asyncio.Event()
        self._closed = False
        self.dropped = 0

    def put(self, news: PageNews) -> None:
        """Add news; beyond the bound the oldest are dropped and counted."""
        key: Hashable
        match news:
            case TileStatus():
                key = ("tile", news.viewer, news.track)
            case PageAudioState():
                key = "heard"
            case ViewerEnded():
                key = ("gone", news.viewer)
            case RelayReplaced():
                key = ("relay", news.relay)
        self._news.pop(key, None)
        self._news[key] = news
        while len(self._news) > _BOUND:
            del self._news[next(iter(self._news))]
            self.dropped += 1
        self._ready.set()

    def close(self) -> None:
        """No more news: the iteration ends."""
        self._closed = True
        self._ready.set()

    @property
    def closed(self) -> bool:
        return self._closed

    async def __aiter__(self) -> AsyncIterator[PageNews]:
        while True:
            while self._news and not self._closed:
                yield self._news.pop(next(iter(self._news)))
            if self._closed:
                return
            self._ready.clear()
            await self._ready.wait()


class OpenPages:
    """Which pages are open, and since when the others are away. Times are monotonic seconds."""

    def __init__(self, patience: float = 15.0) -> None:
        self._patience = patience
        self._open: dict[str, PageOutbox] = {}
        self._away: dict[str, float] = {}
        self._owner: dict[str, int] = {}
        self.on_news: Callable[[str, PageNews], None] = lambda page, news: None
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

    def tell(self, page: str | None, news: PageNews) -> None:
        """Put news into the page's outbox, if it is open; `on_news` hears of it in any case."""
        if page is None:
            return
        if (outbox := self._open.get(page)) is not None:
            outbox.put(news)
        self.on_news(page, news)

    def tell_all(self, news: PageNews) -> None:
        """Put news into every open page's outbox."""
        for outbox in self._open.values():
            outbox.put(news)

    def __len__(self) -> int:
        return len(self._open)
