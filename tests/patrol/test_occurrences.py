"""Occurrences over a real database: made once, followed by the clock, started by one person, whatever happens."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update

from camera_hub.access.policy import Actor, Role
from camera_hub.errors import HubError
from camera_hub.events import EventBus, OccurrenceChanged, PlanChanged, TourChanged
from camera_hub.patrol.plans.figures import PatrolStatistics
from camera_hub.patrol.plans.making import OccurrenceMaker
from camera_hub.patrol.plans.occurrences import OccurrenceQuery, OccurrenceTaken, Tie, TourOccurrences
from camera_hub.patrol.plans.overview import MOST_DAYS, MOST_TOURS, PlanOverview
from camera_hub.patrol.plans.plans import NewPlan, PlanMoved, Plans
from camera_hub.patrol.plans.rules import DueRule, Interval, PlanRules, YearlySeason
from camera_hub.patrol.plans.special_periods import NewPeriod, SpecialPeriods
from camera_hub.patrol.plans.views import OccurrenceView
from camera_hub.store.database import Database
from camera_hub.store.tables import ObservingPeriod, Plan, PlanOccurrence, Run, Tour, TourStop, User
from tests.fakes.clock import ManualClock
from tests.fakes.site import add_village

ZONE = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class FakeRuns:
    """Starts runs as rows, as patrol.runs does: `tie` belongs to the transaction."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self._database = database
        self._clock = clock

    async def start(self, actor: Actor, tour_id: int, *, loop: bool, tie: Tie) -> Run:
        now = self._clock.now()
        async with self._database.write() as session:
            run = Run(tour_id=tour_id, tour_name="", itinerary=[], loop=loop, state="running", anchor_at=now)
            run.started_at, run.started_name, run.operator_name = now, actor.display_name, actor.display_name
            session.add(run)
            await session.flush()
            await tie(session, run)
        return run

    async def end(self, run_id: int | None, reason: str) -> None:
        async with self._database.write() as session:
            await session.execute(
                update(Run).where(Run.id == run_id).values(state="ended", ended_at=self._clock.now(), end_reason=reason)
            )


@dataclass
class Centre:
    """A tour of two stops, its operator, and plans of it. It is 08:00 on a Monday in the site's zone."""

    database: Database
    clock: ManualClock
    bus: EventBus
    actor: Actor
    tour: int
    other_tour: int
    runs: FakeRuns
    maker: OccurrenceMaker
    plans: Plans
    periods: SpecialPeriods
    due: TourOccurrences

    async def plan(self, *times: str, tour: int | None = None, name: str = "每日巡查", grace: int = 30) -> int:
        rules = PlanRules(DueRule(tuple(int(text[:2]) * 60 + int(text[3:]) for text in times)))
        new = NewPlan(name, tour or self.tour, rules, grace_minutes=grace)
        return (await self.plans.create(self.actor, new)).plan.id

    async def tours_archived(self, tour_id: int) -> None:
        async with self.database.write() as session:
            await session.execute(update(Tour).where(Tour.id == tour_id).values(archived_at=self.clock.now()))

    async def at(self, text: str) -> None:
        """Let it be that time (of the site), and follow."""
        now = datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=ZONE).astimezone(UTC)
        self.clock.move((now - self.clock.now()).total_seconds())
        await self.due.tick()

    async def shown(self) -> list[str]:
        """day, time and state of the rows."""
        async with self.database.read() as session:
            rows = await session.scalars(select(PlanOccurrence).order_by(PlanOccurrence.due_at, PlanOccurrence.plan_id))
            return [
                f"{row.due_at.astimezone(ZONE):%d %H:%M} {row.state}" + (f" {row.why}" if row.why else "")
                for row in rows
            ]

    async def first(self) -> OccurrenceView:
        found, _ = await self.due.list(
            self.actor, OccurrenceQuery(self.clock.now() - 20 * HOUR, self.clock.now() + 20 * HOUR)
        )
        return found[0]


@pytest.fixture
async def centre(database: Database, bus: EventBus) -> Centre:
    clock = ManualClock(datetime(2026, 11, 23, 0, 0, tzinfo=UTC))
    cameras = await add_village(database, clock, "东沟村", 2)
    async with database.write() as session:
        user = User(username="zhang", display_name="张三", role="operator", password_hash="-", created_at=clock.now())
        tours = [Tour(name=name, created_at=clock.now()) for name in ("重点路段", "学校")]
        observed = ObservingPeriod(since=clock.now(), until=clock.now() + 20 * HOUR)
        session.add_all([user, *tours, observed])
        await session.flush()
        for tour in tours:
            session.add_all(TourStop(tour_id=tour.id, position=n, camera_id=cameras[n], dwell_s=60) for n in range(2))
        actor = Actor(user.id, "zhang", "张三", Role.OPERATOR)
    runs = FakeRuns(database, clock)
    maker = OccurrenceMaker(database, ZONE, 4 * HOUR)
    due = TourOccurrences(database, bus, clock, maker, runs)
    plans, periods = Plans(database, bus, clock, maker, ZONE), SpecialPeriods(database, bus, clock, maker, ZONE)
    return Centre(database, clock, bus, actor, tours[0].id, tours[1].id, runs, maker, plans, periods, due)


@pytest.mark.parametrize(("seconds", "due"), [(4, True), (59, True), (61, False)])
async def test_what_is_due_while_the_rows_are_being_made_is_due(
    centre: Centre, monkeypatch: pytest.MonkeyPatch, seconds: int, due: bool
) -> None:
    make = centre.maker.make

    async def slowly(now: datetime, *, everything: bool = False) -> None:
        centre.clock.move(seconds)
        await make(centre.clock.now(), everything=everything)

    await centre.at("23T08:29:58")
    with monkeypatch.context() as patch:
        patch.setattr(centre.maker, "make", slowly)
        await centre.plan("08:29", "08:30")
    assert ("23 08:30 due" in await centre.shown()) == due
    assert not [row for row in await centre.shown() if row.startswith("23 08:29")], "that was before the plan"


async def test_a_day_of_a_plan(centre: Centre) -> None:
    await centre.plan("07:00", "08:30", "14:30")
    assert await centre.shown() == ["23 08:30 due", "23 14:30 due", "24 07:00 due"]
    with centre.bus.subscribe(OccurrenceChanged) as changes:
        await centre.at("23T09:00")
        assert (await centre.shown())[0] == "23 08:30 late"
        view = await centre.due.start(centre.actor, (await centre.first()).id or 0)
        assert (view.state, view.late, view.started_name, view.stops, view.duration_s) == (
            "running",
            True,
            "张三",
            2,
            120,
        )
        await centre.at("23T13:00")
        await centre.runs.end(view.run_id, "submitted")
        await centre.at("23T13:01")
        assert (await centre.first()).state == "done"
        await centre.at("23T18:30")
        assert (await centre.shown())[:2] == ["23 08:30 done", "23 14:30 missed not_started"]
        assert len({event.occurrence_id for event in changes.take() if isinstance(event, OccurrenceChanged)}) == 2
    found = await PatrolStatistics(centre.database, centre.clock).between(
        centre.actor, centre.clock.now() - 24 * HOUR, centre.clock.now() + 24 * HOUR
    )
    total = found.total
    assert (total.due, total.done, total.late, total.missed, total.open, total.hub_down) == (2, 1, 1, 1, 0, 0)
    assert [(one.name, one.counts.due) for one in [*found.plans, *found.tours]] == [("每日巡查", 2), ("重点路段", 2)]


async def test_whoever_is_second_is_told_who_was_first(centre: Centre) -> None:
    await centre.plan("08:30")
    await centre.at("23T08:31")
    occurrence = (await centre.first()).id or 0
    results = await asyncio.gather(
        *(centre.due.start(centre.actor, occurrence) for _ in range(3)), return_exceptions=True
    )
    refused = [one for one in results if isinstance(one, OccurrenceTaken)]
    assert len(refused) == 2
    assert {(one.reason, one.view.state, one.view.operator_name) for one in refused} == {
        ("occurrence_taken", "running", "张三")
    }
    async with centre.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Run)) == 1


async def test_a_run_that_was_given_up_leaves_it_open(centre: Centre) -> None:
    await centre.plan("08:30")
    await centre.at("23T08:31")
    first = await centre.due.start(centre.actor, (await centre.first()).id or 0)
    await centre.runs.end(first.run_id, "stopped")
    await centre.at("23T08:40")
    assert await centre.shown() == ["23 08:30 due"]
    again = await centre.due.start(centre.actor, first.id or 0)
    assert again.run_id != first.run_id
    await centre.runs.end(again.run_id, "expired")
    await centre.at("23T12:30")
    assert (await centre.shown())[0] == "23 08:30 missed given_up"
    with pytest.raises(OccurrenceTaken) as caught:
        await centre.due.start(centre.actor, first.id or 0)
    assert caught.value.reason == "occurrence_over"


async def test_one_patrol_counts_for_plans_that_want_the_same_tour_within_the_grace(centre: Centre) -> None:
    await centre.plan("08:30")
    await centre.plan("08:50", name="特护期加密")
    await centre.plan("09:10", name="另一个")
    await centre.plan("08:30", tour=centre.other_tour, name="学校")
    await centre.at("23T08:35")
    await centre.due.start(centre.actor, (await centre.first()).id or 0)
    assert (await centre.shown())[:4] == ["23 08:30 running", "23 08:30 due", "23 08:50 running", "23 09:10 due"]


async def test_too_early_is_not_yet(centre: Centre) -> None:
    await centre.plan("08:30")
    occurrence = (await centre.first()).id or 0
    centre.clock.move(-60)
    with pytest.raises(HubError) as caught:
        await centre.due.start(centre.actor, occurrence)
    assert caught.value.reason == "occurrence_early"
    centre.clock.move(60)
    assert (await centre.due.start(centre.actor, occurrence)).late is False


async def test_a_hub_that_was_down_makes_up_for_it_and_says_why(centre: Centre) -> None:
    await centre.plan("08:30", "14:30")
    await centre.at("26T09:10")  # the next beat after three days
    assert await centre.shown() == [
        "23 08:30 missed not_started",  # it ran until 04:00 of the 24th
        "23 14:30 missed not_started",
        "24 08:30 missed hub_down",
        "24 14:30 missed hub_down",
        "25 08:30 missed hub_down",
        "25 14:30 missed hub_down",
        "26 08:30 late",
        "26 14:30 due",
        "27 08:30 due",
    ]
    await centre.at("26T09:11")
    assert len(await centre.shown()) == 9


@pytest.mark.parametrize("wrong", [timedelta(hours=5), timedelta(days=400), timedelta(hours=-5), timedelta(days=-400)])
async def test_a_step_of_the_clock_and_back_changes_nothing(centre: Centre, wrong: timedelta) -> None:
    await centre.plan("08:30", "14:30")
    before = await centre.shown()
    centre.clock.step_wall(wrong.total_seconds())
    await centre.due.tick()
    centre.clock.step_wall(-wrong.total_seconds())
    await centre.due.tick()
    assert await centre.shown() == before


async def test_a_changed_plan_changes_what_is_to_come_and_nothing_that_was(centre: Centre) -> None:
    plan = await centre.plan("08:30", "14:30")
    await centre.at("23T10:01")
    new = NewPlan("改", centre.other_tour, PlanRules(DueRule((600, 900))))
    view = await centre.plans.change(centre.actor, plan, new, 0)
    assert (view.plan.revision, await centre.shown()) == (
        1,
        ["23 08:30 late", "23 15:00 due", "24 10:00 due"],
    )
    with pytest.raises(PlanMoved) as caught:
        await centre.plans.change(centre.actor, plan, new, 0)
    assert caught.value.view.plan.name == "改"
    await centre.at("23T15:01")
    await centre.plans.remove(centre.actor, plan)  # what is not late yet goes with it
    assert await centre.shown() == ["23 08:30 missed not_started"]


async def test_a_tour_that_is_retired_or_empty_is_not_due_until_it_is_back(centre: Centre) -> None:
    plan = await centre.plan("08:30")
    async with centre.database.write() as session:
        await session.execute(
            update(TourStop)
            .where(TourStop.tour_id == centre.tour)
            .values(tour_id=centre.other_tour, position=TourStop.position + 9)
        )
    await _hear(centre, TourChanged(centre.tour))
    assert await centre.shown() == []
    view = await centre.plans.get(centre.actor, plan)
    assert (view.problem, view.next_due_at) == ("tour_empty", None)
    with pytest.raises(HubError) as caught:
        await centre.plan("09:00")
    assert caught.value.reason == "plan_tour_gone"
    async with centre.database.write() as session:
        await session.execute(update(TourStop).values(tour_id=centre.tour))
    await _hear(centre, TourChanged(centre.tour))
    assert await centre.shown() == ["23 08:30 due"]


async def test_an_archived_tour_is_not_due_until_it_is_taken_back(centre: Centre) -> None:
    plan = await centre.plan("08:30")
    for archived_at, problem, due in ((centre.clock.now(), "tour_archived", []), (None, None, ["23 08:30 due"])):
        async with centre.database.write() as session:
            await session.execute(update(Tour).where(Tour.id == centre.tour).values(archived_at=archived_at))
        await _hear(centre, TourChanged(centre.tour))
        assert await centre.shown() == due
        view = await centre.plans.get(centre.actor, plan)
        assert (view.problem, view.next_due_at is None) == (problem, problem is not None)


async def _hear(centre: Centre, event: TourChanged) -> None:
    """Run the loop until it has heard of the event and told of the plans."""
    with centre.bus.subscribe(PlanChanged) as told:
        async with centre.due:
            await centre.clock.settle()
            centre.bus.publish(event)
            async with asyncio.timeout(60):
                await told.next()


async def test_special_periods_switch_plans_at_once(centre: Centre) -> None:
    rules = PlanRules(DueRule((510,)), in_special="other", special=DueRule(every=Interval(360, 0, 0)))
    await centre.plans.create(centre.actor, NewPlan("国庆", centre.tour, rules, night_tour_id=centre.other_tour))
    begins = centre.clock.now() + 2 * HOUR
    new = NewPeriod("庙会", "event", "", begins, begins + 21 * HOUR, True, False)
    period = await centre.periods.create(centre.actor, new)
    assert await centre.shown() == [
        "23 08:30 due",
        "23 12:00 due",
        "23 18:00 due",
        "24 00:00 due",
        "24 06:00 due",
    ]
    found, more = await centre.due.list(
        centre.actor, OccurrenceQuery(centre.clock.now(), centre.clock.now() + timedelta(days=5))
    )
    assert [(one.variant, one.special, one.tour_name) for one in found[3:5]] == [
        ("night", True, "学校"),
        ("day", True, "重点路段"),
    ]
    assert ([one.id is None for one in found[-5:]], more) == ([False, True, True, True, True], False)
    await centre.periods.change(
        centre.actor, period.id, NewPeriod("庙会", "event", "", begins, new.ends_at, True, True), 0
    )
    assert await centre.shown() == ["23 08:30 due"]  # a draft has no effect


async def test_last_years_holidays_are_copied_once_as_drafts(centre: Centre) -> None:
    for name, kind, begins, ends in (
        ("国庆节", "holiday", "2025-10-01", "2025-10-09"),
        ("跨年", "holiday", "2025-12-31", "2026-01-02"),
        ("庙会", "event", "2025-03-01", "2025-03-02"),
    ):
        span = [datetime.fromisoformat(text).replace(tzinfo=ZONE) for text in (begins, ends)]
        await centre.periods.create(centre.actor, NewPeriod(name, kind, "", span[0], span[1], True, False))
    copies = await centre.periods.copy_year(centre.actor, 2026)
    assert [(one.name, f"{one.begins_at.astimezone(ZONE):%F %R}", one.draft) for one in copies] == [
        ("国庆节", "2026-10-01 00:00", True),
        ("跨年", "2026-12-31 00:00", True),
    ]
    assert await centre.periods.copy_year(centre.actor, 2026) == []


async def test_a_holiday_that_another_one_contains_is_not_copied(centre: Centre) -> None:
    for name, begins, ends in (
        ("中秋节", "2027-09-15", "2027-09-16"),
        ("清明节", "2027-04-03", "2027-04-06"),
        ("国庆节、中秋节", "2028-09-30", "2028-10-05"),
    ):
        span = [datetime.fromisoformat(text).replace(tzinfo=ZONE) for text in (begins, ends)]
        await centre.periods.create(centre.actor, NewPeriod(name, "holiday", "", span[0], span[1], True, False))
    assert [one.name for one in await centre.periods.copy_year(centre.actor, 2028)] == ["清明节"]


async def test_a_holiday_over_new_year_is_copied_from_either_year_and_once(centre: Centre) -> None:
    async def add(begins: str, ends: str) -> None:
        span = [datetime.fromisoformat(text).replace(tzinfo=ZONE) for text in (begins, ends)]
        await centre.periods.create(centre.actor, NewPeriod("元旦", "holiday", "", span[0], span[1], True, False))

    async def copied(year: int) -> list[str]:
        copies = await centre.periods.copy_year(centre.actor, year)
        return [f"{one.begins_at.astimezone(ZONE):%F} {one.ends_at.astimezone(ZONE):%F}" for one in copies]

    await add("2024-12-30", "2025-01-02")
    assert await copied(2026) == ["2025-12-30 2026-01-02", "2026-12-30 2027-01-02"]  # one at each end of the year
    assert await copied(2026) == []
    assert await copied(2027) == ["2027-12-30 2028-01-02"]
    assert await copied(2027) == []


async def test_a_copied_holiday_can_be_confirmed_as_it_is(centre: Centre) -> None:
    span = [datetime.fromisoformat(text).replace(tzinfo=ZONE) for text in ("2028-02-28", "2028-02-29")]
    await centre.periods.create(centre.actor, NewPeriod("节", "holiday", "", span[0], span[1], True, False))
    (copy,) = await centre.periods.copy_year(centre.actor, 2029)
    assert (copy.begins_at, copy.ends_at) == (
        datetime(2029, 2, 28, tzinfo=ZONE).astimezone(UTC),
        datetime(2029, 3, 1, tzinfo=ZONE).astimezone(UTC),
    )
    confirmed = NewPeriod(copy.name, copy.kind, copy.note, copy.begins_at, copy.ends_at, True, False)
    assert not (await centre.periods.change(centre.actor, copy.id, confirmed, copy.revision)).draft


async def test_national_holidays_are_suggested_until_they_are_there(centre: Centre) -> None:
    found = await centre.periods.suggestions(centre.actor, 2026)
    national = found[-1]
    assert (national.holiday.codes, national.registered) == (("national_day",), None)
    assert (national.begins_at, national.ends_at) == (
        datetime(2026, 10, 1, tzinfo=ZONE).astimezone(UTC),
        datetime(2026, 10, 8, tzinfo=ZONE).astimezone(UTC),
    )
    fair = NewPeriod("庙会", "event", "", found[1].begins_at, found[1].ends_at, True, False)
    day_before = NewPeriod("节前", "holiday", "", national.begins_at - 24 * HOUR, national.begins_at, True, False)
    own = NewPeriod("国庆安保", "holiday", "", national.ends_at - 2 * HOUR, national.ends_at + 9 * HOUR, True, True)
    for new in (fair, day_before, own):
        await centre.periods.create(centre.actor, new)
    registered = [one.registered for one in await centre.periods.suggestions(centre.actor, 2026)]
    assert registered == [None, None, None, None, None, None, "国庆安保"]
    assert await centre.periods.suggestions(centre.actor, 2150) == []


async def test_many_periods_are_added_at_once_and_once(centre: Centre) -> None:
    at = centre.clock.now()

    def new(name: str, begins: datetime, hours: int = 24, draft: bool = True) -> NewPeriod:
        return NewPeriod(name, "holiday", "", begins, begins + hours * HOUR, True, draft)

    await centre.plan("08:30")
    rules = PlanRules(DueRule((510,)), in_special="other", special=DueRule((600, 700)))
    await centre.plans.create(centre.actor, NewPlan("国庆", centre.tour, rules))
    with centre.bus.subscribe(PlanChanged) as told:
        with pytest.raises(HubError) as caught:
            await centre.periods.create_many(centre.actor, [new("元旦", at), new("春节", at, hours=0)])
        assert caught.value.reason == "period_length"
        assert await centre.periods.list(centre.actor, at - 9 * HOUR, at + 999 * HOUR) == []  # all or none
        many = [new("元旦", at, draft=False), new("春节", at + 60 * 24 * HOUR)]
        assert [one.name for one in await centre.periods.create_many(centre.actor, many)] == ["元旦", "春节"]
        assert await told.next() == PlanChanged(0)
    assert await centre.shown() == ["23 08:30 due", "23 10:00 due", "23 11:40 due"]
    again = [*many, new("春节", at + 400 * 24 * HOUR)]  # a year later it is another one
    assert [one.begins_at for one in await centre.periods.create_many(centre.actor, again)] == [again[2].begins_at]


async def test_a_season_comes_every_year(centre: Centre) -> None:
    rules = PlanRules(DueRule((510,)), seasons=(YearlySeason((11, 24), (2, 29)), YearlySeason((5, 1), (5, 2))))
    plan = await centre.plans.create(centre.actor, NewPlan("防溺水", centre.tour, rules))
    assert plan.plan.seasons == [{"first": "11-24", "last": "02-29"}, {"first": "05-01", "last": "05-02"}]
    assert await centre.shown() == []
    await centre.at("23T12:00")
    assert await centre.shown() == ["24 08:30 due"]
    for year, days in ((2027, 28), (2028, 29)):
        begin = datetime(year, 2, 20, tzinfo=ZONE).astimezone(UTC)
        found, _ = await centre.due.list(centre.actor, OccurrenceQuery(begin, begin + timedelta(days=40)))
        assert found[-1].due_at.astimezone(ZONE).date() == date(year, 2, days)
    overview = PlanOverview(centre.database, centre.clock, ZONE)
    planned = [day.planned for day in await overview.days(centre.actor, date(2029, 4, 29), date(2029, 5, 4))]
    assert planned == [0, 0, 1, 1, 0, 0]


async def test_a_plan_that_begins_in_months_is_told_what_it_meets_then(centre: Centre) -> None:
    await centre.plan("08:30", name="每日")
    season = (YearlySeason((6, 1), (9, 15)),)
    outlook = await centre.plans.preview(
        centre.actor, NewPlan("水域", centre.other_tour, PlanRules(DueRule((510,)), seasons=season)), None
    )
    first = outlook.times[0].due.at
    assert first.astimezone(ZONE).date() == date(2027, 6, 1)
    assert [(one.at, one.plan_name, one.other_at) for one in outlook.overlaps[:1]] == [(first, "每日", first)]


async def test_a_plan_that_is_moved_while_it_is_due_asks_for_one_patrol_after_the_other(centre: Centre) -> None:
    """What has been due stays until the plan is due again, as ever: not both at once for hours."""
    plan = await centre.plan("08:30", "20:00", grace=10)
    await centre.at("23T08:31")
    await centre.plans.change(
        centre.actor, plan, NewPlan("改", centre.tour, PlanRules(DueRule((550,))), grace_minutes=10), 0
    )
    await centre.at("23T09:09")
    assert await centre.shown() == ["23 08:30 late", "23 09:10 due"]
    await centre.at("23T09:11")
    assert await centre.shown() == ["23 08:30 missed not_started", "23 09:10 due"]


async def test_a_plan_that_is_changed_or_deleted_while_its_patrol_runs_does_not_touch_it(centre: Centre) -> None:
    plan = await centre.plan("08:30")
    await centre.at("23T08:31")
    started = await centre.due.start(centre.actor, (await centre.first()).id or 0)
    other = NewPlan("改", centre.other_tour, PlanRules(DueRule((600,))))
    await centre.plans.change(centre.actor, plan, other, 0)
    assert await centre.shown() == ["23 08:30 running", "23 10:00 due"]
    await centre.plans.remove(centre.actor, plan)
    await centre.runs.end(started.run_id, "submitted")
    await centre.at("23T08:50")
    assert await centre.shown() == ["23 08:30 done"]


async def test_a_period_that_is_entered_in_the_middle_of_its_day_changes_what_is_to_come(centre: Centre) -> None:
    rules = PlanRules(DueRule((510, 840)), in_special="other", special=DueRule(every=Interval(120, 0, 0)))
    await centre.plans.create(centre.actor, NewPlan("加密", centre.tour, rules))
    await centre.at("23T09:05")
    begins = datetime(2026, 11, 23, tzinfo=ZONE).astimezone(UTC)
    new = NewPeriod("庙会", "event", "", begins, begins + 18 * HOUR, True, False)
    period = await centre.periods.create(centre.actor, new)
    # What has been due stays as it was; nothing of the hours before comes up as missed.
    assert await centre.shown() == [
        "23 08:30 late", "23 10:00 due", "23 12:00 due", "23 14:00 due", "23 16:00 due", "24 08:30 due",
    ]  # fmt: skip
    await centre.at("23T10:01")
    await centre.periods.remove(centre.actor, period.id)
    assert await centre.shown() == ["23 08:30 missed not_started", "23 10:00 due", "23 14:00 due", "24 08:30 due"]


async def test_the_days_of_a_month_tell_what_was_and_what_is_planned(centre: Centre) -> None:
    overview = PlanOverview(centre.database, centre.clock, ZONE)
    await centre.plan("08:30", "14:30", "23:00")
    night = PlanRules(DueRule((60,)), frozenset({4}))
    await centre.plans.create(
        centre.actor, NewPlan("夜巡", centre.other_tour, night, night_tour_id=centre.other_tour, grace_minutes=30)
    )
    begins = datetime(2026, 11, 26, tzinfo=ZONE)
    await centre.periods.create(
        centre.actor, NewPeriod("庙会", "event", "", begins, begins + timedelta(days=2), True, False)
    )
    await centre.at("23T09:10")
    started = await centre.due.start(centre.actor, (await centre.first()).id or 0)
    await centre.runs.end(started.run_id, "submitted")
    await centre.at("24T14:40")
    found = await overview.days(centre.actor, date(2026, 11, 22), date(2026, 11, 28))
    told = [
        (one.day.day, one.planned, one.night, one.special, one.done, one.late, one.missed, one.open, one.coming)
        for one in found
    ]
    assert told == [
        (22, 0, 0, 0, 0, 0, 0, 0, 0),
        (23, 3, 1, 0, 1, 1, 2, 0, 0),
        (24, 3, 1, 0, 0, 0, 1, 1, 1),
        (25, 3, 1, 0, 0, 0, 0, 0, 3),
        (26, 3, 1, 3, 0, 0, 0, 0, 3),
        (27, 4, 2, 4, 0, 0, 0, 0, 4),
        (28, 3, 1, 0, 0, 0, 0, 0, 3),
    ]
    assert [(tour.tour_name, tour.count) for tour in found[5].tours] == [("重点路段", 3), ("学校", 1)]
    await centre.tours_archived(centre.other_tour)
    found = await overview.days(centre.actor, date(2026, 11, 27), date(2026, 11, 27))
    assert [(one.planned, [tour.tour_name for tour in one.tours]) for one in found] == [(3, ["重点路段"])]
    for last in (date(2026, 11, 26), date(2026, 11, 27) + timedelta(days=MOST_DAYS)):
        with pytest.raises(HubError) as refused:
            await overview.days(centre.actor, date(2026, 11, 27), last)
        assert refused.value.reason == "span_length"


@pytest.mark.slow
async def test_the_days_are_what_the_list_of_occurrences_has(centre: Centre) -> None:
    """Thirty plans every half hour, each of a tour of its own, over a special period and rows that are made already."""
    async with centre.database.write() as session:
        tours = [Tour(name=f"路线{number:02}", created_at=centre.clock.now()) for number in range(30)]
        session.add_all(tours)
        await session.flush()
        camera = await session.scalar(select(TourStop.camera_id).limit(1))
        session.add_all(TourStop(tour_id=tour.id, position=0, camera_id=camera, dwell_s=60) for tour in tours)
        every = [{"times": [], "every": {"minutes": minutes, "begin": "00:00", "end": "00:00"}} for minutes in (30, 60)]
        for tour in tours:
            plan = Plan(name=tour.name, tour_id=tour.id, rule=every[0], in_special="other", special_rule=every[1])
            plan.created_at = plan.changed_at = centre.clock.now()
            session.add(plan)
    begins = datetime(2026, 11, 24, 9, 15, tzinfo=ZONE)
    await centre.periods.create(
        centre.actor, NewPeriod("庙会", "event", "", begins, begins + timedelta(hours=20), True, False)
    )
    await centre.at("23T11:00")
    overview = PlanOverview(centre.database, centre.clock, ZONE)
    days = {one.day: one for one in await overview.days(centre.actor, date(2026, 11, 23), date(2026, 12, 23))}
    assert (days[date(2026, 12, 23)].planned, days[date(2026, 12, 23)].other_tours) == (30 * 48, 30 - MOST_TOURS)
    for number in (23, 24, 25, 26):
        begin = datetime(2026, 11, number, tzinfo=ZONE)
        listed, more = await centre.due.list(centre.actor, OccurrenceQuery(begin, begin + timedelta(days=1)))
        assert not more
        day = days[date(2026, 11, number)]
        assert (day.planned, day.night, day.special, day.missed, day.open + day.coming) == (
            len(listed),
            sum(one.variant == "night" for one in listed),
            sum(one.special for one in listed),
            sum(one.state == "missed" for one in listed),
            sum(one.state in ("due", "late", "running") for one in listed),
        )


@pytest.mark.slow
async def test_a_thousand_plans_are_made_in_bounds(centre: Centre) -> None:
    async with centre.database.write() as session:
        for number in range(1000):
            plan = Plan(name=f"计划{number}", tour_id=centre.tour, rule={"times": ["09:00", "15:00"], "every": None})
            plan.created_at = plan.changed_at = centre.clock.now()
            session.add(plan)
    await centre.due.tick()
    async with centre.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(PlanOccurrence)) == 2000
    found, more = await centre.due.list(
        centre.actor, OccurrenceQuery(centre.clock.now(), centre.clock.now() + timedelta(days=40))
    )
    assert (len(found), more) == (3000, True)
    with pytest.raises(HubError) as caught:
        await centre.plan("09:00")
    assert caught.value.reason == "too_many_plans"
    await centre.at("23T19:00")  # and judged: all 2,000 of the day, in pieces
    assert (await centre.shown()).count("23 15:00 missed not_started") == 1000


async def test_the_loop_sleeps_until_something_changes(centre: Centre) -> None:
    """Nothing spins: neither without plans nor while something is due."""
    assert await centre.due.tick() == 20
    await centre.plan("08:30")
    centre.clock.move(59 * 60 + 55)
    assert await centre.due.tick() == pytest.approx(5)
