"""`bench wall`: the hub and other servers, one after the other, the same cameras and the same light client for all."""

import os
import shutil
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from camera_hub.bench.crew import crew
from camera_hub.bench.lines import Lines
from camera_hub.bench.measuring import Feeding, feeding
from camera_hub.bench.servers import MissingError
from camera_hub.bench.wall import hub_data
from camera_hub.bench.wall.figures import summary
from camera_hub.bench.wall.hub_pages import users_for
from camera_hub.bench.wall.measure import line as measured_line
from camera_hub.bench.wall.plan import HubVariant, Load, WallPlan, per_viewer, rotated
from camera_hub.bench.wall.servers import Start, peer, relay_alone, whole_hub
from camera_hub.clock import Clock
from camera_hub.errors import HubError


@dataclass(frozen=True, slots=True)
class Ready:
    """A server that can be started; or why it cannot."""

    name: str
    start: Start | None
    missing: str = ""
    failed: str = ""


async def run(plan: WallPlan, clock: Clock, lines: Lines) -> bool:
    """Write a line per server and repetition, and a summary. False when a hub could not be measured."""
    with tempfile.TemporaryDirectory(prefix="bench-wall-") as folder:
        async with feeding(plan.load.picture) as source:
            ready = {one.name: one for one in await _ready(plan, clock, source, Path(folder))}
            found = []
            for repetition in range(plan.repeat):
                for name in rotated(tuple(ready), repetition):
                    line = {"bench": "wall", "server": name, "repetition": repetition, **described(plan.load)}
                    found.append(line | await _line(plan, clock, source, ready[name]))
                    lines.write(found[-1])
    lines.write({"bench": "wall", "summary": True, **described(plan.load), **summary(found), **machine()})
    return not any("failed" in line for line in found if line["server"] not in plan.peers)


def described(load: Load) -> dict[str, Any]:
    """The load, as fields of every line."""
    picture = load.picture
    return {
        "feeds": load.feeds,
        "tiles": load.tiles,
        "bit_rate": picture.bit_rate,
        "size": f"{picture.width}x{picture.height}",
        "source_fps": picture.fps,
        "gop_seconds": picture.gop_seconds,
        "cipher": load.cipher,
    }


def machine() -> dict[str, Any]:
    """What the machine is, and what else it does."""
    return {"cores": os.cpu_count(), "load_average": os.getloadavg()[0]}


async def _ready(plan: WallPlan, clock: Clock, source: Feeding, folder: Path) -> list[Ready]:
    """The servers of the plan. The data of each hub is made before anything is measured."""
    found = []
    for hub in plan.hubs:
        found.append(
            Ready(hub.name, partial(relay_alone, hub, plan.load, source.port, folder))
            if plan.relay_alone
            else await _hub(plan, clock, source, folder / hub.name, hub)
        )
    for name in plan.peers:
        if shutil.which(name) is None:
            found.append(Ready(name, None, missing=f"{name} is not in PATH"))
        else:
            found.append(Ready(name, partial(peer, name, plan.load, source.port)))
    return found


async def _hub(plan: WallPlan, clock: Clock, source: Feeding, folder: Path, hub: HubVariant) -> Ready:
    load = plan.load
    users = users_for(-(-load.tiles // per_viewer(load)))
    try:
        data = await hub_data.made(folder, clock, hub, source=source.port, cameras=load.feeds, users=users)
    except HubError as error:
        return Ready(hub.name, None, failed=error.detail)
    return Ready(hub.name, partial(whole_hub, hub, data, load))


async def _line(plan: WallPlan, clock: Clock, source: Feeding, server: Ready) -> dict[str, Any]:
    """The measurement of one server, or why there is none."""
    if server.start is None:
        return {"missing": server.missing} if server.missing else {"failed": server.failed}
    try:
        async with AsyncExitStack() as stack:
            running = await stack.enter_async_context(server.start())
            clients = await stack.enter_async_context(crew(plan.load_processes, running.watch, checked=0))
            return await measured_line(clock, source, running, clients, plan.load, plan.spans)
    except MissingError as missing:
        return {"missing": str(missing)}
    except HubError as error:
        return {"failed": error.detail}
