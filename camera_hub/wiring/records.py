"""Records of patrols, built and connected: sealing, reviewing, verifying, exporting, retention."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from camera_hub.access.audit.anchor import FILE_NAME, AnchorFile
from camera_hub.access.audit.chain import AuditChain
from camera_hub.access.audit.verify import AuditVerifier
from camera_hub.access.vault import Vault
from camera_hub.clock import Clock
from camera_hub.events import EventBus
from camera_hub.patrol.proof.parts import FOLDER
from camera_hub.patrol.records.earlier import EarlierPatrols
from camera_hub.patrol.records.expiry import RecordExpiry
from camera_hub.patrol.records.export import RecordExport
from camera_hub.patrol.records.listing import RecordList
from camera_hub.patrol.records.reviews import RecordReviews
from camera_hub.patrol.records.seal import PatrolSeal
from camera_hub.patrol.records.verify import RecordVerification, patrol_kinds
from camera_hub.running import keep_running, running
from camera_hub.settings import Settings
from camera_hub.store.database import Database
from camera_hub.store.picture_files import PictureFiles


@dataclass(frozen=True, slots=True)
class Records:
    """What others need of records."""

    seal: PatrolSeal
    reviews: RecordReviews
    listing: RecordList
    export: RecordExport
    verification: RecordVerification

    def parts(self) -> dict[type, Any]:
        """By their types, for routes."""
        return {
            RecordReviews: self.reviews,
            RecordList: self.listing,
            RecordExport: self.export,
            RecordVerification: self.verification,
        }


@asynccontextmanager
async def records(
    settings: Settings, clock: Clock, bus: EventBus, database: Database, vault: Vault
) -> AsyncIterator[Records]:
    """Records, with the audit chain and their retention running."""
    data_dir = settings.server.data_dir
    files, anchor = PictureFiles(data_dir / FOLDER), AnchorFile(data_dir / FILE_NAME)
    async with AuditChain(database, vault, clock, anchor) as chain:
        await EarlierPatrols(database, chain).seal()
        expiry = RecordExpiry(database, clock, chain, files, timedelta(days=settings.patrol.keep_days))
        verifier = AuditVerifier(database, vault, anchor, patrol_kinds(database, files))
        listing = RecordList(database)
        loop = keep_running("retention of records", expiry.run_once, clock=clock)
        async with running(loop, "retention of records"):
            yield Records(
                PatrolSeal(chain),
                RecordReviews(database, bus, clock, chain),
                listing,
                RecordExport(database, listing),
                RecordVerification(verifier),
            )
