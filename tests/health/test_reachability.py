"""Asking real sockets on loopback."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from camera_hub.cameras.reach import checking, nowhere_local
from camera_hub.health.rounds.reachability import DeviceContacts, OffsetReading, PortAnswer
from tests.fakes.ports import closed_port
from tests.fakes.reach import anywhere, local


class OneCheck:
    """The same check for every device."""

    def __init__(self, check: Callable[[str, int], None]) -> None:
        self._check = check

    async def of_device(self, device_id: int) -> Callable[[str, int], None]:
        return self._check


class NoClock:
    async def clock(self, host: str, port: int, path: str, *, check: Callable[[str, int], None]) -> OffsetReading:
        check(host, port)
        return SimpleNamespace(offset_s=1.5)


async def test_an_open_port_answers_and_a_closed_one_says_why() -> None:
    contacts = DeviceContacts(OneCheck(anywhere), NoClock())
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        assert await contacts.reach(1, "127.0.0.1", (port,), 2.0) == PortAnswer()
        with closed_port() as closed:
            assert await contacts.reach(1, "127.0.0.1", (closed, port), 2.0) == PortAnswer()
            assert await contacts.reach(1, "127.0.0.1", (closed,), 2.0) == PortAnswer(
                ("port_closed", f"no answer on port {closed}")
            )


async def test_where_the_hub_does_not_connect_nothing_is_asked() -> None:
    asked = 0

    def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        for host, check, reason in (
            ("127.0.0.1", nowhere_local, "address_refused"),
            ("localhost", nowhere_local, "address_refused"),
            ("127.0.0.1", checking((), local), "no_ranges"),
        ):
            answer = await DeviceContacts(OneCheck(check), NoClock()).reach(1, host, (port,), 2.0)
            assert answer.silence is not None
            assert answer.silence[0] == reason
    assert asked == 0


@pytest.mark.parametrize(
    ("reply", "speaks"),
    [
        (b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n", True),
        (b"RTSP/1.0 401 Unauthorized\r\n\r\n", True),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False),
        (b"x" * 10_000, False),
        (b"", False),
    ],
)
async def test_a_device_is_asked_for_its_options_without_a_login(reply: bytes, speaks: bool) -> None:
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(reply)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        found = await DeviceContacts(OneCheck(anywhere), NoClock()).reach(1, "127.0.0.1", (port,), 5.0, port)
    assert (found.silence, found.speaks) == (None, speaks)
    assert (found.signalling_ms is not None) == speaks
    assert heard[0].startswith(f"OPTIONS rtsp://127.0.0.1:{port}/ RTSP/1.0\r\nCSeq: 1\r\n".encode())
    assert b"Authorization" not in heard[0]
