"""The latency that the relay adds: from the source's write of a frame to its last packet sent, with many feeds running.

The source records when it begins to write a frame (a frame is one write, so its last packet is not sent earlier); the
client uses the kernel's timestamp of the datagram with the marker bit. Both are from this machine's clock. Frames are
matched by size: SRTP only adds a tag to a packet's length, so a second of frames matches in one place only.
"""

import asyncio
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import Any

from aiortc import RTCCertificate

from camera_hub.bench.measuring import Feeding, feeding
from camera_hub.bench.plan import Picture
from camera_hub.bench.servers import Hub, relays
from camera_hub.bench.source import LANES
from camera_hub.bench.view_frames import spread
from camera_hub.bench.viewer import TAGS, Viewer
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind

TRACKS = 16
WARM_UP_SECONDS = 10.0
MEASURE_SECONDS = 20.0
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@qq")
_HEADER = struct.Struct("!BBHII")
_CONNECT_SECONDS = 30.0
_LATEST = 5.5
"""Seconds; less than the clip, which repeats after six."""
_ENOUGH = 25
_SLACK = 400
"""Bytes by which a frame may differ after it was packetized again: parameter sets, fragment headers."""


class TimedViewer(Viewer):
    """A light viewer that records when each frame was complete, by the kernel's timestamp, and its size."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(0, "gcm", RTCCertificate.generateCertificate(), clock, checked=False)
        self.socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self.frames: dict[int, list[tuple[float, int]]] = {}
        """By SSRC: monotonic seconds of the last packet, payload bytes."""
        self._open: dict[int, int] = {}

    def drain(self, buffer: bytearray) -> None:
        """Read all that waits in the socket."""
        overhead = _HEADER.size + TAGS["gcm"]
        while True:
            try:
                size, control, _, _ = self.socket.recvmsg_into([buffer], 64)
            except (BlockingIOError, ConnectionError):
                return
            if size < _HEADER.size or buffer[0] != 0x80 or 191 < buffer[1] < 224:
                self._control(buffer[0], bytes(buffer[:size]))
                continue
            _, second, _, _, ssrc = _HEADER.unpack_from(buffer)
            whole = self._open.get(ssrc, 0) + size - overhead
            if second & 0x80:
                self.frames.setdefault(ssrc, []).append((_arrival(control), whole))
                whole = 0
            self._open[ssrc] = whole


def _arrival(control: Sequence[tuple[int, int, bytes]]) -> float:
    """The kernel's timestamp of a datagram, as monotonic seconds."""
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            waited = time.clock_gettime_ns(time.CLOCK_REALTIME) - (seconds * 1_000_000_000 + nanoseconds)
            return time.monotonic() - float(waited) / 1e9
    raise HubError(Kind.UNSUPPORTED, "the kernel does not timestamp datagrams")


async def added_latency(clock: Clock, *, feeds: int, bits: int) -> dict[str, Any]:
    """The fields of one line. Raises HubError when feeds do not go live or frames cannot be matched."""
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(feeding(Picture(bits, 1280, 720)))
        hub = await stack.enter_async_context(relays(1, 4, Hub))
        await hub.open(source.port, range(feeds))
        viewer = TimedViewer(clock)
        stack.push_async_callback(viewer.close)
        stack.enter_context(_drained(viewer))
        await _connected(viewer, hub)
        for track in range(TRACKS):
            await hub.show(0, track, track)
        await clock.sleep(WARM_UP_SECONDS)
        for lane in range(TRACKS):
            await source.trace(lane)
        for frames in viewer.frames.values():
            frames.clear()
        await clock.sleep(MEASURE_SECONDS)
        delays = await _delays(source, viewer)
        figures = (await hub.figures())[0]
        still = sum(feed["phase"] == "live" for feed in figures["feeds"].values())
    found = spread(delays)
    return {
        "figure": "added_latency_ms",
        "n": found.n,
        "p50": found.p50,
        "p95": found.p95,
        "max": found.max,
        "bar_p95": 5.0,
        "met": found.p95 <= 5.0,
        "feeds": still,
        "bit_rate_of_each": source.expected.bit_rate,
        "tracks": TRACKS,
    }


@contextmanager
def _drained(viewer: TimedViewer) -> Iterator[None]:
    loop, number = asyncio.get_running_loop(), viewer.socket.fileno()
    loop.add_reader(number, viewer.drain, bytearray(2048))
    try:
        yield
    finally:
        loop.remove_reader(number)


async def _connected(viewer: TimedViewer, hub: Hub) -> None:
    answer = await hub.answer(0, viewer.offer(TRACKS))
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await viewer.connect(answer, _CONNECT_SECONDS)
    except TimeoutError as error:
        raise HubError(Kind.TIMEOUT, f"the relay did not connect within {_CONNECT_SECONDS:g} s") from error


async def _delays(source: Feeding, viewer: TimedViewer) -> list[float]:
    """The delay of every frame of every track in milliseconds."""
    lanes = [await source.trace(lane) for lane in range(min(TRACKS, LANES))]
    delays: list[float] = []
    for received in viewer.frames.values():
        delays += matched(lanes, received[1:])  # the first one may have begun before
    return [delay * 1000 for delay in delays]


def matched(lanes: Sequence[Sequence[tuple[float, int]]], received: Sequence[tuple[float, int]]) -> list[float]:
    """Seconds from each received frame's writing to its arrival; pure. Both are (seconds, bytes) in order.

    Raises HubError unless exactly one position in one lane matches: equal sizes, and none arrived before it was sent.
    """
    fits: list[list[float]] = []
    for sent in lanes:
        for shift in range(len(sent)):
            pairs = list(zip(sent[shift:], received, strict=False))
            if len(pairs) < max(1, min(len(received), _ENOUGH)) or not 0 <= pairs[0][1][0] - pairs[0][0][0] < _LATEST:
                continue
            if all(abs(ours - theirs) <= _SLACK for (_, ours), (_, theirs) in pairs):
                fits.append([came - went for (went, _), (came, _) in pairs])
    if len(fits) != 1:
        raise HubError(
            Kind.INTERNAL,
            f"{len(received)} received frames match the sent ones in {len(fits)} places instead of one: the relay lost "
            f"some, or is over {_LATEST:g} s behind; measure on a machine that does nothing else",
        )
    return fits[0]
