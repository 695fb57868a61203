"""The hub as a running server: socket, parts, HTTP side; and its graceful shutdown."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address

from camera_hub import allocator
from camera_hub.acceptor import (
    ConnectionFigures,
    ConnectionLimits,
    ConnectionTable,
    raise_descriptor_limit,
    room_for_connections,
    shared_by,
)
from camera_hub.app import create_app, parts
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.http_server import Doorkeeper, RequestTimeouts, server_of
from camera_hub.settings import ServerSettings, Settings
from camera_hub.wiring.rooms import Parts

log = logging.getLogger(__name__)

STOP_SECONDS = 9.0
"""Seconds from the first signal to the exit, whatever hangs: service managers kill after 10 s."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A running hub, reachable at `url`."""

    url: str
    parts: Parts


@asynccontextmanager
async def serving(
    settings: Settings, clock: Clock, announce: Callable[[Serving], Awaitable[None]] | None = None
) -> AsyncIterator[Serving]:
    """The whole hub, serving while the block runs; `announce` is awaited before it listens. Raises HubError."""
    allocator.give_back()
    descriptors = raise_descriptor_limit()
    with _bound(settings.server.host, settings.server.port) as listener:
        async with parts(settings, clock) as running:
            door = doorkeeper(settings.server, descriptors, clock, running[ConnectionFigures])
            server = server_of(create_app(settings, running), door)
            hub = Serving(public_url(settings, listener.getsockname()[1]), running)
            if announce is not None:
                await announce(hub)
            _listen(listener)
            task = asyncio.create_task(server.serve(sockets=[listener]), name="http server")
            try:
                async with _unless_ended(task):
                    yield hub
            finally:
                server.should_exit = True
                await asyncio.wait([task])
        task.result()


def doorkeeper(settings: ServerSettings, descriptors: int, clock: Clock, figures: ConnectionFigures) -> Doorkeeper:
    """Who may connect, for a process that may have so many descriptors."""
    total = room_for_connections(settings.connections, descriptors)
    limits = ConnectionLimits(
        total,
        unused=total // 2,
        per_address=settings.connections_per_address,
        shared=shared_by(settings.trusted_proxies),
    )
    timeouts = RequestTimeouts(settings.request_head_seconds, settings.request_body_seconds)
    return Doorkeeper(ConnectionTable(limits), timeouts, clock, figures)


@asynccontextmanager
async def _unless_ended(server: "asyncio.Task[None]") -> AsyncIterator[None]:
    """Cancel the block when the server ends by itself: a hub that does not answer must not keep running unnoticed."""
    body = asyncio.current_task()
    assert body is not None
    cancelled_before = body.cancelling()
    early = False

    def end(_: object) -> None:
        nonlocal early
        early = True
        body.cancel()

    server.add_done_callback(end)
    try:
        yield
    except asyncio.CancelledError:
        if not early or body.uncancel() > cancelled_before:
            raise
        cause = None if server.cancelled() else server.exception()
        raise HubError(
            Kind.INTERNAL,
            f"the HTTP server ended by itself ({cause or 'without an error'}), so the hub exits; start it again",
            reason="server_ended",
        ) from cause
    finally:
        server.remove_done_callback(end)


def public_url(settings: Settings, port: int) -> str:
    """The URL at which browsers reach the hub."""
    server = settings.server
    if server.public_origins:
        return server.public_origins[0]
    host = "127.0.0.1" if server.host in ("0.0.0.0", "::", "") else server.host
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def warn_if_open(settings: Settings) -> None:
    """Log a warning when passwords and pictures would cross a network unencrypted."""
    server = settings.server
    if _is_loopback(server.host) or server.secure_cookies:
        return
    log.warning(
        "the hub listens on %s without HTTPS: passwords cross the network unencrypted. Put an HTTPS proxy in front, "
        "and set server.secure_cookies and server.public_origins",
        server.host or "every interface",
    )


class StopSignal:
    """SIGINT and SIGTERM: the first requests a graceful shutdown within STOP_SECONDS, the second exits at once."""

    def __init__(self) -> None:
        self._requested = asyncio.Event()
        self._forced = threading.Timer(STOP_SECONDS, _exit_forced)
        self._forced.daemon = True

    def __enter__(self) -> "StopSignal":
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._request)
        return self

    def __exit__(self, *_: object) -> None:
        """Everything has ended: cancel the forced exit."""
        self._forced.cancel()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    async def wait(self) -> None:
        """Wait until a shutdown is requested."""
        await self._requested.wait()

    def _request(self) -> None:
        if self._requested.is_set():
            os._exit(130)
        self._requested.set()
        self._forced.start()


def _exit_forced() -> None:
    logging.getLogger(__name__).error(
        "the shutdown did not finish within %g s; the hub exits without waiting any longer", STOP_SECONDS
    )
    logging.shutdown()
    os._exit(1)


@contextlib.contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    """A TCP socket that is bound but not listening yet. Raises HubError with the remedy."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise _in_use(host, port, error) from error
        listener.setblocking(False)
        yield listener
    finally:
        listener.close()


def _listen(listener: socket.socket) -> None:
    """Start to accept connections; if two programs have bound the same port, the second one fails here."""
    try:
        listener.listen(4096)  # as many as the system allows wait while a storm is accepted
    except OSError as error:
        host, port = listener.getsockname()[:2]
        raise _in_use(host, port, error) from error


def _in_use(host: str, port: int, error: OSError) -> HubError:
    return HubError(
        Kind.UNAVAILABLE,
        f"the hub cannot listen on {host} port {port}: {error.strerror}; change server.host or server.port, or stop "
        "the program that uses that port",
        reason="listen",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
