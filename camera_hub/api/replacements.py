"""Cameras that go on with another device."""

from typing import Annotated

from fastapi import APIRouter

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.matches import NewReplacements, ReplacementAnswer
from camera_hub.cameras.replacements import Replacements, ReplacementView

router = APIRouter(prefix="/api/replacements", tags=["devices"])

Registrar = Annotated[Actor, needs(Action.REGISTER)]
Replaced = Annotated[Replacements, part(Replacements)]


@router.get("", response_model=list[ReplacementAnswer])
async def replacements(actor: Registrar, replaced: Replaced, camera_id: Id | None = None) -> list[ReplacementView]:
    """The newest first, of one camera or of all."""
    return await replaced.all(actor, camera_id=camera_id)


@router.post("", response_model=list[ReplacementAnswer], status_code=201)
async def replace_cameras(body: NewReplacements, actor: Registrar, replaced: Replaced) -> list[ReplacementView]:
    """The cameras keep their ids, names, places, tours and history, and go on with the other cameras' channels."""
    return await replaced.replace(actor, [(one.camera_id, one.other_camera_id) for one in body.pairs])


@router.post("/{replacement_id}/undo", response_model=ReplacementAnswer)
async def undo_replacement(replacement_id: Id, actor: Registrar, replaced: Replaced) -> ReplacementView:
    """Put the old device back."""
    return await replaced.undo(actor, replacement_id)
