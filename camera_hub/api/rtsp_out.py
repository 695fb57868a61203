"""Tokens for foreign players (RTSP out, WHEP), and the register of their sessions."""

from collections import Counter
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query

from camera_hub.access.policy import Action, Actor
from camera_hub.access.stream_tokens import StreamTokens, Token, TokenScope
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.rtsp_out import (
    MadeStreamToken,
    NewStreamToken,
    RtspOutAnswer,
    RtspPort,
    StreamAddress,
    StreamSessionAnswer,
    StreamTokenAnswer,
)
from camera_hub.cameras.register.register import Register
from camera_hub.media.rtsp_out.player_sessions import PlayerSessions
from camera_hub.media.rtsp_out.ports import RtspPorts
from camera_hub.settings import Settings

router = APIRouter(prefix="/api/rtsp-out", tags=["rtsp out"])

Manager = Annotated[Actor, needs(Action.MANAGE_STREAM_TOKENS)]
Players = Annotated[PlayerSessions, part(PlayerSessions)]
Ports = Annotated[RtspPorts, part(RtspPorts)]
Tokens = Annotated[StreamTokens, part(StreamTokens)]
RegisterPart = Annotated[Register, part(Register)]
SettingsPart = Annotated[Settings, part(Settings)]


@router.get("")
async def state(
    actor: Manager, players: Players, ports: Ports, tokens: Tokens, settings: SettingsPart
) -> RtspOutAnswer:
    """Tokens and ports."""
    await ports.update()
    states = [RtspPort(relay=n, port=at.port, detail=at.detail) for n, at in enumerate(ports.states())]
    answers = [_token(token, players.running()) for token in await tokens.all()]
    return RtspOutAnswer(
        on=settings.media.rtsp_out,
        host=_host(settings),
        origin=next(iter(settings.server.public_origins), None),
        sound=settings.media.audio,
        ports=states,
        tokens=answers,
    )


@router.post("/tokens", status_code=201)
async def create(
    body: NewStreamToken,
    actor: Manager,
    players: Players,
    ports: Ports,
    tokens: Tokens,
    register: Annotated[Register, part(Register)],
) -> MadeStreamToken:
    """Create a token; its text and the addresses that contain it are never shown again."""
    cameras = tuple(dict.fromkeys(body.cameras)) if body.cameras is not None else None
    scope = TokenScope(body.village_id, cameras)
    token, text = await tokens.create(
        actor,
        body.name,
        scope,
        expires_at=body.expires_at,
        max_sessions=body.max_sessions,
        purpose=body.purpose,
        sound=body.sound,
    )
    await players.on_tokens_changed()
    await ports.update()  # opens them when this is the first token
    addresses = [
        StreamAddress(
            camera_id=camera.id,
            port=ports.of_village(camera.village_id),
            path=f"/{text}/{camera.id}",
            whep=f"/whep/{text}/{camera.id}",
        )
        for camera in await register.cameras.all(actor, state="approved")
        if scope.covers(camera.id, camera.village_id)
    ]
    return MadeStreamToken(token=_token(token, players.running()), text=text, addresses=addresses)


@router.delete("/tokens/{token_id}")
async def revoke(token_id: Id, actor: Manager, players: Players, ports: Ports, tokens: Tokens) -> StreamTokenAnswer:
    """Revoke a token: its sessions end at once, and it is never accepted again."""
    token = await tokens.revoke(token_id)
    await players.on_tokens_changed()
    await ports.update()
    return _token(token, players.running())


@router.get("/sessions")
async def sessions(
    actor: Manager,
    players: Players,
    token_id: Id | None = None,
    before: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[StreamSessionAnswer]:
    """The register, newest first; `before`: only lines older than that one."""
    lines = await players.lines(limit=limit, before=before, token_id=token_id)
    return [StreamSessionAnswer.model_validate(line) for line in lines]


def _host(settings: Settings) -> str | None:
    """The host at which players outside find RTSP out, as far as the settings say."""
    if settings.media.announced_addresses:
        return settings.media.announced_addresses[0]
    origin = next(iter(settings.server.public_origins), "")
    return urlsplit(origin).hostname


def _token(token: Token, running: Counter[int]) -> StreamTokenAnswer:
    return StreamTokenAnswer(
        id=token.id,
        name=token.name,
        village_id=token.scope.village_id,
        cameras=None if token.scope.cameras is None else list(token.scope.cameras),
        max_sessions=token.max_sessions,
        created_name=token.created_name,
        created_at=token.created_at,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
        used_at=token.used_at,
        purpose=token.purpose,
        sound=token.sound,
        running=running[token.id],
    )
