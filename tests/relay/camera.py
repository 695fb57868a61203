"""An RTSP camera in this process: serves a clip, and misbehaves on request. Written apart from the product's code."""

import asyncio
import base64
import hashlib
import re
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from tests.relay.clip import RATE, Clip

REALM, NONCE = "camera", "5ca1ab1e"


@dataclass
class Audio:
    """The camera's sound: what stands in the SDP, and what is sent (`step` ticks of `rate` apart) if there is any."""

    mapped: str = "8 PCMA/8000"
    payloads: tuple[bytes, ...] = ()
    step: int = 320
    rate: int = 8000
    answer: bytes | None = None  # to its SETUP
    ignore: int = 0  # how many of its SETUPs are never answered, nor is anything after them
    channel: int = 2


@dataclass
class Quirks:
    """What is special about this camera. `answer` may replace the whole answer to a method."""

    login: tuple[str, str] | None = None
    challenges: tuple[str, ...] = (f'Digest realm="{REALM}", nonce="{NONCE}"',)
    refuse_tcp: bool = False
    in_band_parameters: bool = True
    silent_after: int | None = None  # frames
    no_key_frames: bool = False
    answer: dict[str, bytes] = field(default_factory=dict)
    speed: float = 1.0
    session: str = "77;timeout=60"
    tls: ssl.SSLContext | None = None
    road: Callable[[int, bytes], list[bytes]] = lambda number, packet: [packet]
    """What becomes of each packet on its way: lost, doubled, held back for a later one."""
    stamp: Callable[[int], int] = lambda index: index * 90_000 // RATE
    audio: Audio = field(default_factory=lambda: Audio())


@dataclass
class Seen:
    """What the camera was asked."""

    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    connections: int = 0
    reports: list[bytes] = field(default_factory=list)

    def methods(self) -> list[str]:
        return [method for method, _, _ in self.requests]


class Camera:
    """One listening camera on 127.0.0.1."""

    def __init__(self, clip: Clip, quirks: Quirks) -> None:
        self.clip = clip
        self.quirks = quirks
        self.seen = Seen()
        self.port = 0
        self.torn_down = asyncio.Event()
        self.arrived = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"rtsp{'s' if self.quirks.tls else ''}://127.0.0.1:{self.port}/live/1"

    def hang_up(self) -> None:
        """Drop every client."""
        for writer in self._writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.seen.connections += 1
        self.arrived.set()
        self._writers.add(writer)
        sending: list[asyncio.Task[None]] = []
        heard: Callable[[bytes], None] | None = None
        way: Callable[[bytes], None] = partial(_interleaved, writer)
        sockets: list[asyncio.DatagramTransport] = []
        try:
            while (request := await self._request(reader)) is not None:
                method, url, headers = request
                answer = self.quirks.answer.get(method) or self._denied(method, headers)
                if answer is not None:
                    writer.write(answer.replace(b"{cseq}", headers["cseq"].encode()))
                    continue
                extra, body = {"Public": "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"}, b""
                if method == "DESCRIBE":
                    extra, body = {"Content-Base": f"{self.url}/", "Content-Type": "application/sdp"}, self.sdp()
                elif method == "SETUP":
                    found = re.search(r"client_port=(\d+)", headers["transport"])
                    if found is None and self.quirks.refuse_tcp:
                        writer.write(_answer(461, "Unsupported Transport", headers, {}))
                        continue
                    extra = {"Transport": headers["transport"], "Session": self.quirks.session}
                    if url.endswith("trackID=2"):
                        if self.quirks.audio.ignore:
                            self.quirks.audio.ignore -= 1
                            await asyncio.Event().wait()
                        if self.quirks.audio.answer is not None:
                            writer.write(self.quirks.audio.answer.replace(b"{cseq}", headers["cseq"].encode()))
                            continue
                        channel = self.quirks.audio.channel
                        heard = partial(_interleaved, writer, channel=channel)
                        if found is None:
                            extra["Transport"] = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
                        else:
                            heard = partial(_sent, sockets[0], ("127.0.0.1", int(found[1])))
                    elif found is not None:
                        target = ("127.0.0.1", int(found[1]))
                        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                            asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
                        )
                        sockets.append(transport)
                        way = partial(_sent, transport, target)
                writer.write(_answer(200, "OK", headers, extra, body))
                if method == "PLAY":
                    sending.append(asyncio.create_task(self._send(way, writer)))
                    if heard is not None:
                        sending.append(asyncio.create_task(self._sound(heard)))
                    self._tasks.update(sending)
                elif method == "TEARDOWN":
                    self.torn_down.set()
                    break
        except ConnectionError:
            pass
        finally:
            for task in sending:
                task.cancel()
            for transport in sockets:
                transport.close()
            self._writers.discard(writer)
            writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str]] | None:
        try:
            first = await reader.readexactly(1)
            while first == b"$":
                _, size = struct.unpack("!BH", await reader.readexactly(3))
                self.seen.reports.append(await reader.readexactly(size))
                first = await reader.readexactly(1)
            head = (first + await reader.readuntil(b"\r\n\r\n")).decode()
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        lines = head.split("\r\n")
        method, url, _ = lines[0].split(" ")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)
        }
        self.seen.requests.append((method, url, headers))
        return method, url, headers

    def _denied(self, method: str, headers: dict[str, str]) -> bytes | None:
        if self.quirks.login is None:
            return None
        given = headers.get("authorization", "")
        if given and self._signed(method, given):
            return None
        lines = "".join(f"WWW-Authenticate: {challenge}\r\n" for challenge in self.quirks.challenges)
        return f"RTSP/1.0 401 Unauthorized\r\nCSeq: {headers['cseq']}\r\n{lines}\r\n".encode()

    def _signed(self, method: str, given: str) -> bool:
        assert self.quirks.login is not None
        user, password = self.quirks.login
        if given.startswith("Basic "):
            return base64.b64decode(given[6:]).decode() == f"{user}:{password}"
        fields = dict(re.findall(r'(\w+)="?([^",]*)"?', given))
        made = hashlib.sha256 if fields.get("algorithm") == "SHA-256" else hashlib.md5

        def hashed(text: str) -> str:
            return made(text.encode()).hexdigest()

        middle = f"{NONCE}:{fields['nc']}:{fields['cnonce']}:auth" if "qop" in fields else NONCE
        secret, what = hashed(f"{user}:{REALM}:{password}"), hashed(f"{method}:{fields['uri']}")
        return bool(fields["response"] == hashed(f"{secret}:{middle}:{what}"))

    def sdp(self) -> bytes:
        clip = self.clip
        names = ("sprop-parameter-sets",) if clip.codec == "h264" else ("sprop-vps", "sprop-sps", "sprop-pps")
        coded = [base64.b64encode(unit).decode() for unit in clip.parameters()]
        values = [",".join(coded)] if clip.codec == "h264" else coded
        fields = ";".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
        return (
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=cam\r\nt=0 0\r\na=control:*\r\n"
            f"m=video 0 RTP/AVP 96\r\na=rtpmap:96 {clip.codec.upper()}/90000\r\n"
            f"a=fmtp:96 packetization-mode=1;{fields}\r\na=control:trackID=1\r\n"
            f"m=audio 0 RTP/AVP {self.quirks.audio.mapped.split()[0]}\r\n"
            f"a=rtpmap:{self.quirks.audio.mapped}\r\na=control:trackID=2\r\n"
        ).encode()

    async def _send(self, way: Callable[[bytes], None], writer: asyncio.StreamWriter) -> None:
        """The clip in real time (or faster), looping."""
        sequence, index = 65_500, 0
        loop = asyncio.get_running_loop()
        begin = loop.time()
        while self.quirks.silent_after is None or index < self.quirks.silent_after:
            units = self.clip.frames[index % len(self.clip.frames)]
            if not self.quirks.in_band_parameters:
                units = tuple(unit for unit in units if unit not in self.clip.parameters())
            if self.quirks.no_key_frames and index % RATE == 0:
                index += 1
                continue
            stamp = self.quirks.stamp(index) & 0xFFFFFFFF
            payloads = rtp_payloads(self.clip.codec, units)
            for place, payload in enumerate(payloads):
                marker = 0x80 if place == len(payloads) - 1 else 0
                packet = struct.pack("!BBHII", 0x80, 96 | marker, sequence & 0xFFFF, stamp, 0xCA) + payload
                for sent in self.quirks.road(sequence, packet):
                    way(sent)
                sequence += 1
            index += 1
            await asyncio.sleep(max(0.0, begin + index / RATE / self.quirks.speed - loop.time()))

    async def _sound(self, way: Callable[[bytes], None]) -> None:
        """The sound in real time, looping."""
        audio, loop = self.quirks.audio, asyncio.get_running_loop()
        kind, begin = int(audio.mapped.split()[0]), loop.time()
        for index in count() if audio.payloads else ():
            head = struct.pack("!BBHII", 0x80, kind, index & 0xFFFF, index * audio.step & 0xFFFFFFFF, 0xAD)
            way(head + audio.payloads[index % len(audio.payloads)])
            await asyncio.sleep(max(0.0, begin + (index + 1) * audio.step / audio.rate - loop.time()))


def rtp_payloads(codec: str, units: tuple[bytes, ...], limit: int = 1400) -> list[bytes]:
    """One packet per small unit, fragments for large ones: what the simplest camera does."""
    made: list[bytes] = []
    for unit in units:
        if len(unit) <= limit:
            made.append(unit)
            continue
        if codec == "h264":
            lead, number, body = bytes([unit[0] & 0xE0 | 28]), unit[0] & 0x1F, unit[1:]
        else:
            lead, number, body = bytes([unit[0] & 0x81 | 98, unit[1]]), (unit[0] >> 1) & 0x3F, unit[2:]
        pieces = [body[at : at + limit] for at in range(0, len(body), limit)]
        for place, piece in enumerate(pieces):
            flag = 0x80 * (place == 0) | 0x40 * (place == len(pieces) - 1)
            made.append(lead + bytes([flag | number]) + piece)
    return made


def _answer(status: int, phrase: str, headers: dict[str, str], extra: dict[str, str], body: bytes = b"") -> bytes:
    lines = [f"RTSP/1.0 {status} {phrase}", f"CSeq: {headers['cseq']}", *(f"{k}: {v}" for k, v in extra.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@asynccontextmanager
async def camera(clip: Clip, quirks: Quirks | None = None) -> AsyncIterator[Camera]:
    """A camera that listens while the block runs."""
    made = Camera(clip, quirks or Quirks())
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=made.quirks.tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.hang_up()
        for task in made._tasks:
            task.cancel()
        await asyncio.gather(*made._tasks, return_exceptions=True)
        await server.wait_closed()


def _interleaved(writer: asyncio.StreamWriter, packet: bytes, channel: int = 0) -> None:
    writer.write(b"$" + bytes((channel,)) + struct.pack("!H", len(packet)) + packet)


def _sent(transport: asyncio.DatagramTransport, target: tuple[str, int], packet: bytes) -> None:
    transport.sendto(packet, target)
