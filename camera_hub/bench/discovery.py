"""`bench discovery`: how long it takes to find devices by unicast, and to describe them, and what memory that needs.

The virtual devices are a process of their own on loopback, and so answer at once; the addresses without a device stay
silent, as they do in a village (the loopback interface would refuse, which costs no time): of the ports that are tried
all but the devices' own are held, on every address, by sockets whose queue is full. What is measured is the hub's own
part with its settings: sweeps and descriptions, without database writes.
"""

import asyncio
import gc
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from camera_hub.acceptor import raise_descriptor_limit
from camera_hub.access.policy import Actor, Role
from camera_hub.bench.lines import Lines
from camera_hub.bench.memory import parse_sums
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.discovery.sweeps import Sweeps, SweepView
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.cameras.reach import ReachPolicy, checking
from camera_hub.clock import Clock
from camera_hub.demo.farm import Farm, FarmDevice, farm, free_network
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, SweepChanged
from camera_hub.settings import DiscoverySettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Village

VILLAGES = 16
PER_VILLAGE = 40
SILENT_PORTS = 4
HTTP_PORT = 8080
DEADLINE = 300.0
DESCRIBED_AT_ONCE = 8
"""As many as a job of the register describes side by side (cameras.jobs)."""
FOUND_SECONDS, SWEPT_SECONDS, GROWTH_MB = 5.0, 60.0, 60.0
_LOCAL = ReachPolicy(local_devices=True)


@dataclass(frozen=True, slots=True)
class DiscoveryPlan:
    """Villages of 254 addresses each, and how many devices are described."""

    villages: int = VILLAGES
    describe: int = 300


async def run(plan: DiscoveryPlan, clock: Clock, lines: Lines) -> bool:
    """Write a line per figure. False when one misses its target."""
    network = free_network()
    more = ["--http-port", str(HTTP_PORT), "--cold"]
    async with farm(plan.villages, plan.villages * PER_VILLAGE, network, more=more) as site:
        with silent_ports(SILENT_PORTS) as silent:
            settings = DiscoverySettings(ports=(HTTP_PORT, *silent), multicast=False)
            raise_descriptor_limit()  # as `serve` does
            good = await _describe(plan, site, settings, clock, lines)  # first: its memory is that of a fresh process
            return await _sweeps(plan, site, network, settings, clock, lines) and good


async def _sweeps(
    plan: DiscoveryPlan, site: Farm, network: str, settings: DiscoverySettings, clock: Clock, lines: Lines
) -> bool:
    own = [village.devices for village in site.villages]
    one = max(range(len(own)), key=lambda number: len(own[number]))
    nets = [f"{network}.{number}.0/24" for number in range(plan.villages)]
    good = True
    async with _searching(settings, clock) as search:
        for name, ranges, devices, limit in (
            ("/24", [nets[one]], len(own[one]), FOUND_SECONDS),
            (f"{plan.villages} × /24", nets, sum(map(len, own)), SWEPT_SECONDS),
        ):
            before, began = time.process_time(), clock.monotonic()
            found = await search(ranges)
            seconds = clock.monotonic() - began
            met = len(found.found) == devices and seconds <= limit
            good = good and met
            lines.write(
                {
                    "bench": "discovery",
                    "figure": "sweep",
                    "range": name,
                    "addresses": found.total,
                    "ports": len(settings.ports) + 2,
                    "devices": devices,
                    "found": len(found.found),
                    "seconds": seconds,
                    "target_seconds": limit,
                    "cpu_seconds": time.process_time() - before,
                    "met": met,
                }
            )
    return good


async def _describe(plan: DiscoveryPlan, site: Farm, settings: DiscoverySettings, clock: Clock, lines: Lines) -> bool:
    devices = [device for village in site.villages for device in village.devices][: plan.describe]
    gc.collect()
    before, cpu, began = rss_mb(), time.process_time(), clock.monotonic()
    peak, cameras, failed = before, 0, list[str]()
    async with Onvif(settings, clock, check=checking(None, lambda: _LOCAL)) as onvif:
        free = asyncio.Semaphore(DESCRIBED_AT_ONCE)

        async def one(device: FarmDevice) -> None:
            nonlocal peak, cameras
            async with free:
                try:
                    login = DeviceLogin(device.username, device.password)
                    described = await onvif.describe(device.host, device.port, login)
                    cameras += len(described.channels)
                except HubError as error:
                    failed.append(error.reason)
                peak = max(peak, rss_mb())

        await asyncio.gather(*map(one, devices))
        seconds = clock.monotonic() - began
        after = rss_mb()
    met = not failed and peak - before <= GROWTH_MB
    lines.write(
        {
            "bench": "discovery",
            "figure": "describe",
            "devices": len(devices),
            "cameras": cameras,
            "failed": len(failed),
            "seconds": seconds,
            "cpu_seconds": time.process_time() - cpu,
            "rss_mb_before": before,
            "rss_mb_growth": after - before,
            "rss_mb_growth_at_most": peak - before,
            "target_mb": GROWTH_MB,
            "met": met,
        }
    )
    return met


@asynccontextmanager
async def _searching(settings: DiscoverySettings, clock: Clock) -> AsyncIterator[Any]:
    """A function that searches ranges as a township admin, to the end."""
    bus = EventBus()
    admin = Actor(1, "bench", "bench", Role.TOWNSHIP_ADMIN)
    with tempfile.TemporaryDirectory(prefix="camera-hub-bench-") as folder:
        async with (
            Database(f"sqlite+aiosqlite:///{Path(folder) / 'hub.sqlite3'}") as database,
            Onvif(settings, clock, check=checking(None, lambda: _LOCAL)) as onvif,
            Sweeps(settings, onvif, bus, clock, database, lambda: _LOCAL) as sweeps,
        ):
            async with database.write() as session:
                village = Village(name="bench", created_at=clock.now())
                session.add(village)
                await session.flush()
                village_id = village.id

            async def search(ranges: Sequence[str]) -> SweepView:
                with bus.subscribe(SweepChanged, limit=4096) as changes:
                    view = await sweeps.start(admin, village_id, multicast=False, ranges=ranges)
                    try:
                        async with asyncio.timeout(DEADLINE):
                            while view.state == "running":
                                await changes.batch()
                                view = await sweeps.get(admin, view.id)
                    except TimeoutError as error:
                        raise HubError(Kind.TIMEOUT, f"the search took over {DEADLINE:g} s") from error
                return view

            yield search


@contextmanager
def silent_ports(count: int) -> Iterator[tuple[int, ...]]:
    """Ports at which no address of this machine answers during the block, beside those that listen themselves."""
    with ExitStack() as stack:
        ports = []
        for _ in range(count):
            hole = stack.enter_context(socket.socket())
            hole.bind(("0.0.0.0", 0))
            hole.listen(0)
            ports.append(int(hole.getsockname()[1]))
            for _ in range(2):  # fills the queue: what comes then gets no answer
                plug = stack.enter_context(socket.socket())
                plug.setblocking(False)
                plug.connect_ex(("127.0.0.1", ports[-1]))
        yield tuple(ports)


def rss_mb() -> float:
    """This process's resident memory in MB."""
    return parse_sums(Path("/proc/self/smaps_rollup").read_text("ascii"))["Rss"] / 1024
