"""Pages of the hub without a browser: one WebSocket and one peer connection each, tiles shown as a page does it."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from camera_hub.bench.wall.hub_data import HubData
from camera_hub.demo.api import Api, browser
from camera_hub.errors import HubError, Kind
from camera_hub.running import running

PER_USER = 4
"""Pages that a user may have open at once (media.viewers_per_user)."""

SHOWN_SECONDS = 180.0
_HELLO_SECONDS = 30.0
_MAX_QUEUE = 4096
SETTLED = frozenset({"live", "pictures", "failed", "refused"})
"""States of a tile that last, as far as the hub knows."""

Tile = tuple[str, str]
"""State and reason ("" if there is none) of a tile, as the page was last told."""

ASKED: Tile = ("asked", "")
"""A camera was put into the tile, and the hub has not said anything of it yet."""


def users_for(pages: int) -> int:
    """How many users are needed for so many pages."""
    return -(-pages // PER_USER)


class Page:
    """One page, and what the hub has told it."""

    def __init__(self, name: str, api: Api, socket: ClientConnection) -> None:
        self.name = name
        self.api = api
        self.gone = ""
        """Why its peer connection or WebSocket has ended."""
        self.heard: Callable[[dict[str, Any]], None] = lambda message: None
        """Gets every message of the hub that is not about tiles."""
        self._socket = socket
        self._viewer = ""
        self._serial = 0
        self._wished: dict[int, tuple[int, int | None]] = {}  # serial and camera by track
        self._told: dict[int, dict[str, Any]] = {}
        self._changed = asyncio.Event()

    async def offer(self, sdp: str) -> str:
        """Open the peer connection; the hub's SDP answer. Raises HubError."""
        answer = await self.api("POST", "/api/viewers", {"page": self.name, "sdp": sdp})
        self._viewer = str(answer["viewer"])
        return str(answer["sdp"])

    async def show(self, track: int, camera: int | None) -> None:
        """Put a camera into a tile, or empty it. Raises HubError(UNAVAILABLE) when the WebSocket is closed."""
        self._serial += 1
        self._wished[track] = (self._serial, camera)
        wish = {"type": "show", "viewer": self._viewer, "track": track, "serial": self._serial, "camera": camera}
        await self.send(wish)

    async def listen(self) -> None:
        """Note what the hub tells until the WebSocket closes; runs alongside everything else."""
        try:
            async for text in self._socket:
                self._note(json.loads(text))
        except ConnectionClosed as error:
            self.gone = self.gone or f"closed: {error}"
        self._changed.set()
        await asyncio.Event().wait()  # what runs alongside a block ends with it, not before

    def _note(self, message: dict[str, Any]) -> None:
        if message["type"] == "tile" and message["viewer"] == self._viewer:
            self._told[int(message["track"])] = message
        elif message["type"] == "viewer_gone" and message["viewer"] == self._viewer:
            self.gone = str(message["reason"])
        else:
            self.heard(message)
            return
        self._changed.set()

    async def send(self, message: dict[str, Any]) -> None:
        """Any message. Raises HubError(UNAVAILABLE) when the WebSocket is closed."""
        try:
            await self._socket.send(json.dumps(message))
        except ConnectionClosed as error:
            raise HubError(Kind.UNAVAILABLE, f"the hub has closed the page's WebSocket: {error}") from error

    def tiles(self) -> list[Tile]:
        """Of each tile that shows or should show a camera."""
        return [
            tile_of(found) if (found := self._told.get(track)) is not None and found["serial"] == serial else ASKED
            for track, (serial, camera) in sorted(self._wished.items())
            if camera is not None
        ]

    async def until(self, done: Callable[["Page"], bool]) -> None:
        """Wait until the condition holds; it is asked again after each change. The caller sets the deadline."""
        while not done(self):
            self._changed.clear()
            await self._changed.wait()

    async def close(self) -> None:
        """Close the peer connection, if it stands."""
        if self._viewer and not self.gone:
            await self.api("DELETE", f"/api/viewers/{self._viewer}")


def tile_of(message: dict[str, Any]) -> Tile:
    """State and reason; a live tile with a note has that for its reason."""
    return str(message["state"]), str(message.get("reason") or message.get("note") or "")


def told(pages: Sequence[Page]) -> dict[str, int]:
    """How many tiles of these pages are in each state, as "state" or "state: reason"."""
    counted = Counter(f"{state}: {reason}" if reason else state for page in pages for state, reason in page.tiles())
    return dict(sorted(counted.items()))


class Pages:
    """All pages of the bench, of several users, each with `per_user` of them."""

    def __init__(self, apis: Sequence[Api], stack: AsyncExitStack, per_user: int = PER_USER) -> None:
        self.apis = apis
        self._stack = stack
        self._per_user = per_user
        self._opened = 0

    async def open(self) -> Page:
        """Open one more page; after its hello message it is ready for an offer. Raises HubError."""
        api = self.apis[self._opened // self._per_user]
        name = f"bench-wall-{self._opened:04}"
        self._opened += 1
        url = f"{api.url.replace('http', 'ws', 1)}/api/live"
        try:
            async with asyncio.timeout(_HELLO_SECONDS):
                socket = await self._stack.enter_async_context(
                    connect(
                        url,
                        additional_headers={"Cookie": api.cookie},
                        subprotocols=[Subprotocol("camera-hub"), Subprotocol(f"page.{name}")],
                        proxy=None,
                        max_queue=_MAX_QUEUE,
                    )
                )
                hello = json.loads(await socket.recv())
        except (OSError, TimeoutError, ConnectionClosed) as error:
            raise HubError(Kind.UNAVAILABLE, f"the hub opened no WebSocket for a page: {error!r}") from error
        if hello["type"] != "hello":
            raise HubError(Kind.INTERNAL, f"a page's first message was {hello['type']!r} instead of hello")
        page = Page(name, api, socket)
        await self._stack.enter_async_context(running(page.listen(), f"page {name}"))
        return page


@asynccontextmanager
async def signed_in(url: str, data: HubData, per_user: int = PER_USER) -> AsyncIterator[Pages]:
    """Every user of the data signed in; their pages end with the block."""
    async with AsyncExitStack() as stack:
        apis = []
        for name in data.users:
            api = await stack.enter_async_context(browser(url))
            await api("POST", "/api/session", {"username": name, "password": data.password})
            apis.append(api)
        yield Pages(apis, stack, per_user)


async def all_live(pages: Sequence[Page]) -> None:
    """Wait until all tiles of these pages are live. Raises HubError, which says what they are instead."""

    def done(page: Page) -> bool:
        return bool(page.gone) or all(state == "live" for state, _ in page.tiles())

    try:
        async with asyncio.timeout(SHOWN_SECONDS):
            await asyncio.gather(*(page.until(done) for page in pages))
    except TimeoutError as error:
        raise HubError(Kind.TIMEOUT, f"not all tiles are live within {SHOWN_SECONDS:g} s, but {told(pages)}") from error
    if gone := sorted({page.gone for page in pages if page.gone}):
        raise HubError(Kind.UNAVAILABLE, f"the hub has ended pages: {', '.join(gone)}")
