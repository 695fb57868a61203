"""The whole hub behind an in-process HTTP client, with one signed-in client per role.

`hub.client(Role.OPERATOR)` is a browser of that role: it has the session's cookie and sends our pages' header.
`hub.client(None)` has signed in nowhere. `hub.village` is the village of the village admin; `hub.parts[Type]` is any
part of the hub.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from camera_hub.access.accounts import Account, Accounts
from camera_hub.access.audit.anchor import Anchor
from camera_hub.access.audit.chain import newest, newest_key
from camera_hub.access.audit.verify import AuditVerifier
from camera_hub.access.policy import ALWAYS_BOUND, OF_PERSONS, Actor, Role
from camera_hub.access.sessions import Sessions
from camera_hub.api.live_changes import SharedReader
from camera_hub.api.routing import COOKIE, CSRF_HEADER, Stated, policies
from camera_hub.app import attach, create_app, parts
from camera_hub.clock import Clock
from camera_hub.media.child_process import Spawn
from camera_hub.patrol.records.export import RecordExport
from camera_hub.patrol.records.listing import RecordList
from camera_hub.patrol.records.reviews import RecordReviews
from camera_hub.patrol.records.verify import RecordVerification, patrol_kinds
from camera_hub.settings import DatabaseSettings, DiscoverySettings, MediaSettings, ServerSettings, Settings
from camera_hub.store.database import Database
from camera_hub.store.tables import User, UserVillage, Village
from camera_hub.wiring.rooms import Parts
from tests.access.conftest import CHEAP_HASHER, cheap_passwords
from tests.fakes.clock import ManualClock
from tests.patrol.records.site import WORDS, SealedSite

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


@cache
def stated_routes() -> tuple[Stated, ...]:
    """Every route with its policy, made once for all files: it takes a second."""
    return tuple(policies(create_app(Settings())))


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
            users = [_user(role, clock) for role in OF_PERSONS]
            session.add_all(users)
            await session.flush()
            ends = {Role.CONTRACTOR: clock.now() + timedelta(days=30)}
            for user in users:
                if (role := Role(user.role)) in ALWAYS_BOUND:
                    grant = UserVillage(user_id=user.id, village_id=hub.village, valid_until=ends.get(role))
                    session.add(grant)
        accounts: Accounts = running[Accounts]
        hub.accounts.update({account.role: account for account in await accounts.all()})
        yield hub


def _user(role: Role, clock: Clock) -> User:
    """As Accounts.create would make it; six of its transactions in each test would take a tenth of the test's time."""
    return User(
        username=role.value,
        display_name=role.value,
        role=role.value,
        all_villages=role not in ALWAYS_BOUND,
        password_hash=_password_hash(),
        created_at=clock.now(),
    )


@cache
def _password_hash() -> str:
    return CHEAP_HASHER.hash(PASSWORD)


@pytest.fixture
async def sealed(hub: Hub, database: Database, clock: ManualClock, tmp_path: Path) -> AsyncIterator[SealedSite]:
    """Two patrols of the hub's operator."""
    site = SealedSite(database, clock, tmp_path / "sealed")
    site.folder.mkdir()
    await site.build()
    account = hub.accounts[Role.OPERATOR]
    site.operator = Actor(account.id, account.username, account.display_name, account.role)
    async with database.write() as session:  # the hub's own chain goes on in this site's folder
        key, head = await newest_key(session, site.vault, clock), await newest(session)
    assert head is not None
    site.anchor.write(Anchor.of(*head, *key))
    async with site.chain() as chain:
        verifier = AuditVerifier(database, site.vault, site.anchor, patrol_kinds(database, site.pictures, WORDS))
        listing = RecordList(database)
        hub.parts[RecordReviews] = site.reviews(chain)
        hub.parts[RecordList] = listing
        hub.parts[RecordExport] = RecordExport(database, listing)
        hub.parts[RecordVerification] = RecordVerification(database, verifier, WORDS)
        for _ in range(2):
            await site.patrol(chain)
        await chain.follow()  # or only the next turn of its loop would move the anchor
        yield site
