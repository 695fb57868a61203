"""One player's session: the camera it is authorized for, what it is sent, and whether it is still there."""

import asyncio
import hashlib
import secrets
from contextlib import AsyncExitStack
from typing import Any, Protocol

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.relay.ingest.codecs import BY_NAME
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.ingest.frame import Frame
from camera_hub.relay.messages import FeedPhase, FeedState, RelayConfig, RtspAsk, RtspEnded, RtspGranted
from camera_hub.relay.rtsp.udp import open_udp_pair
from camera_hub.relay.rtsp_server.connection import EndReason, PlayerConnection
from camera_hub.relay.rtsp_server.request_handler import RequestHandler
from camera_hub.relay.rtsp_server.rtp_sender import RtpSender, SenderFigures
from camera_hub.relay.rtsp_server.stream_url import StreamTarget
from camera_hub.relay.rtsp_server.timeouts import DESCRIBE_TIMEOUT, PlayerActivity, expired
from camera_hub.relay.rtsp_server.transport_header import ClientPorts, InterleavedChannels
from camera_hub.relay.rtsp_server.transports import InterleavedTransport, PlayerTransport, UdpTransport
from camera_hub.running import running

MAX_BACKLOG = 8 * 1024 * 1024
"""Payload bytes that may wait for one player."""
MAX_AGENT = 128
"""Characters of a User-Agent that are passed on."""


class PlayerHost(Protocol):
    """What a player needs of the relay and the hub (`player_authorization.PlayerAuthorization`)."""

    async def authorize(self, ask: RtspAsk) -> RtspGranted:
        """The feed that the session may have. Raises HubError."""
        ...

    def session_ended(self, ended: RtspEnded) -> None:
        """A session that the hub was asked for has ended."""
        ...

    def feed(self, name: str) -> Feed | None:
        """The feed of that name, if it is open."""
        ...

    def key_frame_wanted(self, feed: str) -> None:
        """The player waits for the feed's next key frame."""
        ...

    def watched(self, feed: Feed) -> None:
        """The player has started to watch the feed."""
        ...


class Player:
    """A subscriber of the feed, and the `PlayerSession` of its request handler. `run` returns the reason of its end.

    It has 13 public members because it implements both protocols, which share its state.
    """

    def __init__(self, connection: PlayerConnection, host: PlayerHost, config: RelayConfig, clock: Clock) -> None:
        self.name = secrets.token_hex(8)
        self.connection = connection
        self.feed_name: str | None = None  # once the hub has authorized it
        self.sender: RtpSender | None = None
        self._host = host
        self._config = config
        self._clock = clock
        self._connected_at = clock.monotonic()
        self._target: StreamTarget | None = None  # once the hub has been asked
        self._hurried = True
        self._feed: Feed | None = None
        self._feed_changed = asyncio.Event()
        self._stack = AsyncExitStack()

    @property
    def authorized(self) -> bool:
        """Whether the hub has authorized it for a camera."""
        return self.feed_name is not None

    @property
    def figures(self) -> SenderFigures:
        """What it has been sent."""
        return self.sender.figures if self.sender is not None else SenderFigures()

    async def run(self) -> str:
        """Serve the connection until it ends, whoever ends it. Returns the reason."""
        connection = self.connection
        handler = RequestHandler(connection, self, self._clock)
        async with self._stack:
            try:
                async with running(handler.run(), f"player {self.name}") as handling:
                    either: tuple[asyncio.Future[Any], ...] = (handling, connection.over)
                    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            finally:
                connection.end(EndReason.INTERNAL)  # no effect on the reason where it has ended, as it should have
                if self._feed is not None:
                    self._feed.subscribers.discard(self)
                if self._target is not None:
                    self._host.session_ended(self._ended_message())
        return connection.over.result()

    def check_timeouts(self, now: float) -> None:
        """End the session when it has timed out."""
        connection, sender = self.connection, self.sender
        activity = PlayerActivity(
            connected_at=self._connected_at,
            last_message_at=connection.last_message_at,
            incomplete_since=connection.incomplete_since,
            blocked_since=connection.blocked_since,
            teardown_at=connection.teardown_at,
            asked_hub=self._target is not None,
            authorized=self.authorized,
            plays_over_tcp=sender is not None and sender.playing and sender.transport.name == "tcp",
        )
        if (reason := expired(activity, now, stall_timeout=self._config.rtsp_stall)) is not None:
            connection.end(reason)

    def send_report(self, unix_time: float, hub_time: float) -> None:
        """Send an RTCP sender report if it plays. `unix_time` and `hub_time` (monotonic) are the same moment."""
        if self.sender is not None and self.sender.playing:
            self.sender.send_report(unix_time, hub_time)

    # FeedSubscriber

    def join(self, feed: Feed) -> None:
        """Subscribe to the feed, which is open (again)."""
        if self._feed is not None:
            self._feed.subscribers.discard(self)
        self._feed = feed
        feed.subscribers.add(self)
        self._host.watched(feed)
        self.on_feed_state(feed.state)

    def on_frame(self, frame: Frame) -> None:
        self._feed_changed.set()
        if self.sender is not None:
            self.sender.on_frame(frame)

    def on_feed_state(self, state: FeedState) -> None:
        self._feed_changed.set()
        if self.sender is not None:
            self.sender.on_feed_state(state)

    # PlayerSession

    async def authorize(self, target: StreamTarget, agent: str) -> Feed:
        """The camera's feed. The hub is asked once. Raises HubError, CONFLICT for a second camera."""
        if self.authorized and target != self._target:
            raise HubError(Kind.CONFLICT, "one RTSP connection carries one camera; open another one")
        if self.feed_name is None:
            self._target = target
            token_hash = hashlib.sha256((target.token or "").encode()).hexdigest()
            address = self.connection.address
            ask = RtspAsk(self.name, token_hash, target.camera, target.quality, address, agent[:MAX_AGENT])
            self.connection.asked_for = True
            try:
                granted = await self._host.authorize(ask)
                self.feed_name, self._hurried = granted.feed, granted.hurried
            finally:
                self.connection.asked_for = self.feed_name is not None
        if self._feed is None:
            feed = self._host.feed(self.feed_name)
            if feed is None:
                raise HubError(Kind.UNAVAILABLE, "the camera's feed was closed meanwhile; try again")
            self.join(feed)
        assert self._feed is not None
        return self._feed

    async def describe(self, feed: Feed) -> str:
        """The feed's codec, once all of its parameter sets are known: some decoders start with nothing less.

        Raises HubError: UNSUPPORTED for B-frames, UNREACHABLE or TIMEOUT without a stream.
        """
        try:
            async with asyncio.timeout(DESCRIBE_TIMEOUT):
                while True:
                    if feed.state.reason == Reason.B_FRAMES:
                        raise HubError(
                            Kind.UNSUPPORTED,
                            "the camera's stream has B-frames, which are not passed on; switch them off in the camera",
                            reason=Reason.B_FRAMES,
                        )
                    if feed.codec is not None and BY_NAME[feed.codec].parameters_complete(feed.parameters):
                        return feed.codec
                    if feed.state.phase in (FeedPhase.FAILED, FeedPhase.STOPPED):
                        raise HubError(
                            Kind.UNREACHABLE,
                            feed.state.detail or "the camera's feed was closed; try again",
                            reason=feed.state.reason,
                        )
                    self._feed_changed.clear()
                    await self._feed_changed.wait()
        except TimeoutError as error:
            raise HubError(
                Kind.TIMEOUT,
                f"the camera's stream could not be described within {DESCRIBE_TIMEOUT:g} s; try again",
                reason=Reason.TIMED_OUT,
            ) from error

    async def set_up(self, codec: str, wanted: InterleavedChannels | ClientPorts) -> tuple[RtpSender, str]:
        """The sender over the wanted transport, and the Transport header of the answer.

        Raises HubError without a free pair of UDP ports.
        """
        transport: PlayerTransport
        if isinstance(wanted, ClientPorts):
            address, local = self.connection.address, self.connection.local_address
            pair = await open_udp_pair(address, self._on_datagram, self._on_datagram, host=local)
            self._stack.callback(pair.close)
            pair.send_to(address, wanted.rtp, wanted.rtcp)
            transport = UdpTransport(pair, self._config.pacer_rate, self._clock, self._on_dropped_packet)
            ports = f"client_port={wanted.rtp}-{wanted.rtcp};server_port={pair.port}-{pair.port + 1}"
            header = f"RTP/AVP/UDP;unicast;{ports}"
        else:
            transport = InterleavedTransport(self.connection, wanted.rtp, wanted.rtcp)
            header = f"RTP/AVP/TCP;unicast;interleaved={wanted.rtp}-{wanted.rtcp}"
        self.sender = sender = RtpSender(
            codec,
            transport,
            max_backlog=MAX_BACKLOG,
            on_end=self.connection.end,
            on_key_frame_wanted=self._host.key_frame_wanted,
        )
        await self._stack.enter_async_context(running(sender.run(), f"player {self.name} sender"))
        return sender, header

    def play(self, sender: RtpSender) -> int | None:
        """Start to send. Returns the RTP timestamp of the first packet, None while it is not known."""
        assert self._feed is not None
        return sender.play(self._feed, hurried=self._hurried)

    def _on_datagram(self, _: bytes) -> None:
        self.connection.last_message_at = self._clock.monotonic()

    def _on_dropped_packet(self) -> None:
        if self.sender is not None:
            self.sender.figures.dropped_packets += 1

    def read_figures(self) -> dict[str, Any]:
        """Counters of this session, for the relay's figures."""
        figures, sender = self.figures, self.sender
        return {
            "feed": self.feed_name,
            "transport": sender.transport.name if sender is not None else None,
            "playing": sender is not None and sender.playing,
            "bytes": figures.bytes,
            "packets": figures.packets,
            "dropped_frames": figures.dropped_frames,
            "dropped_packets": figures.dropped_packets,
        }

    def _ended_message(self) -> RtspEnded:
        return RtspEnded(
            session=self.name,
            reason=self.connection.over.result(),
            transport=self.sender.transport.name if self.sender is not None else None,
            bytes=self.figures.bytes,
            dropped_frames=self.figures.dropped_frames,
        )
