"""Alarms."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from camera_hub.access.policy import Action, Actor
from camera_hub.api.live_changes import HUB, SharedReader, each, to_village
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id, Moment, RequestBody
from camera_hub.api.schemas.health import (
    AcknowledgedAnswer,
    AcknowledgeMany,
    AlarmAnswer,
    AlarmCountAnswer,
    AlarmMemberAnswer,
    Aspect,
    OtherNameAnswer,
    OwnerAnswer,
    SetOwner,
    Severity,
    Suspend,
)
from camera_hub.health.alarms.alarms import AlarmFilter, Alarms
from camera_hub.health.alarms.handling import AlarmHandling, WantedSuspension

router = APIRouter(prefix="/api/alarms", tags=["alarms"])


Reader = Annotated[Actor, needs(Action.READ_HEALTH)]
Handler = Annotated[Actor, needs(Action.ACKNOWLEDGE)]
Handling = Annotated[AlarmHandling, part(AlarmHandling)]


class AlarmQuery(RequestBody):
    """Which alarms; all that is given must apply. `before`: the id of the last alarm of the previous page."""

    open: bool | None = None
    severity: Severity | None = None
    aspect: Aspect | None = None
    cause: Annotated[str, Field(max_length=32, pattern="^[a-z0-9_]+$")] | None = None
    village_id: Id | None = None
    camera_id: Id | None = None
    acknowledged: bool | None = None
    suspended: bool | None = None
    owner: Id | None = None
    text: Annotated[str, Field(max_length=64, pattern="^[^\\x00]*$")] | None = None
    since: Moment | None = None
    until: Moment | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 200
    before: Id | None = None


@router.get("")
async def alarms(
    actor: Reader, alarms: Annotated[Alarms, part(Alarms)], query: Annotated[AlarmQuery, Query()]
) -> list[AlarmAnswer]:
    """Alarms, newest first."""
    wanted = AlarmFilter(**query.model_dump(exclude={"limit", "before"}))
    found = await alarms.list(actor, wanted, limit=query.limit, before=query.before)
    return [AlarmAnswer.model_validate(alarm) for alarm in found]


@router.get("/count")
async def count(
    actor: Annotated[Actor, needs(Action.READ_HEALTH)], alarms: Annotated[Alarms, part(Alarms)]
) -> AlarmCountAnswer:
    """How many alarms are open."""
    return AlarmCountAnswer(open=await alarms.count_open(actor))


@router.get("/{alarm_id}/members")
async def members(
    alarm_id: Id,
    actor: Annotated[Actor, needs(Action.READ_HEALTH)],
    alarms: Annotated[Alarms, part(Alarms)],
) -> list[AlarmMemberAnswer]:
    """Every camera that the alarm covers or covered, in the order in which they joined."""
    return [AlarmMemberAnswer.model_validate(one) for one in await alarms.members(actor, alarm_id)]


@router.post("/acknowledge")
async def acknowledge_many(body: AcknowledgeMany, actor: Handler, handling: Handling) -> AcknowledgedAnswer:
    """Acknowledge many; alarms without owner get you. Nobody's name is replaced: `others` says whose they are."""
    found = await handling.acknowledge_many(actor, body.ids, body.note)
    others = [OtherNameAnswer(id=number, name=name) for number, name in found.others]
    return AcknowledgedAnswer(done=list(found.done), others=others, gone=list(found.gone))


@router.post("/{alarm_id}/acknowledge")
async def acknowledge(alarm_id: Id, actor: Handler, handling: Handling) -> AlarmAnswer:
    """Acknowledge the alarm; 409 names the user who did so before."""
    return AlarmAnswer.model_validate(await handling.acknowledge(actor, alarm_id))


@router.get("/{alarm_id}/owners")
async def owners(alarm_id: Id, actor: Handler, handling: Handling) -> list[OwnerAnswer]:
    """Users who could take care of the alarm."""
    return [OwnerAnswer.model_validate(one) for one in await handling.owners(actor, alarm_id)]


@router.post("/{alarm_id}/owner")
async def set_owner(alarm_id: Id, body: SetOwner, actor: Handler, handling: Handling) -> AlarmAnswer:
    """Give the alarm to a user, or to nobody."""
    return AlarmAnswer.model_validate(await handling.set_owner(actor, alarm_id, body.user_id))


@router.post("/{alarm_id}/suspend")
async def suspend(alarm_id: Id, body: Suspend, actor: Handler, handling: Handling) -> AlarmAnswer:
    """Notify nobody of the alarm until then; it resumes by itself."""
    wanted = WantedSuspension(body.until, body.reason, body.note)
    return AlarmAnswer.model_validate(await handling.suspend(actor, alarm_id, wanted))


@router.post("/{alarm_id}/resume")
async def resume(alarm_id: Id, actor: Handler, handling: Handling) -> AlarmAnswer:
    """End the suspension now."""
    return AlarmAnswer.model_validate(await handling.resume(actor, alarm_id))


def live(alarms: Alarms) -> SharedReader:
    """Alarms as the list shows them, for the pages' WebSockets."""
    return lambda ids: each(
        ids,
        lambda id: alarms.get(HUB, id),
        lambda view: to_village(AlarmAnswer.model_validate(view), view.village_id),
    )
