"""Patrol, built and connected: what app.py starts, hands to routes and tells pages of."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from camera_hub.api import findings, records, results, run_operators, runs, scenes, tour_templates, tours
from camera_hub.api.live_changes import SharedReader
from camera_hub.api.schemas.media import Topic
from camera_hub.cameras.ptz.control import PtzControl
from camera_hub.cameras.ptz.tours import TourPresets
from camera_hub.clock import Clock
from camera_hub.events import EventBus
from camera_hub.media.engine import MediaEngine
from camera_hub.patrol.proof.finding_list import FindingList
from camera_hub.patrol.proof.findings import MAX_PHOTO, Findings
from camera_hub.patrol.proof.parts import ProofMedia, ProofParts, proof
from camera_hub.patrol.proof.patrol_proof import PatrolProof
from camera_hub.patrol.proof.run_results import RunResults
from camera_hub.patrol.records.seal import PatrolSeal
from camera_hub.patrol.runs.engine import engine
from camera_hub.patrol.runs.reader import RunReader
from camera_hub.patrol.runs.runs import Runs
from camera_hub.patrol.tours.from_places import FromPlaces
from camera_hub.patrol.tours.scenes import Scenes
from camera_hub.patrol.tours.templates import TourTemplates
from camera_hub.patrol.tours.tours import Tours
from camera_hub.settings import Settings
from camera_hub.store.database import Database

PATROL_ROUTERS = (
    scenes.router,
    tours.router,
    tour_templates.router,
    results.router,
    findings.router,
    run_operators.router,
    records.router,
    runs.router,  # after all others below /api/runs/{run_id}: its last route takes any verb
)
PATROL_UPLOADS = {findings.PHOTO_PATH: MAX_PHOTO}
"""Paths that take files (regular expressions), and how many bytes (api.limits)."""


@dataclass(frozen=True, slots=True)
class Patrol:
    """What others need of patrol."""

    tours: Tours
    scenes: Scenes
    from_places: FromPlaces
    templates: TourTemplates
    runs: Runs
    reader: RunReader
    proof: ProofParts

    def parts(self) -> dict[type, Any]:
        """By their types, for routes."""
        return {
            Tours: self.tours,
            Scenes: self.scenes,
            FromPlaces: self.from_places,
            TourTemplates: self.templates,
            Runs: self.runs,
            RunReader: self.reader,
            RunResults: self.proof.results,
            Findings: self.proof.findings,
            FindingList: self.proof.finding_list,
        }

    def live(self) -> dict[Topic, SharedReader]:
        """By topic, for pages."""
        return {
            "tour": tours.live(self.tours),
            "run": runs.live(self.reader),
            "result": results.live(self.proof.results),
            "finding": findings.live(self.proof.finding_list),
        }


@asynccontextmanager
async def patrol(
    settings: Settings,
    clock: Clock,
    bus: EventBus,
    database: Database,
    media: MediaEngine,
    steering: PtzControl,
    seal: PatrolSeal,
) -> AsyncIterator[Patrol]:
    """Patrol, running."""
    async with AsyncExitStack() as stack:
        shown = await stack.enter_async_context(
            engine(
                settings.patrol,
                clock,
                bus,
                database,
                media.cameras,
                settings.site.zone,
                PatrolProof(seal, media.cameras),
                TourPresets(steering),
            )
        )
        proven = await stack.enter_async_context(
            proof(
                settings.patrol,
                settings.server.data_dir,
                clock,
                bus,
                database,
                ProofMedia(media.moments, media.eyes, media.cameras),
                shown.keeper,
            )
        )
        yield Patrol(
            Tours(settings.patrol, database, bus, clock),
            Scenes(database, bus, clock),
            FromPlaces(settings.patrol, database),
            TourTemplates(database),
            shown.runs,
            shown.reader,
            proven,
        )
