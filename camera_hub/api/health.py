"""The health board of all villages, and the health file of one camera."""

from typing import Annotated

from fastapi import APIRouter, Query

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.health_board import BoardAnswer, HealthFileAnswer
from camera_hub.health.board import HealthBoard
from camera_hub.health.camera_file import HealthFiles

router = APIRouter(prefix="/api", tags=["health"])


@router.get("/health/board")
async def board(
    actor: Annotated[Actor, needs(Action.READ_HEALTH)], board: Annotated[HealthBoard, part(HealthBoard)]
) -> BoardAnswer:
    """What is true of every village now. Pages read it again after events of villages, cameras and alarms."""
    return BoardAnswer.model_validate(await board.read(actor))


@router.get("/cameras/{camera_id}/health")
async def health_file(
    camera_id: Id,
    actor: Annotated[Actor, needs(Action.READ_HEALTH)],
    files: Annotated[HealthFiles, part(HealthFiles)],
    hours: Annotated[float, Query(gt=0, le=24 * 400)] = 24.0,
) -> HealthFileAnswer:
    """The states of its aspects over the last hours, what is true now, and what was measured last."""
    return HealthFileAnswer.model_validate(await files.read(actor, camera_id, hours))
