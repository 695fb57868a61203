"""Exclusions: cameras, devices and villages that are not judged for a time."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id, Moment
from camera_hub.api.schemas.exclusions import (
    AskExclusion,
    ExclusionAnswer,
    ExclusionCountsAnswer,
    ExclusionIds,
    ExclusionKind,
    ExclusionState,
)
from camera_hub.health.exclusion_register import ExclusionQuery, ExclusionRegister, ExclusionView, NewExclusion

router = APIRouter(prefix="/api/exclusions", tags=["exclusions"])

Register = Annotated[ExclusionRegister, part(ExclusionRegister)]
Reader = Annotated[Actor, needs(Action.READ_HEALTH)]
Asker = Annotated[Actor, needs(Action.EXCLUDE)]
Approver = Annotated[Actor, needs(Action.APPROVE)]


@router.get("")
async def exclusions(
    actor: Reader,
    register: Register,
    state: Annotated[list[ExclusionState] | None, Query(max_length=6)] = None,
    kind: ExclusionKind | None = None,
    village_id: Id | None = None,
    camera_id: Id | None = None,
    begin: Moment | None = None,
    end: Moment | None = None,
    before: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> list[ExclusionAnswer]:
    """Exclusions, newest first. `camera_id`: those that concern it; `begin`, `end`: those that overlap; `before`: the
    id of the last one of the previous page."""
    query = ExclusionQuery(state or (), kind, village_id, camera_id, begin, end, before, limit)
    return _answers(await register.listed(actor, query))


@router.get("/counts")
async def exclusion_counts(actor: Reader, register: Register) -> ExclusionCountsAnswer:
    """How many wait for approval, are planned and in force."""
    return ExclusionCountsAnswer(**await register.counts(actor))


@router.post("", status_code=201)
async def ask_exclusions(body: AskExclusion, actor: Asker, register: Register) -> list[ExclusionAnswer]:
    """Ask for an exclusion of one or many cameras, devices or villages, all or none. Who may approve has it approved at
    once."""
    weekly = None if body.weekly is None else (body.weekly.days, body.weekly.from_, body.weekly.to)
    wanted = NewExclusion(body.level, body.ids, body.kind, body.reason, body.since, body.until, weekly)
    return _answers(await register.ask(actor, wanted))


@router.post("/approve")
async def approve_exclusions(body: ExclusionIds, actor: Approver, register: Register) -> list[ExclusionAnswer]:
    """Approve several, all or none."""
    return _answers(await register.approve(actor, body.ids))


@router.post("/end")
async def end_exclusions(body: ExclusionIds, actor: Asker, register: Register) -> list[ExclusionAnswer]:
    """End several now, all or none; those that wait for approval are refused or withdrawn."""
    return _answers(await register.end(actor, body.ids))


@router.post("/{exclusion_id}/approve")
async def approve_exclusion(exclusion_id: Id, actor: Approver, register: Register) -> ExclusionAnswer:
    """Approve one; 409 if it was refused or withdrawn."""
    return _answers(await register.approve(actor, [exclusion_id]))[0]


@router.post("/{exclusion_id}/end")
async def end_exclusion(exclusion_id: Id, actor: Asker, register: Register) -> ExclusionAnswer:
    """End one now; one that waits for approval is refused or withdrawn."""
    return _answers(await register.end(actor, [exclusion_id]))[0]


def _answers(views: Sequence[ExclusionView]) -> list[ExclusionAnswer]:
    return [ExclusionAnswer.model_validate(view) for view in views]
