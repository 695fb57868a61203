"""Makes occurrences of plans as rows, some time ahead. Whatever is made again is the same: rows that fit stay, what a
changed plan does not want any more goes, and what has been due stays as it was.
"""

import asyncio
import heapq
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import chain, pairwise

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.patrol.plans.calendar import SpecialTimes, each_due
from camera_hub.patrol.plans.rules import PlanRules
from camera_hub.patrol.plans.states import OPEN, PlanTimes, Window, window
from camera_hub.patrol.plans.stored import PlannedTour, planned_tours, rules_of, special_times
from camera_hub.store.database import Database
from camera_hub.store.retention import EARLIEST
from camera_hub.store.tables import Plan, PlanOccurrence

AHEAD = timedelta(hours=24)
"""So far ahead occurrences are rows. Not further: rows of the day after tomorrow were written under a wrong clock, and
go (store.retention)."""
EXTEND = timedelta(hours=1)
"""Rows of a plan are added when so much of AHEAD is missing."""
BEHIND = timedelta(days=7)
"""What was due while the hub was down is made up for so far back."""
MADE_WITHIN = timedelta(minutes=1)
"""So long after a change its rows may be made on a busy hub: what was due meanwhile is not left out."""
AT_ONCE = 100
"""Plans whose rows are made in one transaction."""


@dataclass(frozen=True, slots=True)
class WantedOccurrence:
    """An occurrence as the plan has it."""

    window: Window
    special: bool
    night: bool


def wanted(
    rules: PlanRules, special: SpecialTimes, zone: tzinfo, times: PlanTimes, begin: datetime, end: datetime
) -> Iterator[WantedOccurrence]:
    """The occurrences from `begin` until just before `end`, one after the other. Pure."""
    for due, after in pairwise(chain(each_due(rules, special, zone, begin, end + times.longest), [None])):
        if due is None or due.at >= end:
            return
        yield WantedOccurrence(window(due.at, after.at if after is not None else None, times), due.special, due.night)


class OccurrenceMaker:
    """`longest`: after that time an occurrence that nobody has started is missed (see states.window)."""

    def __init__(self, database: Database, zone: tzinfo, longest: timedelta) -> None:
        self._database = database
        self._zone = zone
        self._longest = longest
        self._lock = asyncio.Lock()

    async def make(self, now: datetime, *, everything: bool = False) -> None:
        """Make the rows of all plans that lack some, or of all plans again. While the clock cannot be right, none."""
        if now < EARLIEST:
            return
        live = Plan.retired_at.is_(None) & Plan.enabled
        made = Plan.made_until
        lacking = made.is_(None) | (made < now + AHEAD - EXTEND) | (made > now + AHEAD + EXTEND)
        query = select(Plan.id).where(live if everything else live & lacking | ~live & made.is_not(None))
        async with self._lock:
            async with self._database.read() as session:
                plans = (await session.scalars(query.order_by(Plan.id))).all()
            for start in range(0, len(plans), AT_ONCE):
                await self._make(plans[start : start + AT_ONCE], now)

    async def _make(self, plan_ids: Sequence[int], now: datetime) -> None:
        async with self._database.read() as session:
            plans = (await session.scalars(select(Plan).where(Plan.id.in_(plan_ids)))).all()
            tours = await planned_tours(session)
            special = await special_times(session, now - BEHIND)

        def compute() -> list[list[WantedOccurrence]]:
            return [list(self._wanted(plan, special, now)) for plan in plans]

        found = await asyncio.to_thread(compute)
        async with self._database.write() as session:
            for plan, rows in zip(plans, found, strict=True):
                if await _mark(session, plan, now):
                    await _put(session, plan, rows, tours, now, self._longest)

    def coming(
        self, plans: Sequence[Plan], special: SpecialTimes, begin: datetime, end: datetime
    ) -> Iterator[tuple[Plan, WantedOccurrence]]:
        """Those of the span that are no rows yet, in order."""

        def of(plan: Plan) -> Iterator[tuple[datetime, int, Plan, WantedOccurrence]]:
            start = max(begin, plan.made_until) if plan.made_until is not None else begin
            for one in wanted(rules_of(plan), special, self._zone, self._times(plan), start, end):
                yield one.window.due_at, plan.id, plan, one

        for _, _, plan, one in heapq.merge(*map(of, plans), key=lambda found: found[:2]):
            yield plan, one

    def _wanted(self, plan: Plan, special: SpecialTimes, now: datetime) -> Iterator[WantedOccurrence]:
        if not _live(plan):
            return iter(())
        return wanted(rules_of(plan), special, self._zone, self._times(plan), _begin(plan, now), now + AHEAD)

    def _times(self, plan: Plan) -> PlanTimes:
        return PlanTimes(timedelta(minutes=plan.grace_minutes), self._longest)


def _live(plan: Plan) -> bool:
    return plan.enabled and plan.retired_at is None


def _begin(plan: Plan, now: datetime) -> datetime:
    """A plan that is new or was changed begins then, or now where its rows are made again for another reason; of others
    what was due while the hub was down is made up for."""
    if plan.made_until is None:
        return plan.changed_at if timedelta() <= now - plan.changed_at <= MADE_WITHIN else now
    return max(now - BEHIND, min(now, plan.made_until))


async def _mark(session: AsyncSession, plan: Plan, now: datetime) -> bool:
    """Note how far the plan's rows are made; False when it has been changed since it was read."""
    done = await session.execute(
        update(Plan)
        .where(Plan.id == plan.id, Plan.revision == plan.revision)
        .values(made_until=now + AHEAD if _live(plan) else None)
        .returning(Plan.id)
        .execution_options(synchronize_session=False)
    )
    return done.scalar() is not None


async def _put(
    session: AsyncSession,
    plan: Plan,
    rows: Sequence[WantedOccurrence],
    tours: Mapping[int, PlannedTour],
    now: datetime,
    longest: timedelta,
) -> None:
    """Make the plan's rows those that are wanted. What was started, late or missed stays, whatever the plan says now,
    and what is open is so until the plan is due again; when the plan is given up, what was due and is not late goes
    with it."""
    free = (PlanOccurrence.plan_id == plan.id) & PlanOccurrence.run_id.is_(None)
    if not _live(plan):
        await session.execute(
            delete(PlanOccurrence).where(free, (PlanOccurrence.state == "due") | (PlanOccurrence.due_at > now))
        )
        return
    concerned = (PlanOccurrence.due_at >= _begin(plan, now)) | PlanOccurrence.state.in_(tuple(OPEN))
    known = {
        row.due_at: row
        for row in await session.scalars(select(PlanOccurrence).where(PlanOccurrence.plan_id == plan.id, concerned))
    }
    _follow_each_other([row for row in known.values() if row.due_at <= now], rows, longest)
    for one in rows:
        tour_id = plan.night_tour_id if one.night and plan.night_tour_id is not None else plan.tour_id
        if (tour := tours.get(tour_id)) is None or tour.problem is not None:
            continue
        times = one.window
        row = known.pop(times.due_at, None)
        if row is None:
            row = PlanOccurrence(plan_id=plan.id, due_at=times.due_at)
            session.add(row)
        elif row.due_at <= now or row.run_id is not None:
            continue
        row.plan_name, row.tour_id, row.tour_name = plan.name, tour_id, tour.name
        row.variant, row.special = "night" if one.night else "day", one.special
        row.late_at, row.over_at = times.late_at, times.over_at
        row.state, row.late, row.why = "due", False, None  # what it is by now, `following` says
    gone = [row.id for row in known.values() if row.due_at > now and row.run_id is None]
    for start in range(0, len(gone), 500):
        await session.execute(delete(PlanOccurrence).where(PlanOccurrence.id.in_(gone[start : start + 500])))
    await session.flush()


def _follow_each_other(past: Sequence[PlanOccurrence], rows: Sequence[WantedOccurrence], longest: timedelta) -> None:
    """What has been due and is open is missed when the plan is due again, which a change may have moved."""
    times = sorted({*(row.due_at for row in past), *(one.window.due_at for one in rows)})
    for row in past:
        if row.run_id is not None or row.state not in OPEN:
            continue
        place = bisect_right(times, row.due_at)
        following = times[place] if place < len(times) else None
        row.over_at = window(row.due_at, following, PlanTimes(row.late_at - row.due_at, longest)).over_at
