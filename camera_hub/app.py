"""The one place where everything is put together.

`parts` enters every long-lived part in order on one exit stack; leaving takes them down in reverse, each waiting for
its end. `create_app` puts the HTTP side in front of them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import FastAPI

from camera_hub import __version__
from camera_hub.access.accounts import Accounts
from camera_hub.access.grant_times import GrantTimes
from camera_hub.access.passwords import Passwords
from camera_hub.access.policy import Actor
from camera_hub.access.sessions import Sessions
from camera_hub.access.setup import FirstSetup
from camera_hub.access.sign_in import SignIn
from camera_hub.access.throttle import Throttle
from camera_hub.access.vault import Vault
from camera_hub.api import (
    alarms,
    cameras,
    devices,
    discovery,
    errors,
    favourites,
    live,
    metrics,
    observations,
    pictures,
    rtsp_out,
    runs,
    scenes,
    session,
    setup,
    system,
    tours,
    users,
    viewers,
    villages,
    whep,
)
from camera_hub.api.limits import BodyLimit
from camera_hub.api.routing import check_policies
from camera_hub.api.static import SafeHeaders, StaticPages
from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.cameras.credentials.login_store import DatabaseLoginStore
from camera_hub.cameras.discovery.sweeps import Sweeps
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.cameras.register.proofs import Proofs
from camera_hub.cameras.register.register import Register
from camera_hub.cameras.streams.sources import StreamSources
from camera_hub.clock import Clock
from camera_hub.events import EventBus
from camera_hub.health.alarms.alarms import Alarms
from camera_hub.health.history import ObservationHistory
from camera_hub.health.notices.webhook import Webhook
from camera_hub.health.rounds.rounds import Rounds
from camera_hub.instance import only_instance
from camera_hub.media.child_process import Spawn, spawn_process
from camera_hub.media.engine import MediaEngine
from camera_hub.media.rtsp_out.service import RtspOutService
from camera_hub.patrol.runs import Runs
from camera_hub.patrol.scenes import Scenes
from camera_hub.patrol.tours import Tours
from camera_hub.settings import Settings
from camera_hub.store.database import Database

Parts = dict[type, Any]
"""Every part by its type: how routes find them (api.routing.part)."""

LiveReader = Callable[[Any, Actor, Any], Awaitable[dict[str, Any] | None]]

MAX_BODY = 1024 * 1024
_ROUTERS = (
    setup.router,
    session.router,
    users.router,
    villages.router,
    cameras.router,
    pictures.router,
    observations.router,
    favourites.router,
    devices.router,
    discovery.router,
    live.router,
    viewers.router,
    whep.router,
    rtsp_out.router,
    alarms.router,
    scenes.router,
    tours.router,
    runs.router,
    system.router,
    metrics.router,
)
_LIVE_READERS: dict[str, LiveReader] = {
    "village": villages.read_changed,
    "device": devices.read_changed,
    "sweep": discovery.read_changed,
    "camera": cameras.read_changed,
    "alarm": alarms.read_changed,
    "tour": tours.read_changed,
    "run": runs.read_changed,
}


@asynccontextmanager
async def parts(
    settings: Settings, clock: Clock, passwords: Passwords | None = None, spawn: Spawn = spawn_process
) -> AsyncIterator[Parts]:
    """The whole hub but its HTTP side, running; `spawn` starts its helpers. Raises HubError when it cannot start."""
    async with AsyncExitStack() as stack:
        data_dir = settings.server.data_dir
        stack.enter_context(only_instance(data_dir))
        database = await stack.enter_async_context(Database(settings.database_url))
        vault = Vault.open_or_create(data_dir / "vault.key")
        bus = EventBus()

        access = settings.access
        passwords = passwords or Passwords(access.password_min_length)
        sessions = Sessions(database, clock, access.session_hours)
        accounts = Accounts(database, clock, bus, passwords, sessions)
        await stack.enter_async_context(GrantTimes(database, clock, bus, sessions))
        throttle = Throttle(database, clock, access.login_failures, access.login_failure_minutes)

        logins = await stack.enter_async_context(LoginBudget(clock, DatabaseLoginStore(database)))
        onvif = await stack.enter_async_context(Onvif(settings.discovery, clock, logins))
        register = Register(database, bus, clock, vault, onvif)
        sources = StreamSources(database, clock, register, onvif, bus)
        media = await stack.enter_async_context(
            MediaEngine(settings, clock, bus, database, sources, logins=logins, spawn=spawn)
        )
        await stack.enter_async_context(Proofs(database, bus, clock, media.prover))
        sweeps = await stack.enter_async_context(Sweeps(settings.discovery, onvif, bus, clock, database))
        rounds = await stack.enter_async_context(Rounds(settings.health, clock, bus, database, media, onvif))
        await stack.enter_async_context(Webhook(settings.notices, clock, database))
        runs = await stack.enter_async_context(Runs(settings.patrol, clock, bus, database, media))

        async def figures() -> system.Figures:
            found = await media.figures()
            return system.Figures(found["feeds"], found["viewers"], found["relays"], found["eyes"])

        yield {
            Settings: settings,
            Clock: clock,
            Database: database,
            Vault: vault,
            EventBus: bus,
            Sessions: sessions,
            Accounts: accounts,
            Throttle: throttle,
            SignIn: SignIn(accounts, sessions, throttle),
            FirstSetup: FirstSetup(database, clock, accounts, access.setup_link_minutes),
            Register: register,
            Sweeps: sweeps,
            MediaEngine: media,
            RtspOutService: media.rtsp_out,
            Rounds: rounds,
            Alarms: Alarms(database, bus, clock),
            ObservationHistory: ObservationHistory(database, clock),
            Tours: Tours(settings.patrol, database, bus, clock),
            Scenes: Scenes(database, bus, clock),
            Runs: runs,
            system.System: system.System(started_at=clock.now(), gauge=figures, restart_relay=media.restart_relay),
        }


def create_app(settings: Settings, parts: Parts | None = None) -> FastAPI:
    """The HTTP side over running parts; without parts only its description can be asked. Raises on a bare route."""
    app = FastAPI(
        title="camera hub",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    attach(app, settings, parts or {})
    for router in _ROUTERS:
        app.include_router(router)
    app.router.default = StaticPages()
    errors.install(app)
    app.add_middleware(BodyLimit, limit=MAX_BODY)
    app.add_middleware(SafeHeaders)
    app.add_middleware(errors.Unexpected)
    check_policies(app)
    return app


def attach(app: FastAPI, settings: Settings, parts: Parts) -> None:
    """Let the app's routes answer from these parts from now on."""
    app.state.parts = parts
    app.state.sessions = parts.get(Sessions)
    app.state.origins = settings.server.public_origins
    app.state.secure_cookies = settings.server.secure_cookies
    app.state.live_readers = _LIVE_READERS
