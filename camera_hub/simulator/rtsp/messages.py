"""RTSP requests and responses on the wire (RFC 2326), and the interleaved frames between them."""

import asyncio
from dataclasses import dataclass

_HEAD_LIMIT = 16 * 1024
_BODY_LIMIT = 64 * 1024
_PHRASES = {
    200: "OK", 302: "Moved Temporarily", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 453: "Not Enough Bandwidth", 454: "Session Not Found",
    455: "Method Not Valid in This State", 460: "Only Aggregate Operation Allowed", 461: "Unsupported Transport",
    503: "Service Unavailable",
}  # fmt: skip


OWN = "own"


class BadMessage(Exception):
    """The peer sent something that is not RTSP."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Header names are lower case."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def session(self) -> str:
        """The session named, without its parameters."""
        return self.headers.get("session", "").partition(";")[0].strip()


@dataclass(frozen=True, slots=True)
class Interleaved:
    """A binary frame that came in on the connection."""

    channel: int
    data: bytes


async def read(reader: asyncio.StreamReader) -> Request | Interleaved:
    """The next message. Raises IncompleteReadError at the end of the connection, BadMessage for anything else."""
    first = await reader.readexactly(1)
    if first == b"$":
        head = await reader.readexactly(3)
        return Interleaved(head[0], await reader.readexactly(int.from_bytes(head[1:], "big")))
    try:
        text = (first + await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "replace").lstrip()
    except asyncio.LimitOverrunError as error:
        raise BadMessage("the head is too long") from error
    lines = text.split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("RTSP/") or len(text) > _HEAD_LIMIT:
        raise BadMessage("not an RTSP request line")
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > _BODY_LIMIT:
        raise BadMessage("the content length is invalid or too large")
    return Request(parts[0], parts[1], headers, await reader.readexactly(int(length)))


def response(
    status: int,
    request: Request,
    headers: list[tuple[str, str]],
    body: bytes = b"",
    *,
    cseq: str | None = OWN,
) -> bytes:
    """A response to a request, ready to send. `cseq`: the number in place of the request's own; None: none."""
    lines = [f"RTSP/1.0 {status} {_PHRASES.get(status, 'Refused')}"]
    number = request.headers.get("cseq") if cseq is OWN else cseq
    if number is not None:
        lines.append(f"CSeq: {number}")
    lines += [f"{name}: {value}" for name, value in headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body
