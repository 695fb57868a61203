"""Templates of tours."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.tours import TourTemplateAnswer
from camera_hub.patrol.tours.templates import TourTemplates

router = APIRouter(prefix="/api/tour-templates", tags=["tours"])


@router.get("")
async def tour_templates(
    actor: Annotated[Actor, needs(Action.EDIT_TOURS)], templates: Annotated[TourTemplates, part(TourTemplates)]
) -> list[TourTemplateAnswer]:
    """All templates, each with the number of approved cameras that stand at such places now."""
    return [
        TourTemplateAnswer.model_validate({**asdict(view.template), "cameras": view.cameras})
        for view in await templates.list(actor)
    ]
