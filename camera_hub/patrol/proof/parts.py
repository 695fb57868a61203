"""The parts of this room, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from camera_hub.clock import Clock
from camera_hub.events import EventBus
from camera_hub.patrol.proof.finding_list import FindingList
from camera_hub.patrol.proof.findings import FindingPhotoDecoder, Findings
from camera_hub.patrol.proof.instant import InstantPictures
from camera_hub.patrol.proof.moments import Moments, Photographer
from camera_hub.patrol.proof.pictures import RunPictures
from camera_hub.patrol.proof.run_results import RunResults
from camera_hub.patrol.proof.sightings import ClockFollower, SightingReports
from camera_hub.patrol.runs.dead_cameras import FeedReasons
from camera_hub.settings import PatrolSettings
from camera_hub.store.database import Database
from camera_hub.store.picture_files import PictureFiles

FOLDER = "patrol-pictures"
"""In the data directory."""


@dataclass(frozen=True, slots=True)
class ProofMedia:
    """What the proof needs of media: who takes pictures, who decodes uploaded photos, who knows which feeds fail."""

    photographer: Photographer
    decoder: FindingPhotoDecoder
    feeds: FeedReasons


@dataclass(frozen=True, slots=True)
class ProofParts:
    """What others use of the proof."""

    sightings: SightingReports
    results: RunResults
    findings: Findings
    finding_list: FindingList
    pictures: RunPictures
    moments: Moments


@asynccontextmanager
async def proof(
    settings: PatrolSettings,
    data_dir: Path,
    clock: Clock,
    bus: EventBus,
    database: Database,
    media: ProofMedia,
    follower: ClockFollower,
) -> AsyncIterator[ProofParts]:
    """The proof, running."""
    pictures = RunPictures(database, PictureFiles(data_dir / FOLDER), clock, settings.picture_mb * 1_000_000)
    moments = Moments(database, bus, clock, media.photographer, pictures)
    instants = InstantPictures(media.photographer)
    async with pictures, moments:
        yield ProofParts(
            SightingReports(database, bus, clock, moments, follower),
            RunResults(database, bus, clock, pictures, instants, media.feeds),
            Findings(settings.finding_categories, database, bus, clock, pictures, instants, media.decoder),
            FindingList(database, pictures),
            pictures,
            moments,
        )
