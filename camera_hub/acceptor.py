"""Accepts TCP connections within limits, whoever knocks and however many: of the HTTP side and of RTSP out.

asyncio's own servers accept without a limit, and when descriptors run out they log a traceback for every place in the
queue. Here a connection that is not in use yet (no request has arrived completely, or none follows) gives way to a new
one when there are too many, oldest first: whoever holds thousands of them open holds nobody else up.
"""

import asyncio
import contextlib
import errno
import ipaddress
import logging
import os
import resource
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from camera_hub.clock import Clock

log = logging.getLogger(__name__)

MAX_DESCRIPTORS = 65536
RESERVED_DESCRIPTORS = 256
"""Of the process's descriptors, how many are left for databases, child processes, devices and files."""
BATCH = 32
"""Connections accepted in one turn of the event loop, so that those accepted before are read in between."""
REST = 0.03
"""Seconds without accepting after a whole batch: some 1,000 connections a second at most, a third of a core; the others
wait in the kernel, and those who are connected are served meanwhile.
"""
TICK = 1.0
PAUSE = 0.5
"""Seconds without accepting after not even the spare descriptor could be had."""
LOG_SECONDS = 60.0
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open descriptors to the hard one (at most MAX_DESCRIPTORS); returns what holds now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MAX_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft


def room_for_connections(wanted: int, descriptors: int) -> int:
    """How many connections may be open in all: as many as wanted, or as the descriptors leave; at least 16."""
    return max(16, min(wanted, descriptors - RESERVED_DESCRIPTORS))


def neighbourhood(address: str) -> str:
    """What counts as one address: an IPv4 address (also an IPv4-mapped one), or an IPv6 /64, which is one customer's.

    Text that is no address stands for itself.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return "::1" if parsed.is_loopback else str(ipaddress.ip_network((parsed, 64), strict=False))


LOOPBACK = ("127.0.0.0/8", "::1/128")


def shared_by(networks: Sequence[str] = LOOPBACK) -> Callable[[str], bool]:
    """Whether a neighbourhood stands for many people: the proxies in these networks (CIDR) bring theirs."""
    proxies = [ipaddress.ip_network(text) for text in networks]

    def shared(place: str) -> bool:
        try:
            found = ipaddress.ip_network(place)
        except ValueError:
            return False
        return any(found.version == proxy.version and found.overlaps(proxy) for proxy in proxies)

    return shared


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """`total`: connections in all; `unused`: of these, how many may wait for a complete request; `per_address`: from
    one address (IPv6: from a /64) that is not `shared`.
    """

    total: int
    unused: int
    per_address: int
    shared: Callable[[str], bool] = field(default_factory=shared_by)


@dataclass(slots=True)
class ConnectionFigures:
    """Counters since the start. `evicted`: closed while unused, to make room; `refused`: all were in use."""

    accepted: int = 0
    evicted: int = 0
    refused: int = 0
    timed_out: int = 0
    exhausted: int = 0


@dataclass(slots=True, eq=False)
class Accepted:
    """One accepted connection. `in_use`: it must not be closed to make room. `check` is called about each second."""

    place: str
    in_use: bool = False
    used_before: bool = False
    transport: asyncio.Transport | None = None
    check: Callable[[float], None] | None = None

    def end(self) -> None:
        """Close it at once."""
        if self.transport is not None:
            self.transport.abort()


class ConnectionTable:
    """All open connections, and who has to go when another one comes. Decides only; closes nothing."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._all: dict[Accepted, None] = {}
        self._fresh: dict[Accepted, None] = {}  # unused, and never used before; oldest first
        self._idle: dict[Accepted, None] = {}  # unused between two requests
        self._places: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Accepted]:
        return iter(list(self._all))

    def admit(self, place: str) -> tuple[Accepted | None, Accepted | None]:
        """The new connection, or None when it is refused; and the one that has to be closed for it, if any."""
        limits = self._limits
        loser: Accepted | None = None
        if self._places[place] >= limits.per_address and not limits.shared(place):
            if (loser := self._oldest_unused(place)) is None:
                return None, None
        elif len(self._all) >= limits.total or len(self._fresh) + len(self._idle) >= limits.unused:
            loser = self._oldest_unused()
            if loser is None and len(self._all) >= limits.total:
                return None, None
        if loser is not None:
            self.remove(loser)
        came = Accepted(place)
        self._all[came] = self._fresh[came] = None
        self._places[place] += 1
        return came, loser

    def oldest_unused(self) -> Accepted | None:
        """Who is closed first when descriptors run out; it is taken out."""
        if (loser := self._oldest_unused()) is not None:
            self.remove(loser)
        return loser

    def use(self, connection: Accepted) -> None:
        """A request has arrived completely: the connection stays until it has been answered."""
        connection.in_use = connection.used_before = True
        self._fresh.pop(connection, None)
        self._idle.pop(connection, None)

    def release(self, connection: Accepted) -> None:
        """It waits for a request (or the rest of one) again."""
        connection.in_use = False
        if connection in self._all:
            (self._idle if connection.used_before else self._fresh).setdefault(connection)

    def remove(self, connection: Accepted) -> None:
        """It has ended; without effect when that is known."""
        if connection not in self._all:
            return
        del self._all[connection]
        self._fresh.pop(connection, None)
        self._idle.pop(connection, None)
        self._places[connection.place] -= 1
        if self._places[connection.place] <= 0:
            del self._places[connection.place]

    def _oldest_unused(self, place: str | None = None) -> Accepted | None:
        for tier in (self._fresh, self._idle):
            for connection in tier:
                if place is None or connection.place == place:
                    return connection
        return None


class _CountedSocket(socket.socket):
    """Tells when its descriptor is closed, whichever protocol or event loop has it by then."""

    on_close: Callable[[], None] | None = None

    def close(self) -> None:
        super().close()
        if (told := self.on_close) is not None:
            self.on_close = None
            told()


@dataclass(slots=True)
class _Sparing:
    """Lets one log line through in LOG_SECONDS, with the number of those that it held back."""

    next_at: float = 0.0
    held: int = field(default=0)

    def line(self, now: float, level: int, text: str, *args: Any) -> None:
        if now < self.next_at:
            self.held += 1
            return
        more = f" ({self.held} more such events since the last line)" if self.held else ""
        log.log(level, text + more, *args)
        self.next_at, self.held = now + LOG_SECONDS, 0


class Acceptor:
    """Accepts the connections of one listening socket; `factory` makes the protocol of each.

    `refusal` is what a connection gets that cannot be served. `run` is to be kept running while it is open.
    """

    def __init__(
        self,
        listener: socket.socket,
        factory: Callable[[Accepted], asyncio.BaseProtocol],
        table: ConnectionTable,
        clock: Clock,
        figures: ConnectionFigures,
        refusal: bytes = b"",
    ) -> None:
        self.figures = figures
        self._listener = listener
        self._factory = factory
        self._table = table
        self._clock = clock
        self._refusal = refusal
        self._loop = asyncio.get_running_loop()
        self._spare: int | None = None
        self._opening: set[asyncio.Task[None]] = set()
        self._paused_until: float | None = None
        self._resting: asyncio.TimerHandle | None = None
        self._full_line, self._exhausted_line = _Sparing(), _Sparing()
        self._open = False

    def open(self) -> None:
        """Begin to accept."""
        self._listener.setblocking(False)
        self._have_spare()
        self._open = True
        self._loop.add_reader(self._listener, self._on_ready)

    def close(self) -> None:
        """Accept no more; connections that are open stay. The listening socket is closed."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._listener)
        if self._resting is not None:
            self._resting.cancel()
        for task in self._opening:
            task.cancel()
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None
        self._listener.close()

    async def run(self) -> None:
        """About once a second: let each connection look at its deadlines."""
        while True:
            await self._clock.sleep(TICK)
            self.tick()

    def tick(self) -> None:
        """For an owner that has a beat of its own: what `run` does each time."""
        now = self._clock.monotonic()
        if self._open and self._paused_until is not None and now >= self._paused_until:
            self._paused_until = None
            self._loop.add_reader(self._listener, self._on_ready)
        for connection in self._table:
            if connection.check is None:
                continue
            try:
                connection.check(now)
            except Exception:  # a fault of ours in one connection must not take the deadlines from all others
                log.exception("a connection of %s cannot be looked at, and is closed", connection.place)
                connection.end()

    def _on_ready(self) -> None:
        for _ in range(BATCH):
            try:
                accepted, peer = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno in _EXHAUSTED and self._spare is not None:
                    if self._turn_one_away(error):
                        continue
                    return
                self._pause(error)
                return
            self._take(accepted, peer)
        self._loop.remove_reader(self._listener)
        self._resting = self._loop.call_later(REST, self._after_rest)

    def _after_rest(self) -> None:
        self._resting = None
        if self._open and self._paused_until is None:
            self._loop.add_reader(self._listener, self._on_ready)

    def _take(self, accepted: socket.socket, peer: Any) -> None:
        place = neighbourhood(str(peer[0])) if isinstance(peer, tuple) else ""
        came, loser = self._table.admit(place)
        if loser is not None:
            self.figures.evicted += 1
            loser.end()
        if came is None:
            self.figures.refused += 1
            self._full_line.line(
                self._clock.monotonic(),
                logging.WARNING,
                "connections are refused: all %d are in use, or all of one address (the last: %s)",
                len(self._table),
                place,
            )
            self._refuse(accepted)
            return
        self.figures.accepted += 1
        kind = (accepted.family, accepted.type, accepted.proto)
        counted = _CountedSocket(*kind, fileno=accepted.detach())
        counted.setblocking(False)
        counted.on_close = lambda: self._table.remove(came)
        task = self._loop.create_task(self._connect(came, counted), name="accepted connection")
        self._opening.add(task)
        task.add_done_callback(lambda done: self._opened(done, counted))

    def _opened(self, task: "asyncio.Task[None]", sock: socket.socket) -> None:
        self._opening.discard(task)
        if task.cancelled():  # before its first step: nothing of it has run, so nothing of it closes the socket
            sock.close()

    async def _connect(self, came: Accepted, sock: socket.socket) -> None:
        try:
            transport, _ = await self._loop.connect_accepted_socket(lambda: self._factory(came), sock)
        except (OSError, asyncio.CancelledError):
            sock.close()
            return
        came.transport = transport
        if came not in self._table:  # it had to go before it was there
            came.end()

    def _turn_one_away(self, error: OSError) -> bool:
        """No descriptor is left: answer the next connection with the spare one, and let an unused connection go.

        False when none waits: Linux says that descriptors are lacking before it looks for a connection.
        """
        assert self._spare is not None
        os.close(self._spare)
        self._spare = None
        try:
            accepted, _ = self._listener.accept()
        except OSError:
            return False
        else:
            self._refuse(accepted)
        finally:
            self._have_spare()
        self.figures.exhausted += 1
        self._exhausted_line.line(
            self._clock.monotonic(),
            logging.ERROR,
            "no descriptor is left for connections (%s); raise the limit of open files, for example LimitNOFILE of "
            "the service. Unused connections are closed to make room",
            error.strerror,
        )
        if (loser := self._table.oldest_unused()) is not None:
            self.figures.evicted += 1
            loser.end()
        return True

    def _have_spare(self) -> None:
        if self._spare is None:
            with contextlib.suppress(OSError):  # without one, accepting pauses
                self._spare = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def _refuse(self, accepted: socket.socket) -> None:
        with accepted:
            accepted.setblocking(False)
            try:
                if self._refusal:
                    accepted.send(self._refusal)
                accepted.shutdown(socket.SHUT_WR)
            except OSError:
                return  # it has gone already

    def _pause(self, error: OSError) -> None:
        """Nothing can be accepted now: the next tick after PAUSE tries again, instead of every turn of the loop."""
        self._loop.remove_reader(self._listener)
        self._paused_until = self._clock.monotonic() + PAUSE
        self._have_spare()
        self._exhausted_line.line(
            self._clock.monotonic(), logging.ERROR, "connections cannot be accepted: %s", error.strerror
        )
