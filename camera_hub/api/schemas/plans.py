"""Plans, special protection periods, occurrences and their figures."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from camera_hub.api.schemas.base import Answer, Count, Id, Moment, Name, RequestBody, Text

ClockTime = Annotated[str, Field(max_length=5, pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""A time of day of the site, "08:30"."""
Day = Annotated[date, Field(ge=date(2000, 1, 2), le=date(2199, 12, 30))]
"""A day of the site's calendar."""
_MONTH_AND_DAY = "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9])"
YearDay = Annotated[str, Field(max_length=5, pattern=f"^({_MONTH_AND_DAY})$")]
"""A day of every year, "06-01"; "02-29" too."""
Weekday = Annotated[int, Field(ge=0, le=6)]
"""0 = Monday … 6 = Sunday."""
OccurrenceState = Literal["due", "running", "late", "missed", "done"]
InSpecial = Literal["same", "off", "other"]
Variant = Literal["day", "night"]
PlanProblem = Literal[
    "tour_retired",
    "tour_archived",
    "tour_empty",
    "night_tour_retired",
    "night_tour_archived",
    "night_tour_empty",
    "over",
]


class IntervalBody(RequestBody):
    """Every `minutes` from a time of day to another, both included; an end before the beginning is on the next day,
    and one equal to it means around the clock."""

    minutes: int = Field(ge=1, le=1440)
    begin: ClockTime = "00:00"
    end: ClockTime = "00:00"


class DueRuleBody(RequestBody):
    times: list[ClockTime] = Field([], max_length=96)
    every: IntervalBody | None = None


class YearlySeasonBody(RequestBody):
    """From a day of every year to another, both included; a `last` before `first` lies in the next year."""

    first: YearDay
    last: YearDay


class PlanBody(RequestBody):
    """`seasons`: in which parts of every year it is in force, in addition to first and last day; none: all of it.
    `revision`: of the plan as the user saw it; an outdated one gets 409 with the new state."""

    name: Name
    note: Text = ""
    tour_id: Id
    night_tour_id: Id | None = None
    night_from: ClockTime = "22:00"
    night_to: ClockTime = "06:00"
    enabled: bool = True
    first_day: Day | None = None
    last_day: Day | None = None
    seasons: list[YearlySeasonBody] = Field([], max_length=6)
    weekdays: list[Weekday] = Field([], max_length=7)
    rule: DueRuleBody
    in_special: InSpecial = "same"
    special_rule: DueRuleBody | None = None
    grace_minutes: int = Field(30, ge=1, le=720)
    people: list[Id] = Field([], max_length=50)
    revision: Count = 0


class PreviewBody(RequestBody):
    """`plan_id`: of the plan that would be changed, so that it does not overlap itself."""

    plan: PlanBody
    plan_id: Id | None = None


class IntervalAnswer(Answer):
    minutes: int
    begin: str
    end: str


class DueRuleAnswer(Answer):
    times: list[str]
    every: IntervalAnswer | None


class YearlySeasonAnswer(Answer):
    """See YearlySeasonBody."""

    first: str
    last: str


class PlanAnswer(Answer):
    """`problem`: why nothing is due by it although it is enabled. `next_due_at`: within the next weeks, or null."""

    id: int
    name: str
    note: str
    tour_id: int
    tour_name: str
    night_tour_id: int | None
    night_tour_name: str | None
    night_from: str
    night_to: str
    enabled: bool
    first_day: date | None
    last_day: date | None
    seasons: list[YearlySeasonAnswer]
    weekdays: list[int]
    rule: DueRuleAnswer
    in_special: InSpecial
    special_rule: DueRuleAnswer | None
    grace_minutes: int
    people: list[int]
    revision: int
    changed_name: str
    changed_at: datetime
    problem: PlanProblem | None
    next_due_at: datetime | None


class DueTimeAnswer(Answer):
    at: datetime
    special: bool
    variant: Variant
    tour_name: str


class OverlapAnswer(Answer):
    """Another plan's patrol that would be under way, or due, at the same time. `same_tour`: within the grace, so that
    one patrol counts for both."""

    at: datetime
    plan_id: int
    plan_name: str
    tour_name: str
    other_at: datetime
    same_tour: bool


class PlanPreview(Answer):
    times: list[DueTimeAnswer]
    overlaps: list[OverlapAnswer]
    per_day: int  # due times on its densest day
    problem: PlanProblem | None


class PlanTemplateAnswer(Answer):
    """What a plan of this kind looks like; the tour is missing. `code` is what pages name it by."""

    code: str
    weekdays: list[int]
    rule: DueRuleAnswer
    in_special: InSpecial
    special_rule: DueRuleAnswer | None
    night_from: str
    night_to: str
    grace_minutes: int


class OccurrenceAnswer(Answer):
    """One due time of a plan. Without `id`: it lies so far ahead that it may still change, and cannot be started."""

    id: int | None
    plan_id: int
    plan_name: str
    tour_id: int
    tour_name: str
    variant: Variant
    special: bool
    due_at: datetime
    late_at: datetime
    over_at: datetime
    state: OccurrenceState
    late: bool
    why: Literal["not_started", "given_up", "hub_down"] | None
    run_id: int | None
    started_at: datetime | None
    started_name: str
    operator_name: str  # who runs it now
    ended_at: datetime | None
    stops: int  # of the tour as it is now
    duration_s: int
    people: list[int]
    declined: list[int]


class TourOfDayAnswer(Answer):
    tour_id: int
    tour_name: str
    count: int


class DayOverviewAnswer(Answer):
    """One day of the site. planned = done + missed + open + coming; `open`: has been due and is not decided yet;
    `night`, `special`: of the planned ones; `late`: not started within the grace, be it done since; `tours`: the most
    frequent ones, without `other_tours`."""

    day: date
    planned: int
    night: int
    special: int
    done: int
    late: int
    missed: int
    open: int
    coming: int
    tours: list[TourOfDayAnswer]
    other_tours: int


class OccurrencePage(Answer):
    """`more`: there are more than fit; ask for a shorter span."""

    occurrences: list[OccurrenceAnswer]
    more: bool


class SpecialPeriodBody(RequestBody):
    name: Name
    kind: Literal["holiday", "event"] = "holiday"
    note: Text = ""
    begins_at: Moment
    ends_at: Moment
    all_day_duty: bool = True
    draft: bool = False
    revision: Count = 0


class SpecialPeriodAnswer(Answer):
    id: int
    name: str
    kind: Literal["holiday", "event"]
    note: str
    begins_at: datetime
    ends_at: datetime
    all_day_duty: bool
    draft: bool
    revision: int
    changed_name: str
    changed_at: datetime


class SpecialPeriodsBody(RequestBody):
    periods: list[SpecialPeriodBody] = Field(min_length=1, max_length=30)


class SuggestedPeriodAnswer(Answer):
    """A national holiday of China: days off that follow each other. `codes`: the holidays within, several where they
    meet. `announced`: by the State Council's notice; else computed, and to be checked. `registered`: the name of a
    holiday that is there on these days already."""

    codes: list[
        Literal["new_year", "spring_festival", "qingming", "labour_day", "dragon_boat", "mid_autumn", "national_day"]
    ]
    first_day: date
    last_day: date
    begins_at: datetime
    ends_at: datetime
    announced: bool
    registered: str | None


class CopyPeriods(RequestBody):
    """Copy the holidays of the year before `year` into it, as drafts: their days must be checked."""

    year: int = Field(ge=2001, le=2198)


class PatrolCounts(Answer):
    """Of occurrences whose due time lies in the span and has passed. `late`: not started within the grace, be it done
    since; `open`: not decided yet; `hub_down`: of the missed ones, those while the hub did not run."""

    due: int
    done: int
    late: int
    missed: int
    open: int
    hub_down: int
    findings: int


class NamedCounts(PatrolCounts):
    id: int
    name: str


class PatrolFiguresAnswer(Answer):
    since: datetime
    until: datetime
    total: PatrolCounts
    plans: list[NamedCounts]
    tours: list[NamedCounts]


class PatrolPerson(Answer):
    """A user who can run tours."""

    id: int
    name: str
