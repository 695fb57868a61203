"""National holidays of China: days off as the State Council arranges them, or as far as they can be computed. Pure.

The one home of the library `holidays`, whose tables follow the notices of the State Council's General Office. A notice
for a year comes at the end of the year before, and reaches this hub with a new version of the library: for a year whose
notice it does not know, it gives the days that the law grants, moved off weekends. What the notice adds to them by
working on weekends before and after is not known then, so that real holidays are often longer.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

FIRST_YEAR, LAST_YEAR = 2008, 2100
"""Since 2008 the seven holidays are those of today; the library's lunar calendar ends in 2100."""

_ONE_DAY = timedelta(days=1)
_CODES = {
    "元旦": "new_year",
    "农历除夕": "spring_festival",
    "春节": "spring_festival",
    "清明节": "qingming",
    "劳动节": "labour_day",
    "端午节": "dragon_boat",
    "中秋节": "mid_autumn",
    "国庆节": "national_day",
}
"""The library's names of days, and the holidays that they belong to."""


@dataclass(frozen=True, slots=True)
class NationalHoliday:
    """Days off that follow each other, weekends that they join included. `codes`: the holidays within, in order
    (new_year, spring_festival, qingming, labour_day, dragon_boat, mid_autumn, national_day); several where they meet.
    `announced`: the days are those of the notice; else computed."""

    codes: tuple[str, ...]
    first_day: date
    last_day: date
    announced: bool


@lru_cache(maxsize=16)
def national_holidays(year: int) -> tuple[NationalHoliday, ...]:
    """Those whose own days lie in the year, in order; none before FIRST_YEAR and after LAST_YEAR. The days off of New
    Year may begin in the year before.

    The first call reads the library (some 0.2 s): not in an event loop.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return ()
    china = _china(range(year - 1, year + 2), observed=True)
    announced = _announced(year)
    own = {day: codes for day, codes in _named(_china([year], observed=False))}
    found: list[NationalHoliday] = []
    for day, codes in own.items():
        if found and day <= found[-1].last_day:
            known = found[-1]
            found[-1] = NationalHoliday(
                tuple(dict.fromkeys((*known.codes, *codes))), known.first_day, known.last_day, announced
            )
            continue
        first = last = day
        while _off(china, first - _ONE_DAY):
            first -= _ONE_DAY
        while _off(china, last + _ONE_DAY):
            last += _ONE_DAY
        found.append(NationalHoliday(codes, first, last, announced))
    return tuple(found)


@lru_cache(maxsize=256)
def festival_days(year: int) -> Mapping[str, date]:
    """The day of each holiday in the year, by its code (see NationalHoliday): of the Spring Festival the lunar New
    Year's day. None before FIRST_YEAR and after LAST_YEAR."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return {}
    china = _china([year], observed=False)
    named = ((name, min(china.get_named(name, lookup="exact"), default=None)) for name in _CODES if name != "农历除夕")
    return {_CODES[name]: day for name, day in named if day is not None}


def _named(china: "HolidayBase") -> Iterator[tuple[date, tuple[str, ...]]]:
    """Its days that have a name of their own, in order, each with the holidays that it belongs to."""
    for day in sorted(china):
        codes = tuple(dict.fromkeys(_CODES[name] for name in china.get_list(day) if name in _CODES))
        if codes:
            yield day, codes


def _off(china: "HolidayBase", day: date) -> bool:
    """Whether nobody works on that day."""
    return day in china or (day.weekday() >= 5 and day not in china.weekend_workdays)


def _china(years: Collection[int], *, observed: bool) -> "HolidayBase":
    from holidays import country_holidays  # all countries of the world, 11 MB: only where it is asked for

    return country_holidays("CN", years=years, observed=observed, expand=False, language="zh_CN")


def _announced(year: int) -> bool:
    from holidays.countries.china import ChinaStaticHolidays

    return year in ChinaStaticHolidays.special_public_holidays
