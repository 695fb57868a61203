"""On which days of the common calendar holidays of the lunar calendar fall. Pure.

Only a proposal for the copy of a holiday: which days are free is announced anew each year.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from camera_hub.patrol.plans.national_holidays import festival_days


@dataclass(frozen=True, slots=True)
class _Holiday:
    """By which words a name tells it, and its day: so many days after one of national_holidays.festival_days."""

    words: tuple[str, ...]
    code: str
    after: int = 0


_HOLIDAYS = (
    _Holiday(("除夕", "lunar new year's eve"), "spring_festival", -1),
    _Holiday(("元宵", "lantern"), "spring_festival", 14),
    _Holiday(("春节", "spring festival", "lunar new year", "chinese new year"), "spring_festival"),
    _Holiday(("端午", "dragon boat"), "dragon_boat"),
    _Holiday(("中秋", "mid-autumn", "mid autumn"), "mid_autumn"),
)
_FIXED = ("国庆", "national day", "元旦", "劳动", "五一", "labour day", "labor day")
"""A period that is named after one of these as well (国庆中秋) stays on the days of the common calendar."""


def lunar_day(name: str, year: int) -> date | None:
    """The day in that year of the lunar holiday that a period is named after."""
    text = name.casefold()
    if any(word in text for word in _FIXED):
        return None
    found = next((one for one in _HOLIDAYS if any(word in text for word in one.words)), None)
    if found is None or (day := festival_days(year).get(found.code)) is None:
        return None
    return day + timedelta(days=found.after)
