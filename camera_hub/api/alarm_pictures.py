"""Pictures that are kept with alarms."""

from typing import Annotated

from fastapi import APIRouter, Response

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.pictures import AlarmPictureAnswer
from camera_hub.health.alarm_pictures.pictures import AlarmPictures, AlarmPictureView

router = APIRouter(prefix="/api/alarms", tags=["alarms"])

_JPEG = "image/jpeg"
Reader = Annotated[Actor, needs(Action.READ_HEALTH)]
Kept = Annotated[AlarmPictures, part(AlarmPictures)]


@router.get("/{alarm_id}/pictures")
async def alarm_pictures(actor: Reader, pictures: Kept, alarm_id: Id) -> list[AlarmPictureAnswer]:
    """What was seen, what it was compared with, and what proved the repair; camera by camera."""
    return [_answer(one) for one in await pictures.of(actor, alarm_id)]


@router.get("/{alarm_id}/pictures/{picture_id}.jpg", response_class=Response, responses={200: {"content": {_JPEG: {}}}})
async def alarm_picture(actor: Reader, pictures: Kept, alarm_id: Id, picture_id: Id) -> Response:
    """The JPEG; it never changes."""
    headers = {"Cache-Control": "private, max-age=86400, immutable"}
    return Response(await pictures.read(actor, alarm_id, picture_id), headers=headers, media_type=_JPEG)


def _answer(view: AlarmPictureView) -> AlarmPictureAnswer:
    return AlarmPictureAnswer(
        id=view.id,
        camera_id=view.camera_id,
        camera_name=view.camera_name,
        kind=view.kind,  # keeper.Kept
        at=view.at,
        scores=view.scores,
        url=f"/api/alarms/{view.alarm_id}/pictures/{view.id}.jpg",
    )
