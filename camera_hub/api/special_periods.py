"""Special protection periods: holidays and events in which plans are denser."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Done, Id, Moment
from camera_hub.api.schemas.plans import (
    CopyPeriods,
    SpecialPeriodAnswer,
    SpecialPeriodBody,
    SpecialPeriodsBody,
    SuggestedPeriodAnswer,
)
from camera_hub.api.today import Today
from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.patrol.plans.special_periods import NewPeriod, PeriodMoved, SpecialPeriods, SuggestedPeriod

router = APIRouter(prefix="/api/special-periods", tags=["plans"])

Editor = Annotated[Actor, needs(Action.EDIT_TOURS)]
Periods = Annotated[SpecialPeriods, part(SpecialPeriods)]


@router.get("")
async def special_periods(
    actor: Annotated[Actor, needs(Action.VIEW)],
    periods: Periods,
    clock: Annotated[Clock, part(Clock)],
    begin: Annotated[Moment | None, Query(alias="from")] = None,
    end: Annotated[Moment | None, Query(alias="to")] = None,
) -> list[SpecialPeriodAnswer]:
    """Those that touch the span (else: now and for a year), by time; drafts too."""
    begin = begin or clock.now()
    end = end or begin + timedelta(days=366)
    return [SpecialPeriodAnswer.model_validate(row) for row in await periods.list(actor, begin, end)]


@router.post("", status_code=201)
async def create_period(body: SpecialPeriodBody, actor: Editor, periods: Periods) -> SpecialPeriodAnswer:
    """Add a special period; plans follow it at once, unless it is a draft."""
    return SpecialPeriodAnswer.model_validate(await periods.create(actor, _new(body)))


@router.get("/suggestions")
async def suggested_periods(
    actor: Editor,
    periods: Periods,
    today: Today,
    year: Annotated[int | None, Query(ge=2001, le=2198)] = None,
) -> list[SuggestedPeriodAnswer]:
    """The national holidays of a year (else the present one), to be looked at and added by
    POST /api/special-periods/many; nothing is stored. None where their calendar is not known (before 2008 and after
    2100)."""
    return [_suggested(one) for one in await periods.suggestions(actor, year or today.year)]


@router.post("/many", status_code=201)
async def create_periods(body: SpecialPeriodsBody, actor: Editor, periods: Periods) -> list[SpecialPeriodAnswer]:
    """Add all of them, or none when one is wrong; those that are there already (same name, about the same time) are
    left out of the answer."""
    made = await periods.create_many(actor, [_new(one) for one in body.periods])
    return [SpecialPeriodAnswer.model_validate(row) for row in made]


@router.post("/copy")
async def copy_periods(body: CopyPeriods, actor: Editor, periods: Periods) -> list[SpecialPeriodAnswer]:
    """Copy the holidays of the year before into this one, as drafts; those that it has already are left out."""
    return [SpecialPeriodAnswer.model_validate(row) for row in await periods.copy_year(actor, body.year)]


@router.put("/{period_id}")
async def change_period(period_id: Id, body: SpecialPeriodBody, actor: Editor, periods: Periods) -> SpecialPeriodAnswer:
    """Replace it. 409 `period_moved` carries its new state in params.period."""
    try:
        return SpecialPeriodAnswer.model_validate(await periods.change(actor, period_id, _new(body), body.revision))
    except PeriodMoved as moved:
        now = SpecialPeriodAnswer.model_validate(moved.period).model_dump(mode="json")
        raise HubError(moved.kind, moved.detail, reason=moved.reason, period=now, **moved.params) from moved


@router.delete("/{period_id}")
async def remove_period(period_id: Id, actor: Editor, periods: Periods, clock: Annotated[Clock, part(Clock)]) -> Done:
    """Delete it: plans go back to their ordinary rule at once."""
    await periods.remove(actor, period_id)
    return Done(at=clock.now())


def _new(body: SpecialPeriodBody) -> NewPeriod:
    return NewPeriod(body.name, body.kind, body.note, body.begins_at, body.ends_at, body.all_day_duty, body.draft)


def _suggested(one: SuggestedPeriod) -> SuggestedPeriodAnswer:
    holiday = one.holiday
    return SuggestedPeriodAnswer(
        codes=list(holiday.codes),
        first_day=holiday.first_day,
        last_day=holiday.last_day,
        begins_at=one.begins_at,
        ends_at=one.ends_at,
        announced=holiday.announced,
        registered=one.registered,
    )
