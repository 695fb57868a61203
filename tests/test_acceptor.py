"""The door: who is let in when too many knock, and what becomes of requests that never end."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from camera_hub import http_server
from camera_hub.acceptor import (
    Accepted,
    Acceptor,
    ConnectionFigures,
    ConnectionLimits,
    ConnectionTable,
    neighbourhood,
    room_for_connections,
    shared_by,
)
from camera_hub.http_server import Doorkeeper, Phase, RequestTimeouts, TimedHttp, Unread, overdue, server_of
from tests.fakes.clock import ManualClock
from tests.fakes.giving_up import open_sockets, some_turns

DEADLINE = 60.0
GET = b"GET / HTTP/1.1\r\nhost: hub.test\r\n\r\n"


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::1"),
        ("", ""),
    ],
)
def test_one_customer_s_addresses_count_as_one(address: str, place: str) -> None:
    assert neighbourhood(address) == place


def test_connections_leave_descriptors_for_everything_else() -> None:
    assert room_for_connections(2048, 65536) == 2048
    assert room_for_connections(2048, 1024) == 768
    assert room_for_connections(2048, 128) == 16


class TestWhoHasToGo:
    def test_the_oldest_that_was_never_used_gives_way_first(self) -> None:
        table = ConnectionTable(ConnectionLimits(total=8, unused=3, per_address=99))
        first, second, third = (_admitted(table, f"192.0.2.{n}") for n in range(3))
        table.use(first)
        table.release(first)  # idle between two requests: worth more than who never asked for anything
        assert table.admit("192.0.2.9")[1] is second
        assert table.admit("192.0.2.9")[1] is third
        assert len(table) == 3

    def test_who_is_in_use_stays_and_the_next_is_refused(self) -> None:
        table = ConnectionTable(ConnectionLimits(total=2, unused=2, per_address=99))
        for n in range(2):
            table.use(_admitted(table, f"192.0.2.{n}"))
        assert table.admit("192.0.2.9") == (None, None)

    def test_an_address_of_a_trusted_proxy_stands_for_many_people(self) -> None:
        proxies = shared_by(["192.0.2.8/30", "2001:db8::1/128"])
        places = ("192.0.2.9", "192.0.2.1", "2001:db8::/64", "127.0.0.1", "client")
        assert [place for place in places if proxies(place)] == ["192.0.2.9", "2001:db8::/64"]
        assert all(map(shared_by(), ("127.0.0.1", "::1")))

    @pytest.mark.parametrize(("place", "others"), [("192.0.2.1", 2), ("127.0.0.1", 4)])
    def test_one_address_may_have_so_many_unless_it_stands_for_many_people(self, place: str, others: int) -> None:
        table = ConnectionTable(ConnectionLimits(total=9, unused=9, per_address=2))
        neighbour = _admitted(table, "192.0.2.2")
        for _ in range(4):
            table.admit(place)
        assert len(table) == 1 + others
        assert neighbour in list(table)

    def test_an_end_frees_its_place_once(self) -> None:
        table = ConnectionTable(ConnectionLimits(total=1, unused=1, per_address=1))
        came = _admitted(table, "192.0.2.1")
        table.use(came)
        table.remove(came)
        table.remove(came)
        table.release(came)  # a late word of a connection that is gone
        assert len(table) == 0
        assert table.admit("192.0.2.1")[0] is not None


def _admitted(table: ConnectionTable, place: str) -> Accepted:
    came, loser = table.admit(place)
    assert came is not None
    assert loser is None
    return came


@pytest.mark.parametrize(
    ("phase", "seconds", "late"),
    [
        (Phase.HEAD, 9.9, False),
        (Phase.HEAD, 10.1, True),
        (Phase.BODY, 10.1, False),
        (Phase.BODY, 30.1, True),
        (Phase.ANSWERING, 600.0, False),
        (Phase.UPGRADED, 600.0, False),
    ],
)
def test_what_is_overdue(phase: Phase, seconds: float, late: bool) -> None:
    assert overdue(phase, seconds, RequestTimeouts()) is late


@pytest.mark.parametrize(("bytes_per_second", "late"), [(0, True), (1, True), (1024, False), (100_000, False)], ids=str)
def test_who_reads_slowly_is_waited_for_but_not_for_ever(bytes_per_second: int, late: bool) -> None:
    unread = Unread(30.0)
    seen = [unread.too_slow(float(now), max(0, 1_000_000 - now * bytes_per_second)) for now in range(200)]
    assert any(seen) is late
    assert not any(seen[:30])


class Site:
    """A server of a few answers, on a clock that is moved by hand."""

    def __init__(self, port: int, clock: ManualClock, door: Doorkeeper) -> None:
        self.port = port
        self.clock = clock
        self.door = door
        self.knocked: list[asyncio.StreamWriter] = []

    async def knock(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A new connection; those that the test leaves open end with it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.knocked.append(writer)
        return reader, writer

    async def until_open(self, count: int) -> None:
        async with asyncio.timeout(DEADLINE):
            while len(self.door.table) != count:  # noqa: ASYNC110 (the kernel tells nobody)
                await asyncio.sleep(0)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body, answers with its length. /big: more than any buffer holds."""
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    body = b"x" * 50_000_000 if scope["path"] == "/big" else str(length).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def site(clock: ManualClock) -> AsyncIterator[Site]:
    async with _site(clock, ConnectionLimits(total=6, unused=4, per_address=3)) as site:
        yield site


@contextlib.asynccontextmanager
async def _site(clock: ManualClock, limits: ConnectionLimits) -> AsyncIterator[Site]:
    door = Doorkeeper(ConnectionTable(limits), RequestTimeouts(), clock, ConnectionFigures())
    listener = socket.create_server(("127.0.0.1", 0))
    server = server_of(application, door)
    task = asyncio.create_task(server.serve([listener]))
    try:
        site = Site(listener.getsockname()[1], clock, door)
        yield site
        for writer in site.knocked:
            writer.transport.abort()
    finally:
        server.end()
        await task


async def test_a_server_nobody_is_connected_to_ends_without_waiting(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither for the next look at whether it shall end, nor for connections that there are not."""
    door = Doorkeeper(ConnectionTable(ConnectionLimits(9, 9, 9)), RequestTimeouts(), clock, ConnectionFigures())
    monkeypatch.setattr(uvicorn.Server, "shutdown", None)
    monkeypatch.setattr(http_server, "DATE_SECONDS", 3600.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = server_of(application, door)
        task = asyncio.create_task(server.serve([listener]))
        site = Site(listener.getsockname()[1], clock, door)
        reader, writer = await site.knock()
        writer.write(GET[:9])
        await site.until_open(1)
        server.end()
        async with asyncio.timeout(DEADLINE):
            await task
        assert await reader.read() == b"", "half a request is not waited for"
        writer.close()


async def test_a_head_that_trickles_in_has_one_deadline_as_a_whole(site: Site) -> None:
    reader, writer = await site.knock()
    await site.until_open(1)
    for letter in GET[:9]:
        writer.write(bytes([letter]))
        await site.clock.advance(1.0)
    assert site.door.figures.timed_out == 0
    await site.clock.advance(2.0)
    assert (await _all(reader)).startswith(b"HTTP/1.1 408 ")
    assert site.door.figures.timed_out == 1
    writer.close()


async def test_a_body_that_trickles_in_has_one_deadline_as_a_whole(site: Site) -> None:
    reader, writer = await site.knock()
    writer.write(b"POST / HTTP/1.1\r\nhost: hub.test\r\ncontent-length: 99\r\n\r\n")
    await _in_phase(site, Phase.BODY)
    for _ in range(29):
        writer.write(b"x")
        await site.clock.advance(1.0)
    assert site.door.figures.timed_out == 0
    await site.clock.advance(2.0)
    assert (await _all(reader)).startswith(b"HTTP/1.1 408 ")


async def test_who_does_not_read_what_was_asked_for_is_cut_off(site: Site) -> None:
    _, writer = await site.knock()
    writer.write(GET.replace(b"/ ", b"/big "))
    async with asyncio.timeout(DEADLINE):
        while not any(one.transport and one.transport.get_write_buffer_size() for one in site.door.table):  # noqa: ASYNC110
            await asyncio.sleep(0)
    await site.clock.advance(29.0)
    assert site.door.figures.timed_out == 0
    await site.clock.advance(3.0)
    assert site.door.figures.timed_out == 1
    await site.until_open(0)


async def test_two_requests_of_a_connection_have_each_their_own_time(site: Site) -> None:
    reader, writer = await site.knock()
    for _ in range(3):
        writer.write(GET)
        assert await _answer(reader) == b"0"
        await site.clock.advance(6.0)
    assert site.door.figures.timed_out == 0


async def test_whoever_holds_half_requests_open_holds_nobody_up(site: Site) -> None:
    """Those from the loopback, which may be a proxy, and those of one stranger."""
    held = [await site.knock() for _ in range(20)]
    for _, writer in held:
        writer.write(GET[:-2])
    reader, late_comer = await site.knock()
    late_comer.write(GET)
    assert await _answer(reader) == b"0"
    assert len(site.door.table) <= 6
    assert site.door.figures.evicted >= 16
    for _, writer in held:
        writer.transport.abort()
    await site.until_open(1)


async def test_when_all_are_in_use_the_next_is_told_so(clock: ManualClock) -> None:
    async with _site(clock, ConnectionLimits(total=2, unused=2, per_address=9)) as site:
        for _ in range(2):
            await site.knock()
        await site.until_open(2)
        for connection in site.door.table:
            site.door.table.use(connection)
        reader, _ = await site.knock()
        assert (await _all(reader)).startswith(b"HTTP/1.1 503 ")
        assert site.door.figures.refused == 1


class Poor(socket.socket):
    """A listening socket of a process that has but its spare descriptor for the next `lacking` connections."""

    lacking = 0
    spare = False  # whether it has been given up

    def accept(self) -> tuple[socket.socket, Any]:
        if self.lacking and not self.spare:
            self.spare = True
            raise OSError(errno.EMFILE, "Too many open files")
        given_up, self.spare = self.spare, False
        found = super().accept()
        self.lacking -= given_up
        return found


async def test_without_descriptors_unused_connections_go_and_one_line_is_logged(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    table = ConnectionTable(ConnectionLimits(total=99, unused=99, per_address=99))
    listener = Poor()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    acceptor = Acceptor(listener, lambda _: asyncio.Protocol(), table, clock, ConnectionFigures(), b"busy")
    acceptor.open()
    port = listener.getsockname()[1]
    try:
        knocked = [await asyncio.open_connection("127.0.0.1", port)]
        async with asyncio.timeout(DEADLINE):
            while not any(one.transport for one in table):  # noqa: ASYNC110
                await asyncio.sleep(0)
        listener.lacking = 20
        knocked += [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
        assert [await _all(reader) for reader, _ in knocked] == [b""] + 20 * [b"busy"]
        assert acceptor.figures.exhausted == 20
        assert len(caplog.records) == 1
        assert "raise the limit of open files" in caplog.text
        knocked.append(await asyncio.open_connection("127.0.0.1", port))
        async with asyncio.timeout(DEADLINE):
            while len(table) != 1:  # noqa: ASYNC110
                await asyncio.sleep(0)
    finally:
        acceptor.close()
        for _, writer in knocked:
            writer.transport.abort()


async def test_a_connection_is_looked_at_before_it_is_quite_there(clock: ManualClock) -> None:
    """The beat may come between accepting and `connection_made`: in a flood it does."""
    door = Doorkeeper(ConnectionTable(ConnectionLimits(9, 9, 9)), RequestTimeouts(), clock, ConnectionFigures())
    config = server_of(application, door).config
    config.load()
    came = _admitted(door.table, "192.0.2.1")
    TimedHttp(came, door, config=config, server_state=ServerState(), app_state={})
    assert came.check is not None
    came.check(clock.monotonic())
    assert door.figures.timed_out == 0


async def test_a_connection_that_cannot_be_looked_at_goes_and_the_others_keep_their_deadlines(
    clock: ManualClock,
) -> None:
    table = ConnectionTable(ConnectionLimits(9, 9, 9))
    acceptor = Acceptor(socket.socket(), lambda _: asyncio.Protocol(), table, clock, ConnectionFigures())
    faulty, other = _admitted(table, "192.0.2.1"), _admitted(table, "192.0.2.2")
    looked: list[float] = []

    def fail(now: float) -> None:
        raise AttributeError("a fault of ours")

    faulty.check, other.check = fail, looked.append
    acceptor.tick()
    acceptor.close()
    assert looked == [clock.monotonic()]


async def _in_phase(site: Site, phase: Phase) -> None:
    async with asyncio.timeout(DEADLINE):
        while not any(_phase(one) is phase for one in site.door.table):  # noqa: ASYNC110
            await asyncio.sleep(0)


def _phase(connection: Accepted) -> Phase | None:
    protocol = connection.transport.get_protocol() if connection.transport is not None else None
    return protocol._phase if isinstance(protocol, TimedHttp) else None


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """The body of the next answer."""
    async with asyncio.timeout(DEADLINE):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        return await reader.readexactly(int(length.split(b":")[1]))


async def _all(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(DEADLINE):
        with contextlib.suppress(ConnectionResetError):
            return await reader.read()
        return b""


async def test_whoever_is_accepted_as_the_port_closes_has_no_socket_left_here(clock: ManualClock) -> None:
    """Closed 0, 1, 2, … turns after it knocked, until its protocol is there."""
    made = asyncio.Event()

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            made.set()

    turns = 0
    while not made.is_set():
        table = ConnectionTable(ConnectionLimits(9, 9, 9))
        listener = socket.create_server(("127.0.0.1", 0))
        before = open_sockets()
        acceptor = Acceptor(listener, lambda _: Protocol(), table, clock, ConnectionFigures())
        acceptor.open()
        with socket.create_connection(listener.getsockname()):
            for _ in range(turns):
                await asyncio.sleep(0)
            acceptor.close()
            for connection in table:
                connection.end()
            await some_turns()
        assert len(table) == 0, f"closed after {turns} turns"
        assert open_sockets() < before
        turns += 1
