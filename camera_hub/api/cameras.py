"""Cameras: the list that the wall and the tree stand on, and what is done to them."""

from typing import Annotated, Any

from fastapi import APIRouter

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import CameraState, Done, Id
from camera_hub.api.schemas.places import ApproveCameras, CameraAnswer, CameraIds, ChangeCamera, NewOrder
from camera_hub.cameras.register.register import Register
from camera_hub.cameras.register.views import CameraView
from camera_hub.clock import Clock

router = APIRouter(prefix="/api/cameras", tags=["cameras"])

Reg = Annotated[Register, part(Register)]


@router.get("", response_model=list[CameraAnswer])
async def cameras(
    actor: Annotated[Actor, needs(Action.VIEW)],
    register: Reg,
    state: CameraState | None = None,
    village_id: int | None = None,
) -> list[CameraView]:
    """All but the retired, or those of one state."""
    return await register.cameras.all(actor, state=state, village_id=village_id)


@router.put("/order")
async def order_cameras(
    body: NewOrder,
    actor: Annotated[Actor, needs(Action.APPROVE)],
    register: Reg,
    clock: Annotated[Clock, part(Clock)],
) -> Done:
    await register.cameras.order(actor, body.ids)
    return Done(at=clock.now())


@router.post("/approve", response_model=list[CameraAnswer])
async def approve_cameras(
    body: ApproveCameras, actor: Annotated[Actor, needs(Action.APPROVE)], register: Reg
) -> list[CameraView]:
    return await register.cameras.approve(actor, body.ids, body.place_class)


@router.post("/retire", response_model=list[CameraAnswer])
async def retire_cameras(
    body: CameraIds, actor: Annotated[Actor, needs(Action.APPROVE)], register: Reg
) -> list[CameraView]:
    return await register.cameras.retire(actor, body.ids)


@router.get("/{camera_id}", response_model=CameraAnswer)
async def camera(camera_id: Id, actor: Annotated[Actor, needs(Action.VIEW)], register: Reg) -> CameraView:
    return await register.cameras.get(actor, camera_id)


@router.patch("/{camera_id}", response_model=CameraAnswer)
async def change_camera(
    camera_id: Id, body: ChangeCamera, actor: Annotated[Actor, needs(Action.REGISTER)], register: Reg
) -> CameraView:
    return await register.cameras.change(
        actor, camera_id, name=body.name, place_class=body.place_class, position=body.position
    )


@router.post("/{camera_id}/prove", response_model=CameraAnswer)
async def prove_camera(camera_id: Id, actor: Annotated[Actor, needs(Action.REGISTER)], register: Reg) -> CameraView:
    return await register.cameras.prove(actor, camera_id)


async def read_changed(app_state: Any, actor: Actor, id: int) -> dict[str, Any] | None:
    """The camera as the page reads it (a retired one too), None when it is out of the actor's scope."""
    register: Register = app_state.parts[Register]
    found = await register.cameras.some(actor, [id])
    return CameraAnswer.model_validate(found[0]).model_dump(mode="json") if found else None
