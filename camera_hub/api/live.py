"""The page's WebSocket: tiles, changes and the time go out; requests to show or listen, and what was seen, come in."""

import asyncio
import logging
import re
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from starlette.websockets import WebSocketState

from camera_hub.access.policy import Action, Actor, may_watch
from camera_hub.api.live_changes import LiveChanges, PageChanges
from camera_hub.api.live_ptz import PageSteering
from camera_hub.api.routing import SessionReader, needs, part, session_token
from camera_hub.api.schemas import media as schemas
from camera_hub.api.schemas.media import LiveMessages
from camera_hub.api.schemas.ptz import PtzMessage, PtzMoveMessage, PtzStateMessage, state_answer
from camera_hub.cameras.ptz.state import IDLE
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.media.interface import AudioWish, PageAudioState, RelayReplaced, TileStatus, TileWish, ViewerEnded
from camera_hub.media.wall.page_connections import Greeting
from camera_hub.media.wall.pages import PageOutbox
from camera_hub.patrol.runs.claims import ReportingPage
from camera_hub.patrol.runs.visibility import Sighting

log = logging.getLogger(__name__)
router = APIRouter(prefix="/api", tags=["media"])

TIME_SECONDS = 5.0
"""Seconds between two `time` messages; the session is authorized again at the same interval."""
SEND_SECONDS = 10.0
MAX_MESSAGE = 64 * 1024
SIGNED_OUT = 4401
"""Close code: the session has ended; the page goes to sign-in."""
REPLACED = 4409
"""Close code: the same page has opened another WebSocket."""

CROWDED = 4429
"""Close code: the user has too many pages open; the page says so and tries again later."""
PAGES_PER_USER = 32
PROTOCOL = "camera-hub"
"""The WebSocket's subprotocol. A page offers it and `page.<its id>`: what is in a header is in no proxy's log."""
_PAGE_ID = re.compile(r"page\.([A-Za-z0-9-]{8,64})")

REPORTS = 8
REPORT_SECONDS = 8.0
"""A page may send REPORTS reports of what it showed within REPORT_SECONDS; more are dropped and counted."""

Wish = schemas.ShowMessage | schemas.ListenMessage | schemas.WarmMessage | schemas.SeenMessage | PtzMessage
WISH: TypeAdapter[Wish] = TypeAdapter(Annotated[Wish, Field(discriminator="type")])


class PageListening(Protocol):
    """Plays the sound of a camera on a page (media.wall.audio)."""

    def listen(self, page: str, wish: AudioWish) -> None: ...


class Connections(Protocol):
    """The pages' connections as media keeps them (media.wall.page_connections)."""

    def connected(self, page: str, actor: Actor) -> AbstractAsyncContextManager[PageOutbox]: ...
    def greeting(self, page: str) -> Greeting: ...
    def sign_out(self, page: str) -> None: ...


class PageTiles(Protocol):
    """Shows cameras in tiles (media.wall.tile_requests)."""

    def show(self, page: str | None, wish: TileWish) -> None: ...


class PageFeeds(Protocol):
    """Keeps running what a page will show next (media.wall.page_warming)."""

    def warm(self, page: str, actor: Actor, cameras: Sequence[int]) -> None: ...


class RunReports(Protocol):
    """Records what pages showed of runs (patrol.runs)."""

    async def report(
        self, actor: Actor, page: ReportingPage, run_id: int, sequence: int, sightings: Sequence[Sighting]
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class PageActions:
    """What pages ask for."""

    tiles: PageTiles
    audio: PageListening
    feeds: PageFeeds
    runs: RunReports
    steering: PageSteering


class LivePages:
    """Everything that the WebSockets of pages share."""

    def __init__(
        self,
        connections: Connections,
        actions: PageActions,
        changes: LiveChanges,
        sessions: SessionReader,
        clock: Clock,
    ) -> None:
        self.connections = connections
        self.actions = actions
        self.changes = changes
        self.sessions = sessions
        self.clock = clock
        self.dropped_reports = 0
        self.users: Counter[int] = Counter()  # connections of each user

    def messages(self) -> LiveMessages:
        """One example of each message."""
        now = self.clock.now()
        return LiveMessages(
            hello=schemas.HelloMessage(epoch="0", now=now, relays={0: 1}, viewers=[]),
            tile=schemas.TileMessage(viewer="viewer", track=0, serial=1, camera=None, state="empty"),
            heard=schemas.HeardMessage(serial=1, camera=None, state="off"),
            viewer_gone=schemas.ViewerGoneMessage(viewer="viewer", reason="closed"),
            relay=schemas.RelayNewMessage(relay=0, epoch=1),
            changed=schemas.ChangedMessage(topic="camera", id=1, data=None),
            time=schemas.TimeMessage(now=now),
            reload=schemas.ReloadMessage(),
            show=schemas.ShowMessage(type="show", viewer="viewer", track=0, serial=1, camera=None),
            listen=schemas.ListenMessage(type="listen", serial=1, camera=None),
            warm=schemas.WarmMessage(type="warm", cameras=[1]),
            seen=schemas.SeenMessage(type="seen", run=1, step=0, cameras=[]),
            ptz=PtzMoveMessage(type="ptz", serial=1, camera=1, do="move"),
            ptz_state=PtzStateMessage(camera=1, serial=1, state=state_answer(IDLE)),
        )


@dataclass(frozen=True, slots=True)
class PageLogin:
    """Whose page it is. `again`: who they are now, None when their session has ended; `accepts`: what is passed on of
    what the page asks for."""

    actor: Actor
    again: Callable[[], Awaitable[Actor | None]]
    accepts: Callable[[Wish], bool] = lambda _: True


class Live:
    """One page's connection; `run` returns when it has ended."""

    def __init__(self, pages: LivePages, socket: WebSocket, login: PageLogin, page: str) -> None:
        self._pages = pages
        self._socket = socket
        self._login = login
        self._actor = actor = login.actor
        self._page = page
        self._shown: set[int] = set()  # cameras that a tile of this page has shown
        self._reports: deque[float] = deque(maxlen=REPORTS)
        self._reporting = ReportingPage(actor.user_id, page, pages.clock.monotonic())
        self._ready = asyncio.Event()
        self._sending = asyncio.Lock()
        self._ptz = pages.actions.steering.of_page(page, actor, self._send)

    async def run(self) -> None:
        """Serve until either side closes, the session ends, or the page falls too far behind."""
        with self._counted() as room, self._pages.changes.page(self._actor, self._ready.set) as changes:
            await self._socket.accept(subprotocol=PROTOCOL)
            if not room:
                await self._socket.close(CROWDED, f"a user may have {PAGES_PER_USER} pages open")
                return
            async with self._pages.connections.connected(self._page, self._actor) as outbox:
                await self._send(self._hello())
                await self._first_of(
                    self._receive(),
                    self._send_media(outbox),
                    self._send_changes(changes),
                    self._send_time(changes),
                    self._ptz.work(),
                    self._ptz.tell(),
                )

    @contextmanager
    def _counted(self) -> Iterator[bool]:
        """Count the connection as its user's; yields whether there is room for it."""
        users, user_id = self._pages.users, self._actor.user_id
        users[user_id] += 1
        try:
            yield users[user_id] <= PAGES_PER_USER
        finally:
            users[user_id] -= 1
            if not users[user_id]:
                del users[user_id]

    async def _first_of(self, *works: Any) -> None:
        """Run all until the first ends, then cancel the others; an exception of the first is raised."""
        tasks = [asyncio.create_task(work, name=f"page {self._page} {work.__name__}") for work in works]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        for task in done:
            task.result()

    def _hello(self) -> schemas.HelloMessage:
        greeting = self._pages.connections.greeting(self._page)
        return schemas.HelloMessage(
            epoch=greeting.epoch, now=self._pages.clock.now(), relays=greeting.relays, viewers=greeting.viewers
        )

    # In

    async def _receive(self) -> None:
        while True:
            received = await self._socket.receive()
            if received["type"] == "websocket.disconnect":
                return
            text = received.get("text")
            if text is not None and len(text) > MAX_MESSAGE:
                await self._socket.close(1009, "messages are at most 64 KiB")
                return
            try:
                message = WISH.validate_json(text or "")  # a binary message is none of them
            except ValidationError:
                await self._socket.close(1003, "only show, listen, warm, seen and ptz messages are understood")
                return
            if not self._login.accepts(message):
                continue
            try:
                await self._handle(message)
            except HubError as error:
                log.info("page %s: %s", self._page, error)

    async def _handle(self, message: Wish) -> None:
        match message:
            case schemas.ListenMessage():
                self._pages.actions.audio.listen(self._page, AudioWish(message.serial, message.camera))
            case schemas.ShowMessage():
                wish = TileWish(
                    message.viewer, message.track, message.serial, message.camera, message.quality, message.position
                )
                self._pages.actions.tiles.show(self._page, wish)
            case schemas.WarmMessage():
                self._pages.actions.feeds.warm(self._page, self._actor, message.cameras)
            case schemas.SeenMessage():
                await self._report(message)
            case _:
                self._ptz.take(message)

    async def _report(self, message: schemas.SeenMessage) -> None:
        """Pass on what the page says it has shown; seconds count for cameras that a tile of this connection showed."""
        now = self._pages.clock.monotonic()
        if len(self._reports) == REPORTS and now - self._reports[0] < REPORT_SECONDS:
            self._pages.dropped_reports += 1
            return
        self._reports.append(now)
        sightings = [
            Sighting(seen.camera, seen.seconds if seen.camera in self._shown else 0.0, seen.gap)
            for seen in message.cameras
        ]
        await self._pages.actions.runs.report(self._actor, self._reporting, message.run, message.step, sightings)

    # Out

    async def _send(self, message: BaseModel) -> None:
        await self._send_text(message.model_dump_json())

    async def _send_text(self, text: str) -> None:
        """Send in time, or end the connection: the page reconnects and reads everything again."""
        async with asyncio.timeout(SEND_SECONDS), self._sending:
            await self._socket.send_text(text)

    async def _send_media(self, outbox: PageOutbox) -> None:
        async for change in outbox:
            match change:
                case TileStatus():
                    if change.camera is not None and change.state in ("live", "pictures"):
                        self._shown.add(change.camera)
                    self._ptz.shows(change.viewer, change.track, change.camera)
                    await self._send(schemas.TileMessage.model_validate(change))
                case PageAudioState():
                    await self._send(schemas.HeardMessage.model_validate(change))
                case ViewerEnded():
                    self._ptz.forget(change.viewer)
                    await self._send(schemas.ViewerGoneMessage.model_validate(change))
                case RelayReplaced():
                    await self._send(schemas.RelayNewMessage.model_validate(change))
        await self._socket.close(REPLACED, "the page has opened another connection")

    async def _send_changes(self, changes: PageChanges) -> None:
        while True:
            await self._ready.wait()
            self._ready.clear()
            if changes.recheck:
                changes.recheck = False
                if not await self._authorized(changes):
                    return
            if changes.reload:
                changes.reload = False
                await self._send(schemas.ReloadMessage())
            # Rights that change meanwhile are read first: what waits was not meant for who has lost them.
            while not changes.recheck and (row := changes.pop()) is not None:
                await self._send_text(row.text(self._actor))

    async def _send_time(self, changes: PageChanges) -> None:
        while True:
            await self._pages.clock.sleep(TIME_SECONDS)
            if not await self._authorized(changes):
                return
            await self._send(schemas.TimeMessage(now=self._pages.clock.now()))

    async def _authorized(self, changes: PageChanges) -> bool:
        """Read the session again: close when it has ended; when its rights changed, make the page read its lists again.

        While the database is unavailable nobody is signed out: the actor stays the same until the next check.
        """
        try:
            actor = await self._login.again()
        except HubError as error:
            log.debug("page %s: the session cannot be read: %s", self._page, error)
            return True
        if actor is None or not may_watch(actor) or actor.user_id != self._actor.user_id:
            self._pages.connections.sign_out(self._page)
            await self._socket.close(SIGNED_OUT, "the session has ended")
            return False
        if actor != self._actor:
            self._actor = changes.actor = actor
            self._ptz.become(actor)
            changes.ask_reload()
        return True


def page_id(socket: WebSocket) -> str:
    """The page's id, from the subprotocols that it offers. Raises HubError(INVALID)."""
    offered: list[str] = socket.scope.get("subprotocols", [])
    found = [match[1] for one in offered if (match := _PAGE_ID.fullmatch(one))]
    if PROTOCOL not in offered or len(found) != 1:
        raise HubError(Kind.INVALID, f"offer the subprotocols {PROTOCOL} and page.<id of the page>")
    return found[0]


@router.websocket("/live")
async def live(
    socket: WebSocket,
    actor: Annotated[Actor, needs(Action.VIEW)],
    pages: Annotated[LivePages, part(LivePages)],
    page: Annotated[str, Depends(page_id)],
) -> None:
    """One per page; see api/schemas/media.py for its messages."""
    await serve(pages, socket, PageLogin(actor, lambda: pages.sessions.actor(session_token(socket))), page)


async def serve(pages: LivePages, socket: WebSocket, login: PageLogin, page: str) -> None:
    """Serve one page until either side closes."""
    try:
        await Live(pages, socket, login, page).run()
    except (WebSocketDisconnect, TimeoutError):
        return
    except RuntimeError:
        if WebSocketState.DISCONNECTED not in (socket.client_state, socket.application_state):
            raise
        # Otherwise it is what Starlette raises for a socket that closed between two sends.


@router.get("/live/messages")
async def get_live_messages(
    actor: Annotated[Actor, needs(Action.SELF)], pages: Annotated[LivePages, part(LivePages)]
) -> LiveMessages:
    """One example of each message of the WebSocket; here so that clients get their types."""
    return pages.messages()
