"""Which player may have which camera (RTSP out, WHEP): by its token, the camera's state, and how many there are
already. Who tries tokens is braked, by address and over both.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from camera_hub.access.stream_tokens import StreamTokens, Token, refusal, unusable
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.interface import PullableStream
from camera_hub.media.rtsp_out.token_guesses import TokenGuesses
from camera_hub.media.wall.authorization import CameraFacts, WatchAuthorization
from camera_hub.settings import MediaSettings as MediaSettings


class PlayerCapacity(Protocol):
    """What the machine bears (capacity.capacity)."""

    def require(self, relay: int, stream: PullableStream, holder: str) -> None: ...


@dataclass(frozen=True, slots=True)
class PlayerRequest:
    """Who asks for which camera. `token_hash`: SHA-256 of its token, in hex; `address`: the player's."""

    token_hash: str = field(repr=False)
    camera: int
    address: str
    agent: str = ""


class PlayerAdmission:
    """Keeps the tokens in memory: `refresh` reads them after they have changed."""

    def __init__(
        self,
        settings: MediaSettings,
        tokens: StreamTokens,
        authorization: WatchAuthorization,
        clock: Clock,
        capacity: PlayerCapacity,
    ) -> None:
        self._capacity = capacity
        self._settings = settings
        self._tokens = tokens
        self._authorization = authorization
        self._clock = clock
        self._known: dict[int, Token] = {}
        self._guesses = TokenGuesses(clock.monotonic)

    async def refresh(self) -> None:
        """Read all tokens."""
        self._known = {token.id: token for token in await self._tokens.all()}

    async def token(self, token_hash: str, address: str) -> Token:
        """The token, which may have ended. Raises HubError: UNAUTHENTICATED; BUSY for an address that tries tokens."""
        token = await self._tokens.of_hash(token_hash)
        if token is None:
            self._guesses.wrong(address)
            raise HubError(
                Kind.UNAUTHENTICATED,
                "there is no such token; ask whoever manages tokens for a new one",
                reason="unknown_token",
            )
        return token

    async def good_token(self, token_hash: str, address: str) -> Token:
        """The token, which is good now. Raises HubError as `token`."""
        token = await self.token(token_hash, address)
        if (bad := unusable(token, self._clock.now())) is not None:
            raise bad
        return token

    async def admit(self, ask: PlayerRequest, counts: Callable[[], Counter[int]], *, rtsp: bool) -> Token:
        """The player's token, when it may have the camera besides what runs by then (`counts`: token → sessions).
        Nothing is awaited after they were counted. `rtsp`: over RTSP out, which may be switched off.

        Raises HubError: UNAUTHENTICATED, NOT_FOUND, CONFLICT, BUSY.
        """
        if rtsp and not self._settings.rtsp_out:
            raise HubError(Kind.UNAUTHENTICATED, "RTSP out is switched off (media.rtsp_out)")
        try:
            token = await self.token(ask.token_hash, ask.address)
        except HubError as error:
            if rtsp and error.kind is Kind.BUSY:  # the relay delays such an answer anyway
                raise HubError(Kind.UNAUTHENTICATED, error.detail, reason=error.reason) from error
            raise
        facts = await self._authorization.facts(ask.camera)
        if (refused := refusal(token, self._clock.now(), facts.camera_id, facts.village_id)) is not None:
            raise refused
        if facts.state != "approved":
            raise HubError(Kind.NOT_FOUND, "this camera is not in service", reason=Reason.NOT_APPROVED)
        running = counts()
        if running[token.id] >= token.max_sessions:
            detail = f"this token has {token.max_sessions} sessions already; end one first"
            raise HubError(Kind.BUSY, detail, reason=Reason.BUSY)
        if running.total() >= self._settings.rtsp_sessions:
            detail = f"the hub serves {self._settings.rtsp_sessions} players already (media.rtsp_sessions)"
            raise HubError(Kind.BUSY, detail, reason=Reason.BUSY)
        return token

    def require_room(self, relay: int, stream: PullableStream, holder: str) -> None:
        """The relay must have room for one more picture. Raises HubError(BUSY)."""
        self._capacity.require(relay, stream, holder)

    def kept_since(self) -> datetime:
        """What ended earlier is not kept (media.rtsp_keep_days)."""
        return self._clock.now() - timedelta(days=self._settings.rtsp_keep_days)

    async def forget(self, before: datetime) -> None:
        """Drop tokens that ended earlier, and of which no session is registered any longer."""
        await self._tokens.forget(before)

    def token_ended(self, token: Token) -> str | None:
        """Why a token is no longer good; None while it is."""
        bad = unusable(self._known.get(token.id, token), self._clock.now())
        return bad.reason if bad is not None else None

    async def facts(self, camera_id: int) -> CameraFacts | None:
        """The camera as it is now; None when there is none. Raises HubError when the database fails."""
        return await self._authorization.facts_or_none(camera_id)

    def anybody_may_come(self) -> bool:
        """Whether RTSP out is on and there is a good token at all: a port that nobody may use is not open."""
        now = self._clock.now()
        return self._settings.rtsp_out and any(unusable(token, now) is None for token in self._known.values())
