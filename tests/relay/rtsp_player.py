"""A plain RTSP player for tests of RTSP out, and a hub that lets it in. Written apart from the product's code."""

import asyncio
import hashlib
import re
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from camera_hub.errors import HubError, Kind
from camera_hub.wire import PipeFrame
from tests.relay.hub import Hub

TOKEN = "0123456789abcdef0123456789abcdef"


@dataclass
class Answer:
    """What the server said."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass
class Packet:
    """One RTP packet."""

    sequence: int
    timestamp: int
    ssrc: int
    marker: bool
    payload: bytes


@dataclass
class Player:
    """One connection. `packets`, `reports`: what came interleaved."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    url: str
    session: str = ""
    number: int = 0
    packets: list[Packet] = field(default_factory=list)
    reports: list[bytes] = field(default_factory=list)

    async def ask(self, method: str, url: str | None = None, **headers: str) -> Answer:
        self.number += 1
        lines = [f"{method} {url or self.url} RTSP/1.0", f"CSeq: {self.number}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if self.session:
            lines.append(f"Session: {self.session}")
        self.writer.write("\r\n".join([*lines, "", ""]).encode())
        answer = await self.answer()
        self.session = answer.headers.get("session", "").partition(";")[0]
        return answer

    async def answer(self) -> Answer:
        """The next answer; packets in front of it are kept."""
        async with asyncio.timeout(60):
            while (first := await self.reader.readexactly(1)) == b"$":
                await self._packet()
            head = (first + await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(head[0].split(" ")[1]), headers, body.decode())

    async def receive(self, count: int) -> list[Packet]:
        """Until there are so many RTP packets."""
        async with asyncio.timeout(60):
            while len(self.packets) < count:
                assert await self.reader.readexactly(1) == b"$"
                await self._packet()
        return self.packets

    async def _packet(self) -> None:
        channel, size = struct.unpack("!BH", await self.reader.readexactly(3))
        data = await self.reader.readexactly(size)
        if channel % 2:
            self.reports.append(data)
        else:
            self.packets.append(parsed(data))

    async def play(self, transport: str = "RTP/AVP/TCP;unicast;interleaved=0-1") -> Answer:
        """DESCRIBE to PLAY; each must be granted."""
        described = await self.ask("DESCRIBE", Accept="application/sdp")
        assert described.status == 200, described
        set_up = await self.ask("SETUP", described.headers["content-base"] + "track1", Transport=transport)
        assert set_up.status == 200, set_up
        assert re.fullmatch(r"[0-9a-f]{16};timeout=60", set_up.headers["session"]), "RFC 2326 12.37"
        played = await self.ask("PLAY", described.headers["content-base"], Range="npt=0.000-")
        assert played.status == 200, played
        return played

    async def gone(self) -> None:
        """Until the server has closed the connection."""
        async with asyncio.timeout(60):
            try:
                while await self.reader.read(65536):
                    pass
            except ConnectionError:
                return


def parsed(data: bytes) -> Packet:
    first, second, sequence, timestamp, ssrc = struct.unpack("!BBHII", data[:12])
    assert first == 0x80
    assert second & 0x7F == 96
    return Packet(sequence, timestamp, ssrc, second > 127, data[12:])


@asynccontextmanager
async def player(port: int, path: str) -> AsyncIterator[Player]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Player(reader, writer, f"rtsp://127.0.0.1:{port}/{path}")
    finally:
        writer.close()


@dataclass
class AuthorizingHub:
    """The hub's side: authorizes whoever has the token for feed "a", and records what was asked."""

    hub: Hub
    feed: str = "a"
    hurried: bool = True
    asked: list[dict[str, Any]] = field(default_factory=list)
    refusal: HubError | None = None

    async def answer(self) -> None:
        place = 0
        while True:
            frame: PipeFrame = await self.hub.until("rtsp.ask", since=place)
            place = self.hub.said.index(frame, place) + 1
            self.asked.append(frame.head)
            if self.refusal is not None:
                await self.hub.pipe.refuse(frame, self.refusal)
            elif frame.head["token_hash"] != hashlib.sha256(TOKEN.encode()).hexdigest():
                await self.hub.pipe.refuse(frame, HubError(Kind.UNAUTHENTICATED, "no such token"))
            else:
                await self.hub.pipe.reply(frame, {"feed": self.feed, "hurried": self.hurried})

    async def ended(self, session: str) -> dict[str, Any]:
        """The rtsp.ended message of a session."""
        return (await self.hub.until("rtsp.ended", lambda head: head["session"] == session)).head

    async def figures(self) -> dict[str, dict[str, Any]]:
        figures: dict[str, dict[str, Any]] = (await self.hub.call("figures"))["rtsp"]
        return figures


async def listening(hub: Hub) -> int:
    """Open the port; its number."""
    return int((await hub.call("rtsp.listen", listen=True))["port"])


def sets(sdp: str) -> list[str]:
    """The values of sprop- parameters."""
    return [value for part in re.findall(r"sprop-[a-z-]+=([^;\r\n]+)", sdp) for value in part.split(",")]
