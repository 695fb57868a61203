"""`bench health`: how many cameras rounds can look at, in time, and what each of them costs."""

import tempfile
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from camera_hub.bench import meter
from camera_hub.bench.health_site import HealthSite, health_site, percentile
from camera_hub.bench.lines import Lines
from camera_hub.clock import Clock

PER_VILLAGE = 40
PICTURE_SECONDS = 300.0
ROUND_SECONDS = 60.0
LATE_SHARE = 0.1
"""A look is in time when it comes this share of its interval late at most."""

SETTLE_SECONDS = 360.0
"""From the start of a window until each camera has had a look within it."""


@dataclass(frozen=True, slots=True)
class HealthPlan:
    """How many cameras, for how long, and which share of them is black-holed meanwhile."""

    cameras: int = 1000
    minutes: float = 11.0
    black_holed: float = 0.0


async def run(plan: HealthPlan, clock: Clock, lines: Lines) -> bool:
    """Write one line for all cameras well and, if wanted, one with a share of them black-holed. False when a picture
    was not checked in time."""
    villages = max(2, round(plan.cameras / PER_VILLAGE))
    met = True
    with tempfile.TemporaryDirectory(prefix="camera-hub-bench-") as name:
        async with health_site(Path(name), clock, villages=villages, cameras=plan.cameras, more={}) as site:
            await site.wait_for(clock, 1.0, SETTLE_SECONDS + plan.cameras * 0.3, online=True)
            lines.write(line := await _window(site, clock, plan, dead=0))
            met = bool(line["met"])
            if plan.black_holed:
                dead = round(villages * plan.black_holed)
                await site.switch([one.name for one in site.farmed.villages[:dead]], "village_down", on=True)
                await site.wait_for(clock, 0.9 * dead / villages, SETTLE_SECONDS, online=False)
                lines.write(line := await _window(site, clock, plan, dead=dead))
                met = met and bool(line["met"])
    return met


async def _window(site: HealthSite, clock: Clock, plan: HealthPlan, *, dead: int) -> dict[str, Any]:
    """Let rounds run for a while and sum up what they did."""
    names = {village["name"]: village["id"] for village in await site.hub.api("GET", "/api/villages")}
    gone = {names[village.name] for village in site.farmed.villages[:dead]}
    cameras = {one["id"] for one in await site.cameras() if one["village_id"] not in gone}
    before, machine, began, since = meter.usage([site.hub.pid]), meter.machine(), clock.monotonic(), clock.now()
    await clock.sleep(plan.minutes * 60)
    seconds = clock.monotonic() - began
    used, share = meter.usage([site.hub.pid]) - before, meter.machine().share(machine)
    pictures: dict[int, list[float]] = defaultdict(list)
    beats: dict[int, list[float]] = defaultdict(list)
    key_frames: list[float] = []
    received = 0
    for camera, at, key_frame, size in site.observed(since):
        if camera not in cameras:
            continue
        beats[camera].append(at.timestamp())
        received += size
        if key_frame is not None:
            pictures[camera].append(at.timestamp())
            key_frames.append(key_frame)
    end = since.timestamp() + seconds
    waits = {name: _waits(seen, cameras, since.timestamp(), end) for name, seen in (("p", pictures), ("b", beats))}
    late_pictures = [wait for wait in waits["p"] if wait > PICTURE_SECONDS * (1 + LATE_SHARE)]
    late_beats = [wait for wait in waits["b"] if wait > ROUND_SECONDS * (1 + LATE_SHARE) + 5]
    looks = sum(map(len, pictures.values()))
    checked = sum(bool(pictures[camera]) for camera in cameras)
    return {
        "bench": "health",
        "cameras": plan.cameras,
        "black_holed": dead / len(site.farmed.villages),
        "observed": len(cameras),
        "minutes": seconds / 60,
        "beats_per_minute": 60 * sum(map(len, beats.values())) / seconds,
        "pictures_per_minute": 60 * looks / seconds,
        "checked": checked,
        "pictures_in_time": 1 - len(late_pictures) / max(1, len(waits["p"])),
        "picture_wait_s_max": max(waits["p"], default=None),
        "beats_in_time": 1 - len(late_beats) / max(1, len(waits["b"])),
        "beat_wait_s_max": max(waits["b"], default=None),
        "key_frame_ms_p50": percentile(key_frames, 0.5),
        "key_frame_ms_p95": percentile(key_frames, 0.95),
        "cpu_percent": 100 * used.total / seconds,
        "cpu_ms_per_picture": 1000 * used.total / max(1, looks),
        "bytes_per_camera_and_day": received / max(1, len(cameras)) * 86_400 / seconds,
        "machine_percent": 100 * share,
        "met": checked == len(cameras) and not late_pictures,
    }


def _waits(seen: dict[int, list[float]], cameras: set[int], begin: float, end: float) -> list[float]:
    """How long each camera waited: from one look to the next, and from the window's begin to the first. What is left
    at its end counts where it is longer than all that came before."""
    found: list[float] = []
    for camera in cameras:
        times = [begin, *seen[camera]]
        gaps = [after - before for before, after in pairwise(times)]
        last = end - times[-1]
        found += [*gaps, last] if last > max(gaps, default=0.0) else gaps
    return found
