"""Figures of occurrences: due, done, late, missed; of the township, per plan and per tour.

- due: all whose due time lies in the span and has passed
- done: its run was submitted, whenever it was started
- late: not started within the grace, be it running or done since, or not yet (a missed one is not late any more)
- missed: not started until the next one of its plan, or the longest time; or given up and not started again
- open: due, running or late, so not decided yet; due = done + missed + open
- findings: all that were made in the span; of a plan or tour, those of its runs
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Row, case, func, select

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.patrol import township
from camera_hub.store.database import Database
from camera_hub.store.tables import Finding, Plan, PlanOccurrence, Run, Tour

LONGEST_DAYS = 400


@dataclass(frozen=True, slots=True)
class OccurrenceCounts:
    """How many; see the module."""

    due: int = 0
    done: int = 0
    late: int = 0
    missed: int = 0
    hub_down: int = 0
    findings: int = 0

    @property
    def open(self) -> int:
        """Neither done nor missed yet, though some of them are late."""
        return self.due - self.done - self.missed

    def __add__(self, other: "OccurrenceCounts") -> "OccurrenceCounts":
        return OccurrenceCounts(
            self.due + other.due,
            self.done + other.done,
            self.late + other.late,
            self.missed + other.missed,
            self.hub_down + other.hub_down,
            self.findings + other.findings,
        )


@dataclass(frozen=True, slots=True)
class CountsOf:
    """Those of one plan or tour."""

    id: int
    name: str
    counts: OccurrenceCounts


@dataclass(frozen=True, slots=True)
class PatrolFigures:
    """Of a span."""

    since: datetime
    until: datetime
    total: OccurrenceCounts
    plans: Sequence[CountsOf]
    tours: Sequence[CountsOf]


class PatrolStatistics:
    """The operation behind /api/patrol/figures."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def between(self, actor: Actor, since: datetime, until: datetime) -> PatrolFigures:
        """Of what was due from `since` until just before `until`, and not later than now. Raises HubError(INVALID)."""
        township.require(actor, "plan")
        if not 0 < (until - since).total_seconds() <= LONGEST_DAYS * 86400:
            raise HubError(
                Kind.INVALID,
                f"ask for a span of up to {LONGEST_DAYS} days, which ends after it begins",
                reason="span_length",
                days=LONGEST_DAYS,
            )
        now = self._clock.now()
        state = PlanOccurrence.state
        async with self._database.read() as session:
            rows = (
                await session.execute(
                    select(
                        PlanOccurrence.plan_id,
                        PlanOccurrence.tour_id,
                        func.count(),
                        func.sum(case((state == "done", 1), else_=0)),
                        func.sum(case((PlanOccurrence.late, 1), else_=0)),
                        func.sum(case((state == "missed", 1), else_=0)),
                        func.sum(case((PlanOccurrence.why == "hub_down", 1), else_=0)),
                    )
                    .where(PlanOccurrence.due_at >= since, PlanOccurrence.due_at < until, PlanOccurrence.due_at <= now)
                    .group_by(PlanOccurrence.plan_id, PlanOccurrence.tour_id)
                )
            ).all()
            within = (Finding.at >= since, Finding.at < until)
            found = await session.scalar(select(func.count()).select_from(Finding).where(*within)) or 0
            by_tour = select(Run.tour_id, func.count()).join(Finding, Finding.run_id == Run.id)
            of_tours = (await session.execute(by_tour.where(*within).group_by(Run.tour_id))).all()
            by_plan = select(PlanOccurrence.plan_id, func.count()).join(
                Finding, Finding.run_id == PlanOccurrence.run_id
            )
            of_plans = (await session.execute(by_plan.where(*within).group_by(PlanOccurrence.plan_id))).all()
            plan_ids = {row[0] for row in rows} | {id for id, _ in of_plans}
            tour_ids = {row[1] for row in rows} | {id for id, _ in of_tours}
            plans = await session.execute(select(Plan.id, Plan.name).where(Plan.id.in_(plan_ids)))
            plan_names = {id: name for id, name in plans}
            tours = await session.execute(select(Tour.id, Tour.name).where(Tour.id.in_(tour_ids)))
            tour_names = {id: name for id, name in tours}
        counted = [(plan, tour, OccurrenceCounts(*numbers)) for plan, tour, *numbers in rows]
        return PatrolFigures(
            since,
            min(until, now),
            sum((counts for _, _, counts in counted), OccurrenceCounts(findings=found)),
            _named([*((plan, counts) for plan, _, counts in counted), *_found(of_plans)], plan_names),
            _named([*((tour, counts) for _, tour, counts in counted), *_found(of_tours)], tour_names),
        )


def _found(rows: Iterable[Row[int, int]]) -> Iterator[tuple[int, OccurrenceCounts]]:
    return ((id, OccurrenceCounts(findings=count)) for id, count in rows)


def _named(counted: Iterable[tuple[int, OccurrenceCounts]], names: dict[int, str]) -> list[CountsOf]:
    found: dict[int, CountsOf] = {}
    for id, counts in counted:
        known = found.setdefault(id, CountsOf(id, names.get(id, ""), OccurrenceCounts()))
        found[id] = replace(known, counts=known.counts + counts)
    return sorted(found.values(), key=lambda one: (-one.counts.missed, one.name, one.id))
