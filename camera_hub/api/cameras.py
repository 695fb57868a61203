"""Cameras: the list behind the wall and the tree, and the operations on them."""

from collections.abc import Collection
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter

from camera_hub.access.policy import Action, Actor, allows
from camera_hub.api.live_changes import HUB, Render, SharedReader
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import CameraState, Done, Id
from camera_hub.api.schemas.places import (
    ApproveCameras,
    CameraAnswer,
    CameraIds,
    ChangeCamera,
    NewOrder,
    ReturnCameras,
    WeighCameras,
)
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
    village_id: Id | None = None,
) -> list[CameraView]:
    """All cameras that are not retired, or those in one state."""
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
    return await register.cameras.approve(actor, body.ids, body.place_class, body.places)


@router.post("/retire", response_model=list[CameraAnswer])
async def retire_cameras(
    body: CameraIds, actor: Annotated[Actor, needs(Action.APPROVE)], register: Reg
) -> list[CameraView]:
    return await register.cameras.retire(actor, body.ids)


@router.post("/importance", response_model=list[CameraAnswer])
async def weigh_cameras(
    body: WeighCameras, actor: Annotated[Actor, needs(Action.APPROVE)], register: Reg
) -> list[CameraView]:
    """Say which cameras are key cameras: their alarms are one step more severe, and notified sooner."""
    return await register.cameras.weigh(actor, body.ids, body.importance)


@router.post("/return", response_model=list[CameraAnswer])
async def return_cameras(
    body: ReturnCameras, actor: Annotated[Actor, needs(Action.APPROVE)], register: Reg
) -> list[CameraView]:
    """Return cameras that wait to their village, with a note that says what to correct."""
    await register.returns.send_back(actor, body.ids, body.note)
    return await register.cameras.some(actor, body.ids)


@router.post("/submit", response_model=list[CameraAnswer])
async def submit_cameras(
    body: CameraIds, actor: Annotated[Actor, needs(Action.INTAKE)], register: Reg
) -> list[CameraView]:
    """Submit returned cameras for approval again."""
    await register.returns.submit(actor, body.ids)
    return await register.cameras.some(actor, body.ids)


@router.get("/{camera_id}", response_model=CameraAnswer)
async def camera(camera_id: Id, actor: Annotated[Actor, needs(Action.VIEW)], register: Reg) -> CameraView:
    return await register.cameras.get(actor, camera_id)


@router.patch("/{camera_id}", response_model=CameraAnswer)
async def change_camera(
    camera_id: Id, body: ChangeCamera, actor: Annotated[Actor, needs(Action.INTAKE)], register: Reg
) -> CameraView:
    return await register.cameras.change(
        actor, camera_id, name=body.name, place_class=body.place_class, position=body.position
    )


@router.post("/{camera_id}/prove", response_model=CameraAnswer)
async def prove_camera(camera_id: Id, actor: Annotated[Actor, needs(Action.INTAKE)], register: Reg) -> CameraView:
    return await register.cameras.prove(actor, camera_id)


def live(register: Register) -> SharedReader:
    """Cameras for the pages' WebSockets, including retired ones. `favourite` differs from user to user."""

    async def read(ids: Collection[int]) -> dict[int, Render]:
        views = await register.cameras.some(HUB, ids)
        holders = await register.favourites.holders(ids)
        return {view.id: _of_user(view, holders.get(view.id, set())) for view in views}

    return read


def _of_user(view: CameraView, holders: set[int]) -> Render:
    answers = [CameraAnswer.model_validate(replace(view, favourite=kept)) for kept in (False, True)]
    return lambda actor: answers[actor.user_id in holders] if allows(actor, Action.VIEW, view.village_id) else None
