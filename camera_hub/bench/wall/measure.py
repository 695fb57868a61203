"""One measurement of one server: viewers connect, tiles are shown, a warm-up passes, then a window is measured."""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

from camera_hub.bench import meter
from camera_hub.bench.arrivals import LATEST, Arrivals
from camera_hub.bench.crew import Crew
from camera_hub.bench.figures import window
from camera_hub.bench.measuring import Feeding, read
from camera_hub.bench.memory import memory
from camera_hub.bench.plan import Spans
from camera_hub.bench.source import LANES
from camera_hub.bench.wall.figures import latency_fields, memory_fields, per_frame_and_feed
from camera_hub.bench.wall.plan import Load, feed_of, timed_tiles
from camera_hub.bench.wall.servers import WallServer
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind

FLOW_SECONDS = 120.0
_POLL_SECONDS = 0.5


async def connected(clock: Clock, server: WallServer, clients: Crew, load: Load) -> None:
    """Connect every viewer, show every tile, wait until frames of all have come. Raises HubError."""
    timed = sorted({tile // server.watch.tracks for tile in timed_tiles(load.tiles)})
    await clients.connect(server.answer, server.address, timed=timed)
    await server.show()
    end = clock.monotonic() + FLOW_SECONDS
    while True:
        frames = (await clients.counts()).per_stream.values()
        flowing = sum(count > 0 for count in frames)
        if flowing >= load.tiles:
            return
        if clock.monotonic() > end:
            raise HubError(Kind.TIMEOUT, f"only {flowing} of {load.tiles} tiles got frames within {FLOW_SECONDS:g} s")
        await clock.sleep(_POLL_SECONDS)


async def measured(
    clock: Clock, source: Feeding, server: WallServer, clients: Crew, load: Load, seconds: float
) -> dict[str, Any]:
    """The fields of a window; memory is read after it."""
    used = CpuShares(clock)
    fields = await watched(clock, source, server, clients, load, seconds)
    fields |= memory_fields(await asyncio.to_thread(memory, server.pids), used.percent())
    return fields | {"load_average": os.getloadavg()[0]}


class CpuShares:
    """CPU time of every process since this was made."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.monotonic()
        self._before = meter.read_stats()

    def percent(self) -> dict[int, float]:
        """Percent of a core by process id; a process that is new since then counts from its start."""
        seconds = self._clock.monotonic() - self._began
        return {
            pid: 100
            * (stat.usage - (self._before[pid].usage if pid in self._before else meter.Usage())).total
            / seconds
            for pid, stat in meter.read_stats().items()
        }


async def watched(
    clock: Clock, source: Feeding, server: WallServer, clients: Crew, load: Load, seconds: float
) -> dict[str, Any]:
    """The fields of a window without those of memory."""
    late = await source.dropped()
    await clients.record(True)
    began = clock.monotonic()
    before = await read(clock, source, server.pids, clients)
    await clock.sleep(seconds)
    after = await read(clock, source, server.pids, clients)
    await clients.record(False)
    fields = window(before, after, source.expected, load.tiles)
    fields |= per_frame_and_feed(fields, (after.counts - before.counts).frames, load.feeds)
    fields |= await latency(source, server, clients, load, began - LATEST)
    return fields | {"source_dropped": await source.dropped() - late}


async def latency(source: Feeding, server: WallServer, clients: Crew, load: Load, since: float) -> dict[str, Any]:
    """The latency of what the timed viewers have recorded; the source's frames are read from that time on."""
    tracks = server.watch.tracks
    lane_of = {
        divmod(tile, tracks): feed_of(tile, load.feeds) % LANES for tile in _tiles_of_timed_viewers(load.tiles, tracks)
    }
    written = {lane: await source.written(lane, since) for lane in sorted(set(lane_of.values()))}
    arrived: list[tuple[int, Arrivals]] = []
    for viewer in sorted({viewer for viewer, _ in lane_of}):
        arrived.append((viewer, await clients.arrivals(viewer)))
    return latency_fields(arrived, lane_of, written)


def _tiles_of_timed_viewers(tiles: int, tracks: int) -> Sequence[int]:
    viewers = {tile // tracks for tile in timed_tiles(tiles)}
    return [tile for viewer in viewers for tile in range(viewer * tracks, min((viewer + 1) * tracks, tiles))]


async def line(
    clock: Clock, source: Feeding, server: WallServer, clients: Crew, load: Load, spans: Spans
) -> dict[str, Any]:
    """Connect, warm up and measure; the fields of a line. Raises HubError."""
    await connected(clock, server, clients, load)
    await clock.sleep(spans.warm_up)
    return await measured(clock, source, server, clients, load, spans.seconds)
