"""RTSP messages: a parser with hard limits that never trusts a length, and a serializer. Pure (RFC 2326).

What a camera sends may be hostile: a Content-Length above 128 KiB is refused, as are long lines and many headers.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

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

MAX_STRAY = 64 * 1024
"""Bytes that may be skipped in one place before the stream counts as lost."""
_BLANK: Final = b" \t\r\n"
_METHODS: Final = (
    b"OPTIONS ",
    b"GET_PARAMETER ",
    b"SET_PARAMETER ",
    b"ANNOUNCE ",
    b"REDIRECT ",
    b"TEARDOWN ",
    b"PLAY_NOTIFY ",
    b"DESCRIBE ",
    b"SETUP ",
    b"PLAY ",
    b"PAUSE ",
    b"RECORD ",
)
_SDP_LINE: Final = re.compile(rb"[a-z][ \t]*=")
_PLACE: Final = re.compile(rb"\$|[Rr][Tt][Ss][Pp]/[12]\.")
_MIN_PACKET: Final = 8
"""Bytes of the smallest RTCP packet; RTP's has 12."""


@dataclass(slots=True)
class _Head:
    start_line: str
    headers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    last: str = ""  # name of the last header, which a folded line continues
    count: int = 0  # header lines
    body: int = 0  # bytes; -1 while header lines are read
    open: bool = False  # an SDP whose length is not stated: it ends where its lines do
    seen: int = 0  # bytes of it that have been looked at

    @property
    def response(self) -> bool:
        return self.start_line[:5].upper() == "RTSP/"

    def sdp(self, described: bool) -> bool:
        """Whether the body is an SDP, or has to be taken for one in what may be an answer to DESCRIBE."""
        if not self.response or not self.start_line[5:].partition(" ")[2].lstrip().startswith("2"):
            return False
        kind = self.headers.get("content-type", ("",))[0].lower()
        return "sdp" in kind or (not kind and described)


class Parser:
    """Bytes in, messages out. After a HubError the connection cannot be read any further.

    `camera`: the other side is a camera's server, of which more is borne: bytes that belong to nothing (after the
    first response; counted in `strays` and `stray_bytes`), header lines without a colon, and a Content-Length of an SDP
    that is missing or wrong. The next packet is then looked for on `channels`. `described`: an answer to DESCRIBE is
    due.
    """

    def __init__(self, max_body: int = MAX_BODY, camera: bool = False) -> None:
        self._max_body = max_body
        self._camera = camera
        self._buffer = bytearray()
        self._head: _Head | None = None
        self._begun = False  # a message has been read
        self._searching = 0  # bytes skipped in this place so far, + 1; 0: not searching
        self.channels: tuple[int, ...] = ()
        self.described = False
        self.strays = 0
        self.stray_bytes = 0

    @property
    def unfinished(self) -> bool:
        """Whether the beginning of a message is buffered, or what it is is not known yet."""
        return bool(self._buffer) or self._head is not None or self._searching > 0

    @property
    def may_be_whole(self) -> bool:
        """Whether an SDP is being read that is complete unless more comes: see `finish`."""
        return self._camera and self._head is not None and self._head.body >= 0 and self._head.sdp(self.described)

    def take_interleaved(self) -> bytes:
        """The beginning of an interleaved packet, if that is what is buffered: it is no longer."""
        if self._head is not None or self._searching or not self._buffer or self._buffer[0] != INTERLEAVED:
            return b""
        taken = bytes(self._buffer)
        self._buffer.clear()
        return taken

    def search(self) -> None:
        """What is fed next begins with bytes that belong to nothing."""
        if not self._searching:
            self._searching = 1
            self.strays += 1

    def finish(self) -> Response | None:
        """Nothing more comes: the message whose SDP was being read, if that can be one."""
        head = self._head
        if head is None or not self.may_be_whole or not (head.open or b"m=" in self._buffer):
            return None
        body = bytes(self._buffer)
        self._buffer.clear()
        self._head = None
        message = _complete(head, body)
        return message if isinstance(message, Response) else None

    def feed(self, data: bytes) -> list[Response | Request | Interleaved]:
        """Add bytes from the socket; returns the messages that are complete.

        Raises HubError: BAD_REPLY, NOT_RTSP or TLS_NEEDED for what is not RTSP, REPLY_TOO_LARGE beyond the limits.
        """
        buffer = self._buffer
        buffer += data
        found: list[Response | Request | Interleaved] = []
        at, size = 0, len(buffer)
        while at < size:
            if self._head is None:
                if self._camera:
                    if not self._searching and buffer[at] in _BLANK:
                        at += 1
                        continue
                    if not self._searching and self._begun and self._is_stray(at):
                        self.search()
                        at = self._skip(at, 1)
                        continue
                    if self._searching:
                        place, sure = self._next_place(at)
                        at = self._skip(at, place - at)
                        if not sure:
                            break
                        self._searching = 0
                        continue
                if buffer[at] == INTERLEAVED:
                    if size - at < 4:
                        break
                    end = at + 4 + (buffer[at + 2] << 8 | buffer[at + 3])
                    if end > size:
                        break
                    if self._camera and self._begun and is_stray_frame(buffer, at, end, self.channels):
                        self.search()
                        at = self._skip(at, 1)
                        continue
                    found.append((buffer[at + 1], bytes(buffer[at + 4 : end])))
                    at = end
                    continue
            stop, message = self._message(at)
            if message is not None:
                found.append(message)
            if stop == at and message is None:
                break
            at = stop
        del buffer[:at]
        return found

    def _is_stray(self, at: int) -> bool:
        """Whether nothing that is known begins there, as far as the bytes go."""
        return self._buffer[at] not in _BLANK and not self._begins(at)

    def _next_place(self, at: int) -> tuple[int, bool]:
        """Where the next packet or message may begin, the end of the buffer at the latest; whether that is sure."""
        buffer = self._buffer
        size = len(buffer)
        while True:
            match = _PLACE.search(buffer, at)
            if match is None:  # the beginning of a word may stand at the end
                return max(at, size - 6), False
            at = match.start()
            if buffer[at] != INTERLEAVED:
                return at, True
            if size - at < 5:
                return at, False
            length = buffer[at + 2] << 8 | buffer[at + 3]
            if buffer[at + 1] in self.channels and length >= _MIN_PACKET and buffer[at + 4] >> 6 == 2:
                return at, True
            at += 1

    def _skip(self, at: int, count: int) -> int:
        self.stray_bytes += count
        self._searching += count
        if self._searching > MAX_STRAY:
            raise _bad(f"{MAX_STRAY} bytes that belong to no packet")
        return at + count

    def _message(self, at: int) -> tuple[int, Response | Request | None]:
        """Continue a message at offset `at`. Returns where it stopped, and the message if it is complete."""
        buffer = self._buffer
        while self._head is None or self._head.body < 0:
            end = buffer.find(b"\n", at, at + MAX_LINE + 1)
            if end < 0:
                if len(buffer) - at > MAX_LINE:
                    raise _too_large(f"a line of over {MAX_LINE} bytes")
                if self._head is None:
                    _check_start(bytes(buffer[at : at + 16]))
                return at, None
            line = buffer[at:end].decode("utf-8", "replace").rstrip("\r")
            at = end + 1
            self._line(line)
        head = self._head
        end = at + head.body
        if head.open or (len(buffer) > end and self._camera and head.body and head.sdp(self.described)):
            end, whole = self._sdp_end(end + head.seen)
            if end - at > self._max_body:
                raise _too_large(f"a body of over {self._max_body} bytes")
            if head.open and not whole:
                head.seen = end - at
                return at, None
        elif len(buffer) < end:
            return at, None
        body = bytes(buffer[at:end])
        self._head = None
        self._begun, self.described = True, False
        return end, _complete(head, body)

    def _sdp_end(self, at: int) -> tuple[int, bool]:
        """Where the whole lines of an SDP end that goes on at offset `at`, and whether something else follows there.

        A line that a stated length cuts in two is completed, also where its end is all there is."""
        buffer = self._buffer
        size = len(buffer)
        if at < size and at > 0 and buffer[at - 1] not in b"\r\n" and not self._begins(at):
            end = buffer.find(b"\n", at)
            at = end + 1 if end >= 0 else size
        while at < size:
            if buffer[at] not in b"\r\n" and _SDP_LINE.match(buffer, at) is None:
                # The first letter of a line that is still to come may be all there is of it.
                return at, size - at > 1 or not 0x61 <= buffer[at] <= 0x7A
            end = buffer.find(b"\n", at)
            if end < 0:
                return at, False
            at = end + 1
        return at, False

    def _begins(self, at: int) -> bool:
        """Whether a packet or message may begin at that offset, as far as the bytes go."""
        return self._buffer[at] == INTERLEAVED or is_message_start(bytes(self._buffer[at : at + 16]))

    def _line(self, line: str) -> None:
        if self._head is None:
            if line.strip():  # empty lines between messages are allowed
                _check_start(line.encode("utf-8", "replace")[:16])
                self._head = _Head(line, body=-1)
            return
        head = self._head
        if not line:
            stated = head.headers.get("content-length", ("",))[0]
            if self._camera and not (stated.isascii() and stated.isdigit()):
                stated = ""  # negative, twice, or no number: as if it were missing
            head.body = _body_length(stated or "0", self._max_body)
            head.open = not head.body and self._camera and head.sdp(self.described)
            return
        head.count += 1
        if head.count > MAX_HEADERS:
            raise _too_large(f"over {MAX_HEADERS} header lines")
        if line[0] in " \t":  # folded (RFC 2326 section 15.1), or a line of blanks, which is nothing
            if head.last and (more := line.strip()):
                *before, value = head.headers[head.last]
                head.headers[head.last] = (*before, f"{value} {more}" if value else more)
            return
        name, colon, value = line.partition(":")
        if not colon and self._camera:
            head.last = ""  # stray bytes, and what continues them
            return
        if not colon:
            raise _bad("a header line without a colon")
        head.last = name.strip().lower()
        head.headers[head.last] = (*head.headers.get(head.last, ()), value.strip())


def is_message_start(start: bytes) -> bool:
    """Whether a message may begin with these bytes, as far as they go."""
    if start[:5].upper() == b"RTSP/"[: len(start)]:
        return start[5:6] in (b"", b"1", b"2") and start[6:7] in (b"", b".")
    return any(start[: len(method)] == method[: len(start)] for method in _METHODS)


def is_stray_frame(data: bytes | bytearray, at: int, end: int, channels: tuple[int, ...]) -> bool:
    """Whether the frame that seems to reach from `at` to `end` is none: no channel of ours, and nothing that can be
    read follows. Some cameras send packets on channels that nobody has set up; those are well-framed."""
    if not channels or data[at + 1] in channels or end >= len(data) or data[end] == INTERLEAVED or data[end] in _BLANK:
        return False
    return not is_message_start(bytes(data[end : end + 16]))


def _check_start(start: bytes) -> None:
    """Check the first bytes of a message: a status line or a method name. HTTP servers and noise fail at once."""
    stripped = start.strip(_BLANK)
    if start[:5].upper() == b"RTSP/"[: len(start)] or stripped == b"":
        return
    upper = stripped.upper()
    if upper.startswith((b"HTTP/", b"<HTML", b"<!DOC", b"<?XML", b"<HEAD")):
        raise HubError(
            Kind.INVALID,
            "a web server answers on this port, not a camera's RTSP server; correct the RTSP port (it is 554 mostly)",
            reason=Reason.NOT_RTSP,
        )
    if start[:2] == b"\x15\x03"[: len(start)]:
        if len(start) > 1:
            raise tls_needed()
        return
    if not all(0x41 <= byte <= 0x5A or byte in b"_ " for byte in start.split(b" ")[0]):
        raise _bad("something that is not RTSP")


def tls_needed() -> HubError:
    """The port speaks TLS, and was spoken to without."""
    return HubError(
        Kind.INVALID,
        "this port speaks TLS; write rtsps:// instead of rtsp://, or give the camera's plain RTSP port",
        reason=Reason.TLS_NEEDED,
    )


def _body_length(text: str, limit: int) -> int:
    if not text.isascii() or not text.isdigit():
        raise _bad("a Content-Length that is not a number")
    if len(text) > 9 or int(text) > limit:
        raise _too_large(f"a body of {text[:12]} bytes, the limit is {limit}")
    return int(text)


def _complete(head: _Head, body: bytes) -> Response | Request:
    if not head.response:
        words = head.start_line.split(" ", 2)
        url, version = (*words[1:], "", "")[:2]
        return Request(words[0], head.headers, url, version, body)
    words = head.start_line.split(None, 2)
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
