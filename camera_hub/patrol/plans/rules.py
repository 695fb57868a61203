"""By which rules a plan is due. Values and their checks; pure. Times of day are minutes since midnight, site's time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from camera_hub.errors import HubError, Kind

DAY = 24 * 60
MOST_PER_DAY = 96
"""Due times of one plan on one day: every 15 minutes around the clock. More than that nobody can patrol."""
EVERY_WEEKDAY = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class Interval:
    """Every `minutes` from `start` until `end`, both included; an `end` before `start` is on the next day, and one
    equal to it means around the clock."""

    minutes: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class DueRule:
    """Times of day, and an interval or none. Neither: never due."""

    times: tuple[int, ...] = ()
    every: Interval | None = None

    def minutes(self) -> tuple[int, ...]:
        """When it is due, in minutes since the midnight of its day, sorted; those from DAY on are on the next day."""
        found = set(self.times)
        if self.every is not None:
            start, end = self.every.start, self.every.end
            last = start + DAY - 1 if end == start else end if end > start else end + DAY
            found.update(range(start, last + 1, self.every.minutes))
        return tuple(sorted(found))


@dataclass(frozen=True, slots=True)
class YearlySeason:
    """The days of every year from `first` to `last`, both included, each as (month, day); a `last` before `first` lies
    in the next year. Where there is no 29 February, a season from it begins on 1 March, and one until it ends on the
    28th."""

    first: tuple[int, int]
    last: tuple[int, int]

    def __contains__(self, day: date) -> bool:
        at = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= at <= self.last
        return at >= self.first or at <= self.last


@dataclass(frozen=True, slots=True)
class PlanRules:
    """All that decides when a plan is due. `first_day` and `last_day` are days of one year each, `seasons` come every
    year (none: all of it); all must allow a day. `in_special`: same | off | other (see store.tables.plans.Plan)."""

    normal: DueRule
    weekdays: frozenset[int] = EVERY_WEEKDAY
    first_day: date | None = None
    last_day: date | None = None
    in_special: str = "same"
    special: DueRule | None = None
    night_from: int = 22 * 60
    night_to: int = 6 * 60
    seasons: tuple[YearlySeason, ...] = ()

    def in_season(self, day: date) -> bool:
        """Whether the plan has times on that day, as far as the calendar of the year goes."""
        if (self.first_day is not None and day < self.first_day) or (self.last_day is not None and day > self.last_day):
            return False
        return not self.seasons or any(day in season for season in self.seasons)

    def at_night(self, minute: int) -> bool:
        """Whether a minute of the day belongs to the night variant."""
        if self.night_from <= self.night_to:
            return self.night_from <= minute < self.night_to
        return minute >= self.night_from or minute < self.night_to

    def most_per_day(self) -> int:
        """The due times of its densest day."""
        special = self.special.minutes() if self.special is not None and self.in_special == "other" else ()
        return max(len(self.normal.minutes()), len(special))


def minute_of(text: str) -> int:
    """ "08:30" → 510. Raises HubError(INVALID)."""
    hours, _, minutes = text.partition(":")
    if len(text) == 5 and text.isascii() and hours.isdigit() and minutes.isdigit():
        hour, minute = int(hours), int(minutes)
        if hour < 24 and minute < 60:
            return hour * 60 + minute
    raise HubError(Kind.INVALID, f"{text!r} is no time of day; write it like 08:30", reason="no_time_of_day")


def clock_text(minute: int) -> str:
    """510 → "08:30"."""
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def rule_of(given: Mapping[str, Any]) -> DueRule:
    """From its JSON. Raises HubError(INVALID) when it is none."""
    every = given.get("every")
    times = tuple(sorted({minute_of(text) for text in given.get("times", ())}))
    if every is None:
        return DueRule(times)
    minutes = int(every["minutes"])
    if not 1 <= minutes <= DAY:
        raise HubError(Kind.INVALID, f"an interval has 1 to {DAY} minutes, not {minutes}", reason="plan_interval")
    return DueRule(times, Interval(minutes, minute_of(every["begin"]), minute_of(every["end"])))


def rule_json(rule: DueRule) -> dict[str, Any]:
    """As it is stored and sent."""
    every = rule.every
    return {
        "times": [clock_text(minute) for minute in rule.times],
        "every": None
        if every is None
        else {"minutes": every.minutes, "begin": clock_text(every.start), "end": clock_text(every.end)},
    }


def weekday_set(days: Sequence[int]) -> frozenset[int]:
    """Of their JSON; none at all means every day."""
    return frozenset(day for day in days if day in EVERY_WEEKDAY) or EVERY_WEEKDAY


def season_of(given: Mapping[str, str]) -> YearlySeason:
    """From its JSON, {"first": "06-01", "last": "09-15"}."""
    return YearlySeason(_month_and_day(given["first"]), _month_and_day(given["last"]))


def season_json(season: YearlySeason) -> dict[str, str]:
    """As it is stored and sent."""
    return {"first": "{:02}-{:02}".format(*season.first), "last": "{:02}-{:02}".format(*season.last)}


def check(rules: PlanRules) -> None:
    """Raise HubError(INVALID) with cause and remedy when a plan with these rules would never be due, or too often."""
    dense = rules.most_per_day()
    if dense > MOST_PER_DAY:
        raise HubError(
            Kind.INVALID,
            f"this plan is due {dense} times a day, and at most {MOST_PER_DAY} are possible; lengthen the interval",
            reason="plan_too_dense",
            count=dense,
            most=MOST_PER_DAY,
        )
    if dense == 0:
        raise HubError(
            Kind.INVALID, "this plan is never due; give it times of day or an interval", reason="plan_never_due"
        )
    if rules.in_special == "other" and (rules.special is None or not rules.special.minutes()):
        raise HubError(
            Kind.INVALID,
            "no times are given for special periods; give some, or let the plan stay the same or rest in them",
            reason="plan_no_special_times",
        )
    if rules.first_day is not None and rules.last_day is not None and rules.last_day < rules.first_day:
        raise HubError(Kind.INVALID, "the plan's last day is before its first day", reason="plan_days_reversed")
    if not _has_day(rules):
        raise HubError(
            Kind.INVALID,
            "no day between the plan's first and last one is of its seasons and weekdays; choose other days, seasons "
            "or weekdays",
            reason="plan_no_weekday",
        )


def check_night(rules: PlanRules) -> None:
    """Of a plan with a tour for the night. Raise HubError(INVALID) when no minute is night: it would never be due."""
    if rules.night_from == rules.night_to:
        raise HubError(
            Kind.INVALID,
            "the night ends when it begins, so that its tour is never due; give it two different times",
            reason="plan_no_night",
        )


def _has_day(rules: PlanRules) -> bool:
    """Whether the plan has times on any day; by the rule for special periods, weekdays do not count."""
    first, last = rules.first_day, rules.last_day
    if first is None or last is None:
        return True  # sooner or later any season has any weekday
    weekdays = EVERY_WEEKDAY if rules.in_special == "other" else rules.weekdays
    days = (first + timedelta(days=later) for later in range((last - first).days + 1))
    return any(day.weekday() in weekdays and rules.in_season(day) for day in days)


def _month_and_day(text: str) -> tuple[int, int]:
    return int(text[:2]), int(text[3:])
