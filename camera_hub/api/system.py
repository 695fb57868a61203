"""The hub's own state: for probes without a login, for maintainers with one; and the API's description."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Path, Request
from sqlalchemy import func, select

from camera_hub import __version__
from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part, public
from camera_hub.api.schemas.health import RelayRestartedAnswer, SystemAnswer
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera

READY_SECONDS = 3.0

router = APIRouter(tags=["system"])

Row = dict[str, float | int | str | None]


@dataclass(frozen=True, slots=True)
class Figures:
    """What runs in media: counts, the hub's own load, and one row of numbers per process."""

    feeds: int = 0
    viewers: int = 0
    hub: Row = field(default_factory=dict)
    relays: list[Row] = field(default_factory=list)
    eyes: list[Row] = field(default_factory=list)


class Gauge(Protocol):
    """Where the figures come from; wiring.pages hands in media's."""

    async def __call__(self) -> Figures: ...


class Restarter(Protocol):
    """Restarts relays; wiring.pages hands in media's."""

    async def __call__(self, number: int) -> int:
        """Hand the relay over to a new process; returns its epoch. Raises HubError."""
        ...


@dataclass(frozen=True, slots=True)
class System:
    """When this hub started, where its figures come from, who restarts its relays."""

    started_at: datetime
    gauge: Gauge | None = None
    restart_relay: Restarter | None = None


DatabasePart = Annotated[Database, part(Database)]
ClockPart = Annotated[Clock, part(Clock)]


@router.get("/api/system")
async def system(
    actor: Annotated[Actor, needs(Action.READ_SYSTEM)],
    database: DatabasePart,
    clock: ClockPart,
    hub: Annotated[System, part(System)],
) -> SystemAnswer:
    """Version, times and figures of the running hub."""
    figures = await hub.gauge() if hub.gauge is not None else Figures()
    async with database.read() as session:
        cameras = await session.scalar(select(func.count()).select_from(Camera).where(Camera.state == "approved"))
    return SystemAnswer(
        version=__version__,
        started_at=hub.started_at,
        now=clock.now(),
        cameras=cameras or 0,
        feeds=figures.feeds,
        viewers=figures.viewers,
        hub=figures.hub,
        relays=figures.relays,
        eyes=figures.eyes,
    )


@router.post("/api/system/relays/{relay}/restart")
async def restart_relay(
    relay: Annotated[int, Path(ge=0, le=255)],
    actor: Annotated[Actor, needs(Action.MANAGE_SYSTEM)],
    hub: Annotated[System, part(System)],
) -> RelayRestartedAnswer:
    """Replace a relay by a new process that is warmed up first; answers when it has taken over.

    For an upgrade of what the relay uses, or when it misbehaves: pictures freeze for a few tenths of a second.
    """
    if hub.restart_relay is None:
        raise HubError(Kind.UNAVAILABLE, "this hub has no relays; there is nothing to restart")
    return RelayRestartedAnswer(relay=relay, epoch=await hub.restart_relay(relay))


@router.get("/healthz", dependencies=[public()])
async def alive() -> dict[str, str]:
    """The process answers. For a supervisor that restarts it when it does not."""
    return {"status": "ok", "version": __version__}


@router.get("/readyz", dependencies=[public()])
async def ready(database: DatabasePart) -> dict[str, str]:
    """The database answers too. 503 when not."""
    try:
        async with asyncio.timeout(READY_SECONDS), database.read() as session:
            await session.execute(select(1))
    except Exception as error:  # whatever it is: this route answers 503, it does not fail
        raise HubError(
            Kind.UNAVAILABLE, "the database does not answer; the log says why", reason=Reason.DATABASE_AWAY
        ) from error
    return {"status": "ready"}


@router.get("/api/openapi.json", include_in_schema=False)
async def description(request: Request, actor: Annotated[Actor, needs(Action.MANAGE_USERS)]) -> dict[str, Any]:
    """The API's description, for township admins. No interactive page: it would load scripts from outside."""
    schema: dict[str, Any] = request.app.openapi()
    return schema
