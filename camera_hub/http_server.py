"""uvicorn behind our own door: connections are accepted within limits, and every part of a request has a time limit.

uvicorn has no deadline but one for silence between two requests, so a request that never ends holds its connection for
ever. What is used of uvicorn: `http=` takes a protocol class (`TimedHttp`), and `Server.startup` opens the sockets.
"""

import asyncio
import contextlib
import enum
import functools
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from camera_hub.acceptor import Accepted, Acceptor, ConnectionFigures, ConnectionTable
from camera_hub.clock import Clock

MAX_HEAD = 32 * 1024
"""Bytes of a request's head; a browser's cookies for a whole domain fit in."""
SLOWEST_BYTES = 16 * 1024
MAX_MESSAGE = 64 * 1024
"""Bytes of a WebSocket message, all its fragments together, as they are when unpacked."""
DRAIN_SECONDS = 3
"""Seconds that requests under way have at the end."""
DATE_SECONDS = 1.0
"""Seconds for which the date in answers' heads is kept."""
KEEP_ALIVE = 5
"""Seconds of silence between two requests."""
_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 5\r\ncontent-length: 0\r\n"
    b"cache-control: no-store\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class RequestTimeouts:
    """Seconds. `head`, `body`: from when it may begin until it is complete, however slowly it trickles in. `unread`:
    in which a browser must have read SLOWEST_BYTES of what waits for it, or all of that.
    """

    head: float = 10.0
    body: float = 30.0
    unread: float = 30.0


class Phase(enum.Enum):
    """What a connection is doing."""

    HEAD = "head"  # waiting for a request, or for the rest of its head
    BODY = "body"
    ANSWERING = "answering"
    UPGRADED = "upgraded"  # it is a WebSocket now


def overdue(phase: Phase, seconds: float, timeouts: RequestTimeouts) -> bool:
    """Whether a connection has been in its phase for too long."""
    return (phase is Phase.HEAD and seconds > timeouts.head) or (phase is Phase.BODY and seconds > timeouts.body)


class Unread:
    """Watches whether what waits to be sent is read fast enough."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._mark = (0.0, 0)  # time and bytes at the beginning of a period

    def too_slow(self, now: float, waiting: int) -> bool:
        """To be asked about each second; `waiting`: bytes that have not been sent yet."""
        since, before = self._mark
        if waiting == 0 or before == 0 or waiting <= before - SLOWEST_BYTES:
            self._mark = (now, waiting)
            return False
        return now - since > self._seconds


class Doorkeeper:
    """What all connections of the server share: who is connected, the time limits, the counters."""

    def __init__(
        self, table: ConnectionTable, timeouts: RequestTimeouts, clock: Clock, figures: ConnectionFigures
    ) -> None:
        self.table = table
        self.timeouts = timeouts
        self.clock = clock
        self.figures = figures


class TimedHttp(H11Protocol):
    """uvicorn's HTTP/1.1 protocol with deadlines for head, body and unread answers."""

    def __init__(self, accepted: Accepted, door: Doorkeeper, **uvicorn_: Any) -> None:
        super().__init__(**uvicorn_)
        self._accepted = accepted
        self._door = door
        self._phase = Phase.HEAD
        self._since = door.clock.monotonic()
        self._unread = Unread(door.timeouts.unread)
        accepted.check = self._check

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._note_phase()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._enter(Phase.ANSWERING)  # a request follows the other: each has its own time
        self._note_phase()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._enter(Phase.UPGRADED)
        super().handle_websocket_upgrade(event)

    def _note_phase(self) -> None:
        if self._phase is not Phase.UPGRADED:
            self._enter(self._present())

    def _present(self) -> Phase:
        if self.cycle is not None and not self.cycle.response_complete:
            return Phase.BODY if self.cycle.more_body else Phase.ANSWERING
        if self.transport.get_write_buffer_size():
            return Phase.ANSWERING
        return Phase.BODY if self.conn.their_state is h11.SEND_BODY else Phase.HEAD

    def _enter(self, phase: Phase) -> None:
        if phase is self._phase:
            return
        self._phase, self._since = phase, self._door.clock.monotonic()
        if phase in (Phase.HEAD, Phase.BODY):
            self._door.table.release(self._accepted)
        else:
            self._door.table.use(self._accepted)

    def _check(self, now: float) -> None:
        if self.transport is None:
            return  # accepted in this very moment
        if self._phase is Phase.UPGRADED:
            return  # a WebSocket has deadlines of its own: pings, and for what it sends
        self._note_phase()
        if self._unread.too_slow(now, self.transport.get_write_buffer_size()):
            self._door.figures.timed_out += 1
            self.transport.abort()
        elif overdue(self._phase, now - self._since, self._door.timeouts) and not self.transport.is_closing():
            self._door.figures.timed_out += 1
            if self.cycle is None or not self.cycle.response_started or self.cycle.response_complete:
                self._say_too_late()
            else:
                self.transport.abort()

    def _say_too_late(self) -> None:
        """408, where the request has begun and nothing has been answered yet (RFC 9110, 15.5.9)."""
        if self.cycle is not None:
            self.cycle.disconnected = True  # whatever the application still answers has nowhere to go
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            headers = [(b"connection", b"close"), (b"content-length", b"0"), (b"cache-control", b"no-store")]
            head = h11.Response(status_code=408, headers=headers, reason=b"Request Timeout")
            self.transport.write((self.conn.send(head) or b"") + (self.conn.send(h11.EndOfMessage()) or b""))
        self.transport.close()


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, for which a refusal that was answered is the end of the handshake: else it takes it
    for a failure of the application, and logs an error for every WebSocket without a session.
    """

    async def send(self, message: Any) -> None:
        await super().send(message)
        last = message["type"] == "websocket.http.response.body" and not message.get("more_body", False)
        self.handshake_complete = self.handshake_complete or last


class HttpServer(uvicorn.Server):
    """Serves one listening socket behind the door. Signals are not its business: what runs beside it needs them too."""

    def __init__(self, config: uvicorn.Config, door: Doorkeeper) -> None:
        super().__init__(config)
        self._door = door
        self._acceptor: Acceptor | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Have `serve` return: at once where nobody is connected, else after DRAIN_SECONDS at the latest."""
        self.should_exit = True
        self._ending.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept at the one given socket, instead of uvicorn's own servers."""
        assert sockets is not None
        (listener,) = sockets
        await self.lifespan.startup()
        self.servers = []
        door = self._door
        make = functools.partial(_protocol, door, self.config, self.server_state, self.lifespan.state)
        self._acceptor = Acceptor(listener, make, door.table, door.clock, door.figures, _REFUSAL)
        self._acceptor.open()
        self._ticking = asyncio.create_task(self._acceptor.run(), name="http deadlines")
        self.started = True

    async def main_loop(self) -> None:
        """uvicorn's looks ten times a second whether it shall end; this one is told so."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), DATE_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        assert self._acceptor is not None
        assert self._ticking is not None
        self._acceptor.close()
        for connection in self._door.table:
            if not connection.in_use:
                connection.end()  # half a request would be waited for
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # after two turns of the loop those connections are gone
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)  # takes a tenth of a second at least
        for listener in sockets or ():
            listener.close()
        self._ticking.cancel()
        await asyncio.wait([self._ticking])


def server_of(application: Any, door: Doorkeeper) -> HttpServer:
    """A server for the application; nothing of uvicorn's is left to its defaults that a stranger could stretch."""
    config = uvicorn.Config(
        application,
        http=TimedHttp,
        h11_max_incomplete_event_size=MAX_HEAD,
        timeout_keep_alive=KEEP_ALIVE,
        ws=WebSocketProtocol,
        ws_max_size=MAX_MESSAGE,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # api.client_address reads them
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    return HttpServer(config, door)


def _protocol(
    door: Doorkeeper, config: uvicorn.Config, state: ServerState, app_state: dict[str, Any], accepted: Accepted
) -> TimedHttp:
    return TimedHttp(accepted, door, config=config, server_state=state, app_state=app_state)
