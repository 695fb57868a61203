"""`bench wall --soak`: the whole hub carries a load for long; memory, descriptors and latency must stay flat."""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from camera_hub.bench.arrivals import LATEST
from camera_hub.bench.crew import Crew, crew
from camera_hub.bench.figures import window
from camera_hub.bench.lines import Lines
from camera_hub.bench.measuring import Feeding, feeding, read
from camera_hub.bench.memory import memory
from camera_hub.bench.wall import hub_data
from camera_hub.bench.wall.figures import memory_fields, slope
from camera_hub.bench.wall.hub_pages import told, users_for
from camera_hub.bench.wall.measure import CpuShares, connected, latency
from camera_hub.bench.wall.plan import SoakPlan, per_viewer
from camera_hub.bench.wall.run import described, machine
from camera_hub.bench.wall.servers import WholeHub, whole_hub
from camera_hub.clock import Clock
from camera_hub.errors import HubError

TIMED_SECONDS = 10.0
"""Part of each line's time in which frames are timed."""

SLOPES = ("pss_mb", "rss_mb", "alone_mb", "descriptors", "latency_p50_ms", "latency_p95_ms", "cpu_percent")


async def run(plan: SoakPlan, clock: Clock, lines: Lines) -> bool:
    """Write a line for each minute and a summary. False when the hub fails."""
    base = {"bench": "wall", "server": plan.hub.name, **described(plan.load)}
    found: list[dict[str, Any]] = []
    try:
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-wall-"))) / "hub"
            source = await stack.enter_async_context(feeding(plan.load.picture))
            users = users_for(-(-plan.load.tiles // per_viewer(plan.load)))
            data = await hub_data.made(
                folder, clock, plan.hub, source=source.port, cameras=plan.load.feeds, users=users
            )
            hub = await stack.enter_async_context(whole_hub(plan.hub, data, plan.load))
            clients = await stack.enter_async_context(crew(1, hub.watch, checked=0))
            await connected(clock, hub, clients, plan.load)
            await clock.sleep(plan.warm_up)
            began = clock.monotonic()
            while clock.monotonic() - began < 60 * plan.minutes:
                fields = await _one(plan, clock, source, hub, clients)
                found.append({"minute": (clock.monotonic() - began) / 60, **fields})
                lines.write(base | {"soak": "sample", **found[-1]})
    except HubError as error:
        lines.write(base | {"failed": error.detail})
        return False
    lines.write(base | {"soak": "summary", **summary(found), **machine()})
    return True


async def _one(plan: SoakPlan, clock: Clock, source: Feeding, hub: WholeHub, clients: Crew) -> dict[str, Any]:
    """The fields of one line's time."""
    late, began, used = await source.dropped(), clock.monotonic(), CpuShares(clock)
    before = await read(clock, source, hub.pids, clients)
    await clients.record(True)
    await clock.sleep(min(TIMED_SECONDS, plan.every))
    await clients.record(False)
    timed = await latency(source, hub, clients, plan.load, began - LATEST)
    await clock.sleep(max(0.0, began + plan.every - clock.monotonic()))
    fields = window(before, await read(clock, source, hub.pids, clients), source.expected, plan.load.tiles)
    held = memory_fields(await asyncio.to_thread(memory, hub.pids), used.percent())
    states = told(list(hub.opened.values()))
    return fields | timed | held | {"told": states, "source_dropped": await source.dropped() - late}


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Slopes per hour over all lines, and over those without the first quarter, in which caches still fill. Pure."""

    def slopes(lines: list[dict[str, Any]]) -> dict[str, float | None]:
        return {
            name: slope([(line["minute"] / 60, line[name]) for line in lines if line[name] is not None])
            for name in SLOPES
        }

    def extremes(name: str) -> dict[str, float | None]:
        values = [line[name] for line in found if line[name] is not None]
        return {"first": values[0], "last": values[-1], "min": min(values), "max": max(values)} if values else {}

    return {
        "samples": len(found),
        "per_hour": slopes(found),
        "per_hour_later": slopes(found[len(found) // 4 :]),
        "range": {name: extremes(name) for name in SLOPES},
        "lost": sum(line["lost"] for line in found),
        "delivered_share_min": min((line["delivered_share"] for line in found), default=None),
        "stolen_percent_max": max((line["stolen_percent"] for line in found), default=None),
    }
