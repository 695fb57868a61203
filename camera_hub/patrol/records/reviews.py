"""What people add to a sealed record: a supervisor approves or returns it, its operator adds notes.

Nothing of the record is edited. Each review is a row and a link of the audit chain of its own; a returned record stays
sealed, and may be approved after a note. Who took part in a patrol does not sign its record (four eyes). What was given
up or has expired is sealed as such, and needs no signature; notes may be added to it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from camera_hub.access.policy import Action, Actor, allows
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, RunChanged
from camera_hub.patrol import township
from camera_hub.patrol.records.content import Row, plain
from camera_hub.patrol.records.seal import EXPIRED, PATROL, REVIEW, Chain, review_subject, subject_of
from camera_hub.store.database import Database
from camera_hub.store.tables import AuditLink, Finding, PlanOccurrence, Run, RunEvent, RunResult, RunReview, User
from camera_hub.store.tables.readable import NumberIn

Opinion = Literal["approved", "returned"]
SignRefusal = Literal["not_sealed", "not_submitted", "own_record", "signed_already", "too_many_reviews"]
SUBMITTED = "submitted"
"""How a patrol ends whose record is to be signed."""
MOST_REVIEWS = 50
"""Of one record."""


@dataclass(frozen=True, slots=True)
class ReviewView:
    """One review. `kind`: approved, returned or note."""

    id: int
    kind: str
    words: str
    user_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SealView:
    """The link that sealed a record."""

    sequence: int
    at: datetime
    hash: str


@dataclass(frozen=True, slots=True)
class RecordView:
    """The plan by which a run was due, the seal and reviews of its record, and what the actor may add to it.
    `sign_why`: why somebody who signs records does not sign this one; None also for those who sign none."""

    run_id: int
    plan_name: str | None
    due_at: datetime | None
    seal: SealView | None
    reviews: Sequence[ReviewView]
    may_sign: bool
    may_note: bool
    sign_why: SignRefusal | None = None


class RecordReviewed(HubError):
    """Somebody has reviewed the record since the caller saw it; `view` is its present state."""

    def __init__(self, view: RecordView) -> None:
        super().__init__(
            Kind.CONFLICT,
            "somebody has reviewed this record meanwhile; read the review, then decide again",
            reason="record_reviewed",
        )
        self.view = view


class RecordReviews:
    """The operations behind api/records that concern one record."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock, chain: Chain) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._chain = chain

    async def of(self, actor: Actor, run_id: int) -> RecordView:
        """Raises HubError(NOT_FOUND)."""
        township.require(actor, "run")
        async with self._database.read() as session:
            return await _view(session, actor, await _run(session, run_id))

    async def sign(self, actor: Actor, run_id: int, opinion: Opinion, words: str, seen: int) -> RecordView:
        """Approve or return the record as the caller saw it, with `seen` reviews.

        Raises RecordReviewed when there are others, HubError: FORBIDDEN (own_record), CONFLICT (not_sealed,
        not_submitted, signed_already, too_many_reviews), INVALID (review_words).
        """
        if opinion == "returned" and not words.strip():
            raise HubError(
                Kind.INVALID, "say in words why the record is returned; its operator reads it", reason="review_words"
            )
        return await self._add(actor, run_id, opinion, words, seen)

    async def note(self, actor: Actor, run_id: int, words: str) -> RecordView:
        """Add words of the operator to the record.

        Raises HubError: FORBIDDEN (others_record), CONFLICT (not_sealed, too_many_reviews),
        INVALID (review_words).
        """
        if not words.strip():
            raise HubError(Kind.INVALID, "a note needs words", reason="review_words")
        return await self._add(actor, run_id, "note", words, None)

    async def _add(self, actor: Actor, run_id: int, kind: str, words: str, seen: int | None) -> RecordView:
        township.require(actor, "run")
        async with self._database.write() as session:
            run = await _run(session, run_id, alone=True)
            view = await _view(session, actor, run)
            took = await _took_part(session, actor, run)
            if kind == "note":
                _check_note(view, took=took)
            else:
                _check_sign(view, sign_refusal(run.end_reason, view.seal, view.reviews, took=took), seen)
            review = RunReview(
                run_id=run_id,
                kind=kind,
                words=words.strip(),
                user_id=actor.user_id,
                user_name=actor.display_name,
                at=self._clock.now(),
            )
            session.add(review)
            await session.flush()
            await self._chain.append(session, REVIEW, review_subject(run_id, review.id), review_content(review))
            view = await _view(session, actor, run)
        self._bus.publish(RunChanged(run_id))
        return view


def review_content(review: RunReview) -> Row:
    """What is sealed of a review."""
    names = ("id", "run_id", "kind", "words", "user_name", "at")
    return {name: plain(getattr(review, name)) for name in names}


async def seals_of(session: AsyncSession, run_ids: Collection[int]) -> dict[int, SealView]:
    """The seals of those of the runs that have one."""
    subjects = {subject_of(run_id): run_id for run_id in run_ids}
    query = select(AuditLink.kind, AuditLink.subject, AuditLink.sequence, AuditLink.at, AuditLink.hash).where(
        AuditLink.subject.in_(subjects), AuditLink.kind.in_((PATROL, EXPIRED))
    )
    found: dict[int, SealView] = {}
    for kind, subject, sequence, at, hash in await session.execute(query.order_by(AuditLink.sequence)):
        if kind == PATROL:
            found[subjects[subject]] = SealView(sequence, at, hash)
        else:
            found.pop(subjects[subject], None)  # of a deleted run that had the same number
    return found


async def reviews_of(session: AsyncSession, run_ids: Collection[int]) -> dict[int, list[ReviewView]]:
    """The reviews of the runs, the oldest first."""
    found: dict[int, list[ReviewView]] = {}
    rows = await session.scalars(select(RunReview).where(RunReview.run_id.in_(run_ids)).order_by(RunReview.id))
    for row in rows:
        found.setdefault(row.run_id, []).append(ReviewView(row.id, row.kind, row.words, row.user_name, row.at))
    return found


def opinion_of(reviews: Sequence[ReviewView]) -> ReviewView | None:
    """The supervisor's opinion that counts: the last one."""
    return next((one for one in reversed(reviews) if one.kind != "note"), None)


async def _run(session: AsyncSession, run_id: int, *, alone: bool = False) -> Run:
    query = select(Run).where(Run.id == run_id)
    run = await session.scalar(query.with_for_update() if alone else query)
    if run is None:
        raise township.not_found("run")
    return run


async def _view(session: AsyncSession, actor: Actor, run: Run) -> RecordView:
    seal = (await seals_of(session, [run.id])).get(run.id)
    reviews = (await reviews_of(session, [run.id])).get(run.id, [])
    took = await _took_part(session, actor, run)
    why = sign_refusal(run.end_reason, seal, reviews, took=took)
    signs = allows(actor, Action.SIGN_RECORDS)
    due = select(PlanOccurrence.plan_name, PlanOccurrence.due_at).where(PlanOccurrence.run_id == run.id)
    plan = (await session.execute(due.limit(1))).first()
    return RecordView(
        run.id,
        None if plan is None else plan.plan_name,
        None if plan is None else plan.due_at,
        seal,
        reviews,
        may_sign=signs and why is None,
        may_note=seal is not None and len(reviews) < MOST_REVIEWS and took,
        sign_why=why if signs else None,
    )


def sign_refusal(
    end_reason: str | None, seal: SealView | None, reviews: Sequence[ReviewView], *, took: bool
) -> SignRefusal | None:
    """Why a record is not signed now, by somebody who signs records; None: it may be. `took`: they took part in the
    patrol. Pure."""
    if seal is None:
        return "not_sealed"
    if end_reason != SUBMITTED:
        return "not_submitted"
    if took:
        return "own_record"
    opinion = opinion_of(reviews)
    if opinion is not None and opinion.kind == "approved":
        return "signed_already"
    return "too_many_reviews" if len(reviews) >= MOST_REVIEWS else None


def _check_sign(view: RecordView, refusal: SignRefusal | None, seen: int | None) -> None:
    if refusal in (None, "signed_already", "too_many_reviews") and seen is not None and seen != len(view.reviews):
        raise RecordReviewed(view)
    if refusal == "own_record":
        raise HubError(
            Kind.FORBIDDEN,
            "who took part in a patrol (ran, steered, took over or confirmed anything) does not sign its record; ask"
            " another supervisor",
            reason=refusal,
        )
    if refusal is not None:
        raise HubError(Kind.CONFLICT, _REFUSALS[refusal], reason=refusal)


def _check_note(view: RecordView, *, took: bool) -> None:
    if view.seal is None:
        raise HubError(Kind.CONFLICT, _REFUSALS["not_sealed"], reason="not_sealed")
    if not took:
        raise HubError(
            Kind.FORBIDDEN, "only who took part in this patrol adds notes to its record", reason="others_record"
        )
    if len(view.reviews) >= MOST_REVIEWS:
        raise HubError(Kind.CONFLICT, _REFUSALS["too_many_reviews"], reason="too_many_reviews")


_REFUSALS = {
    "not_sealed": "this patrol has not ended, or is a presentation: it has no sealed record",
    "not_submitted": "this patrol was given up or has expired: it is sealed as such, and needs no signature",
    "signed_already": "this record is approved already",
    "too_many_reviews": f"a record takes {MOST_REVIEWS} reviews at most",
}


CHANGES = ("result_changed", "finding_changed", "finding_deleted")
"""Kinds of events whose detail names who had said before what somebody else has changed (`before_by`)."""


def took_part(user_id: int) -> ColumnElement[bool]:
    """Whether the user has started the run, was its operator at any time, steered it, or confirmed, found or changed
    anything in it. Null, as false, where accounts are gone. Who only made somebody else the operator, as administrators
    may, took no part. For some runs that are known: it looks at the rows of each."""
    of = RunEvent.run_id == Run.id
    acted = select(RunEvent.id).where(of, or_(_did(user_id), _was_given(user_id), _had_said(user_id))).exists()
    confirmed = select(RunResult.id).where(RunResult.run_id == Run.id, RunResult.confirmed_by == user_id).exists()
    found = select(Finding.id).where(Finding.run_id == Run.id, Finding.user_id == user_id).exists()
    return (Run.started_by == user_id) | (Run.operator_id == user_id) | acted | confirmed | found


def runs_of(user_id: int) -> ColumnElement[bool]:
    """The same as `took_part`, for finding runs among many: it looks at the rows of the user."""
    events = (select(RunEvent.run_id).where(which(user_id)) for which in (_did, _was_given, _had_said))
    confirmed = select(RunResult.run_id).where(RunResult.confirmed_by == user_id)
    found = select(Finding.run_id).where(Finding.user_id == user_id)
    anywhere = or_(*(Run.id.in_(one) for one in (*events, confirmed, found)))
    return (Run.started_by == user_id) | (Run.operator_id == user_id) | anywhere


def _did(user_id: int) -> ColumnElement[bool]:
    return (RunEvent.user_id == user_id) & (RunEvent.kind != "handed_over")


def _was_given(user_id: int | InstrumentedAttribute[int]) -> ColumnElement[bool]:
    return and_(RunEvent.kind == "handed_over", NumberIn(RunEvent.detail, "to") == user_id)


def _had_said(user_id: int | InstrumentedAttribute[int]) -> ColumnElement[bool]:
    return and_(RunEvent.kind.in_(CHANGES), NumberIn(RunEvent.detail, "before_by") == user_id)


def ever_ran() -> ColumnElement[bool]:
    """Whether a user (of the query's users) took part in any patrol."""
    started = select(Run.id).where(Run.started_by == User.id).exists()
    last = select(Run.id).where(Run.operator_id == User.id).exists()
    did = select(RunEvent.id).where(RunEvent.user_id == User.id, RunEvent.kind != "handed_over").exists()
    given = select(RunEvent.id).where(_was_given(User.id)).exists()
    said = select(RunEvent.id).where(_had_said(User.id)).exists()
    confirmed = select(RunResult.id).where(RunResult.confirmed_by == User.id).exists()
    found = select(Finding.id).where(Finding.user_id == User.id).exists()
    return or_(started, last, did, given, said, confirmed, found)


async def _took_part(session: AsyncSession, actor: Actor, run: Run) -> bool:
    return bool(await session.scalar(select(took_part(actor.user_id)).where(Run.id == run.id)))
