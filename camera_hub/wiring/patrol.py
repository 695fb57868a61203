"""Patrol, built and connected: what app.py starts, hands to routes and tells pages of."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from camera_hub.access.audit.chain import AuditChain
from camera_hub.api import records, run_operators, runs, scenes, tours
from camera_hub.api.live_changes import SharedReader
from camera_hub.api.schemas.media import Topic
from camera_hub.cameras.ptz.control import PtzControl
from camera_hub.cameras.ptz.tours import TourPresets
from camera_hub.clock import Clock
from camera_hub.events import EventBus
from camera_hub.media.feeds.camera_feeds import CameraFeeds
from camera_hub.patrol.records.reviews import RecordReviews
from camera_hub.patrol.records.seal import PatrolSeal
from camera_hub.patrol.runs.engine import engine
from camera_hub.patrol.runs.reader import RunReader
from camera_hub.patrol.runs.run_proof import NoProof
from camera_hub.patrol.runs.runs import Runs
from camera_hub.patrol.runs.seen_reports import SeenReports
from camera_hub.patrol.tours.scenes import Scenes
from camera_hub.patrol.tours.tours import Tours
from camera_hub.settings import Settings
from camera_hub.store.database import Database

PATROL_ROUTERS = (
    scenes.router,
    tours.router,
    records.router,
    run_operators.router,
    runs.router,  # after all others below /api/runs/{run_id}: its last route takes any verb
)


@dataclass(frozen=True, slots=True)
class Patrol:
    """What others need of patrol."""

    tours: Tours
    scenes: Scenes
    runs: Runs
    reader: RunReader
    reports: SeenReports
    seal: PatrolSeal
    reviews: RecordReviews

    def parts(self) -> dict[type, Any]:
        """By their types, for routes."""
        return {
            Tours: self.tours,
            Scenes: self.scenes,
            Runs: self.runs,
            RunReader: self.reader,
            PatrolSeal: self.seal,
            RecordReviews: self.reviews,
        }

    def live(self) -> dict[Topic, SharedReader]:
        """By topic, for pages."""
        return {"tour": tours.live(self.tours), "run": runs.live(self.reader)}


@asynccontextmanager
async def patrol(
    settings: Settings,
    clock: Clock,
    bus: EventBus,
    database: Database,
    feeds: CameraFeeds,
    steering: PtzControl,
    audit: AuditChain,
) -> AsyncIterator[Patrol]:
    """Patrol, running."""
    async with engine(
        settings.patrol, clock, bus, database, feeds, settings.site.zone, NoProof(), TourPresets(steering)
    ) as running:
        yield Patrol(
            Tours(settings.patrol, database, bus, clock),
            Scenes(database, bus, clock),
            running.runs,
            running.reader,
            running.reports,
            PatrolSeal(audit),
            RecordReviews(database, bus, clock, audit),
        )
