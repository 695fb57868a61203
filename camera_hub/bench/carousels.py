"""A wall with carousels for long: memory, processor and connections of page and hub must stay flat (bench carousels).

A complete site (bench.view_site) and headless Chromium with the hub's own page, which is only observed.
"""

import asyncio
import os
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from camera_hub.bench import view_site
from camera_hub.bench.lines import Lines
from camera_hub.bench.memory import memory
from camera_hub.bench.meter import family, read_stats, usage
from camera_hub.bench.view_browser import Chromium, WallPage, chromium
from camera_hub.bench.wall.figures import slope
from camera_hub.clock import Clock

if TYPE_CHECKING:
    from playwright.async_api import CDPSession

TILES = 16
SLOPES = (
    "page_heap_mb",
    "page_pss_mb",
    "page_nodes",
    "page_cpu_percent",
    "hub_pss_mb",
    "hub_descriptors",
    "hub_cpu_percent",
    "feeds",
)


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
class _Part:
    """What is measured: the page with its developer's connection, and the hub."""

    page: WallPage
    tools: "CDPSession"
    site: view_site.Site


async def run(plan: CarouselPlan, clock: Clock, lines: Lines) -> bool:
    """Write a line for each sample and a summary. False when the page's connections or players grew."""
    found: list[dict[str, Any]] = []
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-carousels-")))
        site = await stack.enter_async_context(view_site.site(folder, clock, cameras=plan.cameras, gop_seconds=2))
        browser: Chromium = await stack.enter_async_context(chromium(site, clock))
        page = await stack.enter_async_context(browser.page(_address(plan, site.cameras)))
        await page.playing(site.cameras[: TILES - plan.carousels])
        tools = await browser.context.new_cdp_session(page.page)
        await tools.send("Performance.enable")
        part = _Part(page, tools, site)
        if plan.scenes:
            lines.write({"bench": "carousels", "part": "scenes", **await _scenes(plan, clock, part)})
        began = clock.monotonic()
        before = await _counters(clock, part)
        while clock.monotonic() - began < 60 * plan.minutes:
            await clock.sleep(plan.every)
            after = await _counters(clock, part)
            found.append({"minute": (clock.monotonic() - began) / 60, **_sample(before, after)})
            lines.write({"bench": "carousels", "part": "sample", **found[-1]})
            before = after
    told = summary(found)
    lines.write({"bench": "carousels", "part": "summary", **told})
    return bool(told["constant"])


def _address(plan: CarouselPlan, cameras: tuple[int, ...]) -> str:
    """Pinned tiles first; the carousels share the other cameras."""
    pinned, rest = cameras[: TILES - plan.carousels], cameras[TILES - plan.carousels :]
    turns = ",".join(
        f"{tile}:{plan.seconds}:c{'.'.join(map(str, rest[n :: plan.carousels]))}"
        for n, tile in enumerate(range(TILES - plan.carousels, TILES))
    )
    return f"/wall?layout={TILES}&cams={','.join(map(str, pinned))}&turns={turns}"


async def _scenes(plan: CarouselPlan, clock: Clock, part: _Part) -> dict[str, Any]:
    """Go through that many scenes of four by the page's own address, and compare the page before and after."""
    cameras = part.site.cameras
    first = await part.page.page.evaluate("() => location.pathname + location.search")
    counted: list[dict[str, Any]] = []
    for change in range(plan.scenes + 1):
        wanted = [cameras[(change * 4 + n) % len(cameras)] for n in range(4)]
        await _go(part, f"/wall?layout=4&cams={','.join(map(str, wanted))}")
        if change % max(1, plan.scenes // 4) == 0:
            await part.page.playing(wanted)
            counted.append(await _page(part))
    await _go(part, first)
    await clock.sleep(1.0)
    return {"changes": plan.scenes, **{f"{name}_{n}": one[name] for n, one in enumerate(counted) for name in one}}


async def _go(part: _Part, path: str) -> None:
    """As a click on a link would: by the page's own router, without loading the page again."""
    script = (
        "path => { history.pushState(history.state, '', path);"
        " dispatchEvent(new PopStateEvent('popstate', { state: history.state })) }"
    )
    await part.page.page.evaluate(script, path)
    await part.page.until("the page follows its address", "path => location.pathname + location.search === path", path)


async def _page(part: _Part) -> dict[str, Any]:
    """The page's heap after a collection, its nodes, listeners, players and connections."""
    await part.tools.send("HeapProfiler.collectGarbage")
    told = {one["name"]: one["value"] for one in (await part.tools.send("Performance.getMetrics"))["metrics"]}
    wall = await part.page.page.evaluate(
        "() => ({peers: window.__wall.peers.length, videos: document.querySelectorAll('video').length,"
        " shown: window.__wall.tiles.map(one => one.camera), serials: window.__wall.tiles.map(one => one.serial)})"
    )
    return {
        "page_heap_mb": round(told["JSHeapUsedSize"] / 2**20, 2),
        "page_nodes": int(told["Nodes"]),
        "page_listeners": int(told["JSEventListeners"]),
        "peers": wall["peers"],
        "videos": wall["videos"],
        "shows": sum(wall["serials"]),
        "twice": max(Counter(camera for camera in wall["shown"] if camera is not None).values(), default=0),
    }


async def _counters(clock: Clock, part: _Part) -> dict[str, Any]:
    page = await _page(part)
    stats = await asyncio.to_thread(read_stats)
    hub = family(stats, [part.site.pid])
    browser = {pid for pid in family(stats, [os.getpid()]) if "chrom" in stats[pid].name}
    held = await asyncio.to_thread(memory, tuple(hub))
    shown = await asyncio.to_thread(memory, tuple(browser))
    system = await part.site.api("GET", "/api/system")
    return page | {
        "at": clock.monotonic(),
        "page_cpu": sum(stats[pid].usage.total for pid in browser),
        "page_pss_mb": shown.pss / 1024,
        "hub_cpu": usage([part.site.pid], stats).total,
        "hub_pss_mb": held.pss / 1024,
        "hub_descriptors": held.descriptors,
        "feeds": system["feeds"],
    }


def _sample(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Shares of one core since the reading before, and what stands now."""
    seconds = after["at"] - before["at"]
    kept = {name: value for name, value in after.items() if name not in ("at", "page_cpu", "hub_cpu", "shows")}
    return kept | {
        "changes": after["shows"] - before["shows"],
        "page_cpu_percent": 100 * (after["page_cpu"] - before["page_cpu"]) / seconds,
        "hub_cpu_percent": 100 * (after["hub_cpu"] - before["hub_cpu"]) / seconds,
    }


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Slopes per hour, without the first quarter, in which caches fill; whether players, connections are constant."""
    later = found[len(found) // 4 :]
    return {
        "samples": len(found),
        "per_hour": {name: slope([(one["minute"] / 60, float(one[name])) for one in later]) for name in SLOPES},
        "range": {name: [min(one[name] for one in found), max(one[name] for one in found)] for name in SLOPES},
        "changes": sum(one["changes"] for one in found),
        "constant": len({(one["peers"], one["videos"]) for one in found}) == 1,
    }
