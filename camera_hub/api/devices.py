"""Devices: cameras and recorders with their logins. Passwords are write-only."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter

from camera_hub.access.policy import Action, Actor, allows
from camera_hub.api.live_changes import HUB, Render, SharedReader, each
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Done, Id
from camera_hub.api.schemas.places import ChangeDevice, DeviceAnswer, DeviceRegistered, NewDevice, NewUrlCamera
from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.cameras.intake.intake import Intake
from camera_hub.cameras.intake.wanted import WantedCamera, WantedDevice
from camera_hub.cameras.peculiarities import Peculiarities
from camera_hub.cameras.register.devices import Registered
from camera_hub.cameras.register.register import Register
from camera_hub.cameras.register.views import DeviceView
from camera_hub.clock import Clock

router = APIRouter(prefix="/api/devices", tags=["devices"])

Reg = Annotated[Register, part(Register)]
Logins = Annotated[LoginBudget, part(LoginBudget)]
Reader = Annotated[Actor, needs(Action.READ_HEALTH)]
Registrar = Annotated[Actor, needs(Action.REGISTER)]
Newcomer = Annotated[Actor, needs(Action.INTAKE)]
Taking = Annotated[Intake, part(Intake)]


@router.get("", response_model=list[DeviceAnswer])
async def devices(actor: Reader, register: Reg, logins: Logins) -> list[DeviceView]:
    return [_shown(actor, device, logins) for device in await register.devices.all(actor)]


@router.post("", response_model=DeviceRegistered, status_code=201)
async def register_device(body: NewDevice, actor: Newcomer, intake: Taking) -> Registered:
    """Register a device. One that cannot be described now waits in the inbox: `params.candidate` of the error."""
    wanted = WantedDevice(
        body.village_id,
        body.host,
        body.port,
        body.rtsp_port,
        body.username,
        body.password.get_secret_value(),
        body.name,
        body.endpoint,
        source="search" if body.found or body.endpoint else "address",
        profile_id=body.profile_id,
    )
    return await intake.register(actor, wanted)


@router.post("/url", response_model=DeviceRegistered, status_code=201)
async def register_url(body: NewUrlCamera, actor: Newcomer, intake: Taking) -> Registered:
    """Register a camera that is known by its RTSP address; errors as above."""
    wanted = WantedDevice(
        body.village_id,
        username=body.username,
        password=body.password.get_secret_value(),
        name=body.name,
        main_url=body.main_url,
        sub_url=body.sub_url,
        cameras=(WantedCamera(None, body.name, body.place_class),),
    )
    return await intake.register(actor, wanted)


@router.get("/{device_id}", response_model=DeviceAnswer)
async def device(device_id: Id, actor: Reader, register: Reg, logins: Logins) -> DeviceView:
    return _shown(actor, await register.devices.get(actor, device_id), logins)


@router.patch("/{device_id}", response_model=DeviceAnswer)
async def change_device(device_id: Id, body: ChangeDevice, actor: Newcomer, register: Reg) -> DeviceView:
    return await register.devices.change(
        actor,
        device_id,
        name=body.name,
        host=body.host,
        onvif_port=body.onvif_port,
        rtsp_port=body.rtsp_port,
        purpose=body.purpose or "ordinary",
        username=body.username,
        password=body.password.get_secret_value() if body.password is not None else None,
    )


@router.post("/{device_id}/describe", response_model=DeviceRegistered)
async def describe_device(device_id: Id, actor: Registrar, register: Reg) -> Registered:
    """Describe the device again: new channels are added, known ones keep their names."""
    return await register.devices.describe(actor, device_id)


@router.delete("/{device_id}")
async def retire_device(device_id: Id, actor: Registrar, register: Reg, clock: Annotated[Clock, part(Clock)]) -> Done:
    await register.devices.retire(actor, device_id)
    return Done(at=clock.now())


@router.delete("/{device_id}/peculiarities")
async def forget_peculiarities(
    device_id: Id,
    actor: Registrar,
    register: Reg,
    peculiarities: Annotated[Peculiarities, part(Peculiarities)],
    clock: Annotated[Clock, part(Clock)],
) -> Done:
    """Forget what was learnt of the device, as when another one has taken its place."""
    await register.devices.get(actor, device_id)  # theirs, or not found
    await peculiarities.forget(device_id)
    return Done(at=clock.now())


def _shown(actor: Actor, device: DeviceView, logins: LoginBudget) -> DeviceView:
    """With the pause of its login. Login names and addresses of streams are shown only to those who may register
    devices."""
    device = device.with_pause(logins.pause(device.id))
    return device if allows(actor, Action.REGISTER) else replace(device, logins=(), streams=())


def live(register: Register, logins: LoginBudget) -> SharedReader:
    """Devices for the pages' WebSockets; a retired one counts as gone."""

    def render(device: DeviceView) -> Render | None:
        if device.retired_at is not None:
            return None
        device = device.with_pause(logins.pause(device.id))
        whole = DeviceAnswer.model_validate(device)
        without_login = DeviceAnswer.model_validate(replace(device, logins=(), streams=()))

        def shown(actor: Actor) -> DeviceAnswer | None:
            if not allows(actor, Action.READ_HEALTH, device.village_id):
                return None
            return whole if allows(actor, Action.REGISTER) else without_login

        return shown

    return lambda ids: each(ids, lambda id: register.devices.get(HUB, id), render)
