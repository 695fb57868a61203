"""A TCP (or TLS) peer that answers each request with the bytes that it was told, whatever they are."""

import asyncio
import datetime
import ipaddress
import re
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

Answer = bytes | Callable[["Asked"], bytes]


@dataclass(frozen=True)
class Asked:
    """One request; header names in lower case."""

    line: str
    headers: dict[str, str]
    body: str

    @property
    def operation(self) -> str:
        found = re.search(r"Body>\s*<(?:\w+:)?(\w+)", self.body)
        return found[1] if found else ""


@dataclass
class ScriptedPeer:
    """Start it with `async with`. Each request gets the next of `answers` (the last one again and again).

    `hold`: the line stays open after an answer; `once`: it is closed after each. `steps`: pieces in which an answer is
    sent, each in a turn of the loop of its own.
    """

    answers: Sequence[Answer] = ()
    hold: bool = True
    tls: ssl.SSLContext | None = None
    address: str = "127.0.0.1"
    port: int = 0
    pieces: int = 1
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)  # a connection was closed by the hub

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._serve, self.address, self.port, ssl=self.tls, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while True:
                    self.asked.append(await _read(reader))
                    answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
                    data = answer if isinstance(answer, bytes) else answer(self.asked[-1])
                    size = max(1, -(-len(data) // self.pieces))
                    for start in range(0, len(data), size):
                        writer.write(data[start : start + size])
                        await writer.drain()
                        await asyncio.sleep(0)
                    if not self.hold:
                        return
        finally:
            self._tasks.discard(task)
            self.ended.set()
            writer.transport.close() if not self.hold else writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> Asked:
    first = await reader.readexactly(1)
    if first == b"\x16":
        raise ConnectionResetError("somebody tries TLS")
    head = (first + await reader.readuntil(b"\r\n\r\n")).decode()
    line, *lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines if one)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(line, headers, body.decode())


def http(body: bytes | str, *headers: str, status: int = 200, length: int | str | None = "right") -> bytes:
    """An answer; `length` None: without Content-Length."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} X", *headers]
    if length is not None:
        lines.append(f"Content-Length: {len(content) if length == 'right' else length}")
    return "\r\n".join([*lines, "", ""]).encode() + content


def tls_context(folder: Path) -> ssl.SSLContext:
    """A server's context with a self-signed certificate as cameras have them."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "camera")])
    now = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=9000))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("10.9.8.7"))]), False)
        .sign(key, hashes.SHA256())
    )
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context
