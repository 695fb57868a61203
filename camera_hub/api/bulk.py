"""Changes of many devices or cameras at once: a preview, then a job."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.bulk import ChangeCameras, SubnetBody, SubnetPreviewAnswer, SubnetStart
from camera_hub.api.schemas.jobs import JobProgressAnswer
from camera_hub.cameras.bulk.camera_changes import CameraChanges
from camera_hub.cameras.bulk.subnets import SubnetChanges, SubnetPreview
from camera_hub.cameras.jobs import JobView

router = APIRouter(prefix="/api/bulk", tags=["bulk"])

Registrar = Annotated[Actor, needs(Action.REGISTER)]
Subnets = Annotated[SubnetChanges, part(SubnetChanges)]
Changes = Annotated[CameraChanges, part(CameraChanges)]


@router.post("/subnet/preview", response_model=list[SubnetPreviewAnswer])
async def preview_subnet(body: SubnetBody, actor: Registrar, subnets: Subnets) -> Sequence[SubnetPreview]:
    """Which address each device would get; nothing is sent."""
    return await subnets.preview(actor, body.device_ids, body.before, body.after)


@router.post("/subnet", response_model=JobProgressAnswer, status_code=201)
async def change_subnet(body: SubnetStart, actor: Registrar, subnets: Subnets) -> JobView:
    """Move each device that answers at its new address as the one that is known; no login goes there before."""
    return await subnets.start(actor, body.device_ids, body.before, body.after, unknown_too=body.unknown_too)


@router.post("/cameras", response_model=JobProgressAnswer, status_code=201)
async def change_cameras(body: ChangeCameras, actor: Registrar, changes: Changes) -> JobView:
    """Give these cameras a place class, or ledger values (the maintainer's unit and phone)."""
    return await changes.start(actor, body.camera_ids, body.place_class, body.values)
