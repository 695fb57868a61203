"""One measurement: viewers connect to a running server, a warm-up passes, and two readings are taken."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from camera_hub.bench import meter
from camera_hub.bench.crew import Crew, crew
from camera_hub.bench.figures import Expected, Reading, checked_fields, window
from camera_hub.bench.plan import Picture, Spans, Watch
from camera_hub.bench.servers import Server
from camera_hub.clock import Clock
from camera_hub.media.child_process import Helper, helper
from camera_hub.running import running

SOURCE = (sys.executable, "-m", "camera_hub.bench.source")
_START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Feeding:
    """A running source."""

    helper: Helper
    port: int
    expected: Expected
    packets_per_second: float

    @property
    def pid(self) -> int:
        return self.helper.process.pid

    async def dropped(self) -> int:
        """Frames that it could not write because a reader was slow."""
        return int((await self.helper.pipe.call({"type": "figures"})).head["dropped"])

    async def trace(self, lane: int) -> list[tuple[float, int]]:
        """For each frame of a lane since the last trace: when its writing began (monotonic seconds), payload bytes."""
        reported = (await self.helper.pipe.call({"type": "trace", "lane": lane})).head["frames"]
        return [(float(at), int(size)) for at, size in reported]

    async def written(self, lane: int, since: float) -> list[tuple[float, bytes]]:
        """For each frame of a lane since that time: when its writing began (monotonic seconds), its last bytes."""
        reported = (await self.helper.pipe.call({"type": "written", "lane": lane, "since": since})).head["frames"]
        return [(float(at), bytes.fromhex(tail)) for at, tail in reported]


@asynccontextmanager
async def feeding(picture: Picture) -> AsyncIterator[Feeding]:
    """A source with this picture while the block runs; encoding it takes some seconds."""
    async with helper(SOURCE) as started:

        async def listen() -> None:
            while await started.pipe.receive() is not None:
                pass

        async with running(listen(), "source"):
            head = {
                "type": "start",
                "bit_rate": picture.bit_rate,
                "width": picture.width,
                "height": picture.height,
                "gop_seconds": picture.gop_seconds,
                "fps": picture.fps,
            }
            reported = (await started.pipe.call(head, deadline=_START_SECONDS)).head
            expected = Expected(float(reported["bit_rate"]), float(reported["fps"]))
            yield Feeding(started, int(reported["port"]), expected, float(reported["packets_per_second"]))


async def measure(
    clock: Clock, source: Feeding, server: Server, watch: Watch, spans: Spans, processes: int
) -> dict[str, Any]:
    """Connect, warm up, measure, check; returns the fields of a line. Raises HubError when a viewer cannot connect."""
    async with crew(processes, watch) as clients:
        await clients.connect(server.answer, server.address)
        await clock.sleep(spans.warm_up)
        before = await read(clock, source, server.pids, clients)
        await clock.sleep(spans.seconds)
        after = await read(clock, source, server.pids, clients)
        fields = window(before, after, source.expected, watch.viewers * watch.tracks)
        fields["rss_mb"] = meter.rss_bytes(server.pids) / 1e6
        return fields | checked_fields(await clients.checked())


async def read(clock: Clock, source: Feeding, pids: tuple[int, ...], clients: Crew) -> Reading:
    """Read all meters, one after the other within milliseconds."""
    counted = await clients.counts()
    stats = meter.read_stats()
    return Reading(
        clock.monotonic(),
        meter.usage(pids, stats),
        meter.usage((source.pid,), stats),
        meter.usage(clients.pids, stats),
        meter.machine(stats),
        counted,
    )
