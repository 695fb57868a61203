"""The limits of a request's headers and body, reported in the shape of every other error.

What frameworks offer for this answers in plain text, or raises an exception that passes through every middleware.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from camera_hub.api.cors import WHEP_PATHS
from camera_hub.api.errors import answer
from camera_hub.api.routing import SessionReader, session_token
from camera_hub.errors import HubError, Kind

HEADERS_LIMIT = 32 * 1024
"""Bytes of all names and values; the server bounds a head only while it is incomplete."""
STRANGERS_LIMIT = 64 * 1024
"""Bytes of a body without a session: the routes before sign-in take little, and bodies are read before rights are."""


class BodyLimit:
    """Middleware: refuses a body of more than `limit` bytes, announced or not, before it is in memory; of a stranger
    more than STRANGERS_LIMIT. WHEP's routes bound theirs by themselves, and read it only after the player's login,
    which is no session but a stream token.

    It refuses more headers than a browser sends (RFC 6585, 5), and a body whose length is stated in two ways: a proxy
    in front may have believed the other one (RFC 9112, 6.1).
    """

    def __init__(self, app: ASGIApp, limit: int, uploads: Mapping[str, int] = MappingProxyType({})) -> None:
        """`uploads`: paths that take files (regular expressions), and how many bytes of each; of those who are signed
        in."""
        self._app = app
        self._limit = limit
        self._uploads = [(re.compile(path), most) for path, most in uploads.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = next((most for path, most in self._uploads if path.fullmatch(scope["path"])), self._limit)
        if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADERS_LIMIT:
            error = HubError(Kind.TOO_LARGE, f"the headers are over {HEADERS_LIMIT // 1024} KiB; delete cookies")
            await answer(error, 431, headers={"connection": "close"})(scope, receive, send)
            return
        if "content-length" in headers and "transfer-encoding" in headers:
            error = HubError(Kind.INVALID, "a request has either Content-Length or Transfer-Encoding, not both")
            await answer(error, 400, headers={"connection": "close"})(scope, receive, send)
            return
        length = headers.get("content-length", "0")
        announced = int(length) if length.isdecimal() and len(length) < 16 else limit + 1
        most = limit if announced <= STRANGERS_LIMIT or await _is_known(scope) else STRANGERS_LIMIT
        if announced > most:
            error = HubError(Kind.TOO_LARGE, _sentence(most), max=most)
            await answer(error, headers={"connection": "close"})(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            before, received = received, received + len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413, _sentence(limit))  # FastAPI turns any other kind into a 400
            if before <= STRANGERS_LIMIT < received and announced <= STRANGERS_LIMIT and not await _is_known(scope):
                raise HTTPException(413, _sentence(STRANGERS_LIMIT))
            return message

        await self._app(scope, counted, send)


def _sentence(most: int) -> str:
    first = "sign in first, or " if most == STRANGERS_LIMIT else ""
    return f"the request is over {most // 1024} KiB; {first}send less at a time"


async def _is_known(scope: Scope) -> bool:
    """Whether the request comes with a session that is valid, or asks for its login itself; while the database is away
    no session is valid.
    """
    if WHEP_PATHS.fullmatch(scope["path"]):
        return True
    connection = HTTPConnection(scope)
    sessions: SessionReader | None = connection.app.state.sessions
    token = session_token(connection)
    try:
        return bool(token) and sessions is not None and await sessions.actor(token) is not None
    except HubError:
        return False
