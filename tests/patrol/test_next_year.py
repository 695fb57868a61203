"""A special period a year later: leap days, New Year, lunar holidays, changes of the clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from camera_hub.patrol.plans.calendar import instant
from camera_hub.patrol.plans.lunar_days import lunar_day
from camera_hub.patrol.plans.next_year import a_year_later, length
from camera_hub.patrol.plans.special_periods import LONGEST

SHANGHAI, NEW_YORK, BEIRUT = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Beirut")
ZONES = [SHANGHAI, NEW_YORK, BEIRUT, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Antarctica/Troll")]


def copied(begins: str, ends: str, name: str = "国庆节", zone: ZoneInfo = SHANGHAI) -> str:
    at, until = (datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC) for text in (begins, ends))
    begin, end = a_year_later(name, at, until, zone, LONGEST)
    return f"{begin.astimezone(zone):%F %R} {end.astimezone(zone):%F %R}"


@pytest.mark.parametrize(
    ("begins", "ends", "copy"),
    [
        ("2026-10-01", "2026-10-08", "2027-10-01 00:00 2027-10-08 00:00"),
        ("2026-12-31", "2027-01-03", "2027-12-31 00:00 2028-01-03 00:00"),  # over New Year
        # 2028 has a leap day.
        ("2028-02-28", "2028-02-29", "2029-02-28 00:00 2029-03-01 00:00"),  # 28 February alone
        ("2028-02-29", "2028-03-01", "2029-02-28 00:00 2029-03-01 00:00"),  # the leap day alone
        ("2028-02-28", "2028-03-01", "2029-02-28 00:00 2029-03-02 00:00"),  # two days until the leap day
        ("2028-02-29", "2028-03-06", "2029-02-28 00:00 2029-03-06 00:00"),
        ("2028-02-20", "2028-03-06", "2029-02-20 00:00 2029-03-06 00:00"),
        ("2028-02-28T20:00", "2028-02-29T06:00", "2029-02-28 20:00 2029-03-01 06:00"),  # a night
        ("2028-02-28T20:00", "2028-02-29T00:00", "2029-02-28 20:00 2029-03-01 00:00"),
        ("2028-02-29T08:00", "2028-02-29T12:00", "2029-02-28 08:00 2029-02-28 12:00"),
        ("2027-02-28", "2027-03-01", "2028-02-28 00:00 2028-02-29 00:00"),  # into the leap year
        ("2027-01-01", "2027-05-01", "2028-01-01 00:00 2028-04-30 00:00"),  # no longer than a period may be
    ],
)
def test_it_is_on_the_same_days_of_the_calendar(begins: str, ends: str, copy: str) -> None:
    assert copied(begins, ends) == copy


@pytest.mark.parametrize(
    ("name", "begins", "ends", "copy"),
    [
        ("春节", "2026-02-15", "2026-02-24", "2027-02-04 00:00 2027-02-13 00:00"),
        ("端午节", "2026-06-19", "2026-06-22", "2027-06-09 00:00 2027-06-12 00:00"),
        ("2026年中秋假期", "2026-09-25", "2026-09-28", "2027-09-15 00:00 2027-09-18 00:00"),
        ("Mid-Autumn Festival", "2026-09-25T18:00", "2026-09-26T02:00", "2027-09-15 18:00 2027-09-16 02:00"),
        ("元宵灯会", "2056-02-29", "2056-03-01", "2057-02-18 00:00 2057-02-19 00:00"),
        ("春节", "2100-02-09", "2100-02-10", "2101-02-09 00:00 2101-02-10 00:00"),  # the known calendar ends in 2100
        ("国庆中秋", "2025-10-01", "2025-10-09", "2026-10-01 00:00 2026-10-09 00:00"),  # National Day does not move
        (
            "春节后复工安保",
            "2026-03-05",
            "2026-03-12",
            "2027-03-05 00:00 2027-03-12 00:00",
        ),  # after it
    ],
)
def test_a_lunar_holiday_moves_with_its_calendar(name: str, begins: str, ends: str, copy: str) -> None:
    assert copied(begins, ends, name) == copy


def test_changes_of_the_clock() -> None:
    # A day that is 25 hours long one year, and 24 the next one.
    assert copied("2026-11-01", "2026-11-02", zone=NEW_YORK) == "2027-11-01 00:00 2027-11-02 00:00"
    # 02:10 to 02:50 does not exist on 14 March 2027: what lasted 40 minutes does so after the change.
    assert copied("2026-03-14T02:10", "2026-03-14T02:50", zone=NEW_YORK) == "2027-03-14 03:00 2027-03-14 03:40"
    # Clocks were set back within the period: 01:50 to the second 01:20.
    begins = datetime(2026, 11, 1, 1, 50, tzinfo=NEW_YORK).astimezone(UTC)
    begin, end = a_year_later("", begins, begins + timedelta(minutes=30), NEW_YORK, LONGEST)
    assert (begin.astimezone(NEW_YORK).replace(tzinfo=None), end - begin) == (
        datetime(2027, 11, 1, 1, 50),
        timedelta(minutes=30),
    )
    # In Beirut 29 March 2026 begins at 01:00; in 2027 that day has a midnight.
    begins, ends = instant(date(2026, 3, 29), 0, BEIRUT), instant(date(2026, 3, 30), 0, BEIRUT)
    assert begins.astimezone(BEIRUT).hour == 1
    begin, end = a_year_later("", begins, ends, BEIRUT, LONGEST)
    assert f"{begin.astimezone(BEIRUT):%F %R} {end.astimezone(BEIRUT):%F %R}" == "2027-03-29 00:00 2027-03-30 00:00"


DAYS = st.dates(date(2024, 1, 1), date(2055, 1, 1))
NAMES = st.sampled_from(["国庆节", "春节", "中秋", "清明", ""])


@settings(deadline=None)
@given(DAYS, st.integers(1, 120), st.sampled_from(ZONES), NAMES, st.integers(1, 9))
@example(date(2028, 2, 28), 1, SHANGHAI, "", 4)
@example(date(2028, 2, 29), 1, SHANGHAI, "", 4)
@example(date(2027, 12, 20), 71, SHANGHAI, "", 8)
def test_whole_days_stay_whole_days_for_years(day: date, days: int, zone: ZoneInfo, name: str, years: int) -> None:
    begin, end = instant(day, 0, zone), instant(day + timedelta(days=days), 0, zone)
    for _ in range(years):
        before = begin.astimezone(zone).date(), length(begin, end, zone)
        begin, end = a_year_later(name, begin, end, zone, LONGEST)
        first, last = begin.astimezone(zone).date(), end.astimezone(zone).date()
        assert (begin, end) == (instant(first, 0, zone), instant(last, 0, zone))
        assert begin < end
        assert length(begin, end, zone) <= LONGEST
        assert abs(length(begin, end, zone) - before[1]) <= timedelta(days=1)
        if lunar_day(name, first.year) is None:
            assert (first.year, first.month, min(first.day, 28 if first.month == 2 else 31)) == (
                before[0].year + 1,
                before[0].month,
                min(before[0].day, 28 if before[0].month == 2 else 31),
            )


@settings(deadline=None)
@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2055, 1, 1)),
    st.timedeltas(timedelta(minutes=1), LONGEST),
    st.sampled_from(ZONES),
    NAMES,
    st.integers(1, 9),
)
@example(datetime(2028, 2, 28, 10), timedelta(hours=14), SHANGHAI, "", 2)
@example(datetime(2028, 2, 28, 20), timedelta(hours=10), SHANGHAI, "", 2)
@example(datetime(2026, 11, 1, 5, 50), timedelta(minutes=30), NEW_YORK, "", 2)
def test_a_copy_is_always_a_period_that_could_be_entered(
    begins: datetime, lasts: timedelta, zone: ZoneInfo, name: str, years: int
) -> None:
    begin = begins.replace(second=0, microsecond=0, tzinfo=UTC)
    end = begin + timedelta(minutes=lasts // timedelta(minutes=1))
    assume(length(begin, end, zone) <= LONGEST)
    for _ in range(years):
        before = end - begin
        begin, end = a_year_later(name, begin, end, zone, LONGEST)
        assert begin < end
        assert length(begin, end, zone) <= LONGEST
        # A leap day more or less, and two changes of the clock of up to two hours.
        assert abs((end - begin) - before) <= timedelta(days=1, hours=4)
