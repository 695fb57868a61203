"""What rounds measured of a camera."""

from typing import Annotated

from fastapi import APIRouter, Query

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.health import ObservationAnswer
from camera_hub.health.history import ObservationHistory

router = APIRouter(prefix="/api/cameras", tags=["health"])


@router.get("/{camera_id}/observations")
async def observations(
    camera_id: Id,
    actor: Annotated[Actor, needs(Action.READ_HEALTH)],
    history: Annotated[ObservationHistory, part(ObservationHistory)],
    hours: Annotated[float, Query(gt=0, le=24 * 366)] = 24.0,
) -> list[ObservationAnswer]:
    """The newest first, at most 5,000."""
    return [ObservationAnswer.model_validate(row) for row in await history.observations(actor, camera_id, hours)]
