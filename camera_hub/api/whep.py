"""WHEP (draft-ietf-wish-whep): a single camera for any standard player."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import SessionReader, needs, part, session_token
from camera_hub.api.schemas.base import Id, Key
from camera_hub.errors import HubError, Kind
from camera_hub.media.wall.viewers import Viewers
from camera_hub.media.wall.whep import WhepViewers

router = APIRouter(prefix="/api", tags=["media"])

MAX_OFFER = 256 * 1024
_SDP = "application/sdp"

Watching = Annotated[Actor, needs(Action.VIEW)]


@router.post(
    "/cameras/{camera_id}/whep",
    status_code=201,
    response_class=Response,
    responses={201: {"content": {_SDP: {}}, "description": "The answer; its Location ends the session."}},
    openapi_extra={
        "requestBody": {"required": True, "content": {_SDP: {"schema": {"type": "string", "maxLength": MAX_OFFER}}}}
    },
)
async def watch(
    actor: Watching, whep: Annotated[WhepViewers, part(WhepViewers)], request: Request, camera_id: Id
) -> Response:
    """application/sdp in, 201 application/sdp + Location /api/whep/{viewer}."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _SDP:
        raise HubError(Kind.UNSUPPORTED, f"the body must be {_SDP}")
    offer = bytearray()
    async for piece in request.stream():
        offer += piece
        if len(offer) > MAX_OFFER:
            raise HubError(Kind.TOO_LARGE, "the offer is over 256 KiB")
    try:
        sdp = offer.decode()
    except UnicodeDecodeError as error:
        raise HubError(Kind.INVALID, "the offer is not valid UTF-8") from error
    sessions: SessionReader = request.app.state.sessions
    token = session_token(request)

    async def present() -> bool:
        return await sessions.actor(token) is not None

    answered = await whep.offer(actor, camera_id, sdp, present)
    return Response(answered.sdp, 201, {"Location": f"/api/whep/{answered.viewer}"}, media_type=_SDP)


@router.delete("/whep/{viewer}", response_class=Response)
async def end(actor: Watching, viewers: Annotated[Viewers, part(Viewers)], viewer: Key) -> Response:
    """End the session."""
    await viewers.close(viewer, actor)
    return Response(status_code=200)
