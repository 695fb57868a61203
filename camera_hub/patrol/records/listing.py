"""The list of patrols as people look for them: by state, tour, operator, time, signature, findings."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Select, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.patrol import township
from camera_hub.patrol.proof.transitions import RESULT_STATES
from camera_hub.patrol.records.presets import REACHED
from camera_hub.patrol.records.reviews import (
    CHANGES,
    SUBMITTED,
    SealView,
    ever_ran,
    opinion_of,
    reviews_of,
    runs_of,
    seals_of,
    took_part,
)
from camera_hub.store.database import Database
from camera_hub.store.tables import (
    Finding,
    PlanOccurrence,
    Run,
    RunEvent,
    RunResult,
    RunReview,
    RunStep,
    RunStepCamera,
    Tour,
    User,
)
from camera_hub.store.tables.readable import is_unreadable

LIMIT = 200
MOST_CHOICES = 500
"""Operators, and tours, among which the list can be narrowed down."""

SignedState = Literal["unsigned", "approved", "returned"]
RecordState = Literal["active", "submitted", "given_up"]


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """Which patrols, newest first; None: all. `begin` ≤ started < `end`; `before`: the id of the last one of the page
    before. `operator_id`: who took part (reviews.took_part). `state`: active (not ended), submitted, given_up (a patrol
    that ended otherwise); presentations have `loop`."""

    state: RecordState | None = None
    loop: bool | None = None
    tour_id: int | None = None
    operator_id: int | None = None
    begin: datetime | None = None
    end: datetime | None = None
    signed: SignedState | None = None
    findings: bool | None = None
    before: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class OperatorTurn:
    """Somebody became the operator of a patrol that was under way. `position`: of the stop that was on; None: its stops
    were over."""

    name: str
    since: datetime
    position: int | None


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A patrol in the list. `turns`: who ran it after whoever had started it, in order. `results`: how many cameras are
    open, normal, abnormal, excused; `unseen`: how many of all were not visible for the least time;
    `presets_missed`: how many had not come to their PTZ preset the last time they were shown; `presets_unknown`: of how
    many nobody knows that. `unreadable`: values of what the list tells that somebody has changed so that they cannot be
    read. `reviews`: how many signatures and notes it has; `changed`: a result or finding was changed after it was
    confirmed. `own`: the actor took part in it, and so does not sign it. `to_be_signed`: it was submitted; what was
    given up or has expired is sealed without a signature."""

    id: int
    tour_id: int
    tour_name: str
    plan_name: str | None
    due_at: datetime | None
    loop: bool
    state: str
    end_reason: str | None
    started_name: str
    operator_name: str
    turns: Sequence[OperatorTurn]
    started_at: datetime
    ended_at: datetime | None
    shown: int
    skipped: int
    results: Mapping[str, int]
    unseen: int
    findings: int
    presets_missed: int
    presets_unknown: int
    unreadable: int
    seal: SealView | None
    reviews: int
    changed: bool
    opinion: str | None
    signed_name: str | None
    signed_at: datetime | None
    own: bool

    @property
    def to_be_signed(self) -> bool:
        return self.seal is not None and self.end_reason == SUBMITTED

    @property
    def all_normal(self) -> bool:
        """Whether nothing in it asks for a look before it is signed: every camera was seen where it should point and
        confirmed as normal at the first go, no stop was skipped, and nobody has added a word. A preset of which nobody
        knows whether it was reached asks for a look: records from before that was kept name no preset."""
        presets = self.presets_missed + self.presets_unknown
        asks = (self.skipped, self.unseen, self.findings, presets, self.reviews, self.changed, self.unreadable)
        results = (number for name, number in self.results.items() if name != "normal")
        return self.to_be_signed and not any(asks) and not any(results) and bool(self.results.get("normal"))

    @property
    def tells(self) -> bool:
        """Whether anything in it is worth reading camera by camera: abnormal, excused, found, not at its preset."""
        return bool(self.findings or self.presets_missed or self.results.get("abnormal") or self.results.get("excused"))


@dataclass(frozen=True, slots=True)
class RecordOperator:
    """Somebody who has run patrols, at their beginning, their end or between."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class RecordTour:
    """A tour of which there are runs. `retired`: it was deleted since; its records stay for as long as others."""

    id: int
    name: str
    retired: bool


@dataclass(frozen=True, slots=True)
class RecordCounts:
    """How many sealed records wait for a signature, of others and in all; how many of the actor's own are returned.
    `operators`, `tours`: what the list can be narrowed down to, by name; deleted tours last."""

    to_sign: int
    unsigned: int
    returned: int
    operators: Sequence[RecordOperator]
    tours: Sequence[RecordTour]


class RecordList:
    """The reading operations behind api/records. Users who are bound to villages find none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def listed(self, actor: Actor, query: RecordQuery) -> Sequence[RecordRow]:
        """At most LIMIT of them."""
        if not township.sees(actor):
            return []
        async with self._database.read() as session:
            statement = _matching(query).order_by(Run.id.desc()).limit(max(1, min(query.limit, LIMIT)))
            return await _rows(session, actor, (await session.scalars(statement)).all())

    async def counts(self, actor: Actor) -> RecordCounts:
        """See RecordCounts."""
        if not township.sees(actor):
            return RecordCounts(0, 0, 0, (), ())
        own = runs_of(actor.user_id)
        unsigned = _matching(RecordQuery(signed="unsigned")).with_only_columns(Run.id, own.label("own"))
        returned = _matching(RecordQuery(signed="returned")).where(own).with_only_columns(Run.id)
        async with self._database.read() as session:
            waiting = unsigned.subquery()
            others = func.coalesce(func.sum(case((waiting.c.own, 0), else_=1)), 0)
            total, to_sign = (await session.execute(select(func.count(), others).select_from(waiting))).one()
            back = await session.scalar(select(func.count()).select_from(returned.subquery())) or 0
            people = select(User.id, User.display_name).where(ever_ran()).order_by(User.display_name, User.id)
            operators = [RecordOperator(*one) for one in await session.execute(people.limit(MOST_CHOICES))]
            of = select(Tour.id, Tour.name, Tour.retired_at.is_not(None).label("retired"))
            of = of.where(select(Run.id).where(Run.tour_id == Tour.id).exists())
            named = of.order_by(Tour.retired_at.is_not(None), Tour.name, Tour.id).limit(MOST_CHOICES)
            tours = [RecordTour(*one) for one in await session.execute(named)]
        return RecordCounts(to_sign, total, back, operators, tours)


def _matching(query: RecordQuery) -> Select[Run]:
    """The runs that the query asks for, in any order."""
    found = select(Run)
    if query.state == "active":
        found = found.where(Run.state != "ended")
    elif query.state == "submitted":
        found = found.where(Run.end_reason == SUBMITTED)
    elif query.state == "given_up":
        found = found.where(Run.state == "ended", Run.end_reason != SUBMITTED, Run.loop.is_(False))
    if query.loop is not None:
        found = found.where(Run.loop.is_(query.loop))
    if query.tour_id is not None:
        found = found.where(Run.tour_id == query.tour_id)
    if query.operator_id is not None:
        found = found.where(runs_of(query.operator_id))
    if query.begin is not None:
        found = found.where(Run.started_at >= query.begin)
    if query.end is not None:
        found = found.where(Run.started_at < query.end)
    if query.before is not None:
        found = found.where(Run.id < query.before)
    if query.findings is not None:
        has = select(Finding.id).where(Finding.run_id == Run.id).exists()
        found = found.where(has if query.findings else ~has)
    if query.signed is not None:
        opinions = select(RunReview.kind).where(RunReview.run_id == Run.id, RunReview.kind != "note")
        last = opinions.order_by(RunReview.id.desc()).limit(1).scalar_subquery()
        wanted = last.is_(None) if query.signed == "unsigned" else last == query.signed
        found = found.where(Run.end_reason == SUBMITTED, wanted)
    return found


async def _rows(session: AsyncSession, actor: Actor, runs: Sequence[Run]) -> list[RecordRow]:
    ids = [run.id for run in runs]
    seals, reviews = await seals_of(session, ids), await reviews_of(session, ids)
    results: dict[int, dict[str, int]] = {}
    unseen: dict[int, int] = {}
    counted = select(RunResult.run_id, RunResult.result, func.count(), func.count(RunResult.seen_at))
    where = counted.where(RunResult.run_id.in_(ids)).group_by(RunResult.run_id, RunResult.result)
    for run_id, result, number, seen in await session.execute(where):
        of_run = results.setdefault(run_id, {})
        of_run[result] = of_run.get(result, 0) + number
        unseen[run_id] = unseen.get(run_id, 0) + number - seen
    count = select(Finding.run_id, func.count()).where(Finding.run_id.in_(ids)).group_by(Finding.run_id)
    findings = {run_id: number for run_id, number in await session.execute(count)}
    due = select(PlanOccurrence.run_id, PlanOccurrence.plan_name, PlanOccurrence.due_at)
    plans = {
        run_id: (name, at) for run_id, name, at in await session.execute(due.where(PlanOccurrence.run_id.in_(ids)))
    }
    turns, (missed, unknown) = await _turns(session, ids), await _presets(session, ids)
    change = select(RunEvent.run_id).where(RunEvent.kind.in_(CHANGES), RunEvent.run_id.in_(ids)).distinct()
    changed = set(await session.scalars(change))
    own = set(await session.scalars(select(Run.id).where(Run.id.in_(ids), took_part(actor.user_id))))
    found = []
    for run in runs:
        opinion = opinion_of(reviews.get(run.id, ()))
        plan, due_at = plans.get(run.id, (None, None))
        seal = seals.get(run.id)
        told = [*vars(run).values(), due_at, *(() if seal is None else (seal.at, seal.hash))]
        told += [value for one in reviews.get(run.id, ()) for value in (one.kind, one.words, one.user_name, one.at)]
        strange = sum(number for name, number in results.get(run.id, {}).items() if name not in RESULT_STATES)
        found.append(
            RecordRow(
                id=run.id,
                tour_id=run.tour_id,
                tour_name=run.tour_name,
                plan_name=plan,
                due_at=due_at,
                loop=run.loop,
                state=run.state,
                end_reason=run.end_reason,
                started_name=run.started_name,
                operator_name=run.operator_name,
                turns=turns.get(run.id, ()),
                started_at=run.started_at,
                ended_at=run.ended_at,
                shown=run.shown,
                skipped=run.skipped,
                results={name: results.get(run.id, {}).get(name, 0) for name in RESULT_STATES},
                unseen=unseen.get(run.id, 0),
                findings=findings.get(run.id, 0),
                presets_missed=missed.get(run.id, 0),
                presets_unknown=unknown.get(run.id, 0),
                unreadable=strange + sum(is_unreadable(one) for one in told),
                seal=seal,
                reviews=len(reviews.get(run.id, ())),
                changed=run.id in changed,
                opinion=None if opinion is None else opinion.kind,
                signed_name=None if opinion is None else opinion.user_name,
                signed_at=None if opinion is None else opinion.at,
                own=run.id in own,
            )
        )
    return found


async def _presets(session: AsyncSession, ids: Sequence[int]) -> tuple[Mapping[int, int], Mapping[int, int]]:
    """How many cameras of each run had not come to their preset by the end of the last time that their stop was on; and
    of how many nobody knows it."""
    query = select(RunStep.run_id, RunStep.position, RunStepCamera.camera_id, RunStepCamera.preset_state)
    query = query.join(RunStepCamera, RunStepCamera.step_id == RunStep.id)
    query = query.where(RunStep.run_id.in_(ids), RunStep.ended_at.is_not(None), RunStepCamera.preset.is_not(None))
    last: dict[tuple[int, int, int], str | None] = {}
    for run_id, position, camera_id, state in await session.execute(query.order_by(RunStep.run_id, RunStep.sequence)):
        last[run_id, position, camera_id] = state
    missed = Counter(run_id for (run_id, *_), state in last.items() if state not in (None, REACHED))
    return missed, Counter(run_id for (run_id, *_), state in last.items() if state is None)


_HANDS = ("handed_over", "taken_over")
_MOVES = ("closing", "next", "previous", "jumped")


async def _turns(session: AsyncSession, ids: Sequence[int]) -> dict[int, list[OperatorTurn]]:
    """Those of the runs that have changed hands; of these alone the moves are read, which say whether a stop was on."""
    changed = select(RunEvent.run_id).where(RunEvent.run_id.in_(ids), RunEvent.kind.in_(_HANDS)).distinct()
    of = list(await session.scalars(changed))
    if not of:
        return {}
    events = select(RunEvent).where(RunEvent.run_id.in_(of), RunEvent.kind.in_((*_HANDS, *_MOVES)))
    found: dict[int, list[OperatorTurn]] = {}
    over: set[int] = set()
    for event in await session.scalars(events.order_by(RunEvent.id)):
        if event.kind in _HANDS:
            name = event.user_name if event.kind == "taken_over" else str(event.detail.get("to_name", ""))
            position = None if event.run_id in over else event.position
            found.setdefault(event.run_id, []).append(OperatorTurn(name, event.at, position))
        elif event.kind == "closing":
            over.add(event.run_id)
        else:
            over.discard(event.run_id)  # a stop is shown once more
    return found
