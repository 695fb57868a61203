"""A camera that attacks whoever watches it, over a real connection. The attacks are in hostile_matrix.py."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from camera_hub.errors import Reason
from tests.relay.camera import Camera, Quirks, rtp_payloads
from tests.relay.clip import clip

USER, PASSWORD = "admin", "pass-word-of-the-matrix"
DIGEST = 'WWW-Authenticate: Digest realm="camera", nonce="5ca1ab1e"\r\n'
BASIC = 'WWW-Authenticate: Basic realm="camera"\r\n'


@dataclass
class Talk:
    """One connection as the camera sees it. `heard`: all that came, for a search for passwords."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    canary: str
    heard: bytearray
    url: str

    async def asked(self, method: str = "") -> dict[str, str]:
        """The next request, or the next of that method (those before are answered 200). Its headers, in lower case."""
        while True:
            head = await self._head()
            lines = head.decode().split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)
            }
            headers["method"] = lines[0].split(" ")[0]
            if method in ("", headers["method"]):
                return headers
            await self.answer(headers)

    async def _head(self) -> bytes:
        """A request's lines; our own reports in between are skipped."""
        try:
            first = await self.reader.readexactly(1)
            while first == b"$":
                _, size = struct.unpack("!BH", await self.reader.readexactly(3))
                await self.reader.readexactly(size)
                first = await self.reader.readexactly(1)
            head = first + await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            self.heard += error.partial
            raise ConnectionError from error
        self.heard += head
        return head

    async def say(self, data: bytes | str) -> None:
        self.writer.write(data.encode() if isinstance(data, str) else data)
        await self.writer.drain()

    async def answer(self, asked: dict[str, str], headers: str = "", body: str = "", status: str = "200 OK") -> None:
        """An answer as it should be, but for what is given."""
        if asked["method"] == "DESCRIBE" and status == "200 OK" and not body:
            body = sdp()
        if asked["method"] == "SETUP" and status == "200 OK":
            headers = headers or "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 77;timeout=60\r\n"
        length = f"Content-Length: {len(body.encode())}\r\n" if body else ""
        await self.say(f"RTSP/1.0 {status}\r\nCSeq: {asked['cseq']}\r\n{headers}{length}\r\n{body}")

    async def forever(self, data: bytes) -> None:
        """Say it again and again until the other side hangs up."""
        while True:
            await self.say(data)

    async def play(self) -> None:
        """Answer everything well, up to PLAY."""
        await self.answer(await self.asked("PLAY"))


Act = Callable[[Talk], Awaitable[None]]
ANY = frozenset(str(reason) for reason in Reason)


@dataclass(frozen=True)
class Hostile:
    """`reasons`: how the open may end. `live`: its pictures may be shown (the attack is ignored)."""

    name: str
    act: Act
    reasons: frozenset[str] = field(default=ANY)
    live: bool = False


MATRIX: list[Hostile] = []


def hostile(*reasons: Reason, live: bool = False) -> Callable[[Act], Act]:
    def add(act: Act) -> Act:
        MATRIX.append(Hostile(act.__name__, act, frozenset(map(str, reasons)), live))
        return act

    return add


def sdp(control: str = "trackID=1", head: str = "") -> str:
    made = Camera(clip(), Quirks())
    return made.sdp().decode().replace("a=control:trackID=1", f"a=control:{control}").replace("t=0 0\r\n", head, 1)


def frame(channel: int, data: bytes) -> bytes:
    return struct.pack("!cBH", b"$", channel, len(data)) + data


def media(count: int = 25) -> bytes:
    """The first pictures of the clip, interleaved."""
    out, sequence = b"", 0
    for index, units in enumerate(clip().frames[:count]):
        payloads = rtp_payloads("h264", units)
        for place, payload in enumerate(payloads):
            marker = 0x80 * (place == len(payloads) - 1)
            out += frame(0, struct.pack("!BBHII", 0x80, 96 | marker, sequence & 0xFFFF, index * 3600, 1) + payload)
            sequence += 1
    return out


@asynccontextmanager
async def hostile_camera(one: Hostile, canary: str) -> AsyncIterator[tuple[int, bytearray]]:
    """A camera that does this to each connection. Its port, and all that it hears."""
    heard = bytearray()
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        url = f"rtsp://127.0.0.1:{writer.get_extra_info('sockname')[1]}/live/1"
        talk = Talk(reader, writer, canary, heard, url)
        try:
            await one.act(talk)
            await talk.asked("nothing")
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)
    try:
        yield server.sockets[0].getsockname()[1], heard
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await server.wait_closed()
