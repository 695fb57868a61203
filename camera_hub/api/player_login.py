"""Who a WHEP player is: a signed-in user, or the holder of a stream token."""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Annotated

from starlette.requests import HTTPConnection

from camera_hub.access.policy import Action, allows
from camera_hub.access.stream_tokens import TokenHolder, hashed, is_token
from camera_hub.api.errors import BASIC, BEARER, LoginNeeded
from camera_hub.api.routing import Judged, SessionReader, part, refuse_foreign_pages, session_token
from camera_hub.errors import HubError, Kind
from camera_hub.media.rtsp_out.admission import PlayerAdmission
from camera_hub.media.wall.watchers import Watcher

_MAX_BASIC = 512


@dataclass(frozen=True, slots=True)
class Shown:
    """What a player has shown, and who that makes it. `in_path`: the token stands in the path."""

    watcher: Watcher
    token_hash: str = field(default="", repr=False)
    session: str = field(default="", repr=False)
    in_path: bool = False


class PlayerLogin(Judged):
    """The policy of WHEP: as `Needs(VIEW)`, but a stream token does as well, for what it covers.

    No browser ever sends a token on its own, so unlike a session's cookie it needs no proof of our own page.
    """

    def __init__(self) -> None:
        super().__init__(Action.VIEW)

    async def __call__(
        self, connection: HTTPConnection, admission: Annotated[PlayerAdmission, part(PlayerAdmission)]
    ) -> Shown:
        return await player_login(connection, admission)


async def player_login(connection: HTTPConnection, admission: PlayerAdmission) -> Shown:
    """What the player has shown. Raises LoginNeeded (401), and HubError: FORBIDDEN, BUSY for who tries tokens."""
    in_path = str(connection.path_params.get("token", ""))
    scheme, _, shown = connection.headers.get("authorization", "").partition(" ")
    shown = shown.strip()
    for text in (in_path, shown if scheme.lower() == "bearer" else _basic_password(scheme, shown)):
        if is_token(text):
            return await _token_holder(text, admission, connection, in_path=text == in_path)
    return await _signed_in(connection, is_basic=scheme.lower() == "basic")


def player_address(connection: HTTPConnection) -> str:
    """The player's IP address, "" when it is not known."""
    return connection.client.host if connection.client is not None else ""


async def _token_holder(text: str, admission: PlayerAdmission, connection: HTTPConnection, *, in_path: bool) -> Shown:
    try:
        token = await admission.good_token(hashed(text), player_address(connection))
    except HubError as error:
        if error.kind is Kind.UNAUTHENTICATED:
            raise _login_needed(error.detail, error.reason) from error
        raise
    return Shown(TokenHolder(token), token_hash=hashed(text), in_path=in_path)


async def _signed_in(connection: HTTPConnection, *, is_basic: bool) -> Shown:
    session = session_token(connection)
    if not session:
        raise _login_needed(
            "the password of a Basic login must be a stream token" if is_basic else "show a stream token, or sign in"
        )
    refuse_foreign_pages(connection, connection.app.state.whep_origins)
    sessions: SessionReader = connection.app.state.sessions
    actor = await sessions.actor(session)
    if actor is None:
        raise _login_needed("this is no stream token, and no session that still lasts")
    if not allows(actor, Action.VIEW):
        raise HubError(Kind.FORBIDDEN, f"the role {actor.role.value} may not watch cameras")
    return Shown(actor, session=session)


def _login_needed(detail: str, reason: str | None = None) -> LoginNeeded:
    return LoginNeeded(detail, (BEARER, BASIC), reason=reason)


def _basic_password(scheme: str, credentials: str) -> str:
    """The password of a Basic login (RFC 7617); "" without one. The user name may be anything: some players demand
    one."""
    if scheme.lower() != "basic" or len(credentials) > _MAX_BASIC:
        return ""
    try:
        return base64.b64decode(credentials, validate=True).decode("ascii").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
