"""Questions whether two devices are one: both sides, and the answer of a person."""

import hashlib
from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter, Request, Response

from camera_hub.access.policy import Action, Actor, allows
from camera_hub.api.live_changes import HUB, Render, SharedReader
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.matches import AcceptMatch, MatchAnswer, MatchState
from camera_hub.cameras.matches.matches import Matches
from camera_hub.cameras.matches.views import MatchView

router = APIRouter(prefix="/api/matches", tags=["matches"])

Registrar = Annotated[Actor, needs(Action.REGISTER)]
Asked = Annotated[Matches, part(Matches)]
_JPEG = "image/jpeg"


@router.get("", response_model=list[MatchAnswer])
async def matches(
    actor: Registrar, asked: Asked, state: MatchState = "open", village_id: Id | None = None
) -> list[MatchView]:
    """Questions of which the user may see both sides, the newest first."""
    return await asked.all(actor, state=state, village_id=village_id)


@router.get("/{match_id}", response_model=MatchAnswer)
async def match(match_id: Id, actor: Registrar, asked: Asked) -> MatchView:
    return await asked.get(actor, match_id)


@router.get(
    "/{match_id}/picture",
    response_class=Response,
    responses={200: {"content": {_JPEG: {}}}, 304: {"description": "unchanged"}},
)
async def match_picture(match_id: Id, actor: Registrar, asked: Asked, request: Request) -> Response:
    """The picture of a device that is not registered, taken at its new place; 404 when there is none."""
    jpeg = await asked.picture(actor, match_id)
    tag = f'"{hashlib.sha256(jpeg).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in [given.strip() for given in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(jpeg, headers=headers, media_type=_JPEG)


@router.post("/{match_id}/accept", response_model=MatchAnswer)
async def accept_match(match_id: Id, body: AcceptMatch, actor: Registrar, asked: Asked) -> MatchView:
    """It is the same device (kind changed: it is ours). It stays open where the pictures do not fit."""
    password = body.password.get_secret_value() if body.password is not None else None
    return await asked.accept(actor, match_id, password=password, pictures_seen=body.pictures_seen)


@router.post("/{match_id}/reject", response_model=MatchAnswer)
async def reject_match(match_id: Id, actor: Registrar, asked: Asked) -> MatchView:
    """They are two devices; nobody is asked again."""
    return await asked.reject(actor, match_id)


def live(asked: Matches) -> SharedReader:
    """Questions for the pages' WebSockets; one that is decided counts as gone."""

    async def read(ids: Collection[int]) -> dict[int, Render]:
        return {view.id: _shown(view) for view in await asked.some(HUB, ids) if view.state == "open"}

    return read


def _shown(view: MatchView) -> Render:
    answer = MatchAnswer.model_validate(view)
    villages = (view.known.village_id, view.other.village_id)

    def shown(actor: Actor) -> MatchAnswer | None:
        return answer if all(allows(actor, Action.REGISTER, village) for village in villages) else None

    return shown
