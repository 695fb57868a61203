"""Scenes."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Done, Id
from camera_hub.api.schemas.scenes import SceneAnswer, SceneBody
from camera_hub.clock import Clock
from camera_hub.patrol.tours.scenes import Scenes
from camera_hub.store.tables import Scene

router = APIRouter(prefix="/api/scenes", tags=["tours"])


@router.get("")
async def scenes(
    actor: Annotated[Actor, needs(Action.VIEW)], scenes: Annotated[Scenes, part(Scenes)]
) -> list[SceneAnswer]:
    """All scenes by name."""
    found: Sequence[Scene] = await scenes.list(actor)
    return [SceneAnswer.model_validate(scene) for scene in found]


@router.post("", status_code=201)
async def create(
    body: SceneBody, actor: Annotated[Actor, needs(Action.EDIT_TOURS)], scenes: Annotated[Scenes, part(Scenes)]
) -> SceneAnswer:
    """Create a scene; tiles that are not given are empty."""
    return SceneAnswer.model_validate(await scenes.create(actor, body.wanted()))


@router.put("/{scene_id}")
async def change(
    scene_id: Id,
    body: SceneBody,
    actor: Annotated[Actor, needs(Action.EDIT_TOURS)],
    scenes: Annotated[Scenes, part(Scenes)],
) -> SceneAnswer:
    """Replace the whole scene."""
    return SceneAnswer.model_validate(await scenes.change(actor, scene_id, body.wanted()))


@router.delete("/{scene_id}")
async def remove(
    scene_id: Id,
    actor: Annotated[Actor, needs(Action.EDIT_TOURS)],
    scenes: Annotated[Scenes, part(Scenes)],
    clock: Annotated[Clock, part(Clock)],
) -> Done:
    """Delete the scene; 409 names the tours that still show it."""
    await scenes.remove(actor, scene_id)
    return Done(at=clock.now())
