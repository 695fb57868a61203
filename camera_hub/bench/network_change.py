"""A PC whose network changes while it shows pictures: when are they back, without a reload (bench network)?

Chromium runs in a network namespace (bench.namespace) with the wall and a screen's page open; the hub is on this side
of the cable.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from camera_hub.bench import view_site
from camera_hub.bench.lines import Lines
from camera_hub.bench.namespace import Pc, pc
from camera_hub.bench.view_browser import browser_program, launched, signed_in
from camera_hub.clock import Clock
from camera_hub.demo.api import Api
from camera_hub.errors import HubError, Kind

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

TILES = 4
BACK_SECONDS = 10.0
AWAY_SECONDS = 20.0
"""How long the hub cannot be reached in the cases in which it comes back."""
WAIT_SECONDS = 60.0
_LOOK_EVERY = 0.1
_FRAMES = 5
"""New frames in each tile, by which its picture moves again."""
_READ = "() => ({ same: window.__same === true, tiles: window.__wall.tiles.filter(one => one.camera !== null) })"


@dataclass(frozen=True, slots=True)
class _Change:
    """What happens to the PC's network. `away`: the hub is out of reach for so long; times count from its return."""

    name: str
    begin: Callable[[Pc], Awaitable[None]]
    end: Callable[[Pc], Awaitable[None]] | None = None
    away: float = 0.0


def _changes() -> tuple[_Change, ...]:
    return (
        _Change("another address", lambda it: it.readdress(it.first, it.second)),
        _Change("the first address again", lambda it: it.readdress(it.second, it.first)),
        _Change("no route for 20 s", Pc.cut, Pc.mend, AWAY_SECONDS),
        _Change("no cable for 20 s", Pc.unplug, Pc.plug, AWAY_SECONDS),
    )


async def run(clock: Clock, lines: Lines) -> bool:
    """A line for each change and page, and a last one. False when pictures were not back in time, or by a reload."""
    found: list[dict[str, Any]] = []
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-network-")))
        other = await stack.enter_async_context(pc())
        farmed = await stack.enter_async_context(view_site.villages(folder, cameras=2 * TILES, gop_seconds=2))
        reached = {"CAMERA_HUB_SERVER__HOST": other.hub, "CAMERA_HUB_MEDIA__ANNOUNCED_ADDRESSES": f'["{other.hub}"]'}
        site = await stack.enter_async_context(view_site.hub(folder, clock, farmed, more=reached))
        program = other.command(folder, browser_program())
        browser = await stack.enter_async_context(launched(str(program)))
        pages = await stack.enter_async_context(_pages(browser, site, clock))
        for change in _changes():
            for page, seconds in (await _measured(change, other, pages, clock)).items():
                found.append(
                    {"change": change.name, "page": page, "seconds": None if seconds is None else round(seconds, 1)}
                )
                lines.write({"bench": "network", **found[-1]})
    times = [one["seconds"] for one in found]
    in_time = all(seconds is not None and seconds <= BACK_SECONDS for seconds in times)
    lines.write({"bench": "network", "summary": True, "limit_seconds": BACK_SECONDS, "in_time": in_time})
    return in_time


@asynccontextmanager
async def _pages(browser: "Browser", site: view_site.Site, clock: Clock) -> AsyncIterator[dict[str, "Page"]]:
    """The wall and a screen's page, both playing."""
    person = await signed_in(browser, site, clock, record=False)
    cameras = ",".join(map(str, site.cameras[:TILES]))
    async with person.page(f"/wall?layout={TILES}&cams={cameras}") as wall:
        screen = await (await browser.new_context(locale="zh-CN")).new_page()
        await screen.goto(f"{site.url}/screen#code={await _code(site.api, site.cameras[TILES : 2 * TILES])}")
        pages = {"wall": wall.page, "screen": screen}
        for page in pages.values():
            await _until(page, clock, lambda read: _plays(read, {}))
            await page.evaluate("() => { window.__same = true }")
        yield pages


async def _code(api: Api, cameras: tuple[int, ...]) -> str:
    """The code of a screen that shows these cameras."""
    screen = await api("POST", "/api/screens", {"name": "bench"})
    content = {"kind": "cameras", "layout": str(TILES), "cameras": list(cameras)}
    await api("POST", f"/api/screens/{screen['id']}/show", {"revision": screen["revision"], "content": content})
    return str((await api("POST", f"/api/screens/{screen['id']}/code"))["code"])


async def _measured(change: _Change, other: Pc, pages: dict[str, "Page"], clock: Clock) -> dict[str, float | None]:
    """Seconds until each page's pictures move again; None: not within WAIT_SECONDS, or only after a reload."""
    await change.begin(other)
    if change.end is not None:
        await clock.sleep(change.away)
        await change.end(other)
    began = clock.monotonic()
    found = await asyncio.gather(*(_back(page, clock, began) for page in pages.values()))
    return dict(zip(pages, found, strict=True))


async def _back(page: "Page", clock: Clock, began: float) -> float | None:
    # What was decoded before the change may still be counted: the page counts once a second.
    await clock.sleep(1.0)
    before = {one["camera"]: one for one in (await page.evaluate(_READ))["tiles"]}
    try:
        await _until(page, clock, lambda read: _plays(read, before))
    except HubError:
        return None
    return clock.monotonic() - began


def _plays(read: dict[str, Any], before: dict[int, dict[str, Any]]) -> bool:
    """Whether every tile shows new frames: some more than before, or some of another connection."""

    def moves(tile: dict[str, Any]) -> bool:
        was = before.get(tile["camera"])
        counted = was["framesDecoded"] if was is not None and was["viewer"] == tile["viewer"] else 0
        live: bool = tile["phase"] == "live" and tile["framesShown"]
        return live and int(tile["framesDecoded"]) >= counted + _FRAMES

    same = bool(read["same"]) or not before
    return same and len(read["tiles"]) == TILES and all(map(moves, read["tiles"]))


async def _until(page: "Page", clock: Clock, done: Callable[[dict[str, Any]], bool]) -> None:
    """Raises HubError(TIMEOUT) after WAIT_SECONDS."""
    end = clock.monotonic() + WAIT_SECONDS
    while not await page.evaluate("() => !!window.__wall") or not done(await page.evaluate(_READ)):
        if clock.monotonic() > end:
            raise HubError(Kind.TIMEOUT, f"the page's tiles do not play within {WAIT_SECONDS:g} s")
        await clock.sleep(_LOOK_EVERY)
