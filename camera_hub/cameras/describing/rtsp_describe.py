"""Asking a device over RTSP whether it has a stream of that path: DESCRIBE alone, never SETUP (RFC 2326 section 10.2).

The relay's client pulls streams; this only tells which paths exist. One request at a time on a kept connection, opened
anew where the device closes it. Nothing is followed; heads, bodies and waits are bounded. The login is given as the
device asks for it (Digest before Basic, Basic never once Digest was offered), as one try of the login budget.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.http.byte_stream import ByteStream
from camera_hub.cameras.http.connection import open_stream
from camera_hub.cameras.http.deadline import Deadline
from camera_hub.cameras.http.messages import bad_reply, too_large
from camera_hub.cameras.reach import Check
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.http_auth import Authenticator, AuthOutcome

MAX_HEAD = 16 * 1024
MAX_BODY = 64 * 1024
_SENDINGS = 4
_STATUS = re.compile(rb"RTSP/\d\.\d[ \t]+(\d{3})\b", re.IGNORECASE)
_END = re.compile(rb"\r?\n\r?\n")
_VIDEO = re.compile(r"^m\s*=\s*video\b", re.IGNORECASE | re.MULTILINE)
_MAPPED = re.compile(r"^a\s*=\s*rtpmap\s*:\s*\d{1,3}\s+(H264|H265|HEVC|JPEG|MP4V-ES)\b", re.IGNORECASE | re.MULTILINE)
_CODECS = {"h264": "h264", "h265": "h265", "hevc": "h265", "jpeg": "mjpeg", "mp4v-es": "mpeg4"}


class LoginTry(Protocol):
    """The current try of the login budget."""

    def accepted(self) -> None: ...
    async def again(self, reason: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class RtspAnswer:
    """The answer to one DESCRIBE. `video`: its SDP has a video stream; `codec`: its codec, None if not said."""

    status: int
    video: bool = False
    codec: str | None = None

    @property
    def exists(self) -> bool:
        """Whether the path is that of a video stream."""
        return self.status == 200 and self.video


@dataclass(frozen=True, slots=True)
class RtspPeer:
    """A device's RTSP port. `host` as it is named in URLs, `address` as it is connected to."""

    host: str
    address: str
    port: int

    def url(self, path: str) -> str:
        place = f"[{self.host}]" if ":" in self.host else self.host
        return f"rtsp://{place}:{self.port}{path}"


class RtspDescriber:
    """For the length of one operation; an async context manager that closes its connection.

    `attempt`: the budget's try for this login, which the first accepted answer proves.
    """

    def __init__(
        self,
        peer: RtspPeer,
        check: Check,
        deadline: Deadline,
        login: DeviceLogin | None,
        attempt: LoginTry | None,
    ) -> None:
        self._peer = peer
        self._check = check
        self._deadline = deadline
        self._login = login
        self._attempt = attempt
        self._signer = Authenticator(login.username, login.password, basic=True) if login else None
        self._stream: ByteStream | None = None
        self._sequence = 0
        self._proved = False
        self.server = ""
        """Words by which the maker may be known: Server header and realm."""

    async def __aenter__(self) -> "RtspDescriber":
        return self

    async def __aexit__(self, *_: object) -> None:
        self._close()

    async def ask(self, path: str, seconds: float) -> RtspAnswer:
        """The answer to DESCRIBE, whatever its status. Raises HubError: WRONG_PASSWORD, LOGIN_NEEDED, DEVICE_FULL,
        TIMED_OUT, BAD_REPLY, NOT_RTSP, or why the port is not reached."""
        url = self._peer.url(path)
        within = self._deadline.within(seconds)
        for _ in range(_SENDINGS):
            within.check()
            signed = self._signer is not None and self._signer.challenged
            answer, headers = await self._exchange(url, within)
            if answer.status != 401:
                if self._signer is not None and signed and answer.status != 403:
                    self._signer.accepted()
                    self._accepted()
                if answer.status == 453:
                    raise HubError(
                        Kind.UNREACHABLE,
                        "the device accepts no more connections (RTSP 453); close other software that uses it",
                        reason=Reason.DEVICE_FULL,
                    )
                return answer
            if self._signer is None:
                raise HubError(
                    Kind.UNREACHABLE,
                    "the device asks for a login and none is set; enter it",
                    reason=Reason.LOGIN_NEEDED,
                )
            fresh = self._signer.fresh
            if self._signer.unauthorized(headers) is not AuthOutcome.TRY:
                break
            if self._proved or self._attempt is None:
                continue
            if fresh and not await self._attempt.again(Reason.WRONG_PASSWORD):
                break
        if self._proved:  # some answer 401 to a path that they do not have
            assert self._login is not None
            self._signer = Authenticator(self._login.username, self._login.password, basic=True)
            return RtspAnswer(401)
        raise HubError(
            Kind.UNREACHABLE, "the device refuses this user name and password for RTSP", reason=Reason.WRONG_PASSWORD
        )

    def _accepted(self) -> None:
        self._proved = True
        if self._attempt is not None:
            self._attempt.accepted()

    async def _exchange(self, url: str, within: Deadline) -> tuple[RtspAnswer, list[str]]:
        """The answer and its challenges; once more on a connection of its own where a kept one turns out to be dead."""
        kept = self._stream is not None
        try:
            return await self._once(url, within)
        except (OSError, EOFError) as error:
            self._close()
            if not kept:
                raise _dropped() from error
        try:
            return await self._once(url, within)
        except (OSError, EOFError) as error:
            self._close()
            raise _dropped() from error

    async def _once(self, url: str, within: Deadline) -> tuple[RtspAnswer, list[str]]:
        if self._stream is None or not self._stream.quiet:
            self._close()
            self._stream = await open_stream(self._peer.address, self._peer.port, within, self._check)
        try:
            async with within.limit():
                self._sequence += 1
                self._stream.write(self._written(url))
                return await self._read(self._stream)
        except HubError:
            self._close()  # what comes later would be taken for the answer to the next request
            raise

    def _written(self, url: str) -> bytes:
        lines = [
            f"DESCRIBE {url} RTSP/1.0",
            f"CSeq: {self._sequence}",
            "User-Agent: camera-hub",
            "Accept: application/sdp",
        ]
        if self._signer is not None:
            value = self._signer.authorization("DESCRIBE", url, secrets.token_hex(8))
            lines += [f"Authorization: {value}"] if value is not None else []
        return "\r\n".join([*lines, "", ""]).encode()

    async def _read(self, stream: ByteStream) -> tuple[RtspAnswer, list[str]]:
        received = b""
        while (end := _END.search(received)) is None:
            if len(received) > MAX_HEAD:
                raise bad_reply("its header is endless")
            received += await _more(stream)
            if received[:5].upper() == b"HTTP/":
                raise HubError(
                    Kind.UNREACHABLE,
                    "this port is a web server's, not RTSP; correct the RTSP port",
                    reason=Reason.NOT_RTSP,
                )
        status = _STATUS.match(received.lstrip())
        if status is None:
            raise bad_reply("no RTSP")
        headers = _headers(received[: end.start()])
        length = headers.get("content-length", [""])[0]
        size = int(length) if length.isascii() and length.isdigit() and len(length) < 9 else 0
        if size > MAX_BODY:
            raise too_large(MAX_BODY)
        body = received[end.end() :]
        while len(body) < size:
            body += await _more(stream)
        challenges = headers.get("www-authenticate", [])
        self.server = " ".join([*headers.get("server", []), *challenges])[:512] or self.server
        if headers.get("connection", [""])[0].lower() == "close":
            self._close()
        sdp = body[:size].decode("utf-8", "replace")
        codec = _MAPPED.search(sdp)
        return (
            RtspAnswer(int(status[1]), bool(_VIDEO.search(sdp)), _CODECS[codec[1].lower()] if codec else None),
            challenges,
        )

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


async def _more(stream: ByteStream) -> bytes:
    data = await stream.read()
    if not data:
        raise EOFError
    return data


def _headers(head: bytes) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in head.decode("utf-8", "replace").splitlines()[1:64]:
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip().lower(), []).append(value.strip())
    return found


def _dropped() -> HubError:
    return HubError(
        Kind.UNREACHABLE, "the device closes the RTSP connection without an answer", reason=Reason.BAD_REPLY
    )
