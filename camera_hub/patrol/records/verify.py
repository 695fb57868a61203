"""What verify-audit compares of patrols: sealed records with their rows and picture files, reviews with their rows."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import String, cast, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.audit.canonical import canonical
from camera_hub.access.audit.faults import AuditFault
from camera_hub.access.audit.links import Link, digest
from camera_hub.access.audit.verify import AuditVerifier, ProvedLinks, SealedCopy, SealedKind, snapshot
from camera_hub.access.policy import Actor
from camera_hub.errors import HubError, Kind
from camera_hub.patrol import township
from camera_hub.patrol.records.compare import camera_names, differences
from camera_hub.patrol.records.content import Content, UnreadableRows, content_from, content_of, pictures_of
from camera_hub.patrol.records.reviews import review_content
from camera_hub.patrol.records.seal import (
    EXPIRED,
    PATROL,
    REVIEW,
    SEALING_ALL,
    SEALING_SUBJECT,
    review_subject,
    run_of,
    subject_of,
)
from camera_hub.store.database import Database
from camera_hub.store.tables import AuditLink, Run, RunReview

_TOLD = 20
"""Differences of one record that are told one by one."""


class PatrolPictures(Protocol):
    """The files of pictures of patrols."""

    async def read(self, row_id: int) -> bytes | None:
        """A picture; None where there is none."""
        ...


def patrol_kinds(database: Database, pictures: PatrolPictures) -> Mapping[str, SealedKind]:
    """Who compares which links."""
    return {PATROL: SealedPatrols(database, pictures), REVIEW: SealedReviews()}


class SealedPatrols:
    """Compares sealed records with their rows and files."""

    def __init__(self, database: Database, pictures: PatrolPictures) -> None:
        self._database = database
        self._pictures = pictures

    async def compare(
        self, session: AsyncSession, link: Link, copy: SealedCopy, chain: ProvedLinks
    ) -> Sequence[AuditFault]:
        """See SealedKind."""
        run_id = run_of(link.subject)
        if await _expired(session, link, chain):
            return []
        try:
            present = {} if run_id is None else await content_of(session, run_id)
        except UnreadableRows as error:
            words = f"a row of {error} was changed to what nobody can read"
            return [_fault(link, "rows_unreadable", words, table=str(error))]
        if not present:
            return [_fault(link, "record_deleted", "the record was deleted")]
        if not isinstance(copy.content, Mapping):
            if digest(canonical(present)) == link.digest:
                return [] if copy.changed else [_fault(link, "copy_missing", "its sealed copy was deleted")]
            return [_fault(link, "record_changed", "the record was changed, and its sealed copy too")]
        sealed = content_from(copy.content)
        found = [
            _fault(
                link,
                f"row_{one.what}",
                one.words,
                table=one.table,
                row=one.row_id,
                label=one.label,
                position=one.position,
                camera_id=one.camera_id,
                field=one.field,
                was=one.was,
                now=one.now,
            )
            for one in differences(sealed, present)
        ]
        if len(found) > _TOLD:
            rest = len(found) - _TOLD
            found = [*found[:_TOLD], _fault(link, "rows_changed", f"{rest} more differences", more=rest)]
        return [*found, *await self._files(link, sealed, chain)]

    async def unsealed(self, session: AsyncSession, chain: ProvedLinks) -> AsyncIterator[AuditFault]:
        """See SealedKind: patrols that have ended without a link. Before a link says that all are sealed, however they
        end, only submitted ones were."""
        linked = exists().where(AuditLink.subject == "run:" + cast(Run.id, String), AuditLink.kind == PATROL)
        all_sealed = await chain.proved(session, SEALING_SUBJECT, SEALING_ALL) is not None
        ended = (Run.state == "ended") & Run.loop.is_(False) if all_sealed else Run.end_reason == "submitted"
        query = select(Run.id, Run.tour_name, Run.end_reason).where(ended, ~linked).order_by(Run.id)
        for run_id, name, reason in await session.execute(query.limit(1000)):
            how = {"submitted": "was submitted", "stopped": "was given up", "expired": "has expired"}
            yield AuditFault(
                "record_unsealed",
                f"{subject_of(run_id)} (“{name}”) says that it {how.get(reason or '', 'has ended')}, and no link tells"
                " of it: it was inserted, or its link was removed",
                subject=subject_of(run_id),
            )

    async def _files(self, link: Link, sealed: Content, chain: ProvedLinks) -> list[AuditFault]:
        names, found = camera_names(sealed), []
        for picture in pictures_of(sealed):
            content = await self._pictures.read(picture.picture)
            if content is not None:
                sha256 = await asyncio.to_thread(lambda jpeg: hashlib.sha256(jpeg).hexdigest(), content)
                if sha256 == picture.sha256:
                    continue
            elif await self._gone_meanwhile(link, chain):
                return []
            camera = picture.row.get("camera_id")
            position = picture.row.get("position")
            who = names.get(camera, f"camera #{camera}") if isinstance(camera, int) else "a camera"
            stop = f"stop {position + 1}" if isinstance(position, int) else "the patrol"
            what = "deleted" if content is None else "replaced"
            found.append(
                _fault(
                    link,
                    f"picture_{what}",
                    f"the picture of {who} at {stop} was {what}",
                    position=position if isinstance(position, int) else None,
                    camera_id=camera if isinstance(camera, int) else None,
                    camera=who,
                    picture=picture.picture,
                )
            )
        return found

    async def _gone_meanwhile(self, link: Link, chain: ProvedLinks) -> bool:
        """Whether retention has deleted the record since the snapshot that is being compared."""
        async with snapshot(self._database) as session:
            return await _expired(session, link, chain)


class SealedReviews:
    """Compares signatures and notes with their rows."""

    async def compare(
        self, session: AsyncSession, link: Link, copy: SealedCopy, chain: ProvedLinks
    ) -> Sequence[AuditFault]:
        """See SealedKind."""
        if await _expired(session, link, chain):
            return []
        if not isinstance(copy.content, Mapping):
            return [] if copy.changed else [_fault(link, "copy_missing", "its sealed copy was deleted")]
        review_id = copy.content.get("id")
        row = await session.get(RunReview, review_id) if isinstance(review_id, int) else None
        if row is None or review_subject(row.run_id, row.id) != link.subject:
            return [_fault(link, "review_deleted", f"the {copy.content.get('kind')} was deleted")]
        present = review_content(row)
        return [
            _fault(
                link,
                "review_changed",
                f"the {copy.content.get('kind')} was changed: {name} was {was!r}, is now {present.get(name)!r}",
                field=name,
            )
            for name, was in copy.content.items()
            if present.get(name) != was
        ]

    async def unsealed(self, session: AsyncSession, chain: ProvedLinks) -> AsyncIterator[AuditFault]:
        """See SealedKind: reviews without a link."""
        subject = "run:" + cast(RunReview.run_id, String) + "/review:" + cast(RunReview.id, String)
        linked = exists().where(AuditLink.subject == subject, AuditLink.kind == REVIEW)
        query = select(RunReview.id, RunReview.run_id, RunReview.kind).where(~linked).order_by(RunReview.id)
        for review_id, run_id, kind in await session.execute(query.limit(1000)):
            yield AuditFault(
                "review_unsealed",
                f"the {kind} {review_id} of {subject_of(run_id)} was inserted: no link tells of it",
                subject=subject_of(run_id),
            )


async def _expired(session: AsyncSession, link: Link, chain: ProvedLinks) -> bool:
    """Whether retention has deleted the record since, and a link proves it. Its number may belong to another run now:
    SQLite gives the number of the last row again once that is deleted."""
    run_id = run_of(link.subject)
    expired = None if run_id is None else await chain.proved(session, subject_of(run_id), EXPIRED)
    return expired is not None and expired.sequence > link.sequence


def _fault(link: Link, reason: str, words: str, **params: str | int | None) -> AuditFault:
    return AuditFault(
        reason, f"link {link.sequence} ({link.subject}): {words}", link.sequence, link.subject, dict(params)
    )


@dataclass(frozen=True, slots=True)
class RecordCheck:
    """What verifying one record has found: its link, and what differs from what was sealed."""

    sequence: int
    at: datetime
    hash: str
    faults: Sequence[AuditFault]


class RecordVerification:
    """Verifies one record on request, one at a time: that reads all of its pictures."""

    def __init__(self, verifier: AuditVerifier) -> None:
        self._verifier = verifier
        self._turn = asyncio.Lock()

    async def check(self, actor: Actor, run_id: int) -> RecordCheck:
        """Raises HubError: NOT_FOUND, CONFLICT (not_sealed), BUSY while another record is verified."""
        township.require(actor, "run")
        if self._turn.locked():
            raise HubError(Kind.BUSY, "another record is being verified; try again in a moment", reason="busy")
        return await self._check(run_id)

    async def require_intact(self, actor: Actor, run_id: int) -> None:
        """Before a record is approved; waits while another one is verified. Raises HubError: NOT_FOUND, CONFLICT
        (not_sealed; not_as_sealed, with the number of differences in params.faults).
        """
        township.require(actor, "run")
        found = await self._check(run_id)
        if found.faults:
            raise HubError(
                Kind.CONFLICT,
                f"the record differs from what was sealed in {len(found.faults)} places; verify it, and return it",
                reason="not_as_sealed",
                faults=len(found.faults),
            )

    async def _check(self, run_id: int) -> RecordCheck:
        async with self._turn:
            link, faults = await self._verifier.one(subject_of(run_id), PATROL)
            expired, _ = await self._verifier.one(subject_of(run_id), EXPIRED)
        # SQLite gives a deleted run's number again: then the links that are there tell of that one.
        if link is None or (expired is not None and expired.sequence > link.sequence):
            raise HubError(Kind.CONFLICT, "this patrol has no sealed record", reason="not_sealed")
        return RecordCheck(link.sequence, link.at, link.hash, faults)
