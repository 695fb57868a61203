"""Tokens with which foreign players fetch cameras over RTSP or WHEP: shown once, stored as a hash, revocable at any
time.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, StreamTokenChanged
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, StreamSession, StreamToken, Village

MAX_TOKENS = 1000
_TEXT = re.compile(r"[0-9a-f]{32}")

Purpose = Literal["record", "watch"]
"""What a token's RTSP players are for. `record`: frames keep the distances in time at which they were taken, from the
first one on. `watch`: what was taken before the player came is shown at once, so that it begins with the present.
"""


@dataclass(frozen=True, slots=True)
class TokenScope:
    """The cameras that a token covers: the named ones, or those of one village, or all."""

    village_id: int | None = None
    cameras: tuple[int, ...] | None = None

    def covers(self, camera_id: int, village_id: int) -> bool:
        """Whether it covers the camera, which is in that village."""
        if self.cameras is not None:
            return camera_id in self.cameras
        return self.village_id is None or self.village_id == village_id


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its hash."""

    id: int
    name: str
    scope: TokenScope
    max_sessions: int
    created_name: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None
    purpose: Purpose = "record"
    sound: bool = False


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """A player that has shown a token: it acts as nobody, and may watch what the token covers."""

    token: Token


def unusable(token: Token, now: datetime) -> HubError | None:
    """Why the token is not accepted at that time; None when it is. Pure."""
    if token.revoked_at is not None:
        return HubError(Kind.UNAUTHENTICATED, "this token has been revoked", reason="revoked")
    if token.expires_at is not None and token.expires_at <= now:
        return HubError(Kind.UNAUTHENTICATED, "this token has expired", reason="expired")
    return None


def refusal(token: Token, now: datetime, camera_id: int, village_id: int) -> HubError | None:
    """Why the token does not give access to the camera at that time; None when it does. Pure."""
    if (bad := unusable(token, now)) is not None:
        return bad
    if not token.scope.covers(camera_id, village_id):
        return HubError(Kind.NOT_FOUND, "there is no such camera for this token")
    return None


class StreamTokens:
    """The operations behind the page, and what media needs of tokens."""

    def __init__(self, database: Database, clock: Clock, bus: EventBus) -> None:
        self._database = database
        self._clock = clock
        self._bus = bus

    async def create(
        self,
        actor: Actor,
        name: str,
        scope: TokenScope,
        *,
        expires_at: datetime | None,
        max_sessions: int,
        purpose: Purpose = "record",
        sound: bool = False,
    ) -> tuple[Token, str]:
        """A new token, and its text, which cannot be read again. `sound`: its WHEP players hear the cameras, too, where
        the site allows sound. Raises HubError: INVALID (scope, time), CONFLICT.
        """
        now = self._clock.now()
        if expires_at is not None and expires_at <= now:
            raise HubError(
                Kind.INVALID, "the token would already be expired; choose a later time", reason="expires_in_past"
            )
        # Letters and digits only: input forms of video decoders garble or refuse other characters, and people type it.
        text = secrets.token_hex(16)
        async with self._database.write() as session:
            await _require_there(session, scope)
            if len((await session.scalars(select(StreamToken.id))).all()) >= MAX_TOKENS:
                raise HubError(
                    Kind.CONFLICT,
                    f"there are {MAX_TOKENS} tokens already; no more can be created",
                    reason="too_many_tokens",
                )
            row = StreamToken(
                token_hash=hashed(text),
                name=name,
                village_id=scope.village_id,
                cameras=None if scope.cameras is None else list(scope.cameras),
                max_sessions=max_sessions,
                created_by=actor.user_id,
                created_name=actor.display_name,
                created_at=now,
                expires_at=expires_at,
                purpose=purpose,
                sound=sound,
            )
            session.add(row)
            await session.flush()
            token = _token(row)
        self._bus.publish(StreamTokenChanged(token.id))
        return token, text

    async def all(self) -> list[Token]:
        """Every token, newest first; revoked ones stay until their sessions are deleted from the register."""
        async with self._database.read() as session:
            return [_token(row) for row in await session.scalars(select(StreamToken).order_by(StreamToken.id.desc()))]

    async def revoke(self, token_id: int) -> Token:
        """Revoke the token: its sessions end at once. Revoking it again is not an error. Raises HubError(NOT_FOUND)."""
        async with self._database.write() as session:
            row = await session.get(StreamToken, token_id)
            if row is None:
                raise HubError(Kind.NOT_FOUND, "there is no such token")
            row.revoked_at = row.revoked_at or self._clock.now()
            token = _token(row)
        self._bus.publish(StreamTokenChanged(token_id))
        return token

    async def forget(self, before: datetime) -> None:
        """Delete tokens that were invalid at that time, once no line of the register names them."""
        over = or_(StreamToken.revoked_at < before, StreamToken.expires_at < before)
        named = exists().where(StreamSession.token_id == StreamToken.id)
        async with self._database.write() as session:
            await session.execute(delete(StreamToken).where(over, ~named))

    async def of_hash(self, token_hash: str) -> Token | None:
        """The token with this SHA-256; None when there is none."""
        async with self._database.read() as session:
            row = await session.scalar(select(StreamToken).where(StreamToken.token_hash == token_hash))
        if row is None or not secrets.compare_digest(row.token_hash, token_hash):
            return None
        return _token(row)


def is_token(text: str) -> bool:
    """Whether the text has the form of a token."""
    return _TEXT.fullmatch(text) is not None


def hashed(text: str) -> str:
    """The stored form of a token. 128 random bits do not need a slow hash."""
    return hashlib.sha256(text.encode()).hexdigest()


async def _require_there(session: AsyncSession, scope: TokenScope) -> None:
    if scope.village_id is not None and scope.cameras is not None:
        raise HubError(Kind.INVALID, "a token is for one village or for named cameras, not both", reason="scope")
    if scope.village_id is not None and await session.get(Village, scope.village_id) is None:
        raise HubError(Kind.INVALID, "there is no such village", reason="scope")
    if scope.cameras is not None:
        await _require_cameras(session, scope.cameras)


async def _require_cameras(session: AsyncSession, ids: Sequence[int]) -> None:
    known = set(await session.scalars(select(Camera.id).where(Camera.id.in_(ids), Camera.state != "retired")))
    if not ids or known != set(ids):
        raise HubError(
            Kind.INVALID,
            "some of these cameras do not exist or are retired; choose cameras that are in service",
            reason="scope",
        )


def _token(row: StreamToken) -> Token:
    cameras = None if row.cameras is None else tuple(row.cameras)
    return Token(
        id=row.id,
        name=row.name,
        scope=TokenScope(row.village_id, cameras),
        max_sessions=row.max_sessions,
        created_name=row.created_name,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        used_at=row.used_at,
        purpose="watch" if row.purpose == "watch" else "record",
        sound=row.sound,
    )
