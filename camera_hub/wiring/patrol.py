"""Patrol, built and connected: tours, runs, their proof."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from camera_hub.api import findings, results, runs, tours
from camera_hub.api.live_changes import SharedReader
from camera_hub.api.schemas.media import Topic
from camera_hub.cameras.ptz.control import PtzControl
from camera_hub.cameras.ptz.tours import TourPresets
from camera_hub.media.engine import MediaEngine
from camera_hub.patrol.proof.finding_list import FindingList
from camera_hub.patrol.proof.findings import Findings
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
from camera_hub.wiring.core import CoreParts
from camera_hub.wiring.rooms import Parts


@dataclass(frozen=True, slots=True)
class PatrolParts:
    """What others need of patrol."""

    tours: Tours
    scenes: Scenes
    from_places: FromPlaces
    templates: TourTemplates
    runs: Runs
    reader: RunReader
    proof: ProofParts

    def parts(self) -> Parts:
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
async def patrol_parts(
    core: CoreParts, media: MediaEngine, steering: PtzControl, seal: PatrolSeal
) -> AsyncIterator[PatrolParts]:
    """Patrol, with what moves runs on and what keeps their pictures running; `seal` closes the record of a run."""
    settings, clock, bus, database = core.settings.patrol, core.clock, core.bus, core.database
    end, presets = PatrolProof(seal, media.cameras), TourPresets(steering)
    pictures = ProofMedia(media.moments, media.eyes, media.cameras)
    async with (
        engine(settings, clock, bus, database, media.cameras, core.zone, end, presets) as shown,
        proof(settings, core.data_dir, clock, bus, database, pictures, shown.keeper) as proven,
    ):
        yield PatrolParts(
            Tours(settings, database, bus, clock),
            Scenes(database, bus, clock),
            FromPlaces(settings, database),
            TourTemplates(database),
            shown.runs,
            shown.reader,
            proven,
        )
