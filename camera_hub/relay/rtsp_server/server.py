"""The RTSP port: listens while the hub says so, bounds who may be connected, ends who lasts too long."""

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, Self

from camera_hub.clock import Clock
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.messages import RelayConfig, RtspState
from camera_hub.relay.rtsp_server.connection import PlayerConnection
from camera_hub.relay.rtsp_server.player import Host, Player
from camera_hub.relay.rtsp_server.player_stream import StreamFigures
from camera_hub.running import ended, running

log = logging.getLogger(__name__)

MAX_STRANGERS = 128
"""Connections that have not been granted a camera yet, in all …"""
MAX_STRANGERS_EACH = 32
"""… and of one address, so that one host cannot keep all others out."""
TICK = 1.0
REPORT_EVERY = 5


class _Caller(PlayerConnection):
    """A connection that shows itself to the server as soon as it is there."""

    def __init__(self, clock: Clock, on_made: Callable[["_Caller"], None]) -> None:
        super().__init__(clock)
        self._on_made = on_made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._on_made(self)


class RtspServer:
    """An async context manager; it listens between `listen(True)` and `listen(False)`."""

    def __init__(self, host: Host, config: RelayConfig, clock: Clock) -> None:
        self.port: int | None = None
        self._trouble = ""
        self._turned_away = 0
        self._left_behind = StreamFigures()  # of players that are gone
        self._host = host
        self._config = config
        self._clock = clock
        self._server: asyncio.Server | None = None
        self._players: dict[str, tuple[Player, asyncio.Task[str]]] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(running(self._beat(), "rtsp out beat"))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.listen(False)
        await self._stack.aclose()

    async def listen(self, on: bool) -> RtspState:
        """Open or close the port; closing ends every player. That it cannot be opened is told, and harms nothing."""
        if on and self._server is None:
            config = self._config
            try:
                self._server, self.port = await self._opened(config.rtsp_host, config.rtsp_port)
            except OSError as error:
                detail = f"RTSP out cannot listen on {config.rtsp_host} port {config.rtsp_port}: {error.strerror}"
                if detail != self._trouble:
                    log.error("%s; set media.rtsp_port, or stop what uses it", detail)
                self._trouble = detail
                return RtspState(None, detail)
            self._trouble = ""
        elif not on and self._server is not None:
            self._server.close()
            self._server, self.port = None, None
            for player, _ in list(self._players.values()):
                player.connection.end("stopped")
            for _, task in list(self._players.values()):
                await ended(task)
        return RtspState(self.port)

    async def _opened(self, host: str, port: int) -> tuple[asyncio.Server, int]:
        listener = _bound(host, port)
        try:
            server = await asyncio.get_running_loop().create_server(
                lambda: _Caller(self._clock, self._met), sock=listener, backlog=256
            )
        except OSError:
            listener.close()
            raise
        return server, int(listener.getsockname()[1])

    def end(self, session: str, reason: str) -> None:
        """The hub ends a session; an unknown one is over already."""
        if (found := self._players.get(session)) is not None:
            found[0].connection.end(reason)

    def feed_opened(self, feed: Feed) -> None:
        """Players that wait for this feed have it."""
        for player, _ in self._players.values():
            if player.wanted == feed.name:
                player.join(feed)

    def read_figures(self) -> dict[str, dict[str, Any]]:
        """What every granted player has been sent."""
        return {name: player.read_figures() for name, (player, _) in self._players.items() if player.granted}

    def read_totals(self) -> dict[str, int]:
        """How many players there are, and sums over all of them since the relay began, which never fall."""
        total = StreamFigures()
        total.add(self._left_behind)
        for player, _ in self._players.values():
            total.add(player.figures)
        return {
            "players": sum(player.granted for player, _ in self._players.values()),
            "players_bytes": total.bytes,
            "players_packets": total.packets,
            "players_dropped_frames": total.dropped_frames,
            "players_turned_away": self._turned_away,
        }

    def _met(self, connection: _Caller) -> None:
        strangers = [player for player, _ in self._players.values() if not player.granted]
        own = sum(player.connection.address == connection.address for player in strangers)
        if len(strangers) >= MAX_STRANGERS or own >= MAX_STRANGERS_EACH:
            self._turned_away += 1
            connection.end("busy")
            return
        player = Player(connection, self._host, self._config, self._clock)
        task = asyncio.create_task(player.run(), name=f"player {player.name}")
        self._players[player.name] = (player, task)
        task.add_done_callback(lambda done: self._left(player, done))

    def _left(self, player: Player, task: asyncio.Task[str]) -> None:
        self._players.pop(player.name, None)
        self._left_behind.add(player.figures)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a player of %s failed unexpectedly", player.connection.address, exc_info=error)

    async def _beat(self) -> None:
        """Each second: who has lasted too long; every five: sender reports."""
        beats = 0
        while True:
            await self._clock.sleep(TICK)
            beats += 1
            now = self._clock.monotonic()
            for player, _ in list(self._players.values()):
                player.judge(now)
                if beats % REPORT_EVERY == 0:
                    player.report(self._clock.now().timestamp(), now)


def _bound(host: str, port: int) -> socket.socket:
    """A bound socket; "::" takes IPv4 too. Raises OSError."""
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
