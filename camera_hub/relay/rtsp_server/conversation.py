"""What a player says and is answered: RFC 2326 as decoders, recorders, VLC, FFmpeg and GStreamer speak it.

OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER or SET_PARAMETER to stay, TEARDOWN. One connection is one session
with one camera. No answer tells a token, or whether a camera exists that the token does not open.
"""

import random
import secrets
from collections.abc import Awaitable, Callable
from typing import Protocol

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.rtsp.message import Request, write_answer
from camera_hub.relay.rtsp_server.connection import PlayerConnection
from camera_hub.relay.rtsp_server.player_request import (
    TRACK,
    InterleavedTransport,
    StreamTarget,
    UdpTransport,
    presentation,
    read_login,
    read_target,
    read_transport,
)
from camera_hub.relay.rtsp_server.player_stream import PlayerStream
from camera_hub.relay.rtsp_server.sdp import write_sdp

METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN"
SESSION_TIMEOUT = 60
REFUSED_AFTER = 1.0
"""Seconds until a refusal is answered: whoever tries tokens troubles the hub once a second per connection."""
MAX_REFUSALS = 3

_PHRASES = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    415: "Unsupported Media Type",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    500: "Internal Server Error",
    503: "Service Unavailable",
    505: "RTSP Version Not Supported",
    551: "Option Not Supported",
}
_BY_KIND = {
    Kind.UNAUTHENTICATED: 403,  # the token is no good; 401 would ask for a login, which is another way to bring one
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 455,
    Kind.BUSY: 453,
    Kind.UNSUPPORTED: 415,
    Kind.INTERNAL: 500,
}


class PlayerSession(Protocol):
    """What the conversation is about (player.Player)."""

    stream: PlayerStream | None

    @property
    def granted(self) -> bool:
        """Whether the hub has let it have a camera."""
        ...

    async def grant(self, target: StreamTarget, agent: str) -> Feed:
        """Have the camera; asked of the hub once. Raises HubError, CONFLICT for a second camera."""
        ...

    async def described(self, feed: Feed) -> str:
        """The feed's codec, once the stream can be described. Raises HubError."""
        ...

    async def set_up(self, codec: str, wish: InterleavedTransport | UdpTransport) -> tuple[PlayerStream, str]:
        """The stream over the wished way, and the way as it is answered. Raises HubError."""
        ...

    def play(self, stream: PlayerStream) -> int | None:
        """Begin to send; the RTP time of the first packet, None while it is not known."""
        ...


class Refusal(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, **headers: str) -> None:
        super().__init__(status)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class RtspConversation:
    """`run` answers requests until the connection ends."""

    def __init__(self, connection: PlayerConnection, session: PlayerSession, clock: Clock) -> None:
        self._connection = connection
        self._session = session
        self._clock = clock
        self._name = ""
        self._url = ""  # of the presentation, once it is set up
        self._refusals = 0
        self._handlers: dict[str, Callable[[Request], Awaitable[None]]] = {
            "OPTIONS": self._options,
            "DESCRIBE": self._describe,
            "SETUP": self._set_up,
            "PLAY": self._play,
            "PAUSE": self._pause,
            "GET_PARAMETER": self._stay,
            "SET_PARAMETER": self._stay,
            "TEARDOWN": self._tear_down,
        }

    async def run(self) -> None:
        """One request after the other."""
        while not self._connection.over.done():
            request = await self._connection.request()
            await self._connection.writable.wait()  # answers are not piled up before somebody who does not read
            try:
                self._check(request)
                handler = self._handlers.get(request.method)
                if handler is None:
                    raise Refusal(405, Allow=METHODS)
                await handler(request)
            except Refusal as refusal:
                await self._refuse(request, refusal)
            except HubError as error:
                await self._refuse(request, Refusal(_BY_KIND.get(error.kind, 503)))

    def _check(self, request: Request) -> None:
        if not _is_number(request.header("cseq")):
            raise Refusal(400)
        if not request.version.startswith("RTSP/1."):
            raise Refusal(505)
        if required := request.header("require"):
            raise Refusal(551, Unsupported=required[:64].replace("\r", ""))
        said = request.header("session").partition(";")[0].strip()
        if said and said != self._name:
            raise Refusal(454)

    async def _refuse(self, request: Request, refusal: Refusal) -> None:
        self._refusals += 1
        if refusal.status in (403, 404):
            await self._clock.sleep(REFUSED_AFTER)
        self._answer(request, refusal.headers, status=refusal.status)
        if refusal.status in (400, 505) or (not self._session.granted and self._refusals >= MAX_REFUSALS):
            self._connection.close("refused")

    def _answer(
        self, request: Request, headers: dict[str, str] | None = None, body: bytes = b"", *, status: int = 200
    ) -> None:
        if not _is_number(request.header("cseq")):
            request = Request(request.method, {})
        own = {"Server": "camera-hub"}
        if self._name:
            own["Session"] = f"{self._name};timeout={SESSION_TIMEOUT}"
        answer = write_answer(status, _PHRASES[status], request, {**own, **(headers or {})}, body)
        self._connection.write_all([answer])

    async def _options(self, request: Request) -> None:
        self._answer(request, {"Public": METHODS})

    async def _stay(self, request: Request) -> None:
        self._answer(request)

    async def _describe(self, request: Request) -> None:
        feed = await self._grant(request)
        codec = await self._session.described(feed)
        ipv6 = ":" in self._connection.local
        text = write_sdp(codec, feed.parameters, session=random.getrandbits(31), ipv6=ipv6)
        headers = {"Content-Base": f"{presentation(request.url)}/", "Content-Type": "application/sdp"}
        self._answer(request, headers, text.encode())

    async def _set_up(self, request: Request) -> None:
        if self._session.stream is not None:
            raise Refusal(455)
        wish = read_transport(request.header("transport"), self._connection.address)
        if wish is None:
            raise Refusal(461)
        codec = await self._session.described(await self._grant(request))
        stream, way = await self._session.set_up(codec, wish)
        self._name = secrets.token_hex(8)
        self._url = presentation(request.url)
        self._answer(request, {"Transport": f"{way};ssrc={stream.ssrc:08X}"})

    async def _play(self, request: Request) -> None:
        stream = self._set()
        if self._connection.leaving_since is not None:
            raise Refusal(455)
        if stream.playing:  # "go on": some send it as a sign of life
            self._answer(request, {"Range": "npt=now-"})
            return
        told = f"url={self._url}/{TRACK};seq={stream.sequence & 0xFFFF}"
        if (time := self._session.play(stream)) is not None:
            told += f";rtptime={time}"
        self._answer(request, {"Range": "npt=now-", "RTP-Info": told})

    async def _pause(self, request: Request) -> None:
        self._set().pause()
        self._answer(request)

    async def _tear_down(self, request: Request) -> None:
        """The player hangs up next (some say one thing more before); one that does not is hung up on soon."""
        self._answer(request)
        if self._session.stream is not None:
            self._session.stream.pause()
        self._connection.leaving_since = self._clock.monotonic()

    def _set(self) -> PlayerStream:
        if self._session.stream is None:
            raise Refusal(455)
        return self._session.stream

    async def _grant(self, request: Request) -> Feed:
        target = read_target(request.url)
        if target is None:
            raise Refusal(404)
        token = target.token or read_login(request.header("authorization"))
        if token is None:
            raise Refusal(401, WWW_Authenticate='Basic realm="camera hub"')
        wanted = StreamTarget(target.camera, target.quality, token)
        return await self._session.grant(wanted, request.header("user-agent"))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10
