"""The media routes on a real server port: a Media with a fake relay and eye, sessions out of a dictionary."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from camera_hub.acceptor import ConnectionFigures, ConnectionLimits, ConnectionTable
from camera_hub.access.policy import Actor, Role, require_village
from camera_hub.api import errors, live, pictures, viewers, whep
from camera_hub.api.cors import WhepOrigins
from camera_hub.api.live import PROTOCOL, LivePages, PageActions
from camera_hub.api.live_changes import LiveChanges, SharedReader
from camera_hub.api.live_ptz import PageSteering
from camera_hub.api.routing import COOKIE, CSRF_HEADER, check_policies
from camera_hub.api.schemas.base import Answer
from camera_hub.api.schemas.media import Topic
from camera_hub.cameras.ptz.state import IDLE, PtzState
from camera_hub.cameras.ptz.wishes import PtzWish
from camera_hub.clock import Clock
from camera_hub.events import EventBus
from camera_hub.http_server import Doorkeeper, RequestTimeouts, server_of
from camera_hub.media.engine import MediaEngine
from camera_hub.patrol.runs.claims import ReportingPage
from camera_hub.patrol.runs.visibility import Sighting
from camera_hub.settings import Settings
from camera_hub.store.database import Database
from camera_hub.wiring.media import parts_of_media

OPERATOR = Actor(1, "op", "Operator", Role.OPERATOR)
VILLAGE_ADMIN = Actor(2, "v", "Village", Role.VILLAGE_ADMIN, frozenset({1}))


@dataclass
class FakeSessions:
    """Token → actor."""

    actors: dict[str, Actor] = field(default_factory=lambda: {"op": OPERATOR, "village": VILLAGE_ADMIN})

    async def actor(self, token: str) -> Actor | None:
        return self.actors.get(token)


@dataclass
class Site:
    """A running server, its parts, and browsers of it."""

    url: str
    media: MediaEngine
    sessions: FakeSessions
    readers: dict[Topic, SharedReader]
    personal: dict[Topic, Callable[[Actor, Any], Awaitable[Answer | None]]]
    reports: list[tuple[int, int, int, list[Sighting]]]
    steering: "FakeSteering"

    @asynccontextmanager
    async def browser(self, token: str = "op") -> AsyncIterator[httpx.AsyncClient]:
        headers = {CSRF_HEADER: "1"}
        async with httpx.AsyncClient(
            base_url=self.url, cookies={COOKIE: token}, headers=headers, trust_env=False
        ) as client:
            yield client

    @asynccontextmanager
    async def page(self, page: str, token: str = "op", origin: str | None = None) -> AsyncIterator["Page"]:
        headers = {"Cookie": f"{COOKIE}={token}"} | ({"Origin": origin} if origin else {})
        url = f"{self.url.replace('http', 'ws', 1)}/api/live"
        offered = [Subprotocol(PROTOCOL), Subprotocol(f"page.{page}")]
        # What a test has not read may be as much as it likes, and must not hold up the closing.
        made = connect(url, additional_headers=headers, subprotocols=offered, proxy=None, max_queue=None)
        async with made as connection:
            yield Page(connection)


@dataclass
class Page:
    """The page's end of the WebSocket."""

    connection: ClientConnection

    async def next(self, kind: str, **values: Any) -> dict[str, Any]:
        """The next message of that type with those values; fails after some seconds."""
        async with asyncio.timeout(60):
            while True:
                message: dict[str, Any] = json.loads(await self.connection.recv())
                if message["type"] == kind and all(message[name] == value for name, value in values.items()):
                    return message

    async def show(self, **values: Any) -> None:
        await self.connection.send(json.dumps({"type": "show", "track": 0, "serial": 1, **values}))

    async def closed(self) -> int:
        """The code the hub closes with."""
        async with asyncio.timeout(60):
            await self.connection.wait_closed()
        return self.connection.close_code or 0


class FakeReports:
    """Keeps what pages report of runs."""

    def __init__(self) -> None:
        self.got: list[tuple[int, int, int, list[Sighting]]] = []

    async def report(
        self, actor: Actor, page: ReportingPage, run_id: int, sequence: int, sightings: Sequence[Sighting]
    ) -> None:
        assert page.user_id == actor.user_id
        self.got.append((actor.user_id, run_id, sequence, list(sightings)))


class FakeSteering:
    """Keeps what pages steer. `states`: camera → its village and state; all others stand, in any village."""

    def __init__(self) -> None:
        self.commands: list[tuple[int, int, PtzWish, str]] = []
        self.left: list[tuple[str, int | None]] = []
        self.states: dict[int, tuple[int, PtzState]] = {}

    async def command(self, actor: Actor, camera_id: int, wish: PtzWish, client: str) -> None:
        if camera_id in self.states:
            require_village(actor, self.states[camera_id][0], "camera")
        self.commands.append((actor.user_id, camera_id, wish, client))

    async def release(self, actor: Actor, camera_id: int) -> None:
        self.left.append(("", camera_id))

    def leave(self, client: str, camera_id: int | None = None) -> None:
        self.left.append((client, camera_id))

    def state(self, actor: Actor, camera_id: int) -> PtzState:
        village, state = self.states.get(camera_id, (0, IDLE))
        return state if actor.sees(village) else IDLE


@asynccontextmanager
async def serving(
    media: MediaEngine, bus: EventBus, clock: Clock, database: Database, settings: Settings
) -> AsyncIterator[Site]:
    """Serve the media routes on a free port of the loopback."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    sessions = FakeSessions()
    readers: dict[Topic, SharedReader] = {}
    personal: dict[Topic, Callable[[Actor, Any], Awaitable[Answer | None]]] = {}
    reports = FakeReports()
    changes = LiveChanges(bus, clock, readers, personal)
    steering = FakeSteering()
    actions = PageActions(media.tiles, media.audio, media.page_feeds, reports, PageSteering(steering, bus))
    app.state.parts = {
        **parts_of_media(media),
        LivePages: LivePages(media.pages, actions, changes, sessions, clock),
        Clock: clock,
        Database: database,
        Settings: settings,
    }
    app.state.sessions = sessions
    app.state.origins = ("http://pages.test",)
    app.state.whep_origins = settings.media.whep_origins
    for module in (viewers, whep, live, pictures):
        app.include_router(module.router)
    errors.install(app)
    app.add_middleware(WhepOrigins, origins=settings.media.whep_origins)
    check_policies(app)
    listener = socket.create_server(("127.0.0.1", 0))
    limits = ConnectionLimits(total=256, unused=128, per_address=64)
    door = Doorkeeper(ConnectionTable(limits), RequestTimeouts(), clock, ConnectionFigures())
    server = server_of(app, door)
    task = asyncio.create_task(server.serve([listener]), name="server")
    try:
        async with changes:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            yield Site(url, media, sessions, readers, personal, reports.got, steering)
    finally:
        server.end()
        await task
        listener.close()
