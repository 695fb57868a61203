"""What rounds measured at a camera."""

from typing import Annotated

from fastapi import APIRouter, Query

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.health import HistoryAnswer, ObservationAnswer
from camera_hub.health.history import LIMIT, ObservationHistory

router = APIRouter(prefix="/api/cameras", tags=["health"])

HistoryPart = Annotated[ObservationHistory, part(ObservationHistory)]


@router.get("/{camera_id}/observations")
async def observations(
    camera_id: Id,
    actor: Annotated[Actor, needs(Action.READ_HEALTH)],
    history: HistoryPart,
    hours: Annotated[float, Query(gt=0, le=24 * 366)] = 24.0,
    limit: Annotated[int, Query(ge=1, le=LIMIT)] = LIMIT,
    before: Id | None = None,
) -> list[ObservationAnswer]:
    """Single looks, newest first. `before`: the id of the last one of the previous page."""
    found = await history.observations(actor, camera_id, hours, limit=limit, before=before)
    return [ObservationAnswer.model_validate(one) for one in found]


@router.get("/{camera_id}/history")
async def history(
    camera_id: Id,
    actor: Annotated[Actor, needs(Action.READ_HEALTH)],
    history: HistoryPart,
    hours: Annotated[float, Query(gt=0, le=24 * 400)] = 24.0,
) -> HistoryAnswer:
    """All looks of a period in one answer of bounded size: states by aspect, curves, totals. Of a long period they are
    read as they were rolled up by the hour or by the day (`level`)."""
    return HistoryAnswer.model_validate(await history.summary(actor, camera_id, hours))
