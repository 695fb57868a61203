"""A wall with carousels for long: memory, processor and connections of page and hub must stay flat (bench carousels).

A complete site (bench.view_site) and headless Chromium with the hub's own page, of which nothing but figures is read.
"""

import asyncio
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from camera_hub.bench import view_site
from camera_hub.bench.lines import Lines
from camera_hub.bench.memory import memory
from camera_hub.bench.meter import family, read_stats, usage
from camera_hub.bench.page_heap import page_heap, page_metrics
from camera_hub.bench.view_browser import Chromium, WallPage, chromium
from camera_hub.bench.wall.figures import slope
from camera_hub.clock import Clock

if TYPE_CHECKING:
    from playwright.async_api import CDPSession

TILES = 16
PART = 100
"""Scene changes between two lines."""
SETTLED = 200
"""Changes after which caches are full and nothing may grow any more."""
MOST_PER_CHANGE = 200.0
"""Bytes by which the objects of the page may grow with each scene change: less than a tile's state would take."""
MOST_PER_HOUR = 5.0
"""Percent of its mean by which a memory figure may grow in an hour. A slope over less than an hour is no verdict."""

OBJECTS = "page_objects_mb"
MEMORY = (
    "page_heap_mb",
    "page_objects_mb",
    "page_pss_mb",
    "page_nodes",
    "page_listeners",
    "hub_pss_mb",
    "hub_descriptors",
)
SLOPES = (*MEMORY, "page_cpu_percent", "hub_cpu_percent", "feeds")


@dataclass(frozen=True, slots=True)
class CarouselPlan:
    """`minutes` of a wall of 16 tiles of which `carousels` turn each `seconds`; a sample each `every` seconds; before
    that, `scenes` changes of all tiles at once."""

    minutes: float
    carousels: int
    seconds: int
    cameras: int
    scenes: int
    every: float


@dataclass(frozen=True, slots=True)
class _Site:
    """What is measured: the page with its developer's connection, and the hub."""

    page: WallPage
    tools: "CDPSession"
    site: view_site.Site


async def run(plan: CarouselPlan, clock: Clock, lines: Lines) -> bool:
    """Write a line for each 100 changes and for each sample, and a verdict after each of the two parts. False when
    something grew."""
    done = []
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-carousels-")))
        site = await stack.enter_async_context(view_site.site(folder, clock, cameras=plan.cameras, gop_seconds=2))
        browser: Chromium = await stack.enter_async_context(chromium(site, clock, record=False))
        page = await stack.enter_async_context(browser.page(_address(plan, site.cameras)))
        await page.playing(site.cameras[: TILES - plan.carousels])
        tools = await browser.context.new_cdp_session(page.page)
        await tools.send("Performance.enable")
        measured = _Site(page, tools, site)
        if plan.scenes:
            done.append(await _scenes(plan, clock, measured, lines))
        done.append(await _turning(plan, clock, measured, lines))
    return all(done)


def _address(plan: CarouselPlan, cameras: tuple[int, ...]) -> str:
    """Pinned tiles first; the carousels share the other cameras."""
    pinned, rest = cameras[: TILES - plan.carousels], cameras[TILES - plan.carousels :]
    turns = ",".join(
        f"{tile}:{plan.seconds}:c{'.'.join(map(str, rest[n :: plan.carousels]))}"
        for n, tile in enumerate(range(TILES - plan.carousels, TILES))
    )
    return f"/wall?layout={TILES}&cams={','.join(map(str, pinned))}&turns={turns}"


async def _scenes(plan: CarouselPlan, clock: Clock, measured: _Site, lines: Lines) -> bool:
    """Go through that many scenes of four by the page's own address; figures each 100 changes. The page's objects are
    counted at the first and at the last."""
    cameras = measured.site.cameras
    first = await measured.page.page.evaluate("() => location.pathname + location.search")
    found: list[dict[str, Any]] = []
    before: dict[str, Any] | None = None
    for change in range(plan.scenes + 1):
        wanted = [cameras[(change * 4 + n) % len(cameras)] for n in range(4)]
        await _go(measured, f"/wall?layout=4&cams={','.join(map(str, wanted))}")
        if change % PART:
            continue
        await measured.page.playing(wanted)
        after = await _counters(clock, measured, objects=change in (PART, plan.scenes))
        if before is not None:
            found.append({"changed": change, **sample(before, after)})
            lines.write({"bench": "carousels", "part": "scenes", **found[-1]})
        before = after
    await _go(measured, first)
    told = scenes_verdict(found)
    lines.write({"bench": "carousels", "part": "scenes summary", **told})
    return bool(told["constant"]) and not told["grows"]


async def _turning(plan: CarouselPlan, clock: Clock, measured: _Site, lines: Lines) -> bool:
    """Let the carousels turn; a sample now and then. The page's objects are counted at the first and at the last."""
    found: list[dict[str, Any]] = []
    began = clock.monotonic()
    before = await _counters(clock, measured, objects=False)
    samples = max(1, round(60 * plan.minutes / plan.every))
    for number in range(samples):
        await clock.sleep(max(0.0, began + (number + 1) * plan.every - clock.monotonic()))
        counts = number in (0, samples - 1)
        after = await _counters(clock, measured, objects=counts)
        found.append({"minute": (clock.monotonic() - began) / 60, **sample(before, after)})
        lines.write({"bench": "carousels", "part": "sample", **found[-1]})
        before = after
    told = turning_verdict(found)
    lines.write({"bench": "carousels", "part": "summary", **told})
    return bool(told["constant"]) and not told["grows"]


async def _go(measured: _Site, path: str) -> None:
    """As a click on a link would: by the page's own router, without loading the page again."""
    script = (
        "path => { history.pushState(history.state, '', path);"
        " dispatchEvent(new PopStateEvent('popstate', { state: history.state })) }"
    )
    await measured.page.page.evaluate(script, path)
    follows = "path => location.pathname + location.search === path"
    await measured.page.until("the page follows its address", follows, path)


async def _counters(clock: Clock, measured: _Site, *, objects: bool) -> dict[str, Any]:
    """Memory as it stands and counters as they are, processors' since the start. `objects`: with a heap snapshot, which
    is taken last, and seldom: some 50 MB stay with the browser."""
    stats = await asyncio.to_thread(read_stats)
    hub = family(stats, [measured.site.pid])
    browser = {pid for pid in family(stats, [os.getpid()]) if "chrom" in stats[pid].name}
    at = clock.monotonic()
    metrics = await page_metrics(measured.tools)
    wall = await measured.page.page.evaluate(
        "() => ({peers: window.__wall.peers.length, videos: document.querySelectorAll('video').length,"
        " serials: window.__wall.tiles.map(one => one.serial)})"
    )
    held = await asyncio.to_thread(memory, tuple(hub))
    shown = await asyncio.to_thread(memory, tuple(browser))
    system = await measured.site.api("GET", "/api/system")
    found = {
        "at": at,
        "page_heap_mb": round(metrics["JSHeapUsedSize"] / 2**20, 3),
        "page_nodes": int(metrics["Nodes"]),
        "page_listeners": int(metrics["JSEventListeners"]),
        "page_pss_mb": round(shown.pss / 1024, 1),
        "page_cpu": sum(stats[pid].usage.total for pid in browser),
        "peers": wall["peers"],
        "videos": wall["videos"],
        "shows": sum(wall["serials"]),
        "hub_cpu": usage([measured.site.pid], stats).total,
        "hub_pss_mb": round(held.pss / 1024, 1),
        "hub_rss_mb": round(held.rss / 1024, 1),
        "hub_descriptors": held.descriptors,
        "feeds": system["feeds"],
    }
    if objects:
        heap = await page_heap(measured.tools)
        found |= {OBJECTS: round(heap.objects / 2**20, 3), "page_code_mb": round(heap.code / 2**20, 3)}
    return found


def sample(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Shares of one core since the reading before, and what stands now."""
    seconds = after["at"] - before["at"]
    kept = {name: value for name, value in after.items() if name not in ("at", "page_cpu", "hub_cpu", "shows")}
    return kept | {
        "shows": after["shows"] - before["shows"],
        "page_cpu_percent": round(100 * (after["page_cpu"] - before["page_cpu"]) / seconds, 1),
        "hub_cpu_percent": round(100 * (after["hub_cpu"] - before["hub_cpu"]) / seconds, 1),
    }


def scenes_verdict(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Slopes per 1,000 changes, of those after SETTLED; what grows: objects of the page by more than MOST_PER_CHANGE,
    nodes or listeners by one each ten changes."""
    later = [one for one in found if one["changed"] >= SETTLED] or list(found)
    per_1000 = {
        name: _slope([(one["changed"] / 1000, one[name]) for one in later]) for name in MEMORY if name != OBJECTS
    }
    per_1000[OBJECTS] = _slope([(one["changed"] / 1000, one[OBJECTS]) for one in found if OBJECTS in one])
    most = {OBJECTS: MOST_PER_CHANGE * 1000 / 2**20, "page_nodes": 100.0, "page_listeners": 100.0}
    return {
        "changes": found[-1]["changed"] if found else 0,
        "per_1000_changes": per_1000,
        "constant": _constant(found),
        "grows": [name for name, bound in most.items() if (per_1000[name] or 0.0) > bound],
    }


def turning_verdict(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Slopes per hour, without the first quarter, in which caches fill, and what grows by more than MOST_PER_HOUR."""
    later = found[len(found) // 4 :]
    per_hour = {name: _slope([(one["minute"] / 60, one[name]) for one in later]) for name in SLOPES if name != OBJECTS}
    per_hour[OBJECTS] = _slope([(one["minute"] / 60, one[OBJECTS]) for one in found if OBJECTS in one])
    mean = {name: _mean([one[name] for one in later if name in one]) for name in SLOPES}
    return {
        "samples": len(found),
        "shows": sum(one["shows"] for one in found),
        "mean": mean,
        "per_hour": per_hour,
        "constant": _constant(found),
        "grows": [name for name in MEMORY if (per_hour[name] or 0.0) > MOST_PER_HOUR / 100 * (mean[name] or 0.0)],
    }


def _constant(found: Sequence[Mapping[str, Any]]) -> bool:
    """Whether players and connections stayed the same."""
    return len({(one["peers"], one["videos"]) for one in found}) <= 1


def _slope(points: Sequence[tuple[float, float]]) -> float | None:
    found = slope(points)
    return None if found is None else round(found, 3)


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 3) if values else None
