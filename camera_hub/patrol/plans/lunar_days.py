"""On which days of the common calendar holidays of the lunar calendar fall. Pure.

Only a proposal for the copy of a holiday: which days are free is announced anew each year.
"""

from dataclasses import dataclass
from datetime import date, timedelta

_DAYS = {
    2024: ("02-10", "06-10", "09-17"),
    2025: ("01-29", "05-31", "10-06"),
    2026: ("02-17", "06-19", "09-25"),
    2027: ("02-06", "06-09", "09-15"),
    2028: ("01-26", "05-28", "10-03"),
    2029: ("02-13", "06-16", "09-22"),
    2030: ("02-03", "06-05", "09-12"),
    2031: ("01-23", "06-24", "10-01"),
    2032: ("02-11", "06-12", "09-19"),
    2033: ("01-31", "06-01", "09-08"),
    2034: ("02-19", "06-20", "09-27"),
    2035: ("02-08", "06-10", "09-16"),
    2036: ("01-28", "05-30", "10-04"),
    2037: ("02-15", "06-18", "09-24"),
    2038: ("02-04", "06-07", "09-13"),
    2039: ("01-24", "05-27", "10-02"),
    2040: ("02-12", "06-14", "09-20"),
    2041: ("02-01", "06-03", "09-10"),
    2042: ("01-22", "06-22", "09-28"),
    2043: ("02-10", "06-11", "09-17"),
    2044: ("01-30", "05-31", "10-05"),
    2045: ("02-17", "06-19", "09-25"),
    2046: ("02-06", "06-08", "09-15"),
    2047: ("01-26", "05-29", "10-04"),
    2048: ("02-14", "06-15", "09-22"),
    2049: ("02-02", "06-04", "09-11"),
    2050: ("01-23", "06-23", "09-30"),
    2051: ("02-11", "06-13", "09-19"),
    2052: ("02-01", "06-01", "09-07"),
    2053: ("02-19", "06-20", "09-26"),
    2054: ("02-08", "06-10", "09-16"),
    2055: ("01-28", "05-30", "10-05"),
    2056: ("02-15", "06-17", "09-24"),
}
"""Year → month and day of the lunar New Year, Dragon Boat (5th of the 5th month) and Mid-Autumn (15th of the 8th), by
the calendar of China (GB/T 33661, for UTC+8)."""


@dataclass(frozen=True, slots=True)
class _Holiday:
    """By which words a name tells it, and its day: a column of the table, and so many days after it."""

    words: tuple[str, ...]
    column: int
    after: int = 0


_HOLIDAYS = (
    _Holiday(("除夕", "lunar new year's eve"), 0, -1),
    _Holiday(("元宵", "lantern"), 0, 14),
    _Holiday(("春节", "spring festival", "lunar new year", "chinese new year"), 0),
    _Holiday(("端午", "dragon boat"), 1),
    _Holiday(("中秋", "mid-autumn", "mid autumn"), 2),
)
_FIXED = ("国庆", "national day", "元旦", "劳动", "五一", "labour day", "labor day")
"""A period that is named after one of these as well (国庆中秋) stays on the days of the common calendar."""


def lunar_day(name: str, year: int) -> date | None:
    """The day in that year of the lunar holiday that a period is named after."""
    text = name.casefold()
    if year not in _DAYS or any(word in text for word in _FIXED):
        return None
    found = next((one for one in _HOLIDAYS if any(word in text for word in one.words)), None)
    if found is None:
        return None
    return date.fromisoformat(f"{year}-{_DAYS[year][found.column]}") + timedelta(days=found.after)
