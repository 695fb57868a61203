"""RTSP messages: a parser with hard limits that never trusts a length, and a serializer. Pure (RFC 2326).

What a camera sends may be hostile: a Content-Length above 128 KiB is refused, as are long lines and many headers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from camera_hub.errors import HubError, Kind, Reason

MAX_BODY = 128 * 1024
MAX_HEADERS = 64
MAX_LINE = 8 * 1024


@dataclass(frozen=True, slots=True)
class Response:
    """A camera's response. Header names in lower case; a repeated header keeps all of its values."""

    status: int
    phrase: str
    headers: Mapping[str, tuple[str, ...]]
    body: bytes = b""

    def header(self, name: str) -> str:
        """The first value, or an empty string."""
        return self.headers.get(name, ("",))[0]


@dataclass(frozen=True, slots=True)
class Request:
    """A request of a player of RTSP out, or of a camera (some send OPTIONS or SET_PARAMETER to their clients)."""

    method: str
    headers: Mapping[str, tuple[str, ...]]
    url: str = field(default="", repr=False)  # may contain a player's token
    version: str = ""
    body: bytes = b""

    def header(self, name: str) -> str:
        """The first value, or an empty string."""
        return self.headers.get(name, ("",))[0]


INTERLEAVED = 0x24
"""The byte in front of an interleaved packet, a dollar sign."""
Interleaved = tuple[int, bytes]
"""Channel and packet of an interleaved frame (RFC 2326 section 10.12)."""


@dataclass(slots=True)
class _Head:
    start_line: str
    headers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    count: int = 0  # header lines
    body: int = 0  # bytes; -1 while header lines are read


class Parser:
    """Bytes in, messages out. After a HubError the connection cannot be read any further."""

    def __init__(self, max_body: int = MAX_BODY) -> None:
        self._max_body = max_body
        self._buffer = bytearray()
        self._head: _Head | None = None

    @property
    def unfinished(self) -> bool:
        """Whether the beginning of a message is buffered."""
        return bool(self._buffer) or self._head is not None

    def take_interleaved(self) -> bytes:
        """The beginning of an interleaved packet, if that is what is buffered: it is no longer."""
        if self._head is not None or not self._buffer or self._buffer[0] != INTERLEAVED:
            return b""
        taken = bytes(self._buffer)
        self._buffer.clear()
        return taken

    def feed(self, data: bytes) -> list[Response | Request | Interleaved]:
        """Add bytes from the socket; returns the messages that are complete.

        Raises HubError: BAD_REPLY for what is not RTSP, REPLY_TOO_LARGE beyond the limits.
        """
        buffer = self._buffer
        buffer += data
        found: list[Response | Request | Interleaved] = []
        at, size = 0, len(buffer)
        while at < size:
            if self._head is None and buffer[at] == INTERLEAVED:
                if size - at < 4:
                    break
                end = at + 4 + (buffer[at + 2] << 8 | buffer[at + 3])
                if end > size:
                    break
                found.append((buffer[at + 1], bytes(buffer[at + 4 : end])))
                at = end
                continue
            stop, message = self._message(at)
            if message is not None:
                found.append(message)
            if stop == at:
                break
            at = stop
        del buffer[:at]
        return found

    def _message(self, at: int) -> tuple[int, Response | Request | None]:
        """Continue a message at offset `at`. Returns where it stopped, and the message if it is complete."""
        buffer = self._buffer
        while self._head is None or self._head.body < 0:
            end = buffer.find(b"\n", at, at + MAX_LINE + 1)
            if end < 0:
                if len(buffer) - at > MAX_LINE:
                    raise _too_large(f"a line of over {MAX_LINE} bytes")
                if self._head is None:
                    _check_start(bytes(buffer[at : at + 8]))
                return at, None
            line = buffer[at:end].decode("utf-8", "replace").rstrip("\r")
            at = end + 1
            self._line(line)
        head = self._head
        if len(buffer) - at < head.body:
            return at, None
        body = bytes(buffer[at : at + head.body])
        self._head = None
        return at + head.body, _complete(head, body)

    def _line(self, line: str) -> None:
        if self._head is None:
            if line:  # empty lines between messages are allowed
                _check_start(line.encode("utf-8", "replace")[:8])
                self._head = _Head(line, body=-1)
            return
        head = self._head
        if not line:
            head.body = _body_length(head.headers, self._max_body)
            return
        head.count += 1
        if head.count > MAX_HEADERS:
            raise _too_large(f"over {MAX_HEADERS} header lines")
        name, colon, value = line.partition(":")
        if not colon:
            raise _bad("a header line without a colon")
        key = name.strip().lower()
        head.headers[key] = (*head.headers.get(key, ()), value.strip())


def _check_start(start: bytes) -> None:
    """Check the first bytes of a message: a status line or a method name. HTTP servers and noise fail at once."""
    if start.startswith(b"RTSP/1."[: len(start)]) or start.strip(b"\r\n") == b"":
        return
    if not all(0x41 <= byte <= 0x5A or byte in b"_ " for byte in start.split(b" ")[0]):
        raise _bad("something that is not RTSP")


def _body_length(headers: Mapping[str, tuple[str, ...]], limit: int) -> int:
    text = headers.get("content-length", ("0",))[0]
    if not text.isascii() or not text.isdigit():
        raise _bad("a Content-Length that is not a number")
    if len(text) > 9 or int(text) > limit:
        raise _too_large(f"a body of {text[:12]} bytes, the limit is {limit}")
    return int(text)


def _complete(head: _Head, body: bytes) -> Response | Request:
    words = head.start_line.split(" ", 2)
    if not head.start_line.startswith("RTSP/"):
        url, version = (*words[1:], "", "")[:2]
        return Request(words[0], head.headers, url, version, body)
    if len(words) < 2 or len(words[1]) != 3 or not words[1].isascii() or not words[1].isdigit():
        raise _bad("a status line without a status code")
    return Response(int(words[1]), words[2] if len(words) > 2 else "", head.headers, body)


def _bad(what: str) -> HubError:
    return HubError(Kind.INVALID, f"the camera sent {what}; check that this is its RTSP port", reason=Reason.BAD_REPLY)


def _too_large(what: str) -> HubError:
    return HubError(
        Kind.TOO_LARGE,
        f"the camera sent {what}; check that this is its RTSP port, or restart it",
        reason=Reason.REPLY_TOO_LARGE,
    )


def write_interleaved(channel: int, packet: bytes) -> bytes:
    """An RTP or RTCP packet of at most 65,535 bytes, framed for its channel (RFC 2326 section 10.12)."""
    return bytes((INTERLEAVED, channel)) + len(packet).to_bytes(2, "big") + packet


def write_request(method: str, url: str, headers: Mapping[str, str]) -> bytes:
    """Serialize a request. Raises HubError(INVALID) for a value with a line break, which would inject a header."""
    lines = [f"{method} {url} RTSP/1.0", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    for line in lines:
        if "\r" in line or "\n" in line or "\0" in line:
            raise HubError(
                Kind.INVALID,
                "an RTSP request must not contain line breaks; check the stream's URL",
                reason=Reason.BAD_REPLY,
            )
    return "\r\n".join(lines).encode()


def write_response(
    status: int, phrase: str, request: Request, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> bytes:
    """Serialize a response, with the CSeq of the request."""
    lines = [f"RTSP/1.0 {status} {phrase}", f"CSeq: {request.header('cseq') or '0'}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + body
