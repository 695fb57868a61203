"""The page's WebSocket: tiles, what changed, and the time go out; wishes to see and hear cameras come in."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from starlette.websockets import WebSocketState

from camera_hub.access.policy import Action, Actor, allows
from camera_hub.api.routing import SessionReader, needs, part, session_token
from camera_hub.api.schemas import media as schemas
from camera_hub.api.schemas.media import LiveMessages
from camera_hub.errors import HubError
from camera_hub.events import (
    AccessChanged,
    AlarmChanged,
    CameraChanged,
    DeviceChanged,
    Event,
    FavouriteChanged,
    Lagged,
    RunChanged,
    Subscription,
    SweepChanged,
    TourChanged,
    VillageChanged,
)
from camera_hub.media.engine import MediaEngine
from camera_hub.media.interface import AudioWish, PageAudioState, RelayReplaced, TileStatus, TileWish, ViewerEnded
from camera_hub.media.wall.pages import PageOutbox

log = logging.getLogger(__name__)
router = APIRouter(prefix="/api", tags=["media"])

TIME_SECONDS = 5.0
"""Between two words of the time; as often it is asked whether the session still stands."""
SEND_SECONDS = 10.0
MAX_MESSAGE = 64 * 1024
SIGNED_OUT = 4401
"""Close code: the session has ended; the page goes to sign-in."""
REPLACED = 4409
"""Close code: the same page has opened another WebSocket."""

_MANY = 200
"""Changes waiting for one page beyond which it is cheaper to let it read its lists anew."""

_EVENTS = (
    VillageChanged,
    DeviceChanged,
    CameraChanged,
    FavouriteChanged,
    AlarmChanged,
    TourChanged,
    RunChanged,
    SweepChanged,
    AccessChanged,
)

_WISH: TypeAdapter[schemas.ShowMessage | schemas.ListenMessage] = TypeAdapter(
    Annotated[schemas.ShowMessage | schemas.ListenMessage, Field(discriminator="type")]
)

Reader = Callable[[Any, Actor, Any], Awaitable[dict[str, Any] | None]]


class Live:
    """One page's connection; `run` ends with it."""

    def __init__(self, socket: WebSocket, actor: Actor, media: MediaEngine, page: str) -> None:
        self._socket = socket
        self._actor = actor
        self._media = media
        self._page = page
        self._changed: dict[tuple[str, Any], None] = {}
        self._reload = False
        self._judge = False
        self._ready = asyncio.Event()
        self._sending = asyncio.Lock()

    async def run(self) -> None:
        """Serve until either side closes, the session ends, or the page falls too far behind."""
        with self._media.bus.subscribe(*_EVENTS) as events:
            await self._socket.accept()
            async with self._media.page(self._page, self._actor) as outbox:
                await self._say(self._hello())
                await self._first_of(
                    self._hear(), self._tell_tiles(outbox), self._note(events), self._tell_changes(), self._tell_time()
                )

    async def _first_of(self, *works: Any) -> None:
        """Run all until the first ends, then end the others; what it raised is raised."""
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
        return schemas.HelloMessage(
            epoch=self._media.epoch,
            now=self._media.clock.now(),
            relays=self._media.relay_epochs,
            viewers=self._media.viewers_of(self._page),
        )

    # In

    async def _hear(self) -> None:
        while True:
            text = await self._socket.receive_text()
            if len(text) > MAX_MESSAGE:
                await self._socket.close(1009, "messages are at most 64 KiB")
                return
            try:
                wish = _WISH.validate_json(text)
            except ValidationError:
                await self._socket.close(1003, "only show and listen messages are understood")
                return
            if isinstance(wish, schemas.ListenMessage):
                self._media.listening.listen(self._page, AudioWish(wish.serial, wish.camera))
                continue
            try:
                await self._media.show(
                    self._page, TileWish(wish.viewer, wish.track, wish.serial, wish.camera, wish.quality)
                )
            except HubError as error:
                log.info("page %s: %s", self._page, error)

    # Out

    async def _say(self, message: BaseModel) -> None:
        """Send, or give the page up: it reconnects and is told everything anew."""
        async with asyncio.timeout(SEND_SECONDS), self._sending:
            await self._socket.send_text(message.model_dump_json())

    async def _tell_tiles(self, outbox: PageOutbox) -> None:
        async for news in outbox:
            match news:
                case TileStatus():
                    await self._say(schemas.TileMessage.model_validate(news))
                case PageAudioState():
                    await self._say(schemas.HeardMessage.model_validate(news))
                case ViewerEnded():
                    await self._say(schemas.ViewerGoneMessage.model_validate(news))
                case RelayReplaced():
                    await self._say(schemas.RelayNewMessage.model_validate(news))
        await self._socket.close(REPLACED, "the page has opened another connection")

    async def _note(self, events: Subscription) -> None:
        """Keep which nouns changed; several changes of one are told once."""
        async for event in events:
            if isinstance(event, Lagged):
                self._reload = True
            elif isinstance(event, AccessChanged):
                self._judge = self._judge or event.user_id == self._actor.user_id
            elif (noun := self._noun(event)) is not None:
                self._changed[noun] = None
            if len(self._changed) > _MANY:
                self._reload = True
            if self._reload:
                self._changed.clear()
            self._ready.set()

    def _noun(self, event: Event) -> tuple[str, Any] | None:
        """Topic and id, None when it is nothing to this actor (told without reading it)."""
        sees = self._actor.sees
        match event:
            case VillageChanged(village_id):
                return ("village", village_id) if sees(village_id) else None
            case DeviceChanged(device_id, village_id):
                return ("device", device_id) if sees(village_id) else None
            case CameraChanged(camera_id, village_id):
                return ("camera", camera_id) if sees(village_id) else None
            case FavouriteChanged(camera_id, user_id):
                return ("camera", camera_id) if user_id == self._actor.user_id else None
            case AlarmChanged(alarm_id, village_id):
                return ("alarm", alarm_id) if sees(village_id) else None
            case TourChanged(tour_id):
                return ("tour", tour_id)
            case RunChanged(run_id):
                return ("run", run_id)
            case SweepChanged(sweep_id, user_id):
                return ("sweep", sweep_id) if user_id == self._actor.user_id else None
        return None

    async def _tell_changes(self) -> None:
        readers: dict[str, Reader] = self._socket.app.state.live_readers
        while True:
            await self._ready.wait()
            self._ready.clear()
            if self._judge:
                self._judge = False
                if not await self._still_here():
                    return
            if self._reload:
                self._reload = False
                await self._say(schemas.ReloadMessage())
            while self._changed:
                topic, identity = noun = next(iter(self._changed))
                del self._changed[noun]
                if (reader := readers.get(topic)) is not None:
                    data = await reader(self._socket.app.state, self._actor, identity)
                    await self._say(schemas.ChangedMessage(topic=topic, id=identity, data=data))

    async def _tell_time(self) -> None:
        while True:
            await self._media.clock.sleep(TIME_SECONDS)
            if not await self._still_here():
                return
            await self._say(schemas.TimeMessage(now=self._media.clock.now()))

    async def _still_here(self) -> bool:
        """Read the session anew: close when it has ended; when rights changed, let the page read its lists anew."""
        sessions: SessionReader = self._socket.app.state.sessions
        actor = await sessions.actor(session_token(self._socket))
        if actor is None or not allows(actor, Action.VIEW) or actor.user_id != self._actor.user_id:
            self._media.sign_out(self._page)
            await self._socket.close(SIGNED_OUT, "the session has ended")
            return False
        if actor != self._actor:
            self._actor, self._reload = actor, True
            self._ready.set()
        return True


@router.websocket("/live")
async def live(
    socket: WebSocket,
    actor: Annotated[Actor, needs(Action.VIEW)],
    media: Annotated[MediaEngine, part(MediaEngine)],
    page: Annotated[str, Query(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9-]+$")],
) -> None:
    """One per page; see api/schemas/media.py for its messages."""
    try:
        await Live(socket, actor, media, page).run()
    except (WebSocketDisconnect, TimeoutError):
        return
    except RuntimeError:
        if WebSocketState.DISCONNECTED not in (socket.client_state, socket.application_state):
            raise
        # Starlette's word for a socket that closed between two of our sends.


@router.get("/live/messages")
async def get_live_messages(
    actor: Annotated[Actor, needs(Action.SELF)], media: Annotated[MediaEngine, part(MediaEngine)]
) -> LiveMessages:
    """One example of each message of the WebSocket; here so that clients get their types."""
    now = media.clock.now()
    return LiveMessages(
        hello=schemas.HelloMessage(epoch=media.epoch, now=now, relays=media.relay_epochs, viewers=[]),
        tile=schemas.TileMessage(viewer="viewer", track=0, serial=1, camera=None, state="empty"),
        heard=schemas.HeardMessage(serial=1, camera=None, state="off"),
        viewer_gone=schemas.ViewerGoneMessage(viewer="viewer", reason="closed"),
        relay=schemas.RelayNewMessage(relay=0, epoch=1),
        changed=schemas.ChangedMessage(topic="camera", id=1, data=None),
        time=schemas.TimeMessage(now=now),
        reload=schemas.ReloadMessage(),
        show=schemas.ShowMessage(type="show", viewer="viewer", track=0, serial=1, camera=None),
        listen=schemas.ListenMessage(type="listen", serial=1, camera=None),
    )
