"""Occurrences: what is due, and starting it."""

from collections.abc import Collection
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from camera_hub.access.policy import Action, Actor
from camera_hub.api.live_changes import Render, SharedReader, to_township
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id, Moment
from camera_hub.api.schemas.plans import Day, DayOverviewAnswer, OccurrenceAnswer, OccurrencePage, OccurrenceState
from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.patrol.plans.occurrences import OccurrenceQuery, OccurrenceTaken, TourOccurrences
from camera_hub.patrol.plans.overview import PlanOverview

router = APIRouter(prefix="/api/occurrences", tags=["plans"])

OccurrencePart = Annotated[TourOccurrences, part(TourOccurrences)]


@router.get("")
async def occurrences(
    actor: Annotated[Actor, needs(Action.VIEW)],
    occurrences: OccurrencePart,
    clock: Annotated[Clock, part(Clock)],
    begin: Annotated[Moment | None, Query(alias="from")] = None,
    end: Annotated[Moment | None, Query(alias="to")] = None,
    state: Annotated[list[OccurrenceState] | None, Query(max_length=5)] = None,
) -> OccurrencePage:
    """What is due from one time (else: now) until just before another (else: for a day), in order; what is to come as
    the plans are now."""
    begin = begin or clock.now()
    end = end or begin + timedelta(days=1)
    found, more = await occurrences.list(actor, OccurrenceQuery(begin, end, frozenset(state or ())))
    return OccurrencePage(occurrences=[OccurrenceAnswer.model_validate(one) for one in found], more=more)


@router.get("/days")
async def days(
    actor: Annotated[Actor, needs(Action.VIEW)],
    overview: Annotated[PlanOverview, part(PlanOverview)],
    first: Annotated[Day, Query()],
    last: Annotated[Day, Query()],
) -> list[DayOverviewAnswer]:
    """Each day of a span of up to 62 days: how many patrols are planned, of which tours, and what became of them."""
    return [DayOverviewAnswer.model_validate(one) for one in await overview.days(actor, first, last)]


@router.get("/{occurrence_id}")
async def occurrence(
    occurrence_id: Id, actor: Annotated[Actor, needs(Action.VIEW)], occurrences: OccurrencePart
) -> OccurrenceAnswer:
    """One occurrence."""
    return OccurrenceAnswer.model_validate(await occurrences.get(actor, occurrence_id))


@router.post("/{occurrence_id}/start")
async def start_occurrence(
    occurrence_id: Id, actor: Annotated[Actor, needs(Action.RUN_TOURS)], occurrences: OccurrencePart
) -> OccurrenceAnswer:
    """Start its tour; `run_id` of the answer is the run. 409 `occurrence_taken` (somebody was first) and
    `occurrence_over` (missed) carry its new state in params.occurrence."""
    try:
        return OccurrenceAnswer.model_validate(await occurrences.start(actor, occurrence_id))
    except OccurrenceTaken as taken:
        now = OccurrenceAnswer.model_validate(taken.view).model_dump(mode="json")
        who = taken.view.operator_name or taken.view.started_name
        raise HubError(taken.kind, taken.detail, reason=taken.reason, occurrence=now, who=who) from taken


@router.post("/{occurrence_id}/decline")
async def decline_occurrence(
    occurrence_id: Id, actor: Annotated[Actor, needs(Action.RUN_TOURS)], occurrences: OccurrencePart
) -> OccurrenceAnswer:
    """The user is not prompted for it any more, on any page; others are."""
    return OccurrenceAnswer.model_validate(await occurrences.decline(actor, occurrence_id))


def live(occurrences: TourOccurrences) -> SharedReader:
    """Occurrences as they are now, for the pages' WebSockets."""

    async def read(ids: Collection[int]) -> dict[int, Render]:
        found = await occurrences.some(ids)
        return {view.id: to_township(OccurrenceAnswer.model_validate(view)) for view in found if view.id is not None}

    return read
