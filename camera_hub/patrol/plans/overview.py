"""The days of a month at a glance: how many patrols are planned on each, of which tours, and what became of them."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

from sqlalchemy import Integer, case, func, literal, select

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.patrol import township
from camera_hub.patrol.plans.calendar import SpecialTimes, instant
from camera_hub.patrol.plans.day_counts import day_counts
from camera_hub.patrol.plans.stored import PlannedTour, planned_tours, rules_of, special_times
from camera_hub.store.database import Database
from camera_hub.store.tables import Plan, PlanOccurrence

MOST_DAYS = 62
MOST_TOURS = 20
"""Of one day; the others are counted."""


@dataclass(frozen=True, slots=True)
class TourOfDay:
    """How often a tour is due on a day. `tour_name`: as it was called then."""

    tour_id: int
    tour_name: str
    count: int


@dataclass(frozen=True, slots=True)
class DayOverview:
    """One day of the site; see api.schemas.plans.DayOverviewAnswer. planned = done + missed + open + coming."""

    day: date
    planned: int
    night: int
    special: int
    done: int
    late: int
    missed: int
    open: int
    coming: int
    tours: Sequence[TourOfDay]
    other_tours: int


@dataclass(slots=True)
class _Counts:
    """A day's, while they are added up."""

    numbers: Counter[str] = field(default_factory=Counter)
    tours: Counter[int] = field(default_factory=Counter)
    names: dict[int, str] = field(default_factory=dict)

    def add(self, tour_id: int, tour_name: str, count: int, what: str) -> None:
        self.numbers[what] += count
        self.tours[tour_id] += count
        self.names[tour_id] = tour_name


class PlanOverview:
    """The operation behind /api/occurrences/days."""

    def __init__(self, database: Database, clock: Clock, zone: tzinfo) -> None:
        self._database = database
        self._clock = clock
        self._zone = zone

    async def days(self, actor: Actor, first: date, last: date) -> Sequence[DayOverview]:
        """Each day from `first` to `last`, both included: what has been due as it was, what is to come as the plans
        are now. Raises HubError(INVALID) for more than MOST_DAYS, or days the wrong way round."""
        if not 0 <= (last - first).days < MOST_DAYS:
            raise HubError(
                Kind.INVALID,
                f"ask for up to {MOST_DAYS} days, the last one not before the first",
                reason="span_length",
                days=MOST_DAYS,
            )
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        if not township.sees(actor):
            return []
        now = self._clock.now()
        found = [_Counts() for _ in days]
        await self._made(days, found, now)
        await self._coming(days, found)
        return [_overview(day, counts) for day, counts in zip(days, found, strict=True)]

    async def _made(self, days: Sequence[date], found: Sequence[_Counts], now: datetime) -> None:
        """Those that are rows."""
        begins = [instant(day, 0, self._zone) for day in [*days, days[-1] + timedelta(days=1)]]
        due, state = PlanOccurrence.due_at, PlanOccurrence.state
        place = case(*((due < end, literal(number, Integer)) for number, end in enumerate(begins[1:])))
        what = case(
            (state.in_(("done", "missed")), state), ((state == "due") & (due > now), literal("coming")), else_="open"
        )
        night = func.sum(case((PlanOccurrence.variant == "night", 1), else_=0))
        special, late = (func.sum(case((one, 1), else_=0)) for one in (PlanOccurrence.special, PlanOccurrence.late))
        groups = (place.label("place"), what.label("what"), PlanOccurrence.tour_id)
        query = (
            select(*groups, func.max(PlanOccurrence.tour_name), func.count(), night, special, late)
            .where(due >= begins[0], due < begins[-1])
            .group_by("place", "what", PlanOccurrence.tour_id)
        )
        async with self._database.read() as session:
            rows = (await session.execute(query)).all()
        for number, kind, tour_id, tour_name, count, at_night, in_special, were_late in rows:
            counts = found[number]
            counts.add(tour_id, tour_name, count, kind)
            counts.numbers.update(night=at_night, special=in_special, late=were_late)

    async def _coming(self, days: Sequence[date], found: Sequence[_Counts]) -> None:
        """Those that lie so far ahead that they are no rows yet."""
        begin, end = instant(days[0], 0, self._zone), instant(days[-1] + timedelta(days=1), 0, self._zone)
        async with self._database.read() as session:
            live = select(Plan).where(Plan.enabled, Plan.retired_at.is_(None), Plan.made_until < end)
            plans = (await session.scalars(live)).all()
            tours = await planned_tours(session)
            special = await special_times(session, begin)
        places = {day: counts for day, counts in zip(days, found, strict=True)}
        await asyncio.to_thread(self._count, plans, tours, special, places)

    def _count(
        self,
        plans: Sequence[Plan],
        tours: dict[int, PlannedTour],
        special: SpecialTimes,
        places: dict[date, _Counts],
    ) -> None:
        for plan in plans:
            if plan.made_until is None:
                continue
            for day, found in day_counts(rules_of(plan), special, self._zone, places, plan.made_until):
                for kind, count in found.items():
                    night_id = plan.night_tour_id if kind.night else None
                    tour_id = plan.tour_id if night_id is None else night_id
                    if (tour := tours.get(tour_id)) is None or tour.problem is not None:
                        continue
                    places[day].add(tour_id, tour.name, count, "coming")
                    places[day].numbers.update(night=count * kind.night, special=count * kind.special)


def _overview(day: date, counts: _Counts) -> DayOverview:
    numbers = counts.numbers
    ordered = sorted(counts.tours.items(), key=lambda one: (-one[1], counts.names[one[0]], one[0]))
    return DayOverview(
        day,
        sum(numbers[one] for one in ("done", "missed", "open", "coming")),
        numbers["night"],
        numbers["special"],
        numbers["done"],
        numbers["late"],
        numbers["missed"],
        numbers["open"],
        numbers["coming"],
        tuple(TourOfDay(id, counts.names[id], count) for id, count in ordered[:MOST_TOURS]),
        max(0, len(ordered) - MOST_TOURS),
    )
