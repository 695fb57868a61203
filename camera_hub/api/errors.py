"""Every error of the API in one shape: {"error": kind, "reason": code, "detail": sentence, "params": {…}}.

A client never gets a traceback, nor its own input back (it may be a password); unexpected failures are logged in full.
"""

import logging
import math
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.logs import outside

log = logging.getLogger(__name__)

_KINDS = {kind.status: kind for kind in Kind} | {400: Kind.INVALID, 405: Kind.UNSUPPORTED}
_RETRY_AFTER: dict[str, int] = {Reason.DATABASE_BUSY: 2, Reason.DATABASE_AWAY: 5, Reason.STORAGE_FULL: 60}
"""Seconds after which a client may try again (RFC 9110, 10.2.3)."""

BEARER = 'Bearer realm="camera hub"'
BASIC = 'Basic realm="camera hub", charset="UTF-8"'

_SENTENCES = {
    404: "there is nothing at this address",
    405: "this address does not support that method",
}


def install(app: FastAPI) -> None:
    """Give the app its exception handlers. `Unexpected` must be added as the outermost middleware."""
    app.add_exception_handler(HubError, _hub_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(WebSocketRequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def answer(error: HubError, status: int | None = None, headers: dict[str, str] | None = None) -> JSONResponse:
    """The HTTP answer to an expected failure."""
    fields = dict(headers or {})
    if (seconds := error.params.get("retry_in")) is not None:
        fields.setdefault("retry-after", str(math.ceil(seconds)))
    elif error.reason in _RETRY_AFTER:
        fields.setdefault("retry-after", str(_RETRY_AFTER[error.reason]))
    response = JSONResponse(error.body(), status if status is not None else error.kind.status, fields)
    if response.status_code == 401:
        for challenge in error.challenges if isinstance(error, LoginNeeded) else (BEARER,):
            response.headers.append("www-authenticate", challenge)  # a line each: some clients read only the first
    return response


class LoginNeeded(HubError):
    """Nobody is logged in, or not well enough. `challenges`: how one may log in here (RFC 9110, 11.6.1)."""

    def __init__(self, detail: str, challenges: Sequence[str], *, reason: str | None = None) -> None:
        super().__init__(Kind.UNAUTHENTICATED, detail, reason=reason)
        self.challenges = tuple(challenges)


class Unexpected:
    """Outermost middleware: an exception that nothing caught is logged with its traceback and answered without it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        started = False
        gone: OSError | None = None  # what the server raises for a browser that has gone away

        async def watched(message: Message) -> None:
            nonlocal started, gone
            started = True
            try:
                await send(message)
            except OSError as error:
                gone = error
                raise

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            return  # the browser went away in the middle of its request: nobody is there to be answered
        except Exception as error:
            if error is gone:
                return  # a WebSocket that was closed before it was accepted or refused
            log.exception("%s %s failed unexpectedly", outside(scope.get("method", "WS")), outside(scope["path"]))
            if started:
                return  # the answer is under way; the server closes the connection of an unfinished one
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1011})
                return
            failed = HubError(Kind.INTERNAL, "the hub failed unexpectedly; its log says why")
            await answer(failed)(scope, receive, send)


async def _hub_error(connection: Any, error: Exception) -> Any:
    assert isinstance(error, HubError)
    return await _respond(connection, error)


async def _invalid(connection: Any, error: Exception) -> Any:
    assert isinstance(error, RequestValidationError | WebSocketRequestValidationError)
    return await _respond(connection, invalid(error.errors()))


async def _http(connection: Request | WebSocket, error: Exception) -> Any:
    assert isinstance(error, HTTPException)
    kind = _KINDS.get(error.status_code, Kind.INVALID if error.status_code < 500 else Kind.INTERNAL)
    sentence = _SENTENCES.get(error.status_code, str(error.detail))
    answered = HubError(kind, sentence, reason={405: "method_not_allowed"}.get(error.status_code))
    return await _respond(connection, answered, error.status_code, dict(error.headers or {}))


def invalid(errors: Sequence[Any]) -> HubError:
    """Pydantic's errors as one HubError: names of fields and rules, never the input."""
    fields = [
        {"field": ".".join(str(part) for part in found["loc"][1:]), "type": found["type"], "message": found["msg"]}
        for found in errors
    ]
    sentence = "; ".join(
        f"{field['field']}: {field['message']}" if field["field"] else field["message"] for field in fields
    )
    return HubError(Kind.INVALID, sentence or "the request is not valid", fields=fields)


async def _respond(
    connection: Request | WebSocket, error: HubError, status: int | None = None, headers: dict[str, str] | None = None
) -> JSONResponse | None:
    if isinstance(connection, Request):
        return answer(error, status, headers)
    if "websocket.http.response" in connection.scope.get("extensions", {}):
        await connection.send_denial_response(answer(error, status))
    else:
        await connection.close(1008, error.reason)
    return None
