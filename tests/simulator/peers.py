"""Peers that talk to the simulator: a hand-made RTSP client, and PyAV as a foreign player."""

import asyncio
import base64
import hashlib
import re
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
DEADLINE = 300.0


@dataclass(frozen=True)
class Reply:
    """One RTSP response."""

    status: int
    headers: dict[str, list[str]]
    body: bytes

    def header(self, name: str) -> str:
        return self.headers.get(name, [""])[0]


@dataclass
class RtspClient:
    """Speaks RTSP by hand, so that tests say exactly what goes over the wire."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    sequence: int = 0
    extra: dict[str, str] = field(default_factory=dict)
    frames: list[tuple[int, bytes]] = field(default_factory=list)

    @classmethod
    async def connect(cls, host: str, port: int) -> "RtspClient":
        async with asyncio.timeout(DEADLINE):
            reader, writer = await asyncio.open_connection(host, port, limit=1 << 20)
        return cls(reader, writer)

    async def close(self) -> None:
        self.writer.transport.abort()

    async def ask(self, method: str, url: str, **headers: str) -> Reply:
        """One request and its response; interleaved frames in between are kept."""
        self.send(method, url, **headers)
        async with asyncio.timeout(DEADLINE):
            while True:
                first = await self.reader.readexactly(1)
                if first != b"$":
                    return await self._reply(first)
                self.frames.append(await self._frame())

    def send(self, method: str, url: str, **headers: str) -> None:
        self.sequence += 1
        named = {name.replace("_", "-"): value for name, value in (self.extra | headers).items()}
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self.sequence}", *(f"{n}: {v}" for n, v in named.items())]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def packet(self) -> tuple[int, bytes]:
        """The next interleaved frame: its channel and bytes."""
        async with asyncio.timeout(DEADLINE):
            if self.frames:
                return self.frames.pop(0)
            assert await self.reader.readexactly(1) == b"$"
            return await self._frame()

    async def rtp(self) -> bytes:
        """The next interleaved RTP packet."""
        while True:
            channel, data = await self.packet()
            if channel == 0:
                return data

    async def _frame(self) -> tuple[int, bytes]:
        head = await self.reader.readexactly(3)
        return head[0], await self.reader.readexactly(int.from_bytes(head[1:], "big"))

    async def _reply(self, first: bytes) -> Reply:
        text = (first + await self.reader.readuntil(b"\r\n\r\n")).decode()
        lines = text.split("\r\n")
        headers: dict[str, list[str]] = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if colon:
                headers.setdefault(name.lower(), []).append(value.strip())
        length = int(headers.get("content-length", ["0"])[0])
        body = await self.reader.readexactly(length) if length < 1 << 20 else b""
        return Reply(int(lines[0].split()[1]), headers, body)

    async def log_in(self, url: str, username: str, password: str, method: str = "DESCRIBE") -> str:
        """A Digest answer to the server's challenge for one method."""
        refused = await self.ask(method, url)
        assert refused.status == 401
        return digest(refused.header("www-authenticate"), method, url, username, password)

    async def play(self, url: str, username: str = "admin", password: str = "village-2024") -> str:
        """DESCRIBE, SETUP over TCP, PLAY; the session's name. Basic after Digest's challenge is not needed here."""
        challenge = (await self.ask("DESCRIBE", url)).header("www-authenticate")

        def sign(method: str) -> str:
            return digest(challenge, method, url, username, password)

        assert (await self.ask("DESCRIBE", url, Authorization=sign("DESCRIBE"))).status == 200
        setup = await self.ask(
            "SETUP", f"{url}/trackID=1", Authorization=sign("SETUP"), Transport="RTP/AVP/TCP;unicast;interleaved=0-1"
        )
        assert setup.status == 200
        session = setup.header("session").partition(";")[0]
        assert (await self.ask("PLAY", url, Authorization=sign("PLAY"), Session=session)).status == 200
        self.extra["Session"] = session
        self.sign = sign
        return session


def digest(challenge: str, method: str, uri: str, username: str, password: str) -> str:
    """The Authorization value for a Digest challenge (RFC 7616)."""
    values = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    algorithm = "SHA-256" if "SHA-256" in challenge else "MD5"
    make: Callable[[bytes], hashlib._Hash] = hashlib.sha256 if algorithm == "SHA-256" else hashlib.md5

    def hashed(text: str) -> str:
        return make(text.encode()).hexdigest()

    ha1 = hashed(f"{username}:{values['realm']}:{password}")
    ha2 = hashed(f"{method}:{uri}")
    response = hashed(f"{ha1}:{values['nonce']}:00000001:abcdef:auth:{ha2}")
    return (
        f'Digest username="{username}", realm="{values["realm"]}", nonce="{values["nonce"]}", uri="{uri}", '
        f'response="{response}", algorithm={algorithm}, qop=auth, nc=00000001, cnonce="abcdef"'
    )


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


async def pictures(url: str, count: int, *, transport: str = "tcp", login: str = "admin:village-2024") -> list[Picture]:
    """Luma of the first pictures FFmpeg decodes, (height, width) each."""
    return await asyncio.to_thread(_pictures, url, count, transport, login)


def _pictures(url: str, count: int, transport: str, login: str) -> list[Picture]:
    parts = urllib.parse.urlsplit(url)
    address = parts._replace(netloc=f"{login}@{parts.netloc}").geturl()
    options = {"rtsp_transport": transport, "timeout": "10000000", "analyzeduration": "200000", "probesize": "200000"}
    found = []
    with av.open(address, options=options) as container:
        for frame in container.decode(video=0):
            found.append(luma(frame))
            if len(found) == count:
                break
    return found


def luma(frame: av.VideoFrame) -> Picture:
    """The Y plane of a 4:2:0 picture."""
    return frame.to_ndarray().astype(np.uint8)[: frame.height, : frame.width]


def decode(codec: str, access_units: list[bytes]) -> list[Picture]:
    """Luma of all pictures of a byte stream."""
    decoder = av.CodecContext.create(codec, "r")
    assert isinstance(decoder, av.VideoCodecContext)
    frames = [frame for unit in access_units for frame in decoder.decode(av.Packet(unit))]
    return [luma(frame) for frame in [*frames, *decoder.decode(None)]]


def decode_colour(codec: str, access_units: list[bytes]) -> list[tuple[NDArray[np.float64], ...]]:
    """Luma and chroma planes of every picture: Y, U, V."""
    decoder = av.CodecContext.create(codec, "r")
    assert isinstance(decoder, av.VideoCodecContext)
    frames = [frame for unit in access_units for frame in decoder.decode(av.Packet(unit))]
    return [
        tuple(
            np.frombuffer(bytes(plane), np.uint8)
            .reshape(plane.height, plane.line_size)[:, : plane.width]
            .astype(np.float64)
            for plane in frame.planes
        )
        for frame in [*frames, *decoder.decode(None)]
    ]
