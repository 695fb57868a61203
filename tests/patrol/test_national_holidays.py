"""National holidays of China: as announced, as computed, and what is true of each year."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.patrol.plans.national_holidays import FIRST_YEAR, LAST_YEAR, festival_days, national_holidays

SEVEN = ["new_year", "spring_festival", "qingming", "labour_day", "dragon_boat", "mid_autumn", "national_day"]


def shown(year: int) -> list[str]:
    return [f"{'+'.join(one.codes)} {one.first_day:%m-%d} {one.last_day:%m-%d}" for one in national_holidays(year)]


def test_an_announced_year_has_the_days_of_the_notice() -> None:
    # Notice of the General Office of the State Council for 2026 (2025-11-04).
    assert shown(2026) == [
        "new_year 01-01 01-03",
        "spring_festival 02-15 02-23",
        "qingming 04-04 04-06",
        "labour_day 05-01 05-05",
        "dragon_boat 06-19 06-21",
        "mid_autumn 09-25 09-27",
        "national_day 10-01 10-07",
    ]
    assert all(one.announced for one in national_holidays(2026))


@pytest.mark.parametrize(
    ("year", "holiday"),
    [
        (2024, "new_year 12-30 01-01"),  # begins in the year before
        (2024, "spring_festival 02-10 02-17"),  # the Sunday after it was worked on
        (2025, "new_year 01-01 01-01"),  # a single day
        (2025, "national_day+mid_autumn 10-01 10-08"),  # two in one
        (2020, "spring_festival 01-24 02-02"),  # made longer by a second notice
    ],
)
def test_days_off_that_follow_each_other_are_one_holiday(year: int, holiday: str) -> None:
    assert holiday in shown(year)


def test_a_year_without_a_notice_is_computed_and_says_so() -> None:
    assert not any(one.announced for one in national_holidays(2060))
    assert shown(2031)[-1] == "mid_autumn+national_day 10-01 10-05"  # both on one day
    assert (national_holidays(FIRST_YEAR - 1), national_holidays(LAST_YEAR + 1)) == ((), ())
    assert (festival_days(FIRST_YEAR - 1), festival_days(LAST_YEAR + 1)) == ({}, {})


@given(st.integers(FIRST_YEAR, LAST_YEAR))
def test_every_year_has_seven_holidays_each_with_its_own_day(year: int) -> None:
    found = national_holidays(year)
    assert sorted(code for one in found for code in one.codes) == sorted(SEVEN)
    assert len({one.announced for one in found}) == 1
    for one, after in pairwise(found):
        assert one.last_day < after.first_day - timedelta(days=1)  # else they would be one
    days = festival_days(year)
    for one in found:
        assert one.first_day <= one.last_day < one.first_day + timedelta(days=14)
        assert all(one.first_day <= days[code] <= one.last_day for code in one.codes)
        # Nothing is cut off: on the days around it people work, so that only a weekend that is worked on meets it.
        if not one.announced:
            assert (one.first_day - timedelta(days=1)).weekday() < 5
            assert (one.last_day + timedelta(days=1)).weekday() < 5
    assert days["new_year"] == date(year, 1, 1)
