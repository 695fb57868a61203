"""How often villages' cameras are looked at, and the bytes that this takes of their links."""

from typing import Annotated

from fastapi import APIRouter, Query

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Done, Id
from camera_hub.api.schemas.round_plans import DayOfBytesAnswer, VillagePlanAnswer, WantedPlan
from camera_hub.clock import Clock
from camera_hub.health.round_plans import RoundPlans

router = APIRouter(prefix="/api", tags=["health"])

Plans = Annotated[RoundPlans, part(RoundPlans)]


@router.get("/health/round-plans")
async def round_plans(actor: Annotated[Actor, needs(Action.READ_HEALTH)], plans: Plans) -> list[VillagePlanAnswer]:
    """Every village with its plan and the bytes that looks have taken."""
    return [VillagePlanAnswer.model_validate(one) for one in await plans.all(actor)]


@router.put("/health/round-plans/{village_id}")
async def set_round_plan(
    village_id: Id,
    body: WantedPlan,
    actor: Annotated[Actor, needs(Action.MANAGE_VILLAGES)],
    plans: Plans,
    clock: Annotated[Clock, part(Clock)],
) -> Done:
    """thrifty: for a metered link (4G), pictures are fetched rarely."""
    await plans.set_plan(village_id, body.plan)
    return Done(at=clock.now())


@router.get("/cameras/{camera_id}/bytes")
async def camera_bytes(
    camera_id: Id,
    actor: Annotated[Actor, needs(Action.READ_HEALTH)],
    plans: Plans,
    days: Annotated[int, Query(ge=1, le=400)] = 30,
) -> list[DayOfBytesAnswer]:
    """What the hub received of one camera, by day of the site; the last one is this day so far."""
    return [DayOfBytesAnswer.model_validate(one) for one in await plans.of_camera(actor, camera_id, days)]
