"""Pictures of a camera: the last stored one, a fresh one in full size, and one per key frame for a tile."""

import hashlib
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from camera_hub.access.policy import Action, Actor, allows, require_village
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.decoders.looks import Looks
from camera_hub.media.decoders.pictures import Pictures
from camera_hub.media.decoders.stills import Stills
from camera_hub.media.wall.authorization import WatchAuthorization

router = APIRouter(prefix="/api/cameras", tags=["media"])

_JPEG = "image/jpeg"
_MAIN_SECONDS = 10.0
_SUB_SECONDS = 6.0

_KINDS = {
    Reason.TIMED_OUT: Kind.TIMEOUT,
    Reason.NO_MEDIA: Kind.TIMEOUT,
    Reason.NO_KEY_FRAME: Kind.TIMEOUT,
    Reason.STALLED: Kind.TIMEOUT,
    Reason.BUSY: Kind.BUSY,
    Reason.OVERLOADED: Kind.BUSY,
    Reason.QUARANTINED: Kind.UNAVAILABLE,
    Reason.UNDECODABLE: Kind.UNSUPPORTED,
    Reason.CODEC_UNSUPPORTED: Kind.UNSUPPORTED,
    Reason.RETIRED: Kind.CONFLICT,
}

Watching = Annotated[Actor, needs(Action.VIEW)]
Authorization = Annotated[WatchAuthorization, part(WatchAuthorization)]


@router.get(
    "/{camera_id}/picture",
    response_class=Response,
    responses={200: {"content": {_JPEG: {}}}, 304: {"description": "unchanged"}},
)
async def picture(
    actor: Watching,
    authorization: Authorization,
    pictures: Annotated[Pictures, part(Pictures)],
    request: Request,
    camera_id: Id,
) -> Response:
    """The last stored JPEG; 404 when there is none.

    That of a camera which is not approved is for those who manage it: nobody has said yet that others may see it.
    """
    facts = await authorization.facts(camera_id)
    require_village(actor, facts.village_id, "camera")
    if facts.state != "approved" and not allows(actor, Action.REGISTER, facts.village_id):
        raise HubError(Kind.NOT_FOUND, "there is no such camera")
    jpeg = await pictures.read(camera_id)
    if jpeg is None:
        raise HubError(Kind.NOT_FOUND, "there is no picture of this camera yet", reason="no_picture")
    tag = f'"{hashlib.sha256(jpeg).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in [given.strip() for given in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(jpeg, headers=headers, media_type=_JPEG)


@router.get("/{camera_id}/still", response_class=Response, responses={200: {"content": {_JPEG: {}}}})
async def still(
    actor: Watching,
    authorization: Authorization,
    stills: Annotated[Stills, part(Stills)],
    clock: Annotated[Clock, part(Clock)],
    camera_id: Id,
    stream: Literal["main", "sub"] = "sub",
    n: Annotated[int, Query(ge=0, le=2**53 - 1)] = 0,
) -> Response:
    """The last key frame of a stream that a tile shows as pictures; 404 when none does.

    `n` only makes the address of each picture unique. X-Picture-Age: milliseconds since its key frame arrived.
    """
    await authorization.require(actor, camera_id)
    newest = stills.newest(camera_id, stream)
    if newest is None:
        raise HubError(Kind.NOT_FOUND, "no tile shows key frames of this stream", reason="no_picture")
    age = max(0.0, clock.monotonic() - newest.at) * 1000
    headers = {"Cache-Control": "private, no-store", "X-Picture-Age": f"{age:.0f}"}
    return Response(newest.jpeg, headers=headers, media_type=_JPEG)


@router.post("/{camera_id}/snapshot", response_class=Response, responses={200: {"content": {_JPEG: {}}}})
async def snapshot(
    actor: Watching,
    authorization: Authorization,
    looks: Annotated[Looks, part(Looks)],
    camera_id: Id,
    quality: Literal["main", "sub"] = "main",
) -> Response:
    """A fresh JPEG of one key frame in full size: from the main stream, or from the sub stream where that one fails."""
    await authorization.require(actor, camera_id)
    sight = await looks.look(camera_id, quality=quality, deadline=_MAIN_SECONDS)
    if sight.jpeg is None and quality == "main":
        second = await looks.look(camera_id, quality="sub", deadline=_SUB_SECONDS)
        sight = second if second.jpeg is not None else sight
    if sight.jpeg is None:
        reason = sight.reason or Reason.UNDECODABLE
        raise HubError(
            next((kind for known, kind in _KINDS.items() if known == reason), Kind.UNREACHABLE),
            sight.detail or "no picture could be taken",
            reason=reason,
        )
    headers = {
        "Cache-Control": "private, no-store",
        "X-Picture-At": sight.at.isoformat(),
        "X-Picture-Stream": sight.role or "",
    }
    return Response(sight.jpeg, headers=headers, media_type=_JPEG)
