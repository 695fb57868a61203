"""Sealing what ended before patrols that were given up or expired were sealed, too: once, at the first start since.

That it was done is a link itself (`SEALING_ALL`). From then on a patrol that has ended and has no link was inserted, or
its link was removed; and nothing is sealed afterwards any more, so that inserting one before a start gains nothing.
"""

import logging
from dataclasses import dataclass

from sqlalchemy import String, cast, exists, select

from camera_hub.patrol.records.content import UnreadableRows
from camera_hub.patrol.records.seal import PATROL, SEALING_ALL, SEALING_SUBJECT, Chain, PatrolSeal
from camera_hub.store.database import Database
from camera_hub.store.tables import AuditLink, Run

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EarlierPatrols:
    """Seals them, one in each transaction: what a crash interrupts, the next start goes on with."""

    database: Database
    chain: Chain

    async def seal(self) -> int:
        """Seal all that have ended without a link, unless that was done before. Returns how many."""
        linked = exists().where(AuditLink.subject == "run:" + cast(Run.id, String), AuditLink.kind == PATROL)
        query = select(Run.id).where(Run.state == "ended", Run.loop.is_(False), ~linked).order_by(Run.id)
        done = select(AuditLink.sequence).where(AuditLink.subject == SEALING_SUBJECT, AuditLink.kind == SEALING_ALL)
        async with self.database.read() as session:
            if await session.scalar(done.limit(1)) is not None:
                return 0
            ids = (await session.scalars(query)).all()
        sealed, unreadable, seal = list[int](), list[int](), PatrolSeal(self.chain)
        for run_id in ids:
            try:
                async with self.database.write() as session:
                    await seal.patrol(session, run_id)
                sealed.append(run_id)
            except (UnreadableRows, ValueError) as error:
                log.error("the record of patrol %d cannot be sealed: %s", run_id, error)
                unreadable.append(run_id)
        async with self.database.write() as session:
            await self.chain.append(session, SEALING_ALL, SEALING_SUBJECT, {"sealed": sealed, "unreadable": unreadable})
        if ids:
            log.info("sealed %d patrols that had ended without being submitted", len(sealed))
        return len(sealed)
