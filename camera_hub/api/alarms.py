"""Alarms."""

from typing import Annotated

from fastapi import APIRouter, Query

from camera_hub.access.policy import Action, Actor
from camera_hub.api.live_changes import HUB, SharedReader, each, to_village
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.health import AlarmAnswer, AlarmCountAnswer, AlarmMemberAnswer
from camera_hub.health.alarms.alarms import Alarms

router = APIRouter(prefix="/api/alarms", tags=["alarms"])


@router.get("")
async def alarms(
    actor: Annotated[Actor, needs(Action.READ_HEALTH)],
    alarms: Annotated[Alarms, part(Alarms)],
    open: bool | None = None,
    camera_id: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
    before: Id | None = None,
) -> list[AlarmAnswer]:
    """Alarms, newest first. `before`: the id of the last alarm of the previous page."""
    found = await alarms.list(actor, open=open, camera_id=camera_id, limit=limit, before=before)
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


@router.post("/{alarm_id}/acknowledge")
async def acknowledge(
    alarm_id: Id,
    actor: Annotated[Actor, needs(Action.ACKNOWLEDGE)],
    alarms: Annotated[Alarms, part(Alarms)],
) -> AlarmAnswer:
    """Acknowledge the alarm; 409 names the user who did so before."""
    return AlarmAnswer.model_validate(await alarms.acknowledge(actor, alarm_id))


def live(alarms: Alarms) -> SharedReader:
    """Alarms as the list shows them, for the pages' WebSockets."""
    return lambda ids: each(
        ids,
        lambda id: alarms.get(HUB, id),
        lambda view: to_village(AlarmAnswer.model_validate(view), view.village_id),
    )
