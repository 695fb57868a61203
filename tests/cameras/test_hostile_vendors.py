"""A vendor's interface that is hostile: ended in time, within bounded memory, and nobody else is ever spoken to."""

import asyncio
import gzip
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

import pytest

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.described import Described
from camera_hub.cameras.describing import vendor_describer
from camera_hub.cameras.vendors import interface
from camera_hub.errors import HubError, Kind, Reason
from tests.cameras.vendor_site import describing

LOGIN = DeviceLogin("admin", "village-1")
LIMIT = 256 * 1024
MOST_SENT = 12 * 1024 * 1024
"""Bytes of one answer that a peer gets rid of before the hub hangs up: the hub reads a quarter of a megabyte, and Linux
holds up to 10 MB on the way (tcp_wmem and tcp_rmem); a reader without a bound takes hundreds."""
MEMORY = 32 * 1024 * 1024


@dataclass
class HostilePeer:
    """Lets the right login in, and answers every signed request by `body`: what is written, in turn, until the hub
    hangs up. ONVIF is off. `unsigned` is its answer to what carries no login."""

    pieces: Callable[["HostilePeer"], AsyncIterator[bytes]]
    unsigned: bytes = b""
    canary: int = 0
    port: int = 0
    sent: int = 0
    signed: int = 0
    basic: int = 0
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            with suppress(OSError, asyncio.CancelledError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                    method = head.partition(" ")[0]
                    length = next(
                        (int(x[15:]) for x in head.split("\r\n") if x.lower().startswith("content-length:")), 0
                    )
                    await reader.readexactly(length)
                    if method == "POST":
                        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                    elif "authorization:" not in head.lower():
                        writer.write(self.unsigned or CHALLENGE)
                    else:
                        self.signed += 1
                        self.basic += "authorization: basic" in head.lower()
                        async for piece in self.pieces(self):
                            writer.write(piece)
                            self.sent += len(piece)
                            await writer.drain()
                    await writer.drain()
        finally:
            self.tasks.discard(task)
            writer.transport.abort()


CHALLENGE = (
    b"HTTP/1.1 401 Unauthorized\r\nServer: App-webs/\r\n"
    b'WWW-Authenticate: Digest realm="IP Camera(C1)", nonce="n1", qop="auth"\r\nContent-Length: 0\r\n\r\n'
)


def _reply(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Type: application/xml", *headers, b"Content-Length: %d" % len(body)]
    return b"\r\n".join([*lines, b"", b""]) + body


def _fixed(make: Callable[[HostilePeer], bytes]) -> Callable[[HostilePeer], AsyncIterator[bytes]]:
    async def pieces(peer: HostilePeer) -> AsyncIterator[bytes]:
        yield make(peer)

    return pieces


def _flood(head: bytes, piece: bytes) -> Callable[[HostilePeer], AsyncIterator[bytes]]:
    async def pieces(peer: HostilePeer) -> AsyncIterator[bytes]:
        yield head
        while True:
            yield piece

    return pieces


async def _drip(peer: HostilePeer) -> AsyncIterator[bytes]:
    for byte in _reply(b"<DeviceInfo>" + b" " * 10_000):
        yield bytes((byte,))
        await asyncio.sleep(0.02)


async def _silence(peer: HostilePeer) -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


def _info(inner: bytes = b"", doctype: bytes = b"") -> bytes:
    return (
        b'<?xml version="1.0"?>'
        + doctype
        + b"<DeviceInfo><deviceName>x</deviceName><deviceType>NVR</deviceType>"
        + inner
        + b"</DeviceInfo>"
    )


def _canary(peer: HostilePeer) -> bytes:
    return b"http://127.0.0.1:%d/" % peer.canary


def _moved(status: bytes, location: Callable[[HostilePeer], bytes]) -> Callable[[HostilePeer], AsyncIterator[bytes]]:
    return _fixed(lambda peer: _reply(b"", b"Location: " + location(peer), status=status))


_BOMB = gzip.compress(b" " * 64_000_000, 1)
_LAUGHS = (
    b"<!DOCTYPE a [<!ENTITY l0 'ha'>"
    + b"".join(b"<!ENTITY l%d '%s'>" % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 12))
    + b"]>"
)

HOSTILE: dict[str, Callable[[HostilePeer], AsyncIterator[bytes]]] = {
    "redirect 301": _moved(b"301 Moved", _canary),
    "redirect 302": _moved(b"302 Found", _canary),
    "redirect 307": _moved(b"307 Again", _canary),
    "redirect 308 to TLS elsewhere": _moved(b"308 Moved", lambda p: b"https://127.0.0.2:%d/" % p.canary),
    "redirect with a login": _moved(b"302 Found", lambda p: b"http://admin:x@127.0.0.1:%d/" % p.canary),
    "redirect to a file": _moved(b"302 Found", lambda p: b"file:///etc/passwd"),
    "external entity": _fixed(
        lambda p: _reply(_info(b"&e;", b"<!DOCTYPE d [<!ENTITY e SYSTEM '" + _canary(p) + b"'>]>"))
    ),
    "external parameter entity": _fixed(
        lambda p: _reply(_info(b"", b"<!DOCTYPE d [<!ENTITY % e SYSTEM '" + _canary(p) + b"'> %e;]>"))
    ),
    "external document type": _fixed(lambda p: _reply(_info(b"", b"<!DOCTYPE d SYSTEM '" + _canary(p) + b"x.dtd'>"))),
    "included document": _fixed(
        lambda p: _reply(_info(b'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="' + _canary(p) + b'"/>'))
    ),
    "stylesheet": _fixed(lambda p: _reply(b'<?xml-stylesheet href="' + _canary(p) + b'"?>' + _info())),
    "a local file": _fixed(lambda p: _reply(_info(b"&e;", b"<!DOCTYPE d [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>"))),
    "entity bomb": _fixed(lambda p: _reply(_info(b"&l11;", _LAUGHS))),
    "zip bomb": _fixed(lambda p: _reply(_BOMB, b"Content-Encoding: gzip")),
    "drip": _drip,
    "silence": _silence,
    "giant": _flood(b"HTTP/1.1 200 OK\r\nContent-Length: 1500000000\r\n\r\n", b"<a>" * 20_000),
    "endless chunks": _flood(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"ea60\r\n" + b"x" * 60_000 + b"\r\n"
    ),
    "endless without a length": _flood(b"HTTP/1.1 200 OK\r\n\r\n", b"<DeviceInfo>" * 5_000),
    "endless header": _flood(b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"y" * 60_000 + b"\r\n"),
    "endless provisional answers": _flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "deep nesting": _fixed(lambda p: _reply(b"<DeviceInfo>" + b"<a>" * 30_000 + b"</a>" * 30_000 + b"</DeviceInfo>")),
    "many attributes": _fixed(
        lambda p: _reply(b"<DeviceInfo " + b"".join(b'a%d="1" ' % n for n in range(20_000)) + b"/>")
    ),
    "binary": _fixed(lambda p: _reply(bytes(range(256)) * 400)),
    "JSON": _fixed(lambda p: _reply(b'{"DeviceInfo": {"deviceName": [1, null, {"a": "b"}]}}')),
    "a page": _fixed(lambda p: _reply(b"<html><body><script>location='/'</script></body></html>")),
    "nothing": _fixed(lambda p: _reply(b"")),
    "hangs up": _fixed(lambda p: b""),
    "an error without words": _fixed(lambda p: _reply(b"", status=b"500 Oops")),
    "a login of a million letters": _fixed(
        lambda p: _reply(b"", b'WWW-Authenticate: Digest realm="' + b"r" * 60_000 + b'", nonce="n2"', status=b"401 No")
    ),
    "another nonce each time": _fixed(
        lambda p: _reply(b"", b'WWW-Authenticate: Digest realm="r", nonce="n%d"' % (p.signed + 2), status=b"401 No")
    ),
    "stale for ever": _fixed(
        lambda p: _reply(
            b"", b'WWW-Authenticate: Digest realm="r", nonce="s%d", stale=true' % p.signed, status=b"401 No"
        )
    ),
}
BASIC = b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="Login to 5A0F"\r\nContent-Length: 0\r\n\r\n'


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vendor_describer, "SECONDS", 1.2)
    monkeypatch.setattr(interface, "_CALL_SECONDS", 0.4)


async def _described(peer: HostilePeer) -> Described | HubError:
    """The outcome, with a canary beside it that must not be spoken to."""
    spoken: list[bytes] = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        spoken.append(b"")
        writer.transport.abort()

    servers = [await asyncio.start_server(meet, "127.0.0.1", 0)]
    peer.canary = servers[0].sockets[0].getsockname()[1]
    servers.append(await asyncio.start_server(meet, "127.0.0.2", peer.canary))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        async with peer, describing(limit=LIMIT) as describer, asyncio.timeout(60):
            try:
                return await describer.describe("127.0.0.1", peer.port, LOGIN)
            except HubError as error:
                return error
    finally:
        for server in servers:
            server.close()
        assert not spoken, "the canary was connected to"
        assert peer.basic == 0
        assert peer.sent <= MOST_SENT * max(1, peer.signed)
        assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 <= MEMORY


@pytest.mark.slow
@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_hostile_answer_ends_and_reaches_nobody_else(kind: str) -> None:
    peer = HostilePeer(HOSTILE[kind])
    outcome = await _described(peer)
    assert isinstance(outcome, HubError), "nothing of it is a device"
    assert outcome.kind in (Kind.UNREACHABLE, Kind.TIMEOUT)
    assert outcome.reason in set(Reason)
    assert b"root:" not in str(outcome.params).encode()


async def test_a_login_in_the_clear_is_never_sent() -> None:
    peer = HostilePeer(_fixed(lambda p: _reply(_info())), unsigned=BASIC)
    assert isinstance(await _described(peer), HubError)
    assert peer.signed == 0


async def test_a_wrong_login_is_sent_once_to_a_vendor_s_interface_and_then_the_chain_ends() -> None:
    peer = HostilePeer(HOSTILE["another nonce each time"])
    outcome = await _described(peer)
    assert isinstance(outcome, HubError)
    assert outcome.reason == Reason.WRONG_PASSWORD
    assert peer.signed == 1
