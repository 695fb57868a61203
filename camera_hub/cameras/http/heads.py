"""The head of a device's answer, mended so that a strict parser (h11) reads it. Pure.

Devices send stray bytes before the status line, header lines without a colon, blanks in header names, several or
impossible Content-Lengths. Mended here means: what cannot be told apart safely is left out, and a body whose length is
then unknown ends where its contents end or the connection does. RFC 9112 sections 2–6.
"""

import re
from dataclasses import dataclass

from camera_hub.cameras.http.messages import bad_reply

MAX_HEAD = 64 * 1024
MAX_HEADERS = 200
MAX_JUNK = 2048
"""Bytes before the status line."""

_STATUS = re.compile(rb"HTTP/[ \t]*(\d)(?:\.(\d))?[ \t]+(\d{3})(?!\d)", re.IGNORECASE)
_END = re.compile(rb"\r?\n\r?\n|\r\r(?!\n)")
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]+")
_LINE = re.compile(rb"\r?\n|\r")
_TLS_RECORD = re.compile(rb"[\x14-\x17]\x03[\x00-\x04]")
FOLDED = b" \t"


class TlsAnswer(Exception):
    """The answer to a plain request is a TLS record: the port speaks TLS."""


@dataclass(frozen=True, slots=True)
class MendedHead:
    """`head` is what h11 is given; `rest` what came behind it. `wrong_length`: a Content-Length was left out."""

    head: bytes
    rest: bytes
    wrong_length: bool


def mended(received: bytes) -> MendedHead | None:
    """The head at the beginning of what was received, None while it is incomplete.

    Raises HubError(BAD_REPLY) where none will come, TlsAnswer where TLS is spoken.
    """
    if _TLS_RECORD.match(received):
        raise TlsAnswer
    status = _STATUS.search(received[: MAX_JUNK + 64])
    if status is None:
        if received.lstrip()[:5] == b"RTSP/":
            raise bad_reply("this port speaks RTSP, not HTTP; give the port of its web page")
        if len(received) > MAX_JUNK:
            raise bad_reply("no HTTP")
        return None
    end = _END.search(received, status.end())
    if (end.end() if end is not None else len(received)) - status.start() > MAX_HEAD:
        raise bad_reply("its header is endless")
    if end is None:
        return None
    lines = _LINE.split(received[status.start() : end.start()])
    headers = _headers(lines[1:])
    kept, wrong_length = _framed(headers)
    version = b"1.0" if status[1] == b"0" or (status[1] == b"1" and status[2] in (None, b"0")) else b"1.1"
    head = b"HTTP/%s %s \r\n" % (version, status[3])
    head += b"".join(b"%s: %s\r\n" % header for header in kept)
    return MendedHead(head + b"\r\n", received[end.end() :], wrong_length)


def _headers(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    """Name and value of each line that is a header; continued lines are joined (RFC 9112 section 5.2)."""
    found: list[tuple[bytes, bytes]] = []
    for line in lines:
        if not line.strip():
            continue
        if line[:1] in (b" ", b"\t") and found:
            found[-1] = (found[-1][0], found[-1][1] + b" " + _clean(line))
            continue
        name, colon, value = line.partition(b":")
        if colon and _TOKEN.fullmatch(name := name.strip()):
            found.append((name.lower(), _clean(value)))
        if len(found) > MAX_HEADERS:
            raise bad_reply("too many headers")
    return found


def _framed(headers: list[tuple[bytes, bytes]]) -> tuple[list[tuple[bytes, bytes]], bool]:
    """The headers with at most one statement about the body's length."""
    codings = [
        word.strip().lower() for name, value in headers if name == b"transfer-encoding" for word in value.split(b",")
    ]
    lengths = {word.strip() for name, value in headers if name == b"content-length" for word in value.split(b",")}
    kept = [one for one in headers if one[0] not in (b"transfer-encoding", b"content-length")]
    if b"chunked" in codings:
        return [*kept, (b"transfer-encoding", b"chunked")], bool(lengths)
    if len(lengths) == 1 and re.fullmatch(rb"\d{1,15}", length := next(iter(lengths))):
        return [*kept, (b"content-length", length)], False
    return kept, bool(lengths)


def _clean(value: bytes) -> bytes:
    return _CONTROL.sub(b" ", value).strip()
