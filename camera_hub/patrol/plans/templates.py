"""What plans of the usual kinds look like: humane ones first. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from camera_hub.patrol.plans.rules import EVERY_WEEKDAY, DueRule, Interval, PlanRules, minute_of
from camera_hub.settings import PatrolSettings

FOUR_TIMES = (8 * 60 + 30, 11 * 60 + 30, 15 * 60 + 30, 20 * 60)
NIGHT_TIMES = (23 * 60, 3 * 60)
SCHOOL_TIMES = (7 * 60 + 20, 16 * 60 + 20)
SCHOOL_DAYS = frozenset(range(5))


@dataclass(frozen=True, slots=True)
class PlanTemplate:
    """A plan without its tour; `code` is what pages name it by."""

    code: str
    rules: PlanRules
    grace_minutes: int


def templates(settings: PatrolSettings) -> Sequence[PlanTemplate]:
    """The best one for a new site first: some patrols a day, and denser ones in special periods."""
    around = DueRule(every=Interval(settings.plan_special_minutes, 0, 0))
    day = PlanRules(
        DueRule(tuple(sorted({minute_of(text) for text in settings.plan_times}))),
        night_from=minute_of(settings.plan_night_from),
        night_to=minute_of(settings.plan_night_to),
    )
    kinds = {
        "daily_and_special": replace(day, in_special="other", special=around),
        "daily": day,
        "four_daily": replace(day, normal=DueRule(FOUR_TIMES), in_special="other", special=around),
        "special_only": replace(day, normal=DueRule(), in_special="other", special=around),
        "night": replace(day, normal=DueRule(NIGHT_TIMES)),
        "school": replace(day, normal=DueRule(SCHOOL_TIMES), weekdays=SCHOOL_DAYS, in_special="off"),
    }
    return [PlanTemplate(code, rules, settings.plan_grace_minutes) for code, rules in kinds.items()]


def stored_days(weekdays: frozenset[int]) -> list[int]:
    """As a plan's row keeps them: none for every day."""
    return [] if weekdays == EVERY_WEEKDAY else sorted(weekdays)
