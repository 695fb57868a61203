"""Hostile players at a real port: bounded in number, time and memory, and nobody else notices."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from camera_hub.errors import HubError, Kind
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.messages import RelayConfig, RtspAsk, RtspEnded, RtspGranted
from camera_hub.relay.rtsp_server.request_handler import MAX_REFUSALS
from camera_hub.relay.rtsp_server.server import MAX_UNAUTHORIZED_PER_ADDRESS, RtspServer
from tests.fakes.clock import ManualClock
from tests.relay.rtsp_player import TOKEN, player
from tests.relay.test_rtsp_server import site


@dataclass
class Nobody:
    """A relay whose hub authorizes nobody."""

    asked: list[RtspAsk] = field(default_factory=list)
    over: list[RtspEnded] = field(default_factory=list)

    async def authorize(self, ask: RtspAsk) -> RtspGranted:
        self.asked.append(ask)
        raise HubError(Kind.UNAUTHENTICATED, "no such token")

    def session_ended(self, ended: RtspEnded) -> None:
        self.over.append(ended)

    def feed(self, name: str) -> Feed | None:
        return None

    def key_frame_wanted(self, feed: str) -> None: ...

    def watched(self, feed: Feed) -> None: ...


@dataclass
class Port:
    """A server on a clock of the test."""

    number: int
    server: RtspServer
    clock: ManualClock
    host: Nobody

    @property
    def turned_away(self) -> int:
        return self.server.read_totals()["players_turned_away"]


@pytest.fixture
async def port() -> AsyncIterator[Port]:
    host, clock = Nobody(), ManualClock()
    async with RtspServer(host, RelayConfig(rtsp_host="127.0.0.1"), clock) as server:
        state = await server.listen(True)
        assert state.port is not None
        yield Port(state.port, server, clock, host)


async def said(reader: asyncio.StreamReader) -> bytes:
    """All until the server hangs up."""
    got = b""
    async with asyncio.timeout(60):
        try:
            while piece := await reader.read(65536):
                got += piece
        except ConnectionError:
            pass
    return got


async def come(fits: Callable[[], bool]) -> None:
    """Until it is so: what a socket brings sets no event of ours."""
    async with asyncio.timeout(60):
        while not fits():  # noqa: ASYNC110
            await asyncio.sleep(0)


def tasks() -> list[str]:
    """What still runs for players."""
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("player ")]


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        bytes(range(256)) * 8,
        b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nX: " + b"a" * 9000,
        b"OPTIONS * RTSP/1.0\r\n" + b"A: b\r\n" * 70,
        b"SET_PARAMETER * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 1503238553\r\n\r\n",
        b"SET_PARAMETER * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 5000\r\n\r\n",
        b"SET_PARAMETER * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nno colon\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n" * 50,
    ],
    ids=[
        "tls",
        "noise",
        "long line",
        "many headers",
        "giant body",
        "large body",
        "no length",
        "no colon",
        "answer",
        "flood",
    ],
)
async def test_who_speaks_no_rtsp_is_hung_up_on(port: Port, data: bytes) -> None:
    async with connected(port.number) as (reader, writer):
        writer.write(data)
        await said(reader)
    assert port.host.asked == []


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nCSeq: 1\r\n\r\n", b"505"),
        (b"OPTIONS * RTSP/1.0\r\n\r\n", b"400"),
        (b"OPTIONS * RTSP/1.0\r\nCSeq: 1x\r\n\r\n", b"400"),
    ],
)
async def test_a_broken_request_is_answered_and_ends_the_connection(port: Port, request_: bytes, status: bytes) -> None:
    async with connected(port.number) as (reader, writer):
        writer.write(request_)
        assert (await said(reader)).startswith(b"RTSP/1.0 " + status)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (f"RECORD rtsp://x/{TOKEN}/5", 405),
        (f"PLAY rtsp://x/{TOKEN}/5", 455),
        (f"SETUP rtsp://x/{TOKEN}/5", 461),
        ("DESCRIBE rtsp://x/5", 401),
        ("OPTIONS * RTSP/1.0\r\nRequire: funky-feature", 551),
        ("OPTIONS * RTSP/1.0\r\nSession: 12345678", 454),
    ],
)
async def test_what_cannot_be_done_is_refused_by_its_number(port: Port, request_: str, status: int) -> None:
    async with connected(port.number) as (reader, writer):
        text = request_ if "RTSP/1.0" in request_ else f"{request_} RTSP/1.0"
        writer.write(f"{text}\r\nCSeq: 7\r\n\r\n".encode())
        async with asyncio.timeout(60):
            answer = (await reader.readuntil(b"\r\n\r\n")).decode()
    assert answer.startswith(f"RTSP/1.0 {status} ")
    assert "CSeq: 7" in answer


async def test_a_bad_token_is_refused_slowly_and_thrice_at_most(port: Port) -> None:
    async with connected(port.number) as (reader, writer):
        for number in range(1, MAX_REFUSALS + 1):
            writer.write(f"DESCRIBE rtsp://x/{TOKEN}/5 RTSP/1.0\r\nCSeq: {number}\r\n\r\n".encode())
            await come(lambda: len(port.host.asked) == number)  # noqa: B023 (awaited at once)
            await port.clock.advance(0.9)
            assert reader._buffer.count(b"RTSP/1.0") == number - 1, "no answer before its time"  # type: ignore[attr-defined]
            await port.clock.advance(0.2)
        answer = await said(reader)
    assert answer.count(b"RTSP/1.0 403 Forbidden") == MAX_REFUSALS
    assert TOKEN.encode() not in answer
    assert len(port.host.asked) == MAX_REFUSALS
    await port.clock.settle()
    assert [word.reason for word in port.host.over] == ["refused"]


@pytest.mark.parametrize("sent", [b"", b"DESCR", b"DESCRIBE rtsp://x/5 RTSP/1.0\r\nCSeq: 1\r\n"])
async def test_who_says_nothing_or_drips_is_hung_up_on(port: Port, sent: bytes) -> None:
    async with connected(port.number) as (reader, writer):
        writer.write(sent)
        await asyncio.sleep(0)
        hanging_up = asyncio.create_task(said(reader))
        for _ in range(12):
            await port.clock.advance(1)
        assert await hanging_up == b""


async def test_a_thousand_connections_of_one_host_are_a_few_and_leave_nothing(port: Port) -> None:
    async with AsyncExitStack() as stack:
        loop = asyncio.get_running_loop()
        for _ in range(1000):
            connection = stack.enter_context(socket.socket())
            connection.setblocking(False)
            await loop.sock_connect(connection, ("127.0.0.1", port.number))
        await come(lambda: port.turned_away == 1000 - MAX_UNAUTHORIZED_PER_ADDRESS)
        await come(lambda: len(tasks()) <= 2 * MAX_UNAUTHORIZED_PER_ADDRESS)  # those that had to go are ending
        for _ in range(12):
            await port.clock.advance(1)
    await come(lambda: not tasks())


async def test_connections_that_idle_keep_no_player_out(port: Port) -> None:
    """Neither those of the player's own address, nor those of many."""
    async with AsyncExitStack() as stack:
        loop = asyncio.get_running_loop()
        for host in range(1, 9):
            for _ in range(MAX_UNAUTHORIZED_PER_ADDRESS):
                connection = stack.enter_context(socket.socket())
                connection.setblocking(False)
                connection.bind((f"127.0.0.{host}", 0))
                await loop.sock_connect(connection, ("127.0.0.1", port.number))
        for _ in range(2 * MAX_UNAUTHORIZED_PER_ADDRESS):
            connection = stack.enter_context(socket.socket())
            connection.setblocking(False)
            await loop.sock_connect(connection, ("127.0.0.1", port.number))
        reader, writer = await stack.enter_async_context(connected(port.number))
        writer.write(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"RTSP/1.0 200 ")


async def test_a_port_that_is_taken_is_told_and_harms_nothing(port: Port) -> None:
    async with RtspServer(port.host, RelayConfig(rtsp_host="127.0.0.1", rtsp_port=port.number), port.clock) as second:
        state = await second.listen(True)
        assert state.port is None
        assert str(port.number) in state.detail
        await second.listen(False)


async def test_closing_the_port_ends_every_player(port: Port) -> None:
    async with connected(port.number) as (reader, writer):
        writer.write(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await port.server.listen(False)
        await said(reader)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port.number)


async def test_video_is_never_aimed_at_somebody_else() -> None:
    async with site() as (port, authorizing, _), player(port, f"{TOKEN}/5") as tv:
        for header in (
            "RTP/AVP;unicast;client_port=6000-6001;destination=127.0.0.2",
            "RTP/AVP;unicast;client_port=53-54",
            "RTP/AVP;multicast;destination=239.0.0.1;port=6000-6001",
        ):
            assert (await tv.ask("SETUP", Transport=header)).status == 461
        assert authorizing.asked == [], "not even asked for"


@pytest.mark.slow
async def test_who_does_not_read_is_ended_and_the_others_lose_nothing() -> None:
    async with site(rtsp_stall=1.0) as (port, authorizing, _), player(port, f"{TOKEN}/5") as good:
        await good.play()
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(slow, ("127.0.0.1", port))
        base = f"rtsp://127.0.0.1:{port}/{TOKEN}/5"
        transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        for method, header in (("SETUP", transport), ("PLAY", "")):
            await loop.sock_sendall(slow, f"{method} {base} RTSP/1.0\r\nCSeq: 1\r\n{header}\r\n".encode())
            assert b"200 OK" in await loop.sock_recv(slow, 200)
        # It goes on asking and never reads an answer: what it asks for fills its own pipe alone.
        asks = asyncio.create_task(loop.sock_sendall(slow, b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n" * 100_000))
        reason = (await authorizing.ended(authorizing.asked[1]["session"]))["reason"]
        assert reason in ("stalled", "protocol")
        asks.cancel()
        await asyncio.wait([asks])
        asks.cancelled() or asks.exception()
        slow.close()
        packets = await good.receive(len(good.packets) + 100)
        numbers = [packet.sequence for packet in packets]
        assert numbers == [(numbers[0] + n) & 0xFFFF for n in range(len(numbers))]
