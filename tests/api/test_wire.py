"""Requests as nobody should write them, over a real connection to the server that the hub runs."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI, Request

from camera_hub.acceptor import ConnectionFigures, ConnectionLimits, ConnectionTable
from camera_hub.access.policy import Actor, Role
from camera_hub.api import errors
from camera_hub.api.limits import HEADERS_LIMIT, STRANGERS_LIMIT, BodyLimit
from camera_hub.http_server import MAX_HEAD, Doorkeeper, RequestTimeouts, server_of
from tests.fakes.clock import ManualClock

DEADLINE = 60.0
LIMIT = 2 * STRANGERS_LIMIT
HOST = b"Host: hub.test\r\n"
SIGNED_IN = b"Authorization: Bearer op\r\n"


class OneSession:
    """The token "op" is somebody's."""

    async def actor(self, token: str) -> Actor | None:
        return Actor(1, "op", "op", Role.OPERATOR) if token == "op" else None


def application() -> FastAPI:
    app = FastAPI()

    @app.post("/length")
    async def length(request: Request) -> int:
        return len(await request.body())

    @app.get("/path")
    async def path() -> str:
        return "here"

    app.state.sessions = OneSession()
    errors.install(app)
    app.add_middleware(BodyLimit, limit=LIMIT)
    app.add_middleware(errors.Unexpected)
    return app


@pytest.fixture
async def port(clock: ManualClock) -> AsyncIterator[int]:
    door = Doorkeeper(
        ConnectionTable(ConnectionLimits(total=64, unused=32, per_address=64)),
        RequestTimeouts(),
        clock,
        ConnectionFigures(),
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = server_of(application(), door)
    task = asyncio.create_task(server.serve([listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.end()
        await task


async def said(port: int, request: bytes) -> bytes:
    """All that the server answers until it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    got = b""
    try:
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(DEADLINE):
                writer.write(request)
                while piece := await reader.read(65536):
                    got += piece
    finally:
        writer.transport.abort()
    return got


def post(*headers: bytes, body: bytes = b"") -> bytes:
    return b"POST /length HTTP/1.1\r\n" + HOST + b"".join(one + b"\r\n" for one in headers) + b"\r\n" + body


CHUNKED = b"Transfer-Encoding: chunked"
CLOSE = b"Connection: close"


def chunks(total: int) -> bytes:
    return b"".join(b"1000\r\n" + b"x" * 4096 + b"\r\n" for _ in range(total // 4096)) + b"0\r\n\r\n"


SMUGGLED = b"0\r\n\r\nGET /path HTTP/1.1\r\n" + HOST + b"\r\n"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (post(b"Content-Length: 4", CHUNKED, body=SMUGGLED), 400),
        (post(CHUNKED, b"Content-Length: 99", body=SMUGGLED), 400),
        (post(b"Content-Length: 4", b"Content-Length: 5", body=b"aaaaa"), 400),
        (post(b"Content-Length: 4, 5", body=b"aaaaa"), 400),
        (post(b"Content-Length: +4", body=b"aaaa"), 400),
        (post(b"Content-Length: 1e3", body=b"aaaa"), 400),
        (post(b"Content-Length: " + b"9" * 19, CLOSE), 413),
        (post(b"Content-Length: " + b"9" * 5000, CLOSE), 400),
        (post(b"Content-Length : 4", body=b"aaaa"), 400),
        (post(b"Transfer-Encoding: xchunked", body=SMUGGLED), 400),
        (post(b"Transfer-Encoding: chunked, identity", body=SMUGGLED), 400),
        (post(CHUNKED, body=b"fffffffffffffffffffff\r\n"), 400),
        (post(CHUNKED, body=b"-1\r\n"), 400),
        (post(HOST.strip(), body=b""), 400),
        (b"GET /path HTTP/1.1\r\n\r\n", 400),
        (b"GET /path HTTP/1.1\r\n" + HOST + b"Cookie: " + b"a=b; " * (HEADERS_LIMIT // 5) + b"\r\n\r\n", 431),
        (b"GET /path HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n\r\n", 400),
        (b"GET /pa th HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET " + b"/" * (MAX_HEAD + 1), 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), 400),
        (b"GET /path HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 400),
        (post(b"Content-Length: %d" % (STRANGERS_LIMIT + 1), CLOSE), 413),
        (post(CHUNKED, CLOSE, body=chunks(STRANGERS_LIMIT + 4096)), 413),
        (post(b"Content-Length: %d" % (LIMIT + 1), SIGNED_IN.strip(), CLOSE), 413),
        (post(CHUNKED, SIGNED_IN.strip(), CLOSE, body=chunks(LIMIT + 4096)), 413),
        (post(CHUNKED, SIGNED_IN.strip(), CLOSE, body=chunks(LIMIT)), 200),
        (post(b"Content-Length: 4", b"Content-Length: 4", CLOSE, body=b"aaaa"), 200),
    ],
    ids=lambda value: repr(value[:70]) if isinstance(value, bytes) else str(value),
)
async def test_what_is_answered_to(port: int, request_: bytes, status: int) -> None:
    answers = await said(port, request_)
    assert answers.startswith(b"HTTP/1.1 %d " % status)
    assert answers.count(b"HTTP/1.1 ") == 1, "what may be a second request is not answered"


async def test_requests_one_after_the_other_are_answered_in_order(port: int) -> None:
    many = b"".join(post(b"Content-Length: %d" % n, body=b"x" * n) for n in range(50))
    answers = await said(port, many + post(b"Content-Length: 77", CLOSE, body=b"x" * 77))
    assert [int(one.rpartition(b"\r\n\r\n")[2]) for one in answers.split(b"HTTP/1.1 200 OK")[1:]] == [*range(50), 77]


async def test_nonsense_is_no_flood_of_log_lines(port: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    for _ in range(20):
        await said(port, b"\x1b[2J\n\n")
    assert all(len(record.getMessage()) < 80 for record in caplog.records)
    assert not any("\x1b" in record.getMessage() for record in caplog.records)
