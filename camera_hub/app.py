"""The composition root: the one place where all parts are built and connected.

`parts` starts the rooms from the ground upwards, so that each is given what stands below it; leaving stops them from
the top down, and waits for each to end. What a room builds, and what it hands on, is in `wiring`. `create_app` puts the
HTTP side in front of them; `serving` gives it a port.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from camera_hub import __version__
from camera_hub.access.passwords import Passwords
from camera_hub.access.sessions import Sessions
from camera_hub.api import errors
from camera_hub.api.client_address import ClientAddress
from camera_hub.api.cors import WhepOrigins
from camera_hub.api.limits import BodyLimit
from camera_hub.api.routing import check_parts, check_policies
from camera_hub.api.schemas.base import ErrorAnswer
from camera_hub.api.static import SafeHeaders, StaticPages
from camera_hub.clock import Clock
from camera_hub.media.child_process import Spawn, spawn_process
from camera_hub.settings import Settings
from camera_hub.wiring.access import access_parts
from camera_hub.wiring.bulk import bulk_parts
from camera_hub.wiring.core import core_parts
from camera_hub.wiring.device_events import device_event_parts
from camera_hub.wiring.device_settings import device_settings_parts
from camera_hub.wiring.devices import device_parts
from camera_hub.wiring.health import health_parts
from camera_hub.wiring.joining import joining_parts
from camera_hub.wiring.ledger import ledger_parts
from camera_hub.wiring.media import media_engine, parts_of_media
from camera_hub.wiring.notices import notice_parts
from camera_hub.wiring.pages import page_parts
from camera_hub.wiring.patrol import patrol_parts
from camera_hub.wiring.plans import plan_parts
from camera_hub.wiring.ptz import ptz_parts
from camera_hub.wiring.recordings import recording_parts
from camera_hub.wiring.records import record_parts
from camera_hub.wiring.register import register_parts
from camera_hub.wiring.retention import retention
from camera_hub.wiring.rooms import Parts, Rooms, joined
from camera_hub.wiring.routes import ROUTERS, UPLOADS
from camera_hub.wiring.screens import screen_parts

MAX_BODY = 1024 * 1024
"""Bytes of a request that brings no file."""


@asynccontextmanager
async def parts(
    settings: Settings, clock: Clock, passwords: Passwords | None = None, spawn: Spawn = spawn_process
) -> AsyncIterator[Parts]:
    """The whole hub without its HTTP side, running; `spawn` starts its child processes. Raises HubError if it cannot
    start.
    """
    async with Rooms() as rooms:
        core = await rooms.start("core", core_parts(settings, clock))
        access = await rooms.start("access", access_parts(core, passwords))

        devices = await rooms.start("devices", device_parts(core))
        cameras = await rooms.start("register", register_parts(core, devices))
        register = cameras.register

        media = await rooms.start("media", media_engine(core, cameras.sources, devices.logins, spawn))

        joining = await rooms.start("joining", joining_parts(core, devices, media, cameras.intake))
        bulk = await rooms.start("bulk", bulk_parts(core, devices, cameras))
        ptz = await rooms.start("ptz", ptz_parts(core, devices, register))
        steering = ptz.control
        events = await rooms.start("device events", device_event_parts(core, devices, register))
        device_settings = await rooms.start(
            "device settings", device_settings_parts(core, devices, register, bulk.jobs)
        )
        recordings = await rooms.start(
            "recordings", recording_parts(core, devices, register, device_settings.links, bulk.jobs)
        )
        ledger = await rooms.start("ledger", ledger_parts(core, media, cameras.ledgers))

        health = await rooms.start("health", health_parts(core, devices, media, steering))
        notices = await rooms.start("notices", notice_parts(core))
        await rooms.start("retention", retention(core, media))

        records = await rooms.start("records", record_parts(core))
        patrol = await rooms.start("patrol", patrol_parts(core, media, steering, records.seal))
        plans = await rooms.start("plans", plan_parts(core, patrol.runs))
        screens = await rooms.start("screens", screen_parts(core, access.throttle, patrol.reader))

        shared = joined(
            cameras.live(devices.logins),
            joining.live(),
            device_settings.live(),
            ledger.live(),
            health.live(),
            patrol.live(),
            plans.live(),
            screens.live(settings.site.time_zone),
        )
        personal = joined(joining.live_personal(), bulk.live_personal(), notices.live_personal())
        sightings = patrol.proof.sightings
        pages = await rooms.start(
            "pages", page_parts(core, access.sessions, media, steering, sightings, shared, personal)
        )

        yield joined(
            core.parts(),
            access.parts(),
            devices.parts(),
            cameras.parts(),
            parts_of_media(media),
            joining.parts(),
            bulk.parts(),
            ptz.parts(),
            events.parts(),
            device_settings.parts(),
            recordings.parts(),
            ledger.parts(),
            health.parts(),
            notices.parts(),
            records.parts(),
            patrol.parts(),
            plans.parts(),
            screens.parts(),
            pages.parts(),
        )


def create_app(settings: Settings, parts: Parts | None = None) -> FastAPI:
    """The HTTP side over running parts; without parts only its OpenAPI description can be had.

    Raises RuntimeError when a route states no policy or asks for a part that does not exist.
    """
    app = FastAPI(
        title="camera hub",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        responses={
            "4XX": {"model": ErrorAnswer, "description": "Refused; `reason` says why."},
            "5XX": {"model": ErrorAnswer, "description": "A device, the database or the hub itself has failed."},
        },
    )
    attach(app, settings, parts or {})
    for router in ROUTERS:
        app.include_router(router)
    app.router.default = StaticPages()
    errors.install(app)
    app.add_middleware(BodyLimit, limit=MAX_BODY, uploads=UPLOADS)
    app.add_middleware(SafeHeaders)
    app.add_middleware(WhepOrigins, origins=settings.media.whep_origins)
    app.add_middleware(errors.Unexpected)
    app.add_middleware(ClientAddress, trusted=settings.server.trusted_proxies)
    check_policies(app)
    if parts is not None:
        check_parts(app, parts)
    return app


def attach(app: FastAPI, settings: Settings, parts: Parts) -> None:
    """Make the app's routes use these parts from now on."""
    app.state.parts = parts
    app.state.sessions = parts.get(Sessions)
    app.state.origins = settings.server.public_origins
    app.state.whep_origins = settings.media.whep_origins
    app.state.secure_cookies = settings.server.secure_cookies
