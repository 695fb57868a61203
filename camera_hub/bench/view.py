"""`camera-hub bench view`: a user at the wall, measured in real Chromium with a real hub and virtual cameras.

Everything runs on this machine, including the browser's decoding: on a busy machine the figures reflect its load.
"""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from camera_hub.bench import view_measure as measure
from camera_hub.bench.lines import Lines
from camera_hub.bench.plan import ViewPlan
from camera_hub.bench.view_browser import Chromium, browser_program, chromium
from camera_hub.bench.view_compare import compare
from camera_hub.bench.view_impair import impaired
from camera_hub.bench.view_latency import added_latency
from camera_hub.bench.view_report import Report
from camera_hub.bench.view_site import Site, site
from camera_hub.clock import Clock


async def run(plan: ViewPlan, clock: Clock, lines: Lines) -> bool:
    """Measure, a line per figure. False when one missed its target. Raises HubError when a prerequisite is missing."""
    if plan.peers or plan.checkouts or plan.figures - {"added_latency"}:
        browser_program()
    report = Report(lines)
    if plan.peers or plan.checkouts:
        await compare(plan, clock, report)
        return report.met
    if "added_latency" in plan.figures:
        report.line(await added_latency(clock, feeds=plan.feeds, bits=plan.bits))
    if {"cold", "warm", "wall16", "switch", "impaired"} & plan.figures:
        async with _wall(plan, clock, gop_seconds=2) as (browser, made):
            await _pages(plan, report, browser, made.cameras)
            if "impaired" in plan.figures:
                async for line in impaired(browser, made):
                    report.line(line)
    if "wall16_gop10" in plan.figures:
        async with _wall(plan, clock, gop_seconds=10) as (browser, made):
            await _sixteen(plan, report, browser, made.cameras, "wall16_gop10", 1000.0)
    return report.met


async def _pages(plan: ViewPlan, report: Report, browser: Chromium, cameras: Sequence[int]) -> None:
    """All figures for cameras with a key frame every 2 s. The cold ones come first: they leave every feed running."""
    if "cold" in plan.figures:
        cold = [await measure.opened(browser, "1", [camera]) for camera in cameras]
        report.figure("first_picture_cold_ms", [one.route for one in cold], 500.0)
        report.figure("first_picture_cold_from_offer_ms", [one.offered for one in cold])
    else:
        await measure.warmed(browser, cameras)
    if "warm" in plan.figures:
        warm = [await measure.opened(browser, "1", [cameras[n % len(cameras)]]) for n in range(plan.repeat)]
        report.figure("first_picture_warm_ms", [one.route for one in warm], 300.0)
        report.figure("first_picture_warm_from_offer_ms", [one.offered for one in warm])
        typed = [await measure.navigated(browser, "1", [cameras[n % len(cameras)]]) for n in range(plan.repeat)]
        report.figure("first_picture_warm_from_navigation_ms", [one.route for one in typed])
    if "wall16" in plan.figures:
        await _sixteen(plan, report, browser, cameras, "wall16", 600.0)
    if "switch" in plan.figures:
        switches = [one async for one in measure.switches(browser, cameras, 2 * plan.repeat)]
        report.figure("switch_ms", [one.first for one in switches], 150.0)
        report.figure("live_ms", [one.live for one in switches], 300.0)
        report.figure("live_age_ms", [one.live_age for one in switches])


async def _sixteen(
    plan: ViewPlan, report: Report, browser: Chromium, cameras: Sequence[int], name: str, bar: float
) -> None:
    await measure.warmed(browser, cameras[: measure.WALL])
    walls = [await measure.opened(browser, "16", cameras[: measure.WALL]) for _ in range(plan.repeat)]
    report.figure(f"{name}_last_tile_ms", [wall.route for wall in walls], bar)
    report.figure(f"{name}_last_tile_from_offer_ms", [wall.offered for wall in walls])


@asynccontextmanager
async def _wall(plan: ViewPlan, clock: Clock, *, gop_seconds: int) -> AsyncIterator[tuple[Chromium, Site]]:
    """A signed-in browser at a separate site."""
    with tempfile.TemporaryDirectory(prefix="camera-hub-bench-") as folder:
        async with (
            site(Path(folder), clock, cameras=plan.cameras, gop_seconds=gop_seconds) as made,
            chromium(made, clock) as browser,
        ):
            yield browser, made
