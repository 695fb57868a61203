"""RTSP out: the listening port, the limits of connections, and the sessions of all players."""

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any, Self

from camera_hub.acceptor import (
    Accepted,
    Acceptor,
    ConnectionFigures,
    ConnectionLimits,
    ConnectionTable,
    neighbourhood,
    raise_descriptor_limit,
    room_for_connections,
)
from camera_hub.clock import Clock
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.messages import RelayConfig, RtspState
from camera_hub.relay.rtsp_server.connection import EndReason, PlayerConnection
from camera_hub.relay.rtsp_server.player import Player, PlayerHost
from camera_hub.relay.rtsp_server.rtp_sender import SenderFigures
from camera_hub.running import ended, running

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 2048
MAX_UNAUTHORIZED = 128
"""Connections that are not authorized for a camera yet, in total …"""
MAX_UNAUTHORIZED_PER_ADDRESS = 32
"""… and of one address, so that one host cannot lock out all others."""
TICK = 1.0
TICKS_PER_REPORT = 5


_REFUSAL = b"RTSP/1.0 503 Service Unavailable\r\nCSeq: 0\r\nConnection: close\r\n\r\n"


class _AcceptedConnection(PlayerConnection):
    """A connection that announces itself to the server when it is made."""

    def __init__(self, clock: Clock, on_made: Callable[["_AcceptedConnection"], None]) -> None:
        super().__init__(clock)
        self._on_made = on_made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._on_made(self)


class RtspServer:
    """An async context manager; it listens between `listen(True)` and `listen(False)`."""

    def __init__(self, host: PlayerHost, config: RelayConfig, clock: Clock) -> None:
        self.port: int | None = None
        self._listen_error = ""
        self._turned_away = 0
        self._accepted = ConnectionFigures()
        self._ended_figures = SenderFigures()  # of sessions that have ended
        self._host = host
        self._config = config
        self._clock = clock
        self._acceptor: Acceptor | None = None
        self._players: dict[str, tuple[Player, asyncio.Task[str]]] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(running(self._tick(), "rtsp out tick"))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.listen(False)
        await self._stack.aclose()

    async def listen(self, on: bool) -> RtspState:
        """Open or close the port; closing ends all sessions. An error is returned in the state, never raised."""
        if on and self._acceptor is None:
            config = self._config
            try:
                self._acceptor, self.port = self._open(config.rtsp_host, config.rtsp_port)
            except OSError as error:
                detail = (
                    f"RTSP out cannot listen on {config.rtsp_host} port {config.rtsp_port} ({error.strerror}); set "
                    "media.rtsp_port, or stop the program that uses the port"
                )
                if detail != self._listen_error:
                    log.error("%s", detail)
                self._listen_error = detail
                return RtspState(None, detail)
            self._listen_error = ""
        elif not on and self._acceptor is not None:
            self._acceptor.close()
            self._acceptor, self.port = None, None
            for player, _ in list(self._players.values()):
                player.connection.end(EndReason.STOPPED)
            for _, task in list(self._players.values()):
                await ended(task)
        return RtspState(self.port)

    def _open(self, host: str, port: int) -> tuple[Acceptor, int]:
        listener = _bind(host, port)
        try:
            listener.listen(256)
            number = int(listener.getsockname()[1])
        except OSError:
            listener.close()
            raise
        total = room_for_connections(MAX_CONNECTIONS, raise_descriptor_limit())
        table = ConnectionTable(ConnectionLimits(total, unused=total, per_address=total))

        def made(accepted: Accepted) -> PlayerConnection:
            table.use(accepted)  # who has to go is decided here, by who has asked for a camera
            return _AcceptedConnection(self._clock, self._on_connection)

        acceptor = Acceptor(listener, made, table, self._clock, self._accepted, _REFUSAL)
        acceptor.open()
        return acceptor, number

    def end(self, session: str, reason: str) -> None:
        """End a session for the hub's reason; an unknown one has ended already."""
        if (found := self._players.get(session)) is not None:
            found[0].connection.end(reason)

    def feed_opened(self, feed: Feed) -> None:
        """Subscribe the players that are authorized for this feed: it is open (again)."""
        for player, _ in self._players.values():
            if player.feed_name == feed.name:
                player.join(feed)

    def read_figures(self) -> dict[str, dict[str, Any]]:
        """Counters of every authorized player, by session."""
        return {name: player.read_figures() for name, (player, _) in self._players.items() if player.authorized}

    def read_totals(self) -> dict[str, int]:
        """Number of players, and sums over all sessions since the relay started, which never decrease."""
        total = SenderFigures()
        total.add(self._ended_figures)
        for player, _ in self._players.values():
            total.add(player.figures)
        return {
            "players": sum(player.authorized for player, _ in self._players.values()),
            "players_bytes": total.bytes,
            "players_packets": total.packets,
            "players_dropped_frames": total.dropped_frames,
            "players_turned_away": self._turned_away,
        }

    def _on_connection(self, connection: _AcceptedConnection) -> None:
        loser = _who_must_go(
            connection, [player.connection for player, _ in self._players.values() if not player.authorized]
        )
        if loser is not None:
            self._turned_away += 1
            loser.end(EndReason.BUSY)
        if loser is connection:
            return
        player = Player(connection, self._host, self._config, self._clock)
        task = asyncio.create_task(player.run(), name=f"player {player.name}")
        self._players[player.name] = (player, task)
        task.add_done_callback(lambda done: self._on_end(player, done))

    def _on_end(self, player: Player, task: asyncio.Task[str]) -> None:
        self._players.pop(player.name, None)
        self._ended_figures.add(player.figures)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the session of a player at %s failed unexpectedly", player.connection.address, exc_info=error)

    async def _tick(self) -> None:
        """Each second: timeouts; every five: sender reports."""
        ticks = 0
        while True:
            await self._clock.sleep(TICK)
            ticks += 1
            now = self._clock.monotonic()
            if self._acceptor is not None:
                self._acceptor.tick()
            for player, _ in list(self._players.values()):
                player.check_timeouts(now)
                if ticks % TICKS_PER_REPORT == 0:
                    player.send_report(self._clock.now().timestamp(), now)


def _who_must_go(came: PlayerConnection, unauthorized: Sequence[PlayerConnection]) -> PlayerConnection | None:
    """Of too many connections without a camera the oldest that has not asked for one, so that none that idles keeps a
    player out; if all have asked, the new one. None: there are not too many. `unauthorized`: oldest first.
    """
    unauthorized = [one for one in unauthorized if not one.over.done()]
    place = neighbourhood(came.address)
    neighbours = [one for one in unauthorized if neighbourhood(one.address) == place]
    if len(neighbours) >= MAX_UNAUTHORIZED_PER_ADDRESS:
        return next((one for one in neighbours if not one.asked_for), came)
    if len(unauthorized) >= MAX_UNAUTHORIZED:
        return next((one for one in unauthorized if not one.asked_for), came)
    return None


def _bind(host: str, port: int) -> socket.socket:
    """A bound TCP socket; "::" accepts IPv4 as well. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError:  # no IPv6 on this machine
        host, family = "0.0.0.0", socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener
