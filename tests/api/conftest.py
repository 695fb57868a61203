"""The whole hub behind an in-process HTTP client, with one signed-in client per role.

`hub.client(Role.OPERATOR)` is a browser of that role: it has the session's cookie and sends our pages' header.
`hub.client(None)` has signed in nowhere. `hub.village` is the village of the village admin; `hub.parts[Type]` is any
part of the hub.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from camera_hub.access.accounts import Account, Accounts
from camera_hub.access.policy import ALWAYS_BOUND, OF_PERSONS, Actor, Role, VillageGrant
from camera_hub.access.sessions import Sessions
from camera_hub.api.live_changes import SharedReader
from camera_hub.api.routing import COOKIE, CSRF_HEADER
from camera_hub.app import attach, create_app, parts
from camera_hub.clock import Clock
from camera_hub.media.child_process import Spawn
from camera_hub.settings import DatabaseSettings, DiscoverySettings, MediaSettings, ServerSettings, Settings
from camera_hub.store.database import Database
from camera_hub.store.tables import Village
from camera_hub.wiring.rooms import Parts
from tests.access.conftest import cheap_passwords
from tests.fakes.clock import ManualClock

HOST = "hub.test"
PASSWORD = "tK7-riverside"


class Hub:
    """The running hub of one test."""

    def __init__(self, app: FastAPI, parts: Parts, stack: AsyncExitStack) -> None:
        self.app = app
        self.parts = parts
        self.village = 0
        self.other_village = 0
        self.accounts: dict[Role, Account] = {}
        self._stack = stack
        self._clients: dict[Role | None, httpx.AsyncClient] = {}

    async def client(self, role: Role | None) -> httpx.AsyncClient:
        """The browser of that role (one per role and test)."""
        if role not in self._clients:
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(self.app), base_url=f"http://{HOST}", headers={CSRF_HEADER: "1"}
            )
            self._clients[role] = await self._stack.enter_async_context(client)
            if role is not None:
                sessions: Sessions = self.parts[Sessions]
                client.cookies.set(COOKIE, await sessions.start(self.accounts[role].id), domain=HOST)
        return self._clients[role]


async def told(reader: SharedReader, actor: Actor, identity: Any) -> dict[str, Any] | None:
    """What a page of the actor gets of a changed row."""
    render = (await reader([identity])).get(identity)
    answer = render(actor) if render is not None else None
    return answer.model_dump(mode="json") if answer is not None else None


@pytest.fixture(scope="session")
def app() -> FastAPI:
    """The HTTP side, which keeps nothing from hub to hub; building its routes takes longer than most tests."""
    return create_app(Settings())


@pytest.fixture
async def hub(app: FastAPI, database: Database, clock: ManualClock, tmp_path: Path, spawn: Spawn) -> AsyncIterator[Hub]:
    """The hub with two villages and one user of each role (user name = role, password = PASSWORD)."""
    settings = Settings(
        server=ServerSettings(data_dir=tmp_path / "data"),
        media=MediaSettings(udp_port=0, rtsp_port=0, load_limit=1.0),
        discovery=DiscoverySettings(local_devices=True),
        database=DatabaseSettings(url=database.url.render_as_string(hide_password=False)),
    )
    async with running_hub(app, settings, database, clock, spawn) as hub:
        yield hub


@asynccontextmanager
async def running_hub(
    app: FastAPI, settings: Settings, database: Database, clock: Clock, spawn: Spawn
) -> AsyncIterator[Hub]:
    """A hub with two villages and one user of each role."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(parts(settings, clock, cheap_passwords(), spawn))
        attach(app, settings, running)
        hub = Hub(app, running, stack)
        async with database.write() as session:
            rows = [Village(name=name, position=place, created_at=clock.now()) for place, name in enumerate("东西")]
            session.add_all(rows)
            await session.flush()
            hub.village, hub.other_village = (row.id for row in rows)
        accounts: Accounts = running[Accounts]
        for role in OF_PERSONS:
            ends = clock.now() + timedelta(days=30) if role is Role.CONTRACTOR else None
            villages = [VillageGrant(hub.village, None, ends)] if role in ALWAYS_BOUND else None
            hub.accounts[role] = await accounts.create(role.value, role.value, role, PASSWORD, villages)
        yield hub
