"""When a plan is due: times of day, intervals, weekdays, seasons, special periods, variants, summer time."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_hub.errors import HubError
from camera_hub.patrol.plans.calendar import SpecialTimes, due_times, instant, next_due
from camera_hub.patrol.plans.day_counts import day_counts
from camera_hub.patrol.plans.rules import (
    DAY,
    DueRule,
    Interval,
    PlanRules,
    YearlySeason,
    check,
    check_night,
    minute_of,
    rule_json,
    rule_of,
    season_json,
    season_of,
)

# A season that ends within a year, over New Year, of a leap day, until one, from one, of all days, of one day.
YEARLY = [
    YearlySeason((6, 1), (9, 15)),
    YearlySeason((11, 15), (3, 15)),
    YearlySeason((2, 29), (2, 29)),
    YearlySeason((2, 20), (2, 29)),
    YearlySeason((2, 29), (3, 3)),
    YearlySeason((12, 30), (2, 29)),
    YearlySeason((1, 1), (12, 31)),
    YearlySeason((7, 7), (7, 7)),
]
SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
APIA, TROLL = ZoneInfo("Pacific/Apia"), ZoneInfo("Antarctica/Troll")
ZONES = [SHANGHAI, NEW_YORK, APIA, TROLL, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Kathmandu")]
NONE = SpecialTimes()


def shown(rules: PlanRules, begin: str, end: str, zone: ZoneInfo = SHANGHAI, special: SpecialTimes = NONE) -> list[str]:
    found = due_times(rules, special, zone, at(begin, zone), at(end, zone))
    return [
        one.at.astimezone(zone).strftime("%d %H:%M") + ("n" if one.night else "") + ("s" if one.special else "")
        for one in found
    ]


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def times(*texts: str) -> DueRule:
    return DueRule(tuple(minute_of(text) for text in texts))


def every(minutes: int, begin: str, end: str) -> DueRule:
    return DueRule(every=Interval(minutes, minute_of(begin), minute_of(end)))


WORKDAYS = frozenset(range(5))
EVENT = SpecialTimes([(at("2026-10-01"), at("2026-10-02T12:00"))])
AROUND = every(360, "00:00", "00:00")


@pytest.mark.parametrize(
    ("rules", "begin", "end", "special", "due"),
    [
        (PlanRules(times("08:30", "20:00")), "2026-11-23", "2026-11-25", NONE, "23 08:30|23 20:00|24 08:30|24 20:00"),
        (PlanRules(times("08:30")), "2026-11-23T08:30", "2026-11-24T08:30", NONE, "23 08:30"),  # the end is not in it
        (PlanRules(times("08:30"), weekdays=WORKDAYS), "2026-11-27", "2026-12-01", NONE, "27 08:30|30 08:30"),
        (
            PlanRules(times("08:30"), first_day=date(2026, 11, 24), last_day=date(2026, 11, 25)),
            "2026-11-20",
            "2026-12-01",
            NONE,
            "24 08:30|25 08:30",
        ),
        (PlanRules(every(120, "09:00", "14:00")), "2026-11-23", "2026-11-24", NONE, "23 09:00|23 11:00|23 13:00"),
        # Over midnight the interval belongs to the day on which it begins.
        (
            PlanRules(every(120, "22:00", "02:00"), weekdays=frozenset({4})),
            "2026-11-26",
            "2026-11-30",
            NONE,
            "27 22:00n|28 00:00n|28 02:00n",
        ),
        (
            PlanRules(every(90, "22:00", "01:30"), last_day=date(2026, 11, 23)),
            "2026-11-24",
            "2026-11-26",
            NONE,
            "24 01:00n",
        ),
        (PlanRules(AROUND), "2026-11-23T01:00", "2026-11-24T00:01", NONE, "23 06:00|23 12:00|23 18:00|24 00:00n"),
        # In a special period: the same, nothing, or another rule on every day of it, whatever its weekday.
        (PlanRules(times("09:00")), "2026-10-01", "2026-10-03", EVENT, "01 09:00s|02 09:00s"),
        (PlanRules(times("09:00", "14:00"), in_special="off"), "2026-10-01", "2026-10-03", EVENT, "02 14:00"),
        (
            PlanRules(times("09:00", "14:00"), WORKDAYS, in_special="other", special=AROUND),
            "2026-10-01",
            "2026-10-04",
            EVENT,
            "01 00:00ns|01 06:00s|01 12:00s|01 18:00s|02 00:00ns|02 06:00s|02 14:00",
        ),
        (
            PlanRules(DueRule(), in_special="other", special=times("12:00")),
            "2026-09-01",
            "2026-12-01",
            EVENT,
            "01 12:00s",
        ),
        (PlanRules(DueRule()), "2026-09-01", "2026-12-01", EVENT, ""),
        # Seasons of every year: within one, over New Year, of two parts.
        (PlanRules(times("09:00"), seasons=(YEARLY[0],)), "2029-05-30", "2029-06-03", NONE, "01 09:00|02 09:00"),
        (PlanRules(times("09:00"), seasons=(YEARLY[0],)), "2031-09-14", "2031-09-20", NONE, "14 09:00|15 09:00"),
        (PlanRules(times("09:00"), seasons=(YEARLY[1],)), "2026-03-14", "2026-03-20", NONE, "14 09:00|15 09:00"),
        (PlanRules(times("09:00"), seasons=(YEARLY[1],)), "2026-12-31", "2027-01-02", NONE, "31 09:00|01 09:00"),
        (PlanRules(times("09:00"), seasons=tuple(YEARLY[:2])), "2026-09-15", "2026-11-16", NONE, "15 09:00|15 09:00"),
        # 29 February: where there is none, a season from it begins on 1 March, one until it ends on the 28th.
        (PlanRules(times("09:00"), seasons=(YEARLY[4],)), "2027-02-27", "2027-03-02", NONE, "01 09:00"),
        (PlanRules(times("09:00"), seasons=(YEARLY[4],)), "2028-02-28", "2028-03-02", NONE, "29 09:00|01 09:00"),
        (PlanRules(times("09:00"), seasons=(YEARLY[5],)), "2027-02-28", "2027-03-02", NONE, "28 09:00"),
        (PlanRules(times("09:00"), seasons=(YEARLY[2],)), "2025-01-01", "2028-02-28", NONE, ""),
        # The last night of a season ends in the morning after it.
        (
            PlanRules(every(240, "22:00", "02:00"), seasons=(YEARLY[3],)),
            "2027-02-28T03:00",
            "2027-03-02",
            NONE,
            "28 22:00n|01 02:00n",
        ),
        # First and last day cut a season; out of season a special period is no reason either.
        (
            PlanRules(times("09:00"), first_day=date(2026, 6, 2), last_day=date(2027, 6, 1), seasons=(YEARLY[0],)),
            "2026-05-30",
            "2026-06-04",
            NONE,
            "02 09:00|03 09:00",
        ),
        (
            PlanRules(times("09:00"), in_special="other", special=AROUND, seasons=(YEARLY[0],)),
            "2026-09-15",
            "2026-10-08",
            EVENT,
            "15 09:00",
        ),
    ],
)
def test_a_plan_is_due(rules: PlanRules, begin: str, end: str, special: SpecialTimes, due: str) -> None:
    assert "|".join(shown(rules, begin, end, special=special)) == due


@pytest.mark.parametrize(
    ("zone", "rules", "day", "due"),
    [
        # 02:00–03:00 is skipped: due at the next instant there is, and once.
        (NEW_YORK, times("02:30"), "2026-03-08", "08 03:00"),
        (NEW_YORK, times("01:59", "02:00", "02:30", "03:00"), "2026-03-08", "08 01:59|08 03:00"),
        (NEW_YORK, every(60, "01:00", "05:00"), "2026-03-08", "08 01:00|08 03:00|08 04:00|08 05:00"),
        # 01:00–02:00 comes twice: due the first time.
        (NEW_YORK, times("01:30"), "2026-11-01", "01 01:30"),
        (NEW_YORK, every(30, "00:30", "02:30"), "2026-11-01", "01 00:30|01 01:00|01 01:30|01 02:00|01 02:30"),
        (TROLL, times("02:30"), "2026-03-29", "29 03:00"),  # two hours at once
        (ZoneInfo("Australia/Lord_Howe"), times("02:10"), "2026-10-04", "04 02:30"),  # half an hour
    ],
)
def test_summer_time_skips_and_repeats(zone: ZoneInfo, rules: DueRule, day: str, due: str) -> None:
    end = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    found = shown(PlanRules(rules, night_from=0, night_to=0), day, end, zone)
    assert "|".join(found) == due


def test_a_day_that_a_zone_leaves_out_is_made_up_for_once_at_its_end() -> None:
    # Samoa went from 29 to 31 December 2011.
    assert instant(date(2011, 12, 30), 510, APIA) == instant(date(2011, 12, 31), 0, APIA)
    found = due_times(PlanRules(times("08:30", "14:30")), NONE, APIA, at("2011-12-29", APIA), at("2012-01-01", APIA))
    assert [one.at.astimezone(APIA).strftime("%d %H:%M") for one in found] == [
        "29 08:30",
        "29 14:30",
        "31 00:00",
        "31 08:30",
        "31 14:30",
    ]


MINUTES = st.integers(0, DAY - 1)
RULES = st.builds(
    DueRule,
    st.lists(MINUTES, max_size=4).map(lambda found: tuple(sorted(set(found)))),
    st.none() | st.builds(Interval, st.integers(15, DAY), MINUTES, MINUTES),
)
INSTANTS = st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1)).map(lambda found: found.replace(tzinfo=UTC))
SPANS = st.lists(st.tuples(INSTANTS, st.timedeltas(timedelta(hours=1), timedelta(days=9))), max_size=3).map(
    lambda found: SpecialTimes((begin, begin + length) for begin, length in found)
)
PLANS = st.builds(
    PlanRules,
    RULES,
    st.frozensets(st.integers(0, 6), min_size=1),
    in_special=st.sampled_from(["same", "off", "other"]),
    special=RULES,
    night_from=MINUTES,
    night_to=MINUTES,
)


@given(PLANS, SPANS, st.sampled_from(ZONES), INSTANTS, st.timedeltas(timedelta(0), timedelta(days=4)), st.data())
def test_due_times_are_ordered_single_and_the_same_however_they_are_asked_for(
    rules: PlanRules, special: SpecialTimes, zone: ZoneInfo, begin: datetime, length: timedelta, data: st.DataObject
) -> None:
    """A span gives what its parts give: nothing is due twice, or never, because the hub asked in pieces."""
    end = begin + length
    found = due_times(rules, special, zone, begin, end)
    ats = [one.at for one in found]
    assert ats == sorted(set(ats))
    assert all(begin <= one < end for one in ats)
    cut = begin + length * data.draw(st.floats(0, 1))
    assert due_times(rules, special, zone, begin, cut) + due_times(rules, special, zone, cut, end) == found
    assert due_times(rules, special, zone, begin, end, 3) == found[:3]
    if found:
        assert next_due(rules, special, zone, begin - timedelta(microseconds=1)) == found[:1]


@settings(deadline=None)
@given(
    PLANS.map(lambda rules: replace(rules, first_day=date(2026, 3, 3), last_day=date(2026, 11, 20)))
    | PLANS.map(lambda rules: replace(rules, seasons=(YearlySeason((11, 4), (3, 8)),)))
    | PLANS,
    SPANS | st.just(SpecialTimes([(at("2026-02-27T06:00", NEW_YORK), at("2026-03-20", NEW_YORK))])),
    st.sampled_from(ZONES),
    st.sampled_from([date(2026, 2, 25), date(2026, 10, 28)]),
    st.timedeltas(timedelta(0), timedelta(days=15)),
)
def test_the_counts_of_a_month_are_those_of_its_days(
    rules: PlanRules, special: SpecialTimes, zone: ZoneInfo, first: date, after: timedelta
) -> None:
    """Equal days are counted once: that must not change what is counted, whatever ends or begins in the month."""
    days = [first + timedelta(days=number) for number in range(31)]
    since = instant(first, 0, zone) + after
    counted = dict(day_counts(rules, special, zone, days, since))
    for day in days:
        begin, end = instant(day, 0, zone), instant(day + timedelta(days=1), 0, zone)
        due = due_times(rules, special, zone, max(begin, since), end) if end > since else []
        assert counted.get(day, {}) == Counter((one.night, one.special) for one in due)


@settings(deadline=None)
@given(
    PLANS,
    st.lists(st.sampled_from(YEARLY), min_size=1, max_size=2).map(tuple),
    st.sampled_from([(None, None), (date(2027, 2, 26), None), (date(2024, 3, 1), date(2028, 2, 29))]),
    SPANS | st.just(SpecialTimes([(at("2028-02-27T06:00"), at("2028-03-20"))])),
    st.sampled_from(ZONES),
    st.sampled_from([date(2026, 12, 28), date(2027, 2, 26), date(2028, 2, 26), date(2026, 5, 30), date(2027, 3, 13)]),
    st.timedeltas(timedelta(0), timedelta(days=9)),
)
def test_seasons_are_what_a_calendar_on_the_wall_says(
    rules: PlanRules,
    seasons: tuple[YearlySeason, ...],
    span: tuple[date | None, date | None],
    special: SpecialTimes,
    zone: ZoneInfo,
    first: date,
    after: timedelta,
) -> None:
    """Against a reference that marks each day of each season of each year, and then goes from day to day."""
    rules = replace(rules, seasons=seasons, first_day=span[0], last_day=span[1])
    begin = instant(first, 0, zone) + after
    end = begin + timedelta(days=5)
    marked = {day for season in seasons for year in range(2022, 2032) for day in days_of(season, year)}
    expected = set()
    for number in range(-4, 20):
        day = first + timedelta(days=number)
        if day not in marked or (span[0] and day < span[0]) or (span[1] and day > span[1]):
            continue
        for minute in rules.normal.minutes() if day.weekday() in rules.weekdays else ():
            if rules.in_special == "same" or instant(day, minute, zone) not in special:
                expected.add(instant(day, minute, zone))
        for minute in rules.special.minutes() if rules.in_special == "other" and rules.special else ():
            if instant(day, minute, zone) in special:
                expected.add(instant(day, minute, zone))
    found = due_times(rules, special, zone, begin, end)
    assert [one.at for one in found] == sorted(one for one in expected if begin <= one < end)
    assert all(one.special == (one.at in special) for one in found)


def days_of(season: YearlySeason, year: int) -> list[date]:
    """Those of the season that begins in the year."""
    leap = year % 4 == 0
    begin = date(year, 3, 1) if season.first == (2, 29) and not leap else date(year, *season.first)
    over = season.last < season.first
    ends_in = year + 1 if over else year
    end = date(ends_in, 2, 28) if season.last == (2, 29) and ends_in % 4 else date(ends_in, *season.last)
    return [begin + timedelta(days=number) for number in range((end - begin).days + 1)]


@given(PLANS, st.sampled_from(ZONES), INSTANTS)
def test_no_day_has_more_due_times_than_its_rule(rules: PlanRules, zone: ZoneInfo, begin: datetime) -> None:
    """`every minute for ever` is refused by what `most_per_day` says, so that must be the most there can be."""
    normal, special = len(rules.normal.minutes()), len(rules.special.minutes()) if rules.special is not None else 0
    found = due_times(rules, NONE, zone, begin, begin + timedelta(days=3))
    assert len(found) <= 5 * normal
    assert rules.most_per_day() <= max(normal, special)
    assert not any(one.special for one in found)


@given(st.sampled_from(ZONES), st.dates(date(2005, 1, 2), date(2035, 1, 1)), st.integers(0, 2 * DAY - 1), MINUTES)
def test_an_instant_is_the_first_one_that_the_sites_clock_shows_from_then_on(
    zone: ZoneInfo, day: date, minute: int, later: int
) -> None:
    found = instant(day, minute, zone)
    wanted = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
    local = found.astimezone(zone).replace(tzinfo=None)
    assert local >= wanted
    before = (found - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
    assert local == wanted or before < wanted  # skipped: a second earlier the clock did not show it yet
    assert instant(day, minute + later, zone) >= found


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (PlanRules(every(1, "00:00", "00:00")), "plan_too_dense"),
        (PlanRules(times("08:00"), in_special="other", special=every(5, "00:00", "00:00")), "plan_too_dense"),
        (PlanRules(DueRule()), "plan_never_due"),
        (PlanRules(times("08:00"), in_special="other"), "plan_no_special_times"),
        (
            PlanRules(times("08:00"), first_day=date(2026, 2, 1), last_day=date(2026, 1, 1)),
            "plan_days_reversed",
        ),
        (  # one Monday, and Sundays alone
            PlanRules(times("08:00"), frozenset({6}), date(2026, 12, 7), date(2026, 12, 7)),
            "plan_no_weekday",
        ),
        (  # autumn, and a season in summer
            PlanRules(times("08:00"), first_day=date(2026, 10, 1), last_day=date(2027, 5, 31), seasons=(YEARLY[0],)),
            "plan_no_weekday",
        ),
        (
            PlanRules(
                times("08:00"),
                first_day=date(2026, 10, 1),
                last_day=date(2027, 5, 31),
                in_special="other",
                special=AROUND,
                seasons=(YEARLY[0],),
            ),
            "plan_no_weekday",
        ),
    ],
)
def test_a_plan_that_nobody_can_follow_is_refused(rules: PlanRules, reason: str) -> None:
    with pytest.raises(HubError) as caught:
        check(rules)
    assert caught.value.reason == reason


def test_a_short_season_with_one_of_its_weekdays_is_taken() -> None:
    check(PlanRules(times("08:00"), frozenset({6}), date(2026, 12, 7), date(2026, 12, 13)))
    check(PlanRules(times("08:00"), frozenset({6}), date(2026, 12, 12), date(2026, 12, 14)))
    every_two = every(120, "00:00", "00:00")
    single = date(2026, 12, 7)
    check(PlanRules(times("08:00"), frozenset({6}), single, single, "other", every_two))  # due if it is special
    check(PlanRules(times("08:00"), frozenset({6}), seasons=(YEARLY[2],)))  # in 2032


@given(st.sampled_from(YEARLY))
def test_a_season_survives_being_stored(season: YearlySeason) -> None:
    assert season_of(season_json(season)) == season


def test_a_night_that_ends_when_it_begins_has_no_tour() -> None:
    check_night(PlanRules(times("08:00"), night_from=0, night_to=1))
    with pytest.raises(HubError) as caught:
        check_night(PlanRules(times("08:00"), night_from=360, night_to=360))
    assert caught.value.reason == "plan_no_night"


@pytest.mark.parametrize("text", ["24:00", "8:30", "08:60", "０8:30", "08.30", "", "-1:30"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(HubError, match="time of day"):
        minute_of(text)


@given(RULES)
def test_a_rule_survives_being_stored(rule: DueRule) -> None:
    assert rule_of(rule_json(rule)) == rule


def test_a_plan_that_is_due_on_no_day_of_the_year_ends_the_search() -> None:
    rules = PlanRules(DueRule(), in_special="other", special=AROUND)
    assert next_due(rules, NONE, SHANGHAI, at("2026-11-23"), 10) == []
    assert next_due(PlanRules(times("08:30"), last_day=date(2026, 1, 1)), NONE, SHANGHAI, at("2026-11-23")) == []
