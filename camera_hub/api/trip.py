"""The repair list for a trip: open faults by village and place."""

from typing import Annotated

from fastapi import APIRouter, Query

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.trip import TripAnswer
from camera_hub.health.trip import TripList

router = APIRouter(prefix="/api/health/trip", tags=["health"])


@router.get("")
async def trip(
    actor: Annotated[Actor, needs(Action.READ_HEALTH)],
    trips: Annotated[TripList, part(TripList)],
    village_id: Annotated[list[Id] | None, Query(max_length=200)] = None,
) -> TripAnswer:
    """What is open in these villages (all without one), each next place the nearest to the last."""
    return TripAnswer.model_validate(await trips.read(actor, village_id or ()))
