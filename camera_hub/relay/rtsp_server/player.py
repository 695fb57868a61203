"""One player from its connection to its end: the camera it may have, what it is sent, and that it is still there."""

import asyncio
import hashlib
import secrets
from contextlib import AsyncExitStack
from typing import Any, Protocol

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.ingest.packet_history import Frame
from camera_hub.relay.messages import FeedPhase, FeedState, RelayConfig, RtspAsk, RtspEnded
from camera_hub.relay.rtsp.udp import open_pair
from camera_hub.relay.rtsp_server.connection import PlayerConnection
from camera_hub.relay.rtsp_server.conversation import SESSION_TIMEOUT, RtspConversation
from camera_hub.relay.rtsp_server.player_request import InterleavedTransport, StreamTarget, UdpTransport
from camera_hub.relay.rtsp_server.player_stream import PlayerStream, StreamFigures
from camera_hub.relay.rtsp_server.sdp import complete
from camera_hub.relay.rtsp_server.transports import DatagramWay, InterleavedWay, PlayerTransport
from camera_hub.running import running

GREETING = 10.0
"""Seconds that a stranger has to name a camera that it may have, and that any request has to become whole."""
DESCRIBE_SECONDS = 10.0
"""Seconds that a camera has until its stream can be described."""
GRACE = 5.0
"""Seconds that a sign of life may be late."""
BACKLOG = 8 * 1024 * 1024


class Host(Protocol):
    """What a player needs of the relay (way_in.WayIn)."""

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


class Player:
    """A feed's taker. `run` serves the connection and answers with the reason of its end."""

    def __init__(self, connection: PlayerConnection, host: Host, config: RelayConfig, clock: Clock) -> None:
        self.name = secrets.token_hex(8)
        self.connection = connection
        self.wanted: str | None = None
        self.stream: PlayerStream | None = None
        self._host = host
        self._config = config
        self._clock = clock
        self._began = clock.monotonic()
        self._asked: StreamTarget | None = None
        self._feed: Feed | None = None
        self._changed = asyncio.Event()
        self._stack = AsyncExitStack()

    @property
    def granted(self) -> bool:
        """Whether the hub has let it have a camera."""
        return self.wanted is not None

    async def run(self) -> str:
        """Serve until the end, whoever causes it."""
        connection = self.connection
        conversation = RtspConversation(connection, self, self._clock)
        async with self._stack:
            try:
                async with running(conversation.run(), f"player {self.name}") as talking:
                    waited: tuple[asyncio.Future[Any], ...] = (talking, connection.over)
                    await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            finally:
                connection.end("internal")  # nothing where it has ended already, as it should have
                if self._feed is not None:
                    self._feed.takers.discard(self)
                if self._asked is not None:
                    self._host.ended(self._last_word())
        return connection.over.result()

    def judge(self, now: float) -> None:
        """End what has lasted too long: strangers, unfinished requests, players that do not read or are gone."""
        connection = self.connection
        unfinished, blocked = connection.unfinished_since, connection.blocked_since
        reads = self.stream is not None and self.stream.playing and self.stream.way.name == "tcp"
        if not self.granted and now - self._began > GREETING + DESCRIBE_SECONDS * (self._asked is not None):
            connection.end("timeout")
        elif unfinished is not None and now - unfinished > GREETING:
            connection.end("protocol")
        elif blocked is not None and now - blocked > self._config.rtsp_stall:
            connection.end("stalled")
        elif connection.leaving_since is not None and now - connection.leaving_since > GRACE:
            connection.end("closed")
        elif now - connection.heard > SESSION_TIMEOUT + GRACE and not reads:
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
        self._host.watched(feed)
        self.feed_says(feed.state)

    def take(self, frame: Frame) -> None:
        self._changed.set()
        if self.stream is not None:
            self.stream.take(frame)

    def feed_says(self, state: FeedState) -> None:
        self._changed.set()
        if self.stream is not None:
            self.stream.feed_says(state)

    # As the conversation's session

    async def grant(self, target: StreamTarget, agent: str) -> Feed:
        """Have the camera; asked of the hub once. Raises HubError, CONFLICT for a second camera."""
        if self.granted and target != self._asked:
            raise HubError(Kind.CONFLICT, "one connection is for one camera")
        if self.wanted is None:
            self._asked = target
            digest = hashlib.sha256((target.token or "").encode()).hexdigest()
            address = self.connection.address
            self.wanted = await self._host.ask(
                RtspAsk(self.name, digest, target.camera, target.quality, address, agent[:128])
            )
        if self._feed is None:
            feed = self._host.feed(self.wanted)
            if feed is None:
                raise HubError(Kind.UNAVAILABLE, "the feed has been closed again")
            self.join(feed)
        assert self._feed is not None
        return self._feed

    async def described(self, feed: Feed) -> str:
        """The feed's codec, once all of its parameter sets are known. Raises HubError when the camera does not come."""
        try:
            async with asyncio.timeout(DESCRIBE_SECONDS):
                while True:
                    if feed.state.reason == Reason.B_FRAMES:
                        raise HubError(
                            Kind.UNSUPPORTED, "a stream with B-frames is not sent on", reason=Reason.B_FRAMES
                        )
                    if feed.codec is not None and complete(feed.codec, feed.parameters):
                        return feed.codec
                    if feed.state.phase in (FeedPhase.FAILED, FeedPhase.STOPPED):
                        raise HubError(Kind.UNREACHABLE, "the camera does not send", reason=feed.state.reason)
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as error:
            raise HubError(Kind.TIMEOUT, "the camera does not send") from error

    async def set_up(self, codec: str, wish: InterleavedTransport | UdpTransport) -> tuple[PlayerStream, str]:
        """The stream over the wished way, and the way as it is answered. Raises HubError without a free port."""
        way: PlayerTransport
        if isinstance(wish, UdpTransport):
            address, local = self.connection.address, self.connection.local
            pair = await open_pair(address, self._heard, self._heard, host=local)
            self._stack.callback(pair.close)
            pair.aim(address, wish.media, wish.control)
            way = DatagramWay(pair, self._config.pacer_rate, self._clock, self._dropped)
            ports = f"client_port={wish.media}-{wish.control};server_port={pair.port}-{pair.port + 1}"
            told = f"RTP/AVP/UDP;unicast;{ports}"
        else:
            way = InterleavedWay(self.connection, wish.media, wish.control)
            told = f"RTP/AVP/TCP;unicast;interleaved={wish.media}-{wish.control}"
        self.stream = stream = PlayerStream(
            codec, way, backlog_bytes=BACKLOG, on_end=self.connection.end, wants_key=self._host.want_key
        )
        await self._stack.enter_async_context(running(stream.run(), f"player {self.name} stream"))
        return stream, told

    def play(self, stream: PlayerStream) -> int | None:
        """Begin to send; the RTP time of the first packet, None while it is not known."""
        assert self._feed is not None
        return stream.play(self._feed)

    def _heard(self, _: bytes) -> None:
        self.connection.heard = self._clock.monotonic()

    def _dropped(self) -> None:
        if self.stream is not None:
            self.stream.figures.dropped_packets += 1

    @property
    def figures(self) -> StreamFigures:
        """What it has been sent."""
        return self.stream.figures if self.stream is not None else StreamFigures()

    def read_figures(self) -> dict[str, Any]:
        """For the hub's figures."""
        figures, stream = self.figures, self.stream
        return {
            "feed": self.wanted,
            "transport": stream.way.name if stream is not None else None,
            "playing": stream is not None and stream.playing,
            "bytes": figures.bytes,
            "packets": figures.packets,
            "dropped_frames": figures.dropped_frames,
            "dropped_packets": figures.dropped_packets,
        }

    def _last_word(self) -> RtspEnded:
        return RtspEnded(
            session=self.name,
            reason=self.connection.over.result(),
            transport=self.stream.way.name if self.stream is not None else None,
            bytes=self.figures.bytes,
            dropped_frames=self.figures.dropped_frames,
        )
