"""A receiver of webhooks: a real HTTP server on loopback that answers as the test says and keeps what it was told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Receiver:
    """`answers` are given in turn, the last one for ever: a status, or None to hang up without a word.

    One that is not `answering` accepts the connection and is silent; `contacted` is set then.
    """

    url: str = ""
    answers: list[int | None] = field(default_factory=lambda: [200])
    told: list[dict[str, Any]] = field(default_factory=list)
    answering: bool = True
    contacted: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.contacted.set()
        try:
            if not self.answering:
                await reader.read()  # until the sender gives up
                return
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length:")[2].split("\r\n")[0])
            self.told.append(json.loads(await reader.readexactly(length)))
            status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if status is not None:
                place = "location: /elsewhere\r\n" if 300 <= status < 400 else ""
                writer.write(f"HTTP/1.1 {status} x\r\n{place}content-length: 0\r\nconnection: close\r\n\r\n".encode())
                await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def receiver(*, answering: bool = True) -> AsyncIterator[Receiver]:
    """A receiver that listens on a port of its own."""
    fake = Receiver(answering=answering)
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    async with server:
        fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/robot?key=s3cret"
        yield fake
