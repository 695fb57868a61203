"""What verify-audit compares of patrols: sealed records with their rows and picture files, reviews with their rows."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import String, cast, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.audit.canonical import Json, canonical
from camera_hub.access.audit.faults import AuditFault
from camera_hub.access.audit.links import Link, digest
from camera_hub.access.audit.verify import AuditVerifier, MissingLinks, ProvedLinks, SealedCopy, SealedKind, snapshot
from camera_hub.access.policy import Actor
from camera_hub.errors import HubError, Kind
from camera_hub.patrol import township
from camera_hub.patrol.records.compare import (
    MOST_UNREADABLE,
    RowDifference,
    camera_names,
    differences,
    shortened,
    unreadable_values,
    value_words,
)
from camera_hub.patrol.records.content import (
    Content,
    Row,
    StoredRows,
    content_from,
    pictures_of,
    plain,
    rows_of,
)
from camera_hub.patrol.records.field_words import field_words, verb
from camera_hub.patrol.records.names import patrol_name, review_name
from camera_hub.patrol.records.reviews import review_content, seals_of
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
from camera_hub.patrol.records.sheet_words import BothWords, RecordWords
from camera_hub.store.database import Database
from camera_hub.store.tables import AuditLink, Run, RunReview
from camera_hub.store.tables.readable import Unreadable

_TOLD = 20
"""Differences of one record that are told one by one."""


class PatrolPictures(Protocol):
    """The files of pictures of patrols."""

    async def read(self, row_id: int) -> bytes | None:
        """A picture; None where there is none."""
        ...


def patrol_kinds(database: Database, pictures: PatrolPictures, words: BothWords) -> Mapping[str, SealedKind]:
    """Who compares which links. `words`: faults are English sentences, and have Chinese ones in their params."""
    return {PATROL: SealedPatrols(database, pictures, words), REVIEW: SealedReviews(words)}


class SealedPatrols:
    """Compares sealed records with their rows and files."""

    def __init__(self, database: Database, pictures: PatrolPictures, words: BothWords) -> None:
        self._database = database
        self._pictures = pictures
        self._words = words

    async def named(self, session: AsyncSession, link: Link, content: Json) -> str:
        """See SealedKind: by the copy where it is of this patrol, else by the row as it is now."""
        run_id = run_of(link.subject)
        rows = content_from(content).get("runs", ())
        if rows and rows[0].get("id") == run_id:
            return patrol_name(rows[0], self._words.en)
        return "" if run_id is None else await _patrol(session, run_id, self._words.en)

    def copied(self, content: Json) -> str:
        """See SealedKind."""
        rows = content_from(content).get("runs", ())
        return patrol_name(rows[0], self._words.en) if rows else ""

    async def compare(
        self, session: AsyncSession, link: Link, copy: SealedCopy, chain: ProvedLinks
    ) -> Sequence[AuditFault]:
        """See SealedKind."""
        run_id = run_of(link.subject)
        if await _expired(session, link, chain):
            return []
        stored = StoredRows({}, ()) if run_id is None else await rows_of(session, run_id)
        present = stored.content
        if not present:
            name = await self.named(session, link, copy.content)
            return [
                _fault(link, name, "record_deleted", "the record was deleted after sealing", zh="记录在封存后被删除")
            ]
        if not isinstance(copy.content, Mapping):
            name = await self.named(session, link, None)
            if (unreadable := unreadable_values(stored)) != []:
                return [self._different(link, name, one) for one in unreadable[:_TOLD]]
            if digest(canonical(present)) == link.digest:
                deleted = _fault(link, name, "copy_missing", "its sealed copy was deleted", zh="封存副本被删除")
                return [] if copy.changed else [deleted]
            both = "the record was changed after sealing, and its sealed copy too, so that nobody can say what"
            zh = "记录在封存后被改动，封存副本也被改动，因此无法说明改了什么"
            return [_fault(link, name, "record_changed", both, zh=zh)]
        sealed = content_from(copy.content)
        name = self.copied(copy.content)
        found = [self._different(link, name, one) for one in differences(sealed, present)]
        if len(found) > _TOLD:
            rest = len(found) - _TOLD
            more = _fault(link, name, "rows_changed", f"{rest} more differences", zh=f"另有 {rest} 处不一致", more=rest)
            found = [*found[:_TOLD], more]
        return [*found, *await self._files(link, name, sealed, chain)]

    def _different(self, link: Link, name: str, one: RowDifference) -> AuditFault:
        return _fault(
            link,
            name,
            "rows_unreadable" if one.what == "unreadable" else f"row_{one.what}",
            one.sentence(self._words.en),
            zh=one.sentence(self._words.zh),
            table=one.table,
            row=one.row_id,
            position=one.position,
            camera_id=one.camera_id,
            field=one.field,
            was=shortened(canonical(one.was).decode()),
            now=shortened(canonical(one.now).decode()),
        )

    async def unsealed(self, session: AsyncSession, chain: ProvedLinks) -> AsyncIterator[AuditFault]:
        """See SealedKind: patrols that have ended without a link. Before a link says that all are sealed, however they
        end, only submitted ones were."""
        linked = exists().where(AuditLink.subject == "run:" + cast(Run.id, String), AuditLink.kind == PATROL)
        all_sealed = await chain.proved(session, SEALING_SUBJECT, SEALING_ALL) is not None
        ended = (Run.state == "ended") & Run.loop.is_(False) if all_sealed else Run.end_reason == "submitted"
        query = select(Run.id, Run.end_reason).where(ended, ~linked).order_by(Run.id)
        for run_id, reason in await session.execute(query.limit(1000)):
            how = {"submitted": "was submitted", "stopped": "was given up", "expired": "has expired"}
            yield AuditFault(
                "record_unsealed",
                f"{await _patrol(session, run_id, self._words.en)} says that it {how.get(reason or '', 'has ended')},"
                " and no link tells of it: it was inserted, or its link was removed",
                subject=subject_of(run_id),
            )

    async def _files(self, link: Link, name: str, sealed: Content, chain: ProvedLinks) -> list[AuditFault]:
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
            what, how = ("deleted", "删除") if content is None else ("replaced", "替换")
            place = f"第 {position + 1} 站 {who} 的" if isinstance(position, int) else ""
            found.append(
                _fault(
                    link,
                    name,
                    f"picture_{what}",
                    f"the picture of {who} at {stop} was {what} after sealing",
                    zh=f"{place}画面在封存后被{how}",
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

    def __init__(self, words: BothWords) -> None:
        self._words = words

    async def named(self, session: AsyncSession, link: Link, content: Json) -> str:
        """See SealedKind."""
        told, run_id = self.copied(content), run_of(link.subject)
        if isinstance(content, Mapping) and content.get("run_id") != run_id:
            told = ""  # the copy of another link
        patrol = "" if run_id is None else await _patrol(session, run_id, self._words.en)
        return f"{told or 'a signature or note'} on {patrol}" if patrol else told

    def copied(self, content: Json) -> str:
        """See SealedKind."""
        if not isinstance(content, Mapping) or not isinstance(content.get("run_id"), int):
            return ""
        return review_name(content, self._words.en)

    async def compare(
        self, session: AsyncSession, link: Link, copy: SealedCopy, chain: ProvedLinks
    ) -> Sequence[AuditFault]:
        """See SealedKind."""
        if await _expired(session, link, chain):
            return []
        if not isinstance(copy.content, Mapping):
            name = await self.named(session, link, None)
            deleted = _fault(link, name, "copy_missing", "its sealed copy was deleted", zh="封存副本被删除")
            return [] if copy.changed else [deleted]
        name = await self.named(session, link, copy.content)
        review_id = copy.content.get("id")
        row = await session.get(RunReview, review_id) if isinstance(review_id, int) else None
        if row is None or review_subject(row.run_id, row.id) != link.subject:
            zh, en = (f"{review_name(copy.content, words)}{how}" for words, how in
                      ((self._words.zh, "在封存后被删除"), (self._words.en, " was deleted after sealing")))  # fmt: skip
            return [_fault(link, name, "review_deleted", "it was deleted after sealing", zh=zh, en=en)]
        present = review_content(row)
        return [
            self._changed(link, name, copy.content, column, present.get(column))
            for column, was in copy.content.items()
            if present.get(column) != was
        ]

    def _changed(self, link: Link, name: str, sealed: Row, column: str, now: Json) -> AuditFault:
        zh, en = field_words("run_reviews", column)
        languages = (self._words.zh, self._words.en)
        before, after = ([value_words(column, one, words) for words in languages] for one in (sealed[column], now))
        how = f"{verb(en)} changed after sealing: was {before[1]}, is now {after[1]}"
        in_english = f"{en} of {review_name(sealed, self._words.en)} {how}"
        in_chinese = f"{review_name(sealed, self._words.zh)}的{zh}在封存后被改动：原为 {before[0]}，现为 {after[0]}"
        return _fault(link, name, "review_changed", f"{en} of it {how}", zh=in_chinese, en=in_english, field=column)

    async def unsealed(self, session: AsyncSession, chain: ProvedLinks) -> AsyncIterator[AuditFault]:
        """See SealedKind: reviews without a link."""
        subject = "run:" + cast(RunReview.run_id, String) + "/review:" + cast(RunReview.id, String)
        linked = exists().where(AuditLink.subject == subject, AuditLink.kind == REVIEW)
        query = select(RunReview).where(~linked).order_by(RunReview.id)
        for review in await session.scalars(query.limit(1000)):
            patrol = await _patrol(session, review.run_id, self._words.en)
            yield _unsealed(review, f" on {patrol}", self._words)


def _unsealed(review: RunReview, of: str, words: BothWords) -> AuditFault:
    """`of`: the patrol that it is of, for who reads of many."""
    zh, en = (review_name(review_content(review), language) for language in (words.zh, words.en))
    told = "no link tells of it, so it was inserted, or its link was removed"
    in_chinese = f"{zh}没有封存，审计链上没有它：可能是事后插入的，或封存被移除"
    params = {"zh": in_chinese, "en": f"{en}: {told}"}
    return AuditFault("review_unsealed", f"{en}{of}: {told}", subject=subject_of(review.run_id), params=params)


async def _patrol(session: AsyncSession, run_id: int, words: RecordWords) -> str:
    """The patrol by its row as it is now; by its number alone where that is gone or cannot be read."""
    query = select(Run.id, Run.tour_name, Run.started_name, Run.started_at).where(Run.id == run_id)
    row = (await session.execute(query)).mappings().first()
    known: Row = {"id": run_id} if row is None else {name: plain(value) for name, value in row.items()}
    return patrol_name(known, words)


async def _expired(session: AsyncSession, link: Link, chain: ProvedLinks) -> bool:
    """Whether retention has deleted the record since, and a link proves it. Its number may belong to another run now:
    SQLite gives the number of the last row again once that is deleted."""
    run_id = run_of(link.subject)
    expired = None if run_id is None else await chain.proved(session, subject_of(run_id), EXPIRED)
    return expired is not None and expired.sequence > link.sequence


def _fault(link: Link, name: str, reason: str, words: str, *, zh: str, **params: str | int | None) -> AuditFault:
    """`name`: of the record, for who reads of many; pages, which show one, have both sentences in `params`."""
    told = f"link {link.sequence} ({name or link.subject}): {words}"
    return AuditFault(reason, told, link.sequence, link.subject, {"en": words, "zh": zh, **params})


@dataclass(frozen=True, slots=True)
class RecordSentence:
    """A sentence in both languages, without a full stop."""

    zh: str
    en: str


def _missing_text(links: MissingLinks) -> RecordSentence:
    first, last = links.first, links.last
    zh = f"第 {first} 号" if first == last else f"第 {first} 至 {last} 号"
    en = f"link {first}" if first == last else f"links {first} to {last}"
    were = "was" if first == last else "were"
    if links.known and links.cut:
        return RecordSentence(
            f"审计链的末尾被截去，本次巡查的封存（{zh}）也在其中；也可能是恢复了较早的数据库",
            f"the end of the audit chain was cut off, and with it the seal of this patrol ({en}); or an older state of"
            " the database was restored",
        )
    if links.known:
        return RecordSentence(
            f"本次巡查的封存（审计链{zh}）被删除，封存副本还在",
            f"the seal of this patrol ({en} of the audit chain) was deleted; its sealed copy is still there",
        )
    if links.cut:
        return RecordSentence(
            f"审计链末尾的{zh}被截去，本次巡查的封存可能就在其中；也可能是恢复了较早的数据库",
            f"{en} at the end of the audit chain {were} cut off, maybe with the seal of this patrol; or an older state"
            " of the database was restored",
        )
    return RecordSentence(
        f"审计链的{zh}被删除，本次巡查的封存可能就在其中",
        f"{en} of the audit chain {were} deleted, perhaps with the seal of this patrol",
    )


@dataclass(frozen=True, slots=True)
class RecordDoubts:
    """What a record itself shows of having been tampered with, before anybody verifies it. `unreadable`: what of it
    cannot be read, the first MOST_UNREADABLE of `unreadable_count`; `seal_missing`: why it has no seal though it
    should, as verifying the whole chain says; none: it has one, or needs none."""

    unreadable: Sequence[RecordSentence]
    unreadable_count: int
    seal_missing: Sequence[RecordSentence]


@dataclass(frozen=True, slots=True)
class RecordCheck:
    """What verifying one record has found: its link, and what differs from what was sealed; in its signatures and
    notes too."""

    sequence: int
    at: datetime
    hash: str
    faults: Sequence[AuditFault]


class RecordVerification:
    """Verifies one record on request, one at a time: that reads all of its pictures."""

    def __init__(self, database: Database, verifier: AuditVerifier, words: BothWords) -> None:
        self._database = database
        self._verifier = verifier
        self._words = words
        self._turn = asyncio.Lock()

    async def doubts(self, actor: Actor, run_id: int) -> RecordDoubts:
        """Of a record that is read; empty for a patrol that has not ended. Raises HubError(NOT_FOUND)."""
        township.require(actor, "run")
        async with snapshot(self._database) as session:
            run = await session.get(Run, run_id)
            if run is None or run.state != "ended":
                return RecordDoubts((), 0, ())
            stored = await rows_of(session, run_id)
            told = [
                RecordSentence(one.sentence(self._words.zh), one.sentence(self._words.en))
                for one in unreadable_values(stored)
            ]
            for review in await session.scalars(select(RunReview).where(RunReview.run_id == run_id)):
                told += self._unreadable(review)
            bare = not run.loop and not await seals_of(session, [run_id])
            everything = select(AuditLink.sequence).where(
                AuditLink.subject == SEALING_SUBJECT, AuditLink.kind == SEALING_ALL
            )
            if bare and run.end_reason != "submitted":  # until all are sealed, only submitted ones were
                bare = await session.scalar(everything.limit(1)) is not None
        return RecordDoubts(told[:MOST_UNREADABLE], len(told), await self._missing(run_id) if bare else ())

    async def _missing(self, run_id: int) -> Sequence[RecordSentence]:
        """Where the link may be that sealed a run."""

        def sealed(content: Json) -> bool:
            rows = content_from(content).get("runs", ())
            return bool(rows) and rows[0].get("id") == run_id

        gone, anchored = await self._verifier.missing(sealed)
        found = [_missing_text(one) for one in gone]
        if not found:
            found.append(
                RecordSentence(
                    "审计链上没有本次巡查的封存：可能是事后插入的，或封存被移除",
                    "no link of the audit chain tells of this patrol: it was inserted, or its link was removed",
                )
            )
        if not anchored:
            found.append(
                RecordSentence(
                    "审计链的锚点文件缺失或损坏，无法判断链的末尾是否被截去",
                    "the anchor of the audit chain is missing or damaged: nobody can tell whether its end was cut off",
                )
            )
        return found

    def _unreadable(self, review: RunReview) -> list[RecordSentence]:
        content = review_content(review)
        names = (review_name(content, self._words.zh), review_name(content, self._words.en))
        found = []
        for column in content:
            if isinstance(getattr(review, column), Unreadable):
                zh, en = field_words("run_reviews", column)
                one = (
                    f"{names[0]}的{zh}无法读取：被改成了无效内容",
                    f"{en} of {names[1]} cannot be read: it was made invalid",
                )
                found.append(RecordSentence(*one))
        return found

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
        return RecordCheck(link.sequence, link.at, link.hash, [*faults, *await self._reviews(run_id)])

    async def _reviews(self, run_id: int) -> list[AuditFault]:
        """What is wrong with its signatures and notes: those that are there, and those that links tell of."""
        beneath = AuditLink.subject.startswith(review_subject(run_id, 0)[:-1], autoescape=True)
        async with snapshot(self._database) as session:
            rows = {review_subject(run_id, one.id): one for one in await session.scalars(
                select(RunReview).where(RunReview.run_id == run_id).order_by(RunReview.id))}  # fmt: skip
            linked = select(AuditLink.subject).where(AuditLink.kind == REVIEW, beneath).order_by(AuditLink.sequence)
            sealed = dict.fromkeys(await session.scalars(linked))
        found = [_unsealed(row, "", self._words) for subject, row in rows.items() if subject not in sealed]
        for subject in sealed:
            found += (await self._verifier.one(subject, REVIEW))[1]
        return found
