"""Requests of players: OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN (RFC 2326), as
decoders, recorders, VLC, FFmpeg and GStreamer send them.

One connection is one session with one camera. No answer reveals a token, or whether a camera exists that the token
does not open.
"""

import random
import secrets
from collections.abc import Awaitable, Callable
from typing import Protocol

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.rtsp.message import Request, write_response
from camera_hub.relay.rtsp_server.connection import EndReason, PlayerConnection
from camera_hub.relay.rtsp_server.rtp_sender import RtpSender
from camera_hub.relay.rtsp_server.sdp_writer import write_sdp
from camera_hub.relay.rtsp_server.stream_url import (
    TRACK,
    StreamTarget,
    parse_target,
    presentation_url,
    token_of_login,
)
from camera_hub.relay.rtsp_server.timeouts import SESSION_TIMEOUT
from camera_hub.relay.rtsp_server.transport_header import ClientPorts, InterleavedChannels, choose_transport

METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN"
REFUSAL_DELAY = 1.0
"""Seconds until a 403 or 404 is answered: guessing tokens costs the hub one request per second and connection."""
MAX_REFUSALS = 3
"""Refusals of an unauthorized player before its connection is closed."""

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
_STATUS_BY_KIND = {
    Kind.UNAUTHENTICATED: 403,  # the token is not valid; 401 would make the player ask its user for a login
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 455,
    Kind.BUSY: 453,
    Kind.UNSUPPORTED: 415,
    Kind.INTERNAL: 500,
}


class PlayerSession(Protocol):
    """What the requests act on (`player.Player`)."""

    sender: RtpSender | None

    @property
    def authorized(self) -> bool:
        """Whether the hub has authorized the player for a camera."""
        ...

    async def authorize(self, target: StreamTarget, agent: str) -> Feed:
        """The camera's feed. The hub is asked once. Raises HubError, CONFLICT for a second camera."""
        ...

    async def describe(self, feed: Feed) -> str:
        """The feed's codec, once the stream can be described. Raises HubError."""
        ...

    async def set_up(self, codec: str, wanted: InterleavedChannels | ClientPorts) -> tuple[RtpSender, str]:
        """The sender over the wanted transport, and the Transport header of the answer. Raises HubError."""
        ...

    def play(self, sender: RtpSender) -> int | None:
        """Start to send. Returns the RTP timestamp of the first packet, None while it is not known."""
        ...


class Refusal(Exception):
    """An answer other than 200. `headers`: with underscores for hyphens."""

    def __init__(self, status: int, **headers: str) -> None:
        super().__init__(status)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class RequestHandler:
    """`run` answers requests until the connection ends."""

    def __init__(self, connection: PlayerConnection, session: PlayerSession, clock: Clock) -> None:
        self._connection = connection
        self._session = session
        self._clock = clock
        self._session_id = ""  # of the Session header, after SETUP
        self._presentation_url = ""
        self._refusals = 0
        self._handlers: dict[str, Callable[[Request], Awaitable[None]]] = {
            "OPTIONS": self._options,
            "DESCRIBE": self._describe,
            "SETUP": self._set_up,
            "PLAY": self._play,
            "PAUSE": self._pause,
            "GET_PARAMETER": self._keep_alive,
            "SET_PARAMETER": self._keep_alive,
            "TEARDOWN": self._tear_down,
        }

    async def run(self) -> None:
        """Answer one request after the other."""
        while not self._connection.over.done():
            request = await self._connection.next_request()
            await self._connection.writable.wait()  # no answers are queued for a player that does not read
            try:
                self._check(request)
                handler = self._handlers.get(request.method)
                if handler is None:
                    raise Refusal(405, Allow=METHODS)
                await handler(request)
            except Refusal as refusal:
                await self._refuse(request, refusal)
            except HubError as error:
                await self._refuse(request, Refusal(_STATUS_BY_KIND.get(error.kind, 503)))

    def _check(self, request: Request) -> None:
        if not _is_number(request.header("cseq")):
            raise Refusal(400)
        if not request.version.startswith("RTSP/1."):
            raise Refusal(505)
        if required := request.header("require"):
            raise Refusal(551, Unsupported=required[:64].replace("\r", ""))
        session_id = request.header("session").partition(";")[0].strip()
        if session_id and session_id != self._session_id:
            raise Refusal(454)

    async def _refuse(self, request: Request, refusal: Refusal) -> None:
        self._refusals += 1
        if refusal.status in (403, 404):
            await self._clock.sleep(REFUSAL_DELAY)
        self._answer(request, refusal.headers, status=refusal.status)
        if refusal.status in (400, 505) or (not self._session.authorized and self._refusals >= MAX_REFUSALS):
            self._connection.close(EndReason.REFUSED)

    def _answer(
        self, request: Request, headers: dict[str, str] | None = None, body: bytes = b"", *, status: int = 200
    ) -> None:
        if not _is_number(request.header("cseq")):
            request = Request(request.method, {})
        common = {"Server": "camera-hub"}
        if self._session_id:
            common["Session"] = f"{self._session_id};timeout={SESSION_TIMEOUT}"
        response = write_response(status, _PHRASES[status], request, {**common, **(headers or {})}, body)
        self._connection.write_all([response])

    async def _options(self, request: Request) -> None:
        self._answer(request, {"Public": METHODS})

    async def _keep_alive(self, request: Request) -> None:
        self._answer(request)

    async def _describe(self, request: Request) -> None:
        feed = await self._authorize(request)
        codec = await self._session.describe(feed)
        ipv6 = ":" in self._connection.local_address
        sdp = write_sdp(codec, feed.parameters, session=random.getrandbits(31), ipv6=ipv6)
        headers = {"Content-Base": f"{presentation_url(request.url)}/", "Content-Type": "application/sdp"}
        self._answer(request, headers, sdp.encode())

    async def _set_up(self, request: Request) -> None:
        if self._session.sender is not None:
            raise Refusal(455)
        wanted = choose_transport(request.header("transport"), self._connection.address)
        if wanted is None:
            raise Refusal(461)
        codec = await self._session.describe(await self._authorize(request))
        sender, transport = await self._session.set_up(codec, wanted)
        self._session_id = secrets.token_hex(8)
        self._presentation_url = presentation_url(request.url)
        self._answer(request, {"Transport": f"{transport};ssrc={sender.ssrc:08X}"})

    async def _play(self, request: Request) -> None:
        sender = self._sender()
        if self._connection.teardown_at is not None:
            raise Refusal(455)
        if sender.playing:  # some players send PLAY as a keep-alive
            self._answer(request, {"Range": "npt=now-"})
            return
        rtp_info = f"url={self._presentation_url}/{TRACK};seq={sender.sequence & 0xFFFF}"
        if (timestamp := self._session.play(sender)) is not None:
            rtp_info += f";rtptime={timestamp}"
        self._answer(request, {"Range": "npt=now-", "RTP-Info": rtp_info})

    async def _pause(self, request: Request) -> None:
        self._sender().pause()
        self._answer(request)

    async def _tear_down(self, request: Request) -> None:
        """The player closes the connection next (some send one more request before); if not, a timeout does."""
        self._answer(request)
        if self._session.sender is not None:
            self._session.sender.pause()
        self._connection.teardown_at = self._clock.monotonic()

    def _sender(self) -> RtpSender:
        if self._session.sender is None:
            raise Refusal(455)
        return self._session.sender

    async def _authorize(self, request: Request) -> Feed:
        target = parse_target(request.url)
        if target is None:
            raise Refusal(404)
        token = target.token or token_of_login(request.header("authorization"))
        if token is None:
            raise Refusal(401, WWW_Authenticate='Basic realm="camera hub"')
        with_token = StreamTarget(target.camera, target.quality, token)
        return await self._session.authorize(with_token, request.header("user-agent"))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10
