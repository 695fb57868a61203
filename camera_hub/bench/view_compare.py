"""The hub's wall and foreign servers' pictures in the same Chromium with the same virtual cameras, turn by turn."""

import math
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, TypeVar

from camera_hub.bench import meter
from camera_hub.bench import view_measure as measure
from camera_hub.bench.plan import ViewPlan
from camera_hub.bench.view_bare import BareBrowser
from camera_hub.bench.view_browser import launched, observed, signed_in
from camera_hub.bench.view_frames import spread
from camera_hub.bench.view_peers import PEERS, WhepServer
from camera_hub.bench.view_report import Report
from camera_hub.bench.view_site import Site, hub, sub_streams, villages
from camera_hub.clock import Clock

if TYPE_CHECKING:
    from playwright.async_api import Browser

T = TypeVar("T")
Turn = Callable[[int], Awaitable[list[float]]]
"""One turn of a server: what it took, ms. The number counts the turns."""

OWN = "hub"
GOP_SECONDS = 2
TILES = 4
SWITCHES_A_TURN = 4
IDLE_SECONDS = 5.0
_GOLDEN = (math.sqrt(5) - 1) / 2
"""Its multiples modulo 1 leave no gap, however many there are."""
NAMES = {
    "warm": "first_picture_warm_ms",
    "wall16": "wall16_from_wish_ms",
    "navigation": "wall16_from_navigation_ms",
    "switch": "switch_ms",
}
BARS = {"warm": ("p50", 0.15), "wall16": ("p50", 0.5), "navigation": ("p95", 0.8), "switch": ("p50", 0.15)}
"""Which quantile of the hub, divided by the better peer's, may be how much."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """One server, or one way to watch it, and its turn at each figure that it takes part in."""

    name: str
    pid: int
    turns: Mapping[str, Turn]


@dataclass(slots=True)
class Taken:
    """What one entrant's turns at one figure took, and what the machine had stolen from it meanwhile (seconds)."""

    values: list[float] = field(default_factory=list)
    stolen: float = 0.0
    whole: float = 0.0


async def compare(plan: ViewPlan, clock: Clock, report: Report) -> None:
    """Write a line per figure and server, and then their ratios. Peers that are not on PATH are named and left out."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="camera-hub-bench-")))
        peers = [name for name in plan.peers if which(name) is not None]
        for name in set(plan.peers) - set(peers):
            report.line({"peer": name, "missing": f"{name} is not in PATH"})
        farmed = await stack.enter_async_context(villages(folder, cameras=plan.cameras, gop_seconds=GOP_SECONDS))
        sites = {OWN: await stack.enter_async_context(hub(folder / OWN, clock, farmed))}
        for number, one in enumerate(plan.checkouts):
            place = folder / f"{OWN}{number}"
            sites[f"{OWN}@{one.name}"] = await stack.enter_async_context(hub(place, clock, farmed, one.python))
        cameras = await sub_streams(farmed)
        servers = [await stack.enter_async_context(PEERS[name](cameras, clock)) for name in peers]
        browser = await stack.enter_async_context(launched())
        entrants: list[Entrant] = []
        for name, site in sites.items():
            entrants += await _hub(browser, name, site, clock)
        for server in servers:
            entrants.append(await _peer(browser, server, clock))
        await _idle(entrants, clock, report)
        for figure in NAMES:
            if figure in plan.figures:
                taken = await _turns(figure, entrants, plan.repeat)
                _write(figure, taken, report)


async def _hub(browser: "Browser", name: str, site: Site, clock: Clock) -> list[Entrant]:
    """A hub's own pages; and its single cameras by WHEP, as a peer's."""
    own = await signed_in(browser, site, clock)
    await measure.warmed(own, site.cameras)
    cameras, wall = site.cameras, site.cameras[: measure.WALL]

    async def warm(number: int) -> list[float]:
        return [(await measure.opened(own, "1", [pick(cameras, number)], settle(number))).route]

    async def wall16(number: int) -> list[float]:
        return [(await measure.opened(own, "16", wall, settle(number))).route]

    async def navigation(number: int) -> list[float]:
        await clock.sleep(settle(number))
        return [(await measure.navigated(own, "16", wall)).route]

    async def switch(number: int) -> list[float]:
        turned = rotated(cameras, TILES * number)
        return [one.first async for one in measure.switches(own, turned, SWITCHES_A_TURN, _settles(number))]

    bare = BareBrowser(own.context, f"{site.url}/healthz", clock, {"x-camera-hub": "1"})

    async def whep(number: int) -> list[float]:
        return [await bare.opened([f"/api/cameras/{pick(cameras, number)}/whep"], settle(number))]

    turns = {"warm": warm, "wall16": wall16, "navigation": navigation, "switch": switch}
    return [Entrant(name, site.pid, turns), Entrant(f"{name}/whep", site.pid, {"warm": whep})]


async def _peer(browser: "Browser", server: WhepServer, clock: Clock) -> Entrant:
    """A foreign server with a page that has nothing but WHEP in it."""
    bare = BareBrowser(await observed(browser), server.page, clock)
    urls, wall = server.urls, server.urls[: measure.WALL]

    async def warm(number: int) -> list[float]:
        return [await bare.opened([pick(urls, number)], settle(number))]

    async def wall16(number: int) -> list[float]:
        return [await bare.opened(wall, settle(number))]

    async def navigation(number: int) -> list[float]:
        await clock.sleep(settle(number))
        return [await bare.navigated(wall)]

    async def switch(number: int) -> list[float]:
        turned = rotated(urls, TILES * number)
        following = [pick(turned, TILES + one) for one in range(SWITCHES_A_TURN)]
        return await bare.switched(turned[:TILES], following, _settles(number))

    turns = {"warm": warm, "wall16": wall16, "navigation": navigation, "switch": switch}
    return Entrant(server.name, server.pid, turns)


async def _idle(entrants: Sequence[Entrant], clock: Clock, report: Report) -> None:
    """What each server costs while it pulls all cameras and nobody watches: so much do the others disturb a turn."""
    servers = {one.pid: one.name for one in reversed(entrants)}
    before = {pid: meter.usage((pid,)) for pid in servers}
    began = clock.monotonic()
    await clock.sleep(IDLE_SECONDS)
    for pid, name in reversed(servers.items()):
        spent = (meter.usage((pid,)) - before[pid]).total / (clock.monotonic() - began)
        report.line({"figure": "unwatched", "server": name, "cpu_percent": 100 * spent})


async def _turns(figure: str, entrants: Sequence[Entrant], repeat: int) -> dict[str, Taken]:
    """Every entrant's turn, one after the other, again and again until each has `repeat` values."""
    running = [one for one in entrants if figure in one.turns]
    taken = {one.name: Taken() for one in running}
    number = 0
    while any(len(one.values) < repeat for one in taken.values()):
        for one in running:
            before = meter.parse_machine((meter.PROC / "stat").read_text())
            values = await one.turns[figure](number)
            after = meter.parse_machine((meter.PROC / "stat").read_text())
            mine = taken[one.name]
            mine.values += values
            mine.stolen += after.stolen - before.stolen
            mine.whole += after.busy + after.idle - before.busy - before.idle
        number += 1
    return taken


def _write(figure: str, taken: Mapping[str, Taken], report: Report) -> None:
    quantiles: dict[str, dict[str, float]] = {}
    for name, one in taken.items():
        found = spread(one.values)
        quantiles[name] = {"p50": found.p50, "p95": found.p95}
        report.line(
            {
                "figure": NAMES[figure],
                "server": name,
                "n": found.n,
                **quantiles[name],
                "max": found.max,
                "stolen_percent": 100 * one.stolen / one.whole if one.whole else 0.0,
                "values": one.values,
            }
        )
    for line in ratios(figure, quantiles):
        report.line(line)


def ratios(figure: str, quantiles: Mapping[str, Mapping[str, float]]) -> list[dict[str, object]]:
    """The hub's quantiles divided by the better peer's, with the bar; and by those of other checkouts. Pure.

    `quantiles`: p50 and p95 by server. The better peer is chosen for each quantile.
    """
    own = quantiles[OWN]
    lines: list[dict[str, object]] = []
    peers = {name: found for name, found in quantiles.items() if name.partition("@")[0].partition("/")[0] != OWN}
    barred, bar = BARS[figure]
    for quantile in ("p50", "p95") if peers else ():
        better = min(peers, key=lambda name: peers[name][quantile])
        ratio = own[quantile] / peers[better][quantile]
        line: dict[str, object] = {"figure": NAMES[figure], "ratio": ratio, "of": quantile, "to": better}
        if quantile == barred:
            line |= {"bar": bar, "met": ratio <= bar}
        lines.append(line)
    for name in quantiles:
        if name.startswith(f"{OWN}@") and "/" not in name:
            lines += [
                {
                    "figure": NAMES[figure],
                    "ratio": own[quantile] / quantiles[name][quantile],
                    "of": quantile,
                    "to": name,
                }
                for quantile in ("p50", "p95")
            ]
    return lines


def settle(number: int) -> float:
    """For how many seconds a page rests before its n-th click: spread evenly over a group of pictures. Pure.

    Servers that wait for the next key frame would otherwise be measured at some moments of it only.
    """
    return measure.SETTLE_SECONDS + GOP_SECONDS * (number * _GOLDEN % 1)


def _settles(number: int) -> list[float]:
    return [settle(SWITCHES_A_TURN * number + one) for one in range(SWITCHES_A_TURN)]


def pick(among: Sequence[T], number: int) -> T:
    """Each in turn. Pure."""
    return among[number % len(among)]


def rotated(among: Sequence[T], places: int) -> list[T]:
    """All of them, beginning so many places later. Pure."""
    start = places % len(among)
    return [*among[start:], *among[:start]]
