"""Retention of records: what has ended and was sealed longer ago than the site keeps it is deleted with its pictures;
the links stay.

That a sealed record was deleted by its time, and not by somebody, is itself a link, added in the transaction that
deletes the rows: so verifying tells the two apart. One record at a time, so that other writers hardly wait.
"""

import logging
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Protocol

from sqlalchemy import String, cast, delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.audit.links import moment
from camera_hub.clock import Clock
from camera_hub.patrol.records.content import SEALED_TABLES
from camera_hub.patrol.records.reviews import seals_of
from camera_hub.patrol.records.seal import EXPIRED, PATROL, Chain, subject_of
from camera_hub.store.database import Database
from camera_hub.store.retention import EARLIEST, PAUSE, SETTLE
from camera_hub.store.tables import AuditCopy, AuditLink, Run, RunPicture, RunReview
from camera_hub.store.tables.readable import is_unreadable

log = logging.getLogger(__name__)

BATCH = 50
"""Records whose ids are read at once."""


class PictureRemover(Protocol):
    """Who deletes the files of pictures."""

    async def delete(self, row_ids: Collection[int]) -> None:
        """Delete the files of rows that are gone."""
        ...


class RecordExpiry:
    """Deletes records that are older than `keep`; `run_once` belongs into `keep_running`. `deleted` counts them."""

    def __init__(self, database: Database, clock: Clock, chain: Chain, files: PictureRemover, keep: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._chain = chain
        self._files = files
        self._keep = keep
        self.deleted = 0

    async def run_once(self) -> None:
        """Wait until the clock can be believed (store.retention), delete what is too old, then wait an hour."""
        await self._clock.sleep(SETTLE)
        if deleted := await self.expire():
            log.info("deleted the records of %d patrols older than %s days", deleted, self._keep.days)
        await self._clock.sleep(PAUSE)

    async def expire(self) -> int:
        """Delete all records that are too old. Returns how many."""
        now = self._clock.now()
        if now < EARLIEST:
            log.warning("the clock reads %s: no record is deleted until it is right", now)
            return 0
        before = now - self._keep
        # By both times: else whoever changes when it ended could have the hub itself delete a record.
        sealed_since = exists().where(
            AuditLink.subject == "run:" + cast(Run.id, String), AuditLink.kind == PATROL, AuditLink.at >= before
        )
        query = select(Run.id).where(Run.state == "ended", Run.ended_at < before, ~sealed_since).order_by(Run.id)
        deleted = 0
        while True:
            async with self._database.read() as session:
                ids = (await session.scalars(query.limit(BATCH))).all()
            for run_id in ids:
                await self._delete(run_id)
            deleted += len(ids)
            self.deleted += len(ids)
            if len(ids) < BATCH:
                return deleted

    async def _delete(self, run_id: int) -> None:
        async with self._database.write() as session:
            run = await session.scalar(select(Run).where(Run.id == run_id).with_for_update())
            if run is None:
                return
            ended = run.ended_at
            seal = (await seals_of(session, [run_id])).get(run_id)
            pictures = await _delete_rows(session, run_id)
            if seal is not None:
                told = None if ended is None or is_unreadable(ended) else moment(ended)
                await self._chain.append(
                    session, EXPIRED, subject_of(run_id), {"sealed": seal.sequence, "ended_at": told}
                )
        await self._files.delete(pictures)


async def _delete_rows(session: AsyncSession, run_id: int) -> Sequence[int]:
    """Delete a run with all its rows and sealed copies; returns its pictures."""
    pictures = (await session.scalars(select(RunPicture.id).where(RunPicture.run_id == run_id))).all()
    subject = subject_of(run_id)
    of_run = or_(AuditLink.subject == subject, AuditLink.subject.startswith(f"{subject}/"))
    links = (await session.scalars(select(AuditLink.sequence).where(of_run))).all()
    await session.execute(delete(AuditCopy).where(AuditCopy.sequence.in_(links)))
    for table in (RunReview, RunPicture):
        await session.execute(delete(table).where(table.run_id == run_id))
    # The other way round from how they are sealed: steps go after their cameras, the run after all.
    for sealed in reversed(SEALED_TABLES):
        await session.execute(delete(sealed.table).where(sealed.of(run_id)))
    return pictures
