"""Villages and residential quarters."""

from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter

from camera_hub.access.policy import Action, Actor
from camera_hub.api.live_changes import HUB, Render, SharedReader, to_village
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Done, Id
from camera_hub.api.schemas.places import ChangeVillage, NewOrder, NewVillages, VillageAnswer
from camera_hub.cameras.register.register import Register
from camera_hub.cameras.register.views import VillageView
from camera_hub.cameras.register.village_positions import VillagePosition
from camera_hub.clock import Clock

router = APIRouter(prefix="/api/villages", tags=["villages"])

Reg = Annotated[Register, part(Register)]


@router.get("", response_model=list[VillageAnswer])
async def villages(actor: Annotated[Actor, needs(Action.READ_VILLAGES)], register: Reg) -> list[VillageView]:
    return await register.villages.all(actor)


@router.post("", response_model=list[VillageAnswer], status_code=201)
async def add_villages(
    body: NewVillages, actor: Annotated[Actor, needs(Action.MANAGE_VILLAGES)], register: Reg
) -> list[VillageView]:
    """Add villages; returns all of them in their order. Names that exist already are not added twice."""
    await register.villages.add(body.names, body.kind)
    return await register.villages.all(actor)


@router.put("/order", response_model=list[VillageAnswer])
async def order_villages(
    body: NewOrder, actor: Annotated[Actor, needs(Action.MANAGE_VILLAGES)], register: Reg
) -> list[VillageView]:
    await register.villages.order(body.ids)
    return await register.villages.all(actor)


@router.patch("/{village_id}", response_model=VillageAnswer)
async def change_village(
    village_id: Id, body: ChangeVillage, actor: Annotated[Actor, needs(Action.MANAGE_VILLAGES)], register: Reg
) -> VillageView:
    """Rename it, set its ranges, its position on the map or its outline."""
    on_map = VillagePosition(body.model_fields_set, body.longitude, body.latitude, body.outline, body.datum or "wgs84")
    return await register.villages.change(village_id, name=body.name, kind=body.kind, ranges=body.ranges, on_map=on_map)


@router.delete("/{village_id}")
async def remove_village(
    village_id: Id,
    actor: Annotated[Actor, needs(Action.MANAGE_VILLAGES)],
    register: Reg,
    clock: Annotated[Clock, part(Clock)],
) -> Done:
    await register.villages.remove(village_id)
    return Done(at=clock.now())


def live(register: Register) -> SharedReader:
    """Villages for the pages' WebSockets: a storm that changes all of them is one reading."""

    async def read(ids: Collection[int]) -> dict[int, Render]:
        views = await register.villages.some(HUB, ids)
        return {view.id: to_village(VillageAnswer.model_validate(view), view.id) for view in views}

    return read
