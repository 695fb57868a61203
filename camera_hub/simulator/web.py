"""A small HTTP/1.1 server: just what ONVIF, snapshots, a vendor's interface and the control port need."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_HEAD_LIMIT = 32 * 1024
_BODY_LIMIT = 1 << 20
_IDLE = 60.0
_PHRASES = {
    200: "OK", 301: "Moved Permanently", 302: "Found", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 409: "Conflict",
    411: "Length Required", 413: "Content Too Large", 500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip


class BadRequest(Exception):
    """The peer sent a request that is refused; `status` is the HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(_PHRASES[status])
        self.status = status


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request. Header names are lower case, the path is decoded, the query is not."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def keep_alive(self) -> bool:
        return self.headers.get("connection", "").lower() != "close"


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One response."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain"
    headers: tuple[tuple[str, str], ...] = ()
    missing: int = 0  # bytes that Content-Length promises beyond the body

    def encode(self, *, keep_alive: bool) -> bytes:
        lines = [
            f"HTTP/1.1 {self.status} {_PHRASES[self.status]}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body) + self.missing}",
            f"Connection: {'keep-alive' if keep_alive else 'close'}",
            *(f"{name}: {value}" for name, value in self.headers),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


async def read_request(reader: asyncio.StreamReader) -> HttpRequest:
    """The next request. Raises IncompleteReadError at the end, TimeoutError when idle, BadRequest if malformed."""
    async with asyncio.timeout(_IDLE):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.LimitOverrunError as error:
            raise BadRequest(413) from error
        lines = head.split("\r\n")
        parts = lines[0].split(" ")
        if len(parts) != 3 or not parts[2].startswith("HTTP/1.") or len(head) > _HEAD_LIMIT:
            raise BadRequest(400)
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if colon:
                headers[name.strip().lower()] = value.strip()
        if "transfer-encoding" in headers:
            raise BadRequest(411)
        length = headers.get("content-length", "0")
        if not length.isdigit():
            raise BadRequest(400)
        if int(length) > _BODY_LIMIT:
            raise BadRequest(413)
        target = urlsplit(parts[1])
        body = await reader.readexactly(int(length))
    return HttpRequest(parts[0], unquote(target.path), target.query, headers, body)


async def converse(
    reader: asyncio.StreamReader,
    send: Callable[[bytes], Awaitable[None]],
    answer: Callable[[HttpRequest], Awaitable[HttpResponse | None]],
) -> None:
    """Answer requests until one side ends the connection; an answer of None ends it."""
    while True:
        try:
            request = await read_request(reader)
        except BadRequest as error:
            await send(HttpResponse(error.status).encode(keep_alive=False))
            return
        response = await answer(request)
        if response is None:
            return
        await send(response.encode(keep_alive=request.keep_alive))
        if not request.keep_alive:
            return
