"""A listening port that can be open, closed (refuses connections) or a black hole (as if the cable were pulled)."""

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from enum import StrEnum

from camera_hub.simulator.state import DeviceState

_BACKLOG = 256
_DRAIN_DEADLINE = 30.0
_DRIP_PAUSE = 1.0


class Door(StrEnum):
    """How a port behaves."""

    OPEN = "open"
    CLOSED = "closed"
    BLACK_HOLE = "black_hole"


class Line:
    """One accepted connection, which drips bytes or goes silent when its device does."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, state: DeviceState) -> None:
        self.reader = reader
        self.writer = writer
        self._state = state

    @property
    def peer(self) -> str:
        """Address of the other side."""
        return str(self.writer.get_extra_info("peername")[0])

    async def send(self, data: bytes, *, drips: bool = False) -> None:
        """Send once the device is not silent. Raises ConnectionError or TimeoutError when the peer does not read it."""
        await self._state.while_silent()
        if drips:
            for byte in data:
                await self._write(bytes([byte]))
                await self._state.clock.sleep(_DRIP_PAUSE)
        else:
            await self._write(data)

    async def _write(self, data: bytes) -> None:
        self.writer.write(data)
        async with asyncio.timeout(_DRAIN_DEADLINE):
            await self.writer.drain()


class Listener:
    """One TCP port of a device, and its connections."""

    def __init__(
        self,
        state: DeviceState,
        port: int,
        serve: Callable[[Line], Awaitable[None]],
        *,
        address: str | None = None,
        tls: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        """`address`: another one than the device's own. `tls`: makes what it speaks TLS with."""
        self.port = port
        self._address = address or state.plan.address
        self._tls = tls
        self._state = state
        self._serve = serve
        self._door = Door.CLOSED
        self._server: asyncio.Server | None = None
        self._hole: list[socket.socket] = []
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def set(self, door: Door) -> None:
        """Change how the port behaves. Closing cuts all connections; a black hole leaves them hanging."""
        if door is self._door:
            return
        if self._server is not None:
            self._server.close()
            self._server = None
        for one in self._hole:
            one.close()
        self._hole.clear()
        self._door = door
        match door:
            case Door.OPEN:
                tls = self._tls() if self._tls else None
                self._server = await listening(self._accept, self._address, self.port, tls)
                self.port = self._server.sockets[0].getsockname()[1]
            case Door.BLACK_HOLE:
                self._hole = black_hole(self._address, self.port)
            case Door.CLOSED:
                await self.cut()

    async def cut(self) -> None:
        """Abort every connection and wait for its end."""
        tasks = list(self._connections)
        for task, writer in self._connections.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._door is Door.CLOSED:  # it was in the queue of the port that is closed now
            writer.transport.abort()
            return
        task = asyncio.create_task(
            self._talk(Line(reader, writer, self._state)), name=f"simulator-{self._state.plan.key}-{self.port}"
        )
        self._connections[task] = writer
        task.add_done_callback(self._connections.pop)

    async def _talk(self, line: Line) -> None:
        try:
            await self._serve(line)
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            pass  # peers come and go
        finally:
            line.writer.close()


async def listening(
    accept: Callable[[asyncio.StreamReader, asyncio.StreamWriter], None],
    address: str,
    port: int,
    tls: ssl.SSLContext | None = None,
) -> asyncio.Server:
    """Listen at an IPv4 address. Raises OSError. Who is cancelled meanwhile leaves no port open, as asyncio's own one
    would stay.
    """
    try:
        sock = socket.create_server((address, port), backlog=_BACKLOG)
    except OSError as error:
        why = os.strerror(error.errno or 0).lower()
        raise OSError(error.errno, f"error while attempting to bind on address {(address, port)}: {why}") from error
    try:
        return await asyncio.start_server(accept, sock=sock, backlog=_BACKLOG, ssl=tls)
    except BaseException:
        asyncio.get_running_loop().remove_reader(sock)
        sock.close()
        raise


def black_hole(address: str, port: int) -> list[socket.socket]:
    """Listen with a full queue, so that further connection requests get no answer. Closing the sockets ends it."""
    hole = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    hole.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    hole.bind((address, port))
    hole.listen(0)
    stuffing = []
    for _ in range(2):
        plug = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        plug.setblocking(False)
        if plug.connect_ex((address, hole.getsockname()[1])) not in (0, errno.EINPROGRESS):
            plug.close()
            continue
        stuffing.append(plug)
    return [*stuffing, hole]
