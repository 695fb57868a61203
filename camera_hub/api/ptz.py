"""Steering cameras over HTTP: what a pad shows, presets, the home position; moves for programs."""

from typing import Annotated

from fastapi import APIRouter, Path

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Done, Id
from camera_hub.api.schemas.ptz import (
    ChangePreset,
    NewPreset,
    PresetToken,
    PtzAnswer,
    PtzHome,
    PtzMove,
    PtzPresetAnswer,
    PtzStateAnswer,
    PtzSuspend,
    ptz_answer,
    state_answer,
)
from camera_hub.cameras.ptz.control import PtzControl
from camera_hub.cameras.ptz.presets import PtzPresets
from camera_hub.cameras.ptz.wishes import MoveWish, StopWish
from camera_hub.clock import Clock

router = APIRouter(prefix="/api/cameras", tags=["ptz"])

Steering = Annotated[Actor, needs(Action.STEER)]
Control = Annotated[PtzControl, part(PtzControl)]
Presets = Annotated[PtzPresets, part(PtzPresets)]
Token = Annotated[PresetToken, Path()]


@router.get("/{camera_id}/ptz")
async def ptz(camera_id: Id, actor: Steering, presets: Presets) -> PtzAnswer:
    """What the camera can do, its presets and its state. From now on it is ready to be steered at once."""
    return ptz_answer(await presets.open(actor, camera_id))


@router.post("/{camera_id}/ptz/presets", status_code=201)
async def add_preset(camera_id: Id, body: NewPreset, actor: Steering, presets: Presets) -> PtzPresetAnswer:
    return PtzPresetAnswer.model_validate(await presets.add(actor, camera_id, body.name))


@router.put("/{camera_id}/ptz/presets/{token:path}")
async def change_preset(
    camera_id: Id, token: Token, body: ChangePreset, actor: Steering, presets: Presets
) -> PtzPresetAnswer:
    return PtzPresetAnswer.model_validate(await presets.change(actor, camera_id, token, body.name, here=body.here))


@router.delete("/{camera_id}/ptz/presets/{token:path}")
async def remove_preset(
    camera_id: Id, token: Token, actor: Steering, presets: Presets, clock: Annotated[Clock, part(Clock)]
) -> Done:
    await presets.remove(actor, camera_id, token)
    return Done(at=clock.now())


@router.put("/{camera_id}/ptz/home")
async def set_home(camera_id: Id, body: PtzHome, actor: Steering, presets: Presets) -> PtzAnswer:
    return ptz_answer(await presets.set_home(actor, camera_id, body.token, body.seconds))


@router.post("/{camera_id}/ptz/suspend")
async def suspend(camera_id: Id, body: PtzSuspend, actor: Steering, presets: Presets) -> PtzStateAnswer:
    return state_answer(await presets.suspend(actor, camera_id, body.minutes))


@router.post("/{camera_id}/ptz/move")
async def move(camera_id: Id, body: PtzMove, actor: Steering, control: Control) -> PtzStateAnswer:
    """Move the camera for `seconds`, or until this is called again; the hub stops it then."""
    await control.command(actor, camera_id, MoveWish(body.pan, body.tilt, body.zoom, body.seconds), "")
    return state_answer(control.state(actor, camera_id))


@router.post("/{camera_id}/ptz/stop")
async def stop(camera_id: Id, actor: Steering, control: Control) -> PtzStateAnswer:
    await control.command(actor, camera_id, StopWish(), "")
    return state_answer(control.state(actor, camera_id))
