"""One player from its first request to its end: which camera it may have, how it wants it sent, and that it still is.

The conversation is RFC 2326 as decoders, recorders and VLC speak it: OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE,
GET_PARAMETER or SET_PARAMETER to stay, TEARDOWN. One connection is one session with one camera.
"""

import asyncio
import hashlib
import random
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Protocol

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.relay.feed import Feed
from camera_hub.relay.history import Frame
from camera_hub.relay.messages import FeedPhase, FeedState, RelayConfig, RtspAsk, RtspEnded
from camera_hub.relay.rtsp.message import Request, write_answer
from camera_hub.relay.rtsp.udp import UdpPair, open_pair
from camera_hub.relay.rtspout.asked import TRACK, Datagrams, Target, read_login, read_target, read_transport
from camera_hub.relay.rtspout.connection import Connection
from camera_hub.relay.rtspout.sdp import complete, write_sdp
from camera_hub.relay.rtspout.stream import Stream
from camera_hub.relay.rtspout.ways import DatagramWay, InterleavedWay, Way
from camera_hub.running import running

METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN"
SESSION_TIMEOUT = 60
GREETING = 10.0
"""Seconds that a stranger has to name a camera that it may have."""
DESCRIBE_SECONDS = 10.0
"""Seconds that a camera has until its stream can be described."""
REFUSED_AFTER = 1.0
"""Seconds until a refusal is answered: whoever tries tokens troubles the hub once a second per connection."""
MAX_REFUSALS = 3
BACKLOG = 8 * 1024 * 1024

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
    551: "Option not supported",
}
_BY_KIND = {
    Kind.UNAUTHENTICATED: 403,  # the token is no good; 401 would ask for a login, which is another way to bring one
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 404,
    Kind.BUSY: 453,
    Kind.UNSUPPORTED: 415,
    Kind.INTERNAL: 500,
}


class Hub(Protocol):
    """What a player needs of the relay."""

    async def ask(self, ask: RtspAsk) -> str:
        """The feed that the session may have. Raises HubError."""
        ...

    def ended(self, word: RtspEnded) -> None:
        """A session that was asked for is over."""
        ...

    def feed(self, name: str) -> Feed | None:
        """The feed of that name, where it is open."""
        ...

    def want_key(self, name: str) -> None:
        """Somebody waits for the feed's key frame."""
        ...

    def watched(self, feed: Feed) -> None:
        """Somebody has begun to watch the feed."""
        ...


class Refusal(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, **headers: str) -> None:
        super().__init__(status)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Player:
    """A feed's taker. `run` serves the connection and answers with the reason of its end."""

    def __init__(self, connection: Connection, hub: Hub, config: RelayConfig, clock: Clock) -> None:
        self.name = secrets.token_hex(8)
        self.connection = connection
        self.target: Target | None = None
        self.wanted: str | None = None
        self.stream: Stream | None = None
        self._hub = hub
        self._config = config
        self._clock = clock
        self._began = clock.monotonic()
        self._asked = False
        self._feed: Feed | None = None
        self._changed = asyncio.Event()
        self._session = ""
        self._codec: str | None = None
        self._refusals = 0
        self._stack = AsyncExitStack()
        self._handlers: dict[str, Callable[[Request], Awaitable[None]]] = {
            "OPTIONS": self._stay,
            "DESCRIBE": self._describe,
            "SETUP": self._set_up,
            "PLAY": self._play,
            "PAUSE": self._pause,
            "GET_PARAMETER": self._stay,
            "SET_PARAMETER": self._stay,
            "TEARDOWN": self._tear_down,
        }

    @property
    def granted(self) -> bool:
        """Whether the hub has let it have a camera."""
        return self.wanted is not None

    async def run(self) -> str:
        """Serve until the end, whoever causes it."""
        name = f"player {self.name}"
        async with self._stack:
            try:
                async with running(self._serve(), name) as serving:
                    waited: tuple[asyncio.Future[Any], ...] = (serving, self.connection.over)
                    await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
                if not self.connection.over.done():
                    self.connection.end("internal")
            finally:
                if self._feed is not None:
                    self._feed.takers.discard(self)
                self.connection.end("closed")
                if self._asked:
                    self._hub.ended(self._last_word())
        return self.connection.over.result()

    def judge(self, now: float) -> None:
        """End what has lasted too long: strangers, unfinished requests, players that do not read or are gone."""
        connection = self.connection
        unfinished, blocked = connection.unfinished_since, connection.blocked_since
        playing = self.stream is not None and self.stream.playing
        if not self.granted and now - self._began > GREETING + DESCRIBE_SECONDS * self._asked:
            connection.end("timeout")
        elif unfinished is not None and now - unfinished > GREETING:
            connection.end("protocol")
        elif blocked is not None and now - blocked > self._config.rtsp_stall:
            connection.end("stalled")
        elif now - connection.heard > SESSION_TIMEOUT + 5 and not (playing and self._over_tcp):
            connection.end("timeout")  # over TCP many say nothing while they play; that they read is enough

    def report(self, unix_time: float, hub_time: float) -> None:
        """A sender report is due."""
        if self.stream is not None and self.stream.playing:
            self.stream.report(unix_time, hub_time)

    # As the feed's taker

    def join(self, feed: Feed) -> None:
        """The wanted feed is there (again)."""
        if self._feed is not None:
            self._feed.takers.discard(self)
        self._feed = feed
        feed.takers.add(self)
        self._hub.watched(feed)
        self.feed_says(feed.state)

    def take(self, frame: Frame) -> None:
        self._changed.set()
        if self.stream is not None:
            self.stream.take(frame)

    def feed_says(self, state: FeedState) -> None:
        self._changed.set()
        if self.stream is not None:
            self.stream.feed_says(state)

    # The conversation

    async def _serve(self) -> None:
        while not self.connection.over.done():
            request = await self.connection.request()
            await self.connection.writable.wait()  # answers are not piled up before somebody who does not read
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
        number = request.header("cseq")
        if not (number.isascii() and number.isdigit() and len(number) <= 10):
            raise Refusal(400)
        if not request.version.startswith("RTSP/1."):
            raise Refusal(505)
        if required := request.header("require"):
            raise Refusal(551, Unsupported=required[:64])
        said = request.header("session").partition(";")[0].strip()
        if said and said != self._session:
            raise Refusal(454)

    async def _refuse(self, request: Request, refusal: Refusal) -> None:
        self._refusals += 1
        if refusal.status in (403, 404):
            await self._clock.sleep(REFUSED_AFTER)
        self._answer(request, refusal.headers, status=refusal.status)
        if refusal.status in (400, 505) or (not self.granted and self._refusals >= MAX_REFUSALS):
            self.connection.close("refused")

    def _answer(
        self, request: Request, headers: dict[str, str] | None = None, body: bytes = b"", *, status: int = 200
    ) -> None:
        number = request.header("cseq")
        if not number.isdigit():
            request = Request(request.method, {})
        own = {"Server": "camera-hub"}
        if self._session:
            own["Session"] = f"{self._session};timeout={SESSION_TIMEOUT}"
        self.connection.write_all([write_answer(status, _PHRASES[status], request, {**own, **(headers or {})}, body)])

    async def _stay(self, request: Request) -> None:
        self._answer(request, {"Public": METHODS} if request.method == "OPTIONS" else None)

    async def _describe(self, request: Request) -> None:
        feed = await self._grant(request)
        codec = await self._described(feed)
        text = write_sdp(codec, feed.parameters, session=random.getrandbits(31), ipv6=":" in self.connection.local)
        base = request.url.partition("?")[0].rstrip("/")
        self._answer(request, {"Content-Base": f"{base}/", "Content-Type": "application/sdp"}, text.encode())

    async def _set_up(self, request: Request) -> None:
        if self.stream is not None:
            raise Refusal(455)
        wish = read_transport(request.header("transport"), self.connection.address)
        if wish is None:
            raise Refusal(461)
        codec = await self._described(await self._grant(request))
        way: Way
        if isinstance(wish, Datagrams):
            pair = await self._pair(wish)
            way = DatagramWay(pair, self._config.pacer_rate, self._clock, self._dropped)
            said = (
                f"RTP/AVP/UDP;unicast;client_port={wish.media}-{wish.control};server_port={pair.port}-{pair.port + 1}"
            )
        else:
            way = InterleavedWay(self.connection, wish.media, wish.control)
            said = f"RTP/AVP/TCP;unicast;interleaved={wish.media}-{wish.control}"
        self.stream = Stream(
            codec, way, backlog_bytes=BACKLOG, on_end=self.connection.end, wants_key=self._hub.want_key
        )
        self._session = secrets.token_hex(8)
        await self._stack.enter_async_context(running(self.stream.run(), f"player {self.name} stream"))
        self._answer(request, {"Transport": f"{said};ssrc={self.stream.ssrc:08X}"})

    async def _pair(self, wish: Datagrams) -> UdpPair:
        pair = await open_pair(self.connection.address, self._heard, self._heard, host=self.connection.local)
        self._stack.callback(pair.close)
        pair.aim(self.connection.address, wish.media, wish.control)
        return pair

    async def _play(self, request: Request) -> None:
        stream = self._set()
        assert self._feed is not None
        if stream.playing:  # "go on": some send it as a sign of life
            self._answer(request, {"Range": "npt=now-"})
            return
        first = stream.sequence & 0xFFFF
        time = stream.play(self._feed)
        base = request.url.partition("?")[0].rstrip("/").removesuffix(f"/{TRACK}")
        told = f"url={base}/{TRACK};seq={first}" + ("" if time is None else f";rtptime={time}")
        self._answer(request, {"Range": "npt=now-", "RTP-Info": told})

    async def _pause(self, request: Request) -> None:
        self._set().pause()
        self._answer(request)

    async def _tear_down(self, request: Request) -> None:
        self._answer(request)
        self.connection.close("closed")

    def _set(self) -> Stream:
        if self.stream is None:
            raise Refusal(455)
        return self.stream

    async def _grant(self, request: Request) -> Feed:
        """The feed that the hub lets this player have; asked once."""
        target = read_target(request.url)
        if target is None:
            raise Refusal(404)
        token = target.token or read_login(request.header("authorization"))
        if token is None:
            raise Refusal(401, WWW_Authenticate='Basic realm="camera hub"')
        wanted = Target(target.camera, target.quality, token)
        if self.target is not None and wanted != self.target:
            raise Refusal(455)
        if self.wanted is None:
            self._asked = True
            self.wanted = await self._hub.ask(
                RtspAsk(
                    session=self.name,
                    token_hash=hashlib.sha256(token.encode()).hexdigest(),
                    camera=target.camera,
                    quality=target.quality,
                    address=self.connection.address,
                    agent=request.header("user-agent")[:128],
                )
            )
            self.target = wanted
        if self._feed is None:
            feed = self._hub.feed(self.wanted)
            if feed is None:
                raise Refusal(503)
            self.join(feed)
        assert self._feed is not None
        return self._feed

    async def _described(self, feed: Feed) -> str:
        """The feed's codec, once all of its parameter sets are known. Raises HubError when the camera does not come."""
        try:
            async with asyncio.timeout(DESCRIBE_SECONDS):
                while not (feed.codec is not None and complete(feed.codec, feed.parameters)):
                    if feed.state.phase in (FeedPhase.FAILED, FeedPhase.STOPPED):
                        raise HubError(Kind.UNREACHABLE, "the camera does not send", reason=feed.state.reason)
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as error:
            raise HubError(Kind.TIMEOUT, "the camera does not send") from error
        return feed.codec

    @property
    def _over_tcp(self) -> bool:
        return self.stream is not None and self.stream.way.name == "tcp"

    def _heard(self, _: bytes) -> None:
        self.connection.heard = self._clock.monotonic()

    def _dropped(self) -> None:
        if self.stream is not None:
            self.stream.figures.dropped_packets += 1

    def read_figures(self) -> dict[str, Any]:
        """What this player has been sent; with `feed` and `transport`."""
        figures = self.stream.figures if self.stream is not None else None
        return {
            "feed": self.wanted,
            "transport": self.stream.way.name if self.stream is not None else None,
            "playing": self.stream is not None and self.stream.playing,
            "bytes": figures.bytes if figures is not None else 0,
            "packets": figures.packets if figures is not None else 0,
            "dropped_frames": figures.dropped_frames if figures is not None else 0,
            "dropped_packets": figures.dropped_packets if figures is not None else 0,
        }

    def _last_word(self) -> RtspEnded:
        figures = self.read_figures()
        return RtspEnded(
            session=self.name,
            reason=self.connection.over.result(),
            transport=figures["transport"],
            bytes=figures["bytes"],
            dropped_frames=figures["dropped_frames"],
        )
