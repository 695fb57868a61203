"""`bench recovery`: all villages' links return at once; how gently, and how soon cameras are back."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from camera_hub.bench import meter
from camera_hub.bench.health_site import HealthSite, health_site, is_online, most_at_once, percentile
from camera_hub.bench.lines import Lines
from camera_hub.clock import Clock

PER_VILLAGE_TARGET, IN_ALL_TARGET = 4, 32
MOST_TARGET_S, ALL_TARGET_S, API_TARGET_MS = 60.0, 120.0, 300.0
POLL = 1.0
"""Seconds between two readings of the list and of another page, and four times as long as both took: some open pages
do not ask more often."""
PATHS = ("/api/cameras", "/api/villages", "/api/alarms", "/api/session")


@dataclass(frozen=True, slots=True)
class RecoveryPlan:
    """How many cameras, in how many villages, and how long they are gone."""

    cameras: int = 320
    villages: int = 16
    down_minutes: float = 10.0


async def run(plan: RecoveryPlan, clock: Clock, lines: Lines) -> bool:
    """Write one line. False when a target is missed."""
    with tempfile.TemporaryDirectory(prefix="camera-hub-bench-") as name:
        async with health_site(Path(name), clock, villages=plan.villages, cameras=plan.cameras, more={}) as site:
            await site.wait_for(clock, 1.0, 600.0, online=True)
            lines.write(line := await outage(site, plan, clock))
            return bool(line["met"])


async def outage(site: HealthSite, plan: RecoveryPlan, clock: Clock) -> dict[str, Any]:
    """Take all links away, give them back, and measure until all cameras are well again. Raises HubError(TIMEOUT) when
    the hub does not notice that they are gone."""
    names = [village.name for village in site.farmed.villages]
    await site.switch(names, "village_down", on=True)
    began = clock.monotonic()
    noticed = await site.wait_for(clock, 1.0, 240.0, online=False)
    await clock.sleep(max(0.0, plan.down_minutes * 60 - (clock.monotonic() - began)))
    machine = meter.machine()
    await site.switch(names, "village_down", on=False)
    returned = clock.monotonic()
    back, waits = await _back(site, plan, clock, returned)
    share = meter.machine().share(machine)
    stats = await site.device_stats()
    spans = {
        village.name: [
            (begin, end)
            for device in village.devices
            for begin, end in stats[device.key]["openings"]
            if begin >= returned
        ]
        for village in site.farmed.villages
    }
    line: dict[str, Any] = {
        "bench": "recovery",
        "cameras": plan.cameras,
        "villages": plan.villages,
        "down_s": returned - began,
        "noticed_s": noticed,
        "back": len(back),
        "back_s_p50": percentile(list(back.values()), 0.5),
        "back_s_p95": percentile(list(back.values()), 0.95),
        "back_s_max": max(back.values(), default=None),
        "opens": sum(map(len, spans.values())),
        "opens_at_once_per_village": max(most_at_once(one) for one in spans.values()),
        "opens_at_once": most_at_once(span for one in spans.values() for span in one),
        "api_ms_p50": 1000 * (percentile(waits, 0.5) or 0.0),
        "api_ms_p95": 1000 * (percentile(waits, 0.95) or 0.0),
        "api_requests": len(waits),
        "machine_percent": 100 * share,
    }
    in_time = sum(seconds <= MOST_TARGET_S for seconds in back.values()) >= 0.95 * plan.cameras
    met = (
        in_time
        and len(back) == plan.cameras
        and max(back.values()) <= ALL_TARGET_S
        and line["opens_at_once_per_village"] <= PER_VILLAGE_TARGET
        and line["opens_at_once"] <= IN_ALL_TARGET
        and line["api_ms_p95"] <= API_TARGET_MS
    )
    return line | {"met": met}


async def _back(
    site: HealthSite, plan: RecoveryPlan, clock: Clock, returned: float
) -> tuple[dict[int, float], list[float]]:
    """When each camera was shown as well again, in seconds after the return, and how long each answer took."""
    back: dict[int, float] = {}
    waits: list[float] = []
    while len(back) < plan.cameras and clock.monotonic() - returned < 2 * ALL_TARGET_S:
        began = asked = clock.monotonic()
        cameras = await site.cameras()
        answered = clock.monotonic()
        waits.append(answered - asked)
        for camera in cameras:
            if is_online(camera):
                back.setdefault(camera["id"], answered - returned)
        asked = clock.monotonic()
        await site.hub.api("GET", PATHS[len(waits) // 2 % len(PATHS)])
        waits.append(clock.monotonic() - asked)
        await clock.sleep(max(POLL, 4 * (clock.monotonic() - began)))
    return back, waits
