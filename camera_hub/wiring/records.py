"""Records of patrols, built and connected: sealing, reviewing, verifying, exporting, retention."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from camera_hub.access.audit.anchor import FILE_NAME, AnchorFile
from camera_hub.access.audit.chain import AuditChain
from camera_hub.access.audit.verify import AuditVerifier
from camera_hub.api.record_words import both_words
from camera_hub.patrol.proof.parts import FOLDER
from camera_hub.patrol.records.earlier import EarlierPatrols
from camera_hub.patrol.records.expiry import RecordExpiry
from camera_hub.patrol.records.export import RecordExport
from camera_hub.patrol.records.listing import RecordList
from camera_hub.patrol.records.reviews import RecordReviews
from camera_hub.patrol.records.seal import PatrolSeal
from camera_hub.patrol.records.verify import RecordVerification, patrol_kinds
from camera_hub.running import keep_running, running
from camera_hub.store.picture_files import PictureFiles
from camera_hub.wiring.core import CoreParts
from camera_hub.wiring.rooms import Parts


@dataclass(frozen=True, slots=True)
class RecordParts:
    """What others need of records."""

    seal: PatrolSeal
    reviews: RecordReviews
    listing: RecordList
    export: RecordExport
    verification: RecordVerification

    def parts(self) -> Parts:
        """By their types, for routes."""
        return {
            RecordReviews: self.reviews,
            RecordList: self.listing,
            RecordExport: self.export,
            RecordVerification: self.verification,
        }


@asynccontextmanager
async def record_parts(core: CoreParts) -> AsyncIterator[RecordParts]:
    """Records, with the audit chain and their retention running."""
    clock, bus, database, vault, data_dir = core.clock, core.bus, core.database, core.vault, core.data_dir
    files, anchor = PictureFiles(data_dir / FOLDER), AnchorFile(data_dir / FILE_NAME)
    async with AuditChain(database, vault, clock, anchor) as chain:
        await EarlierPatrols(database, chain).seal()
        expiry = RecordExpiry(database, clock, chain, files, timedelta(days=core.settings.patrol.keep_days))
        verifier = AuditVerifier(
            database,
            vault,
            anchor,
            patrol_kinds(database, files, both_words(core.settings)),
        )
        listing = RecordList(database)
        loop = keep_running("retention of records", expiry.run_once, clock=clock)
        async with running(loop, "retention of records"):
            yield RecordParts(
                PatrolSeal(chain),
                RecordReviews(database, bus, clock, chain),
                listing,
                RecordExport(database, listing),
                RecordVerification(verifier),
            )
