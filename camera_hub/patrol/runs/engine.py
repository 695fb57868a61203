"""The parts of this room, put together."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import tzinfo
from typing import Protocol

from camera_hub.clock import Clock
from camera_hub.events import EventBus
from camera_hub.patrol.runs.alarm_interrupts import AlarmInterrupts
from camera_hub.patrol.runs.dead_cameras import FeedReasons
from camera_hub.patrol.runs.keeper import RunKeeper
from camera_hub.patrol.runs.loop import RunLoop
from camera_hub.patrol.runs.positions import Positioning, StopPositions
from camera_hub.patrol.runs.preparation import Preparation
from camera_hub.patrol.runs.ptz_waits import PersonsSteering, PtzWaits
from camera_hub.patrol.runs.reader import RunReader
from camera_hub.patrol.runs.run_proof import RunProof
from camera_hub.patrol.runs.runs import Runs
from camera_hub.patrol.runs.situation import Situations
from camera_hub.patrol.runs.views import RunViews
from camera_hub.patrol.runs.warming import Warming
from camera_hub.settings import PatrolSettings
from camera_hub.store.database import Database


class RunMedia(FeedReasons, Protocol):
    """What runs need from media."""

    async def warm(self, camera_ids: Sequence[int], holder: str, seconds: float, *, ahead: bool = False) -> None:
        """Keep the feeds of these cameras running that long. `ahead`: opened only where there is time to spare."""
        ...


class RunSteering(StopPositions, PersonsSteering, Protocol):
    """What runs need from PTZ (cameras.ptz.tours)."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What others use of running runs."""

    runs: Runs
    reader: RunReader
    keeper: RunKeeper


@asynccontextmanager
async def engine(
    settings: PatrolSettings,
    clock: Clock,
    bus: EventBus,
    database: Database,
    media: RunMedia,
    zone: tzinfo,
    proof: RunProof,
    steering: RunSteering | None = None,
) -> AsyncIterator[Engine]:
    """Runs, running. `zone`: see RunKeeper."""
    situations = Situations(media, proof, steering)
    closing_seconds = settings.closing_hours * 3600
    views = RunViews(situations, proof, settings.attention_minutes, closing_seconds)
    keeper = RunKeeper(database, clock, bus, views, situations, proof, zone)
    loop = RunLoop(
        database,
        clock,
        keeper,
        situations,
        Preparation(Warming(media, settings.warm_seconds), Positioning(steering, settings.warm_seconds)),
        PtzWaits(bus, clock, keeper, steering),
        closing_seconds,
    )
    async with loop, AlarmInterrupts(database, clock, bus, keeper):
        yield Engine(
            Runs(clock, keeper, views, situations, proof),
            RunReader(database, clock, keeper, views, situations),
            keeper,
        )
