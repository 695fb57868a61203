"""The routes of places alone over a real register: no media, no processes, a session per role by its name."""

from contextlib import AsyncExitStack
from typing import Any

import httpx
from fastapi import FastAPI

from camera_hub.access.policy import ALWAYS_BOUND, Actor, Role
from camera_hub.access.vault import Vault
from camera_hub.api import cameras, devices, discovery, errors, favourites, inbox, villages
from camera_hub.api.routing import COOKIE, CSRF_HEADER
from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.discovery.sweeps import Sweeps
from camera_hub.cameras.intake.inbox import Inbox
from camera_hub.cameras.intake.intake import Intake
from camera_hub.cameras.jobs import Jobs
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.cameras.peculiarities import Peculiarities
from camera_hub.cameras.register.register import Register
from camera_hub.clock import Clock
from camera_hub.events import EventBus
from camera_hub.settings import DiscoverySettings
from camera_hub.store.database import Database
from camera_hub.store.tables import User, Village
from tests.cameras.fakes import OnvifOnly
from tests.fakes.reach import anywhere, local

HOST = "hub.test"


class RoleSessions:
    """Whose token is the name of a role has that role (api.routing.SessionReader)."""

    def __init__(self, village_id: int) -> None:
        self._village_id = village_id

    async def actor(self, token: str) -> Actor | None:
        if token not in list(Role):
            return None
        role = Role(token)
        number = list(Role).index(role) + 1
        return Actor(number, token, token, role, frozenset({self._village_id}) if role in ALWAYS_BOUND else None)


class Site:
    """The running routes of one test; `village` is that of the village admin."""

    def __init__(self, app: FastAPI, parts: dict[type, Any], stack: AsyncExitStack, ids: tuple[int, int]) -> None:
        self.app = app
        self.parts = parts
        self.village, self.other_village = ids
        self._stack = stack

    async def client(self, role: Role) -> httpx.AsyncClient:
        """A browser of that role."""
        return await self._stack.enter_async_context(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(self.app),
                base_url=f"http://{HOST}",
                headers={CSRF_HEADER: "1"},
                cookies={COOKIE: role.value},
            )
        )


async def site(database: Database, bus: EventBus, clock: Clock, stack: AsyncExitStack) -> Site:
    """The routes over two villages, one user of each role, and parts that live as long as `stack`."""
    settings = DiscoverySettings(multicast=False, host_timeout=1.0)
    logins = LoginBudget(clock)
    onvif = await stack.enter_async_context(Onvif(settings, clock, logins, check=anywhere))
    vault = Vault(bytes(32))
    register = Register(database, bus, clock, vault, OnvifOnly(onvif), DeviceChecks(database, local))
    sweeps = await stack.enter_async_context(Sweeps(settings, onvif, bus, clock, database, local))
    async with database.write() as session:
        rows = [Village(name=name, position=place, created_at=clock.now()) for place, name in enumerate("东西")]
        rows[0].ranges = ["127.0.0.1"]
        session.add_all(rows)
        await session.flush()
        for number, role in enumerate(Role, 1):
            user = User(id=number, username=role.value, display_name=role.value, role=role.value, all_villages=True)
            user.password_hash, user.created_at = "-", clock.now()
            session.add(user)
        ids = (rows[0].id, rows[1].id)
    app = FastAPI()
    parts: dict[type, Any] = {
        Register: register,
        Intake: Intake(database, bus, clock, vault, register.devices),
        Inbox: Inbox(database),
        Jobs: await stack.enter_async_context(Jobs(clock, bus)),
        LoginBudget: logins,
        Peculiarities: Peculiarities(database, bus, clock),
        Sweeps: sweeps,
        Clock: clock,
        Database: database,
    }
    app.state.parts, app.state.sessions, app.state.origins = parts, RoleSessions(ids[0]), ()
    for module in (villages, cameras, devices, discovery, favourites, inbox):
        app.include_router(module.router)
    errors.install(app)
    return Site(app, parts, stack, ids)
