"""Those to whom a running patrol may be handed over."""

from typing import Annotated

from fastapi import APIRouter

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.runs import RunCandidateAnswer
from camera_hub.patrol.runs.reader import RunReader

router = APIRouter(prefix="/api/runs", tags=["runs"])


@router.get("/{run_id}/operators")
async def operators(
    run_id: Id, actor: Annotated[Actor, needs(Action.RUN_TOURS)], reader: Annotated[RunReader, part(RunReader)]
) -> list[RunCandidateAnswer]:
    """Those who may run this tour, by name; the present operator is among them."""
    return [RunCandidateAnswer(id=user, name=name) for user, name in await reader.operators(actor, run_id)]
