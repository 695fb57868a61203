"""The favourite cameras of the user who asks."""

from typing import Annotated

from fastapi import APIRouter

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Done, Id
from camera_hub.api.schemas.places import CameraIdsAnswer
from camera_hub.cameras.register.register import Register
from camera_hub.clock import Clock

router = APIRouter(prefix="/api/favourites", tags=["favourites"])

Reg = Annotated[Register, part(Register)]
Self = Annotated[Actor, needs(Action.SELF)]
Time = Annotated[Clock, part(Clock)]


@router.get("")
async def favourites(actor: Self, register: Reg) -> CameraIdsAnswer:
    return CameraIdsAnswer(ids=await register.favourites.all(actor))


@router.put("/{camera_id}")
async def add_favourite(camera_id: Id, actor: Self, register: Reg, clock: Time) -> Done:
    await register.favourites.add(actor, camera_id)
    return Done(at=clock.now())


@router.delete("/{camera_id}")
async def remove_favourite(camera_id: Id, actor: Self, register: Reg, clock: Time) -> Done:
    await register.favourites.remove(actor, camera_id)
    return Done(at=clock.now())
