"""The limit on the size of a request, reported in the shape of every other error.

What frameworks offer for this answers in plain text, or raises an exception that passes through every middleware.
"""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from camera_hub.api.errors import answer
from camera_hub.errors import HubError, Kind


class BodyLimit:
    """Middleware: refuses a body of more than `limit` bytes, announced or not, before it is in memory."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or int(announced) > self._limit:
            error = HubError(Kind.TOO_LARGE, self._sentence(), max=self._limit)
            await answer(error, headers={"connection": "close"})(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise HTTPException(413, self._sentence())  # FastAPI turns any other kind into a 400
            return message

        await self._app(scope, counted, send)

    def _sentence(self) -> str:
        return f"the request is over {self._limit // 1024} KiB; send less at a time"
