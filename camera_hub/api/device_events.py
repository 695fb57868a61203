"""What devices reported of a camera, and of themselves."""

from typing import Annotated

from fastapi import APIRouter, Query

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.device_events import DeviceEventAnswer
from camera_hub.cameras.device_events.store import LIMIT, DeviceEventHistory

router = APIRouter(prefix="/api/cameras", tags=["health"])


@router.get("/{camera_id}/events")
async def device_events(
    camera_id: Id,
    actor: Annotated[Actor, needs(Action.READ_HEALTH)],
    history: Annotated[DeviceEventHistory, part(DeviceEventHistory)],
    hours: Annotated[float, Query(gt=0, le=24 * 366)] = 24.0,
    limit: Annotated[int, Query(ge=1, le=LIMIT)] = 500,
) -> list[DeviceEventAnswer]:
    """Motion, tampering, loss of video, faults of hardware: what the device reported, newest first."""
    found = await history.of_camera(actor, camera_id, hours, limit=limit)
    return [DeviceEventAnswer.model_validate(one) for one in found]
