"""WHEP (draft-ietf-wish-whep; what it shares with WHIP: RFC 9725): a single camera for any standard player.

A player logs in with a session's token as Bearer, or with a stream token: as Bearer, as the password of a Basic login,
or in the path. The answer's Location is the player's session, which ends by DELETE, by whoever opened it alone.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from camera_hub.access.stream_tokens import TokenHolder
from camera_hub.api import errors
from camera_hub.api.player_login import PlayerLogin, Shown, player_address, player_login
from camera_hub.api.routing import SessionReader, part, public
from camera_hub.api.schemas.base import Id, Key
from camera_hub.errors import HubError, Kind
from camera_hub.media.rtsp_out.admission import PlayerAdmission, PlayerRequest
from camera_hub.media.rtsp_out.whep_players import WhepPlayers
from camera_hub.media.wall.ice_fragment import Refusal
from camera_hub.media.wall.viewer_session import PlayerTerms
from camera_hub.media.wall.viewers import Viewers
from camera_hub.media.wall.whep import WhepAnswer, WhepViewers
from camera_hub.settings import Settings

router = APIRouter(tags=["media"])

MAX_OFFER = 256 * 1024
MAX_FRAGMENT = 64 * 1024
_SDP = "application/sdp"
_FRAGMENT = "application/trickle-ice-sdpfrag"
_REFUSALS: Mapping[Refusal, tuple[int, Kind, str]] = {
    Refusal.TAG_MISSING: (428, Kind.CONFLICT, "name the ICE session by If-Match; its tag is the ETag of the answer"),
    Refusal.TAG_STALE: (412, Kind.CONFLICT, "If-Match names another ICE session than the one that there is"),
    Refusal.NOT_A_FRAGMENT: (400, Kind.INVALID, "the fragment has no ice-ufrag (RFC 8840, 9)"),
    Refusal.RESTART: (422, Kind.INVALID, "ICE restarts are not supported; end the session and offer again"),
}

StreamQuality = Literal["main", "sub"]
Player = Annotated[Shown, Depends(PlayerLogin())]
Whep = Annotated[WhepViewers, part(WhepViewers)]
Players = Annotated[WhepPlayers, part(WhepPlayers)]
ViewersPart = Annotated[Viewers, part(Viewers)]
SettingsPart = Annotated[Settings, part(Settings)]


def _body(kind: str, limit: int) -> dict[str, Any]:
    """How OpenAPI describes a body of text that the route reads itself."""
    return {"requestBody": {"required": True, "content": {kind: {"schema": {"type": "string", "maxLength": limit}}}}}


_OFFERS: dict[str, Any] = {
    "status_code": 201,
    "response_class": Response,
    "responses": {201: {"content": {_SDP: {}}, "description": "The answer; its Location is the session."}},
    "openapi_extra": {
        "requestBody": {"required": True, "content": {_SDP: {"schema": {"type": "string", "maxLength": MAX_OFFER}}}}
    },
}
_PATCHES: dict[str, Any] = {
    "status_code": 204,
    "response_class": Response,
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {_FRAGMENT: {"schema": {"type": "string", "maxLength": MAX_FRAGMENT}}},
        }
    },
}
_ENDS: dict[str, Any] = {"response_class": Response}
_ASKS: dict[str, Any] = {"status_code": 204, "response_class": Response, "dependencies": [public()]}


@router.post("/api/cameras/{camera_id}/whep", **_OFFERS)
@router.post("/api/cameras/{camera_id}/whep/{quality}", **_OFFERS)
async def watch(
    player: Player,
    whep: Whep,
    players: Players,
    settings: SettingsPart,
    request: Request,
    camera_id: Id,
    quality: StreamQuality | None = None,
) -> Response:
    """application/sdp in, 201 application/sdp + Location /api/whep/{viewer}. Without a quality the hub chooses."""
    sdp = await _text(request, _SDP, MAX_OFFER, "offer")
    answered = await _answered(_offer(player, whep, players, request, camera_id, quality, sdp))
    if isinstance(answered, Response):
        return answered
    return _created(answered, f"/api/whep/{answered.viewer}", settings)


@router.post("/whep/{token}/{camera_id}", **_OFFERS)
@router.post("/whep/{token}/{camera_id}/{quality}", **_OFFERS)
async def watch_by_path(
    player: Player,
    whep: Whep,
    players: Players,
    settings: SettingsPart,
    request: Request,
    token: Key,
    camera_id: Id,
    quality: StreamQuality | None = None,
) -> Response:
    """The same with the stream token in the path, for players that cannot send headers."""
    _require_token(player)
    sdp = await _text(request, _SDP, MAX_OFFER, "offer")
    answered = await _answered(_offer(player, whep, players, request, camera_id, quality, sdp))
    if isinstance(answered, Response):
        return answered
    return _created(answered, f"/whep/{token}/{camera_id}/sessions/{answered.viewer}", settings)


@router.patch("/api/whep/{viewer}", **_PATCHES)
async def trickle(player: Player, whep: Whep, request: Request, viewer: Key) -> Response:
    """The player's candidates, which are not needed. If-Match must be the session's ETag, or *."""
    fragment = await _text(request, _FRAGMENT, MAX_FRAGMENT, "fragment")
    refused = whep.patch(viewer, player.watcher, request.headers.get("if-match", ""), fragment)
    if refused is None:
        return Response(status_code=204)
    status, kind, sentence = _REFUSALS[refused]
    return errors.answer(HubError(kind, sentence, reason=refused), status)


@router.patch("/whep/{token}/{camera_id}/sessions/{viewer}", **_PATCHES)
async def trickle_by_path(
    player: Player, whep: Whep, request: Request, token: Key, camera_id: Id, viewer: Key
) -> Response:
    """The same with the stream token in the path."""
    _require_token(player)
    return await trickle(player, whep, request, viewer)


@router.delete("/api/whep/{viewer}", **_ENDS)
async def end(player: Player, viewers: ViewersPart, viewer: Key) -> Response:
    """End the session."""
    await viewers.close(viewer, player.watcher)
    return Response(status_code=200)


@router.delete("/whep/{token}/{camera_id}/sessions/{viewer}", **_ENDS)
async def end_by_path(player: Player, viewers: ViewersPart, token: Key, camera_id: Id, viewer: Key) -> Response:
    """The same with the stream token in the path."""
    _require_token(player)
    return await end(player, viewers, viewer)


@router.options("/api/cameras/{camera_id}/whep", **_ASKS)
@router.options("/api/cameras/{camera_id}/whep/{quality}", **_ASKS)
@router.options("/whep/{token}/{camera_id}", **_ASKS)
@router.options("/whep/{token}/{camera_id}/{quality}", **_ASKS)
async def asked(
    settings: SettingsPart, admission: Annotated[PlayerAdmission, part(PlayerAdmission)], request: Request
) -> Response:
    """What may be posted here. Anybody may ask, so TURN servers with a login are told to those alone who have one."""
    try:
        known = bool(await player_login(request, admission))
    except HubError:
        known = False
    response = Response(status_code=204, headers={"Allow": "OPTIONS, POST", "Accept-Post": _SDP})
    _add_links(response, settings, secrets=known)
    return response


@router.options("/api/whep/{viewer}", **_ASKS)
@router.options("/whep/{token}/{camera_id}/sessions/{viewer}", **_ASKS)
async def asked_of_session() -> Response:
    """What may be done with a session."""
    return Response(status_code=204, headers={"Allow": "OPTIONS, PATCH, DELETE", "Accept-Patch": _FRAGMENT})


async def _offer(
    player: Shown,
    whep: WhepViewers,
    players: WhepPlayers,
    request: Request,
    camera_id: int,
    quality: StreamQuality | None,
    sdp: str,
) -> WhepAnswer:
    if isinstance(player.watcher, TokenHolder):
        asked = PlayerRequest(
            player.token_hash, camera_id, player_address(request), request.headers.get("user-agent", "")
        )
        return await players.offer(asked, quality or "auto", sdp)
    sessions: SessionReader = request.app.state.sessions
    return await whep.offer(
        player.watcher,
        camera_id,
        sdp,
        PlayerTerms(_while_signed_in(sessions, player.session), quality=quality or "auto"),
    )


async def _answered(offering: Awaitable[WhepAnswer]) -> WhepAnswer | JSONResponse:
    """What cannot be agreed on is 406; 415 is about the type of the body."""
    try:
        return await offering
    except HubError as error:
        if error.kind is not Kind.UNSUPPORTED:
            raise
        return errors.answer(error, 406)


def _while_signed_in(sessions: SessionReader, token: str) -> Callable[[], Awaitable[bool]]:
    async def present() -> bool:
        return await sessions.actor(token) is not None

    return present


def _require_token(player: Shown) -> None:
    """A path without a token is not an address, whoever asks."""
    if not player.in_path:
        raise HubError(Kind.NOT_FOUND, "there is nothing at this address")


async def _text(request: Request, kind: str, limit: int, what: str) -> str:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != kind:
        raise HubError(Kind.UNSUPPORTED, f"the body must be {kind}")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise HubError(Kind.TOO_LARGE, f"the {what} is over {limit // 1024} KiB")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise HubError(Kind.INVALID, f"the {what} is not valid UTF-8") from error


def _created(answered: WhepAnswer, location: str, settings: Settings) -> Response:
    headers = {"Location": location, "ETag": f'"{answered.tag}"', "Accept-Patch": _FRAGMENT}
    response = Response(answered.sdp, 201, headers, media_type=_SDP)
    _add_links(response, settings, secrets=True)
    return response


def _add_links(response: Response, settings: Settings, *, secrets: bool) -> None:
    for link in ice_server_links(settings.media.ice_servers, secrets=secrets):
        response.headers.append("link", link)


def ice_server_links(servers: Sequence[Mapping[str, Any]], *, secrets: bool) -> list[str]:
    """A Link header for each URL of the ICE servers (RFC 9725, 4.6), which are written as browsers take them; without
    `secrets` only those that need no login.
    """
    links = []
    for server in servers:
        named = server.get("urls", ())
        login = [(name, str(server[name])) for name in ("username", "credential") if server.get(name)]
        if login and not secrets:
            continue
        parameters = "".join(f"; {name}={_quoted(value)}" for name, value in login)
        kind = '; credential-type="password"' if login else ""
        for url in [named] if isinstance(named, str) else named:
            if not set(str(url)) & set(' <>"\r\n') and str(url).isascii():
                links.append(f'<{url}>; rel="ice-server"{parameters}{kind}')
    return links


def _quoted(text: str) -> str:
    """A quoted-string (RFC 9110, 5.6.4); what no header may contain is left out."""
    clean = "".join(letter for letter in text if letter == " " or (letter.isascii() and letter.isprintable()))
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'
