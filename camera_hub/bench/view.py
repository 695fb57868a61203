"""`camera-hub bench view`: a person at the wall, measured in real Chromium over a real hub and virtual cameras.

Everything runs on this machine, the browser's decoding too: on a busy machine the figures are the machine's.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from camera_hub.bench import view_measure as measure
from camera_hub.bench.lines import Lines
from camera_hub.bench.view_browser import Chromium, chromium
from camera_hub.bench.view_frames import spread
from camera_hub.bench.view_latency import measured as latency
from camera_hub.bench.view_site import site
from camera_hub.clock import Clock

WALL = 16
FIGURES = ("added_latency", "first_picture_cold", "first_picture_warm", "wall16", "switch", "wall16_gop10")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says. `feeds`, `bits`: what runs while the added latency is measured."""

    only: frozenset[str] = frozenset(FIGURES)
    repeat: int = 20
    cameras: int = 24
    feeds: int = 200
    bits: int = 1_000_000


async def run(options: Options, lines: Lines, clock: Clock) -> None:
    """Measure and write; a figure as soon as it is there. Raises HubError when something needed is missing."""
    if "added_latency" in options.only:
        async for line in latency(clock, feeds=options.feeds, bits=options.bits):
            lines.write(line)
    if options.only & {"first_picture_cold", "first_picture_warm", "wall16", "switch"}:
        async with _browser(options, clock, gop_seconds=2) as (browser, cameras):
            await _pages(options, lines, browser, cameras)
    if "wall16_gop10" in options.only:
        async with _browser(options, clock, gop_seconds=10) as (browser, cameras):
            await measure.opened(browser, "16", cameras[:WALL])  # warms the feeds
            walls = [await measure.opened(browser, "16", cameras[:WALL]) for _ in range(options.repeat)]
            _write(lines, "wall16_gop10_last_tile_ms", [wall.route for wall in walls], 1000, gop_seconds=10)
            _write(lines, "wall16_gop10_last_tile_from_offer_ms", [wall.connection for wall in walls], gop_seconds=10)
