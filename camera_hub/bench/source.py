"""`python -m camera_hub.bench.source --fd N`: an RTSP server that feeds hundreds of readers with little CPU.

start {bit_rate, width, height, gop_seconds, fps}   reply {port, bit_rate, packets_per_second, fps}
figures {}              reply {readers, dropped}: frames not written because a reader was slow
trace   {lane}          reply {frames}: [seconds, bytes] of those since the last trace
written {lane, since}   reply {frames}: [seconds, last bytes in hexadecimal] of those since then

A clip is sent on lanes, each some frames and some milliseconds behind the previous one, so that key frames do not
coincide. All readers of a lane get the same bytes: sequence numbers and timestamps are written once per frame, and a
frame is one write. Path /N is lane N modulo the number of lanes. TCP interleaved, or UDP if a reader asks for it.
"""

import argparse
import asyncio
import re
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import Any

from camera_hub.bench.arrivals import tail
from camera_hub.bench.clip import Clip, make_clip
from camera_hub.clock import Clock, SystemClock
from camera_hub.errors import HubError, Kind
from camera_hub.running import running
from camera_hub.simulator.rtsp.sdp import PAYLOAD_TYPE, TRACK, describe
from camera_hub.wire import Pipe, PipeFrame

LANES = 40
_HEADER = struct.Struct("!BBHBBHII")
_MAX_BACKLOG = 512 * 1024
_MAX_REQUEST = 8192
_MAX_TRACE = 4096

Write = Callable[[bytes, list[tuple[int, int]]], bool]
"""Sends one frame, framed for TCP, given where its RTP packets are; False when the reader is too slow."""


class Lane:
    """One position in the loop, and its readers."""

    def __init__(self, clip: Clip, number: int, clock: Clock) -> None:
        self.readers: set[Write] = set()
        self.dropped = 0
        self.trace: deque[tuple[float, int]] = deque(maxlen=_MAX_TRACE)
        """When each frame's writing began (monotonic seconds), and its bytes of RTP payload."""
        self.written: deque[tuple[float, int]] = deque(maxlen=_MAX_TRACE)
        """When each frame's writing began, and its number in the clip."""
        self._clip = clip
        self._clock = clock
        self._at = number * len(clip.frames) // LANES
        self._sequence = number * 997 & 0x7FFF
        self._stamp = number * 90_000
        self._ssrc = 0x10000 + number

    def send(self) -> None:
        """Send the next frame to all readers."""
        number_in_clip = self._at
        packets = self._clip.frames[number_in_clip]
        self._at = (self._at + 1) % len(self._clip.frames)
        self._stamp = (self._stamp + 90_000 // self._clip.spec.fps) & 0xFFFFFFFF
        if self.readers:
            parts: list[bytes] = []
            places: list[tuple[int, int]] = []
            end = 0
            for number, packet in enumerate(packets):
                size = 12 + len(packet.payload)
                second = PAYLOAD_TYPE | 0x80 * packet.last
                sequence = (self._sequence + number) & 0xFFFF
                parts.append(_HEADER.pack(0x24, 0, size, 0x80, second, sequence, self._stamp, self._ssrc))
                parts.append(packet.payload)
                places.append((end + 4, end + 4 + size))
                end += 4 + size
            data = b"".join(parts)
            began = self._clock.monotonic()
            self.trace.append((began, end - 16 * len(packets)))
            self.written.append((began, number_in_clip))
            for write in self.readers:
                self.dropped += not write(data, places)
        self._sequence = (self._sequence + len(packets)) & 0xFFFF


class Reader(asyncio.Protocol):
    """One RTSP connection."""

    def __init__(self, lanes: list[Lane], clip: Clip) -> None:
        self._lanes = lanes
        self._clip = clip
        self._lane: Lane | None = None
        self._write: Write = self._interleaved
        self._buffer = b""
        self._udp: socket.socket | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=_MAX_BACKLOG)

    def connection_lost(self, error: Exception | None) -> None:
        if self._lane is not None:
            self._lane.readers.discard(self._write)
        if self._udp is not None:
            self._udp.close()

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._buffer += data
        while self._buffer:
            if self._buffer[0] == 0x24:  # RTCP of the reader
                if len(self._buffer) < 4 or len(self._buffer) < (size := 4 + int.from_bytes(self._buffer[2:4], "big")):
                    return
                self._buffer = self._buffer[size:]
                continue
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                if len(self._buffer) > _MAX_REQUEST:
                    self._transport.abort()
                return
            self._buffer = rest
            self._answer(head.decode("utf-8", "replace"))

    def _answer(self, head: str) -> None:
        assert self._transport is not None
        lines = head.split("\r\n")
        method, url, _ = [*lines[0].split(" "), "", ""][:3]
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        extra, body = {"Session": "1;timeout=60"}, b""
        if method == "OPTIONS":
            extra = {"Public": "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"}
        elif method == "DESCRIBE":
            extra = {"Content-Type": "application/sdp", "Content-Base": f"{url.rstrip('/')}/"}
            body = describe(self._clip.spec, self._clip.parameters, "127.0.0.1")
        elif method == "SETUP":
            extra["Transport"] = self._set_up(headers.get("transport", ""))
        lines = ["RTSP/1.0 200 OK", f"CSeq: {headers.get('cseq', '0')}"]
        lines += [f"{name}: {value}" for name, value in extra.items()]
        self._transport.write("\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body)
        if method == "PLAY" and self._lane is None:
            number = re.search(r"/(\d+)(?:/|$)", url.removesuffix(TRACK))
            self._lane = self._lanes[int(number[1]) % LANES if number is not None else 0]
            self._lane.readers.add(self._write)
        elif method == "TEARDOWN":
            self._transport.close()

    def _set_up(self, wanted: str) -> str:
        """Set up the requested transport and return the Transport header of the answer."""
        assert self._transport is not None
        ports = re.search(r"client_port=(\d+)-(\d+)", wanted)
        if ports is None:
            return "RTP/AVP/TCP;unicast;interleaved=0-1"
        host = self._transport.get_extra_info("peername")[0]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.setblocking(False)
        self._udp.bind(("127.0.0.1", 0))
        self._udp.connect((host, int(ports[1])))
        self._write = self._datagrams
        own = self._udp.getsockname()[1]
        return f"RTP/AVP;unicast;client_port={ports[1]}-{ports[2]};server_port={own}-{own + 1}"

    def _interleaved(self, data: bytes, places: list[tuple[int, int]]) -> bool:
        assert self._transport is not None
        if self._transport.get_write_buffer_size() > _MAX_BACKLOG:
            return False
        self._transport.write(data)
        return True

    def _datagrams(self, data: bytes, places: list[tuple[int, int]]) -> bool:
        assert self._udp is not None
        try:
            for start, end in places:
                self._udp.send(data[start:end])
        except OSError:
            return False
        return True


class Source:
    """All lanes of one clip."""

    def __init__(self, pipe: Pipe, clock: Clock) -> None:
        self._pipe = pipe
        self._clock = clock
        self._lanes: list[Lane] = []
        self._tails: list[str] = []  # of the clip's frames

    async def run(self) -> None:
        """The first message starts it; then serve until the pipe closes."""
        first = await self._pipe.receive()
        if first is None:
            return
        head = first.head
        clip = await asyncio.to_thread(
            make_clip,
            int(head["bit_rate"]),
            int(head["width"]),
            int(head["height"]),
            int(head["gop_seconds"]),
            int(head["fps"]),
        )
        self._tails = [tail([packet.payload for packet in frame]).hex() for frame in clip.frames]
        self._lanes = [Lane(clip, number, self._clock) for number in range(LANES)]
        server = await asyncio.get_running_loop().create_server(lambda: Reader(self._lanes, clip), "127.0.0.1", 0)
        async with server, running(self._send(clip.spec.fps), "send"):
            await self._pipe.reply(
                first,
                {
                    "port": server.sockets[0].getsockname()[1],
                    "bit_rate": clip.bit_rate,
                    "packets_per_second": clip.packets / clip.seconds,
                    "fps": clip.spec.fps,
                },
            )
            while (frame := await self._pipe.receive()) is not None:
                await self._handle(frame)

    async def _handle(self, frame: PipeFrame) -> None:
        if frame.type == "figures":
            await self._pipe.reply(frame, self._figures())
        elif frame.type == "trace":
            trace = self._lanes[int(frame.head["lane"]) % LANES].trace
            await self._pipe.reply(frame, {"frames": list(trace)})
            trace.clear()
        elif frame.type == "written":
            written, since = self._lanes[int(frame.head["lane"]) % LANES].written, float(frame.head["since"])
            frames = [(at, self._tails[number]) for at, number in written if at >= since]
            await self._pipe.reply(frame, {"frames": frames})
        else:
            await self._pipe.refuse(
                frame, HubError(Kind.INVALID, f"the source does not know the message {frame.type!r}")
            )

    def _figures(self) -> dict[str, Any]:
        return {
            "readers": sum(len(lane.readers) for lane in self._lanes),
            "dropped": sum(lane.dropped for lane in self._lanes),
        }

    async def _send(self, fps: int) -> None:
        """Send all lanes in turn within each frame's time; a late one catches up."""
        begin, turn = self._clock.monotonic(), 0
        while True:
            self._lanes[turn % LANES].send()
            turn += 1
            await self._clock.sleep(max(0.0, begin + turn / (fps * LANES) - self._clock.monotonic()))


async def serve(fd: int) -> None:
    """Serve the inherited socket until the bench closes it."""
    pipe = Pipe(*await asyncio.open_connection(sock=socket.socket(fileno=fd)))
    try:
        await Source(pipe, SystemClock()).run()
    finally:
        await pipe.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="camera_hub.bench.source", description="An RTSP source for the bench.")
    parser.add_argument("--fd", type=int, required=True, help="inherited socket to the bench")
    asyncio.run(serve(parser.parse_args().fd))


if __name__ == "__main__":
    main()
