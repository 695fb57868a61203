"""What ends by its time: rows of all tables, and the pictures of questions that are decided."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from camera_hub.cameras.device_events.store import device_event_expiry
from camera_hub.cameras.imports.expiry import import_expiry_rules
from camera_hub.cameras.ledger.expiry import expiry_rules as ledger_expiry
from camera_hub.cameras.matches.expiry import MatchPictureExpiry, match_expiry
from camera_hub.cameras.recordings.store import recording_expiry
from camera_hub.health.expiry_rules import expiry_rules
from camera_hub.media.engine import MediaEngine
from camera_hub.patrol.plans.expiry import occurrence_expiry
from camera_hub.running import keep_running, running
from camera_hub.settings import Settings
from camera_hub.store.retention import ExpiryRule, Retention
from camera_hub.wiring.core import CoreParts


def every_expiry_rule(settings: Settings) -> list[ExpiryRule]:
    """What ends by its time, in all tables."""
    return [
        *expiry_rules(settings.health),
        *import_expiry_rules(settings.sheets),
        device_event_expiry(settings.device_events),
        *ledger_expiry(settings.ledger),
        match_expiry(),
        recording_expiry(),
        occurrence_expiry(settings.patrol),
    ]


@asynccontextmanager
async def retention(core: CoreParts, media: MediaEngine) -> AsyncIterator[None]:
    """Retention, running. Records of patrols have their own (wiring.records): they leave the audit chain whole."""
    clock, database = core.clock, core.database
    rows = Retention(database, clock, every_expiry_rule(core.settings))
    pictures = MatchPictureExpiry(database, clock, media.pictures)
    async with (
        running(keep_running("retention", rows.run_once, clock=clock), "retention"),
        running(keep_running("pictures of matches", pictures.run_once, clock=clock), "pictures of matches"),
    ):
        yield
