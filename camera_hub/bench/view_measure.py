"""The figures of `bench view`: each repeats one action of a user at the wall and says how long it took.

The start is a click as reported by the page's own event, or the moment when the page posted its offer, or the start of
the navigation; the end is a frame as reported by requestVideoFrameCallback.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

from camera_hub.bench.view_browser import Chromium, WallPage
from camera_hub.bench.view_frames import age, first_live, first_own, hub_time
from camera_hub.errors import HubError, Kind

WALL = 16
"""Tiles of the wall that is measured."""
SETTLE_SECONDS = 1.5
"""Seconds that a tile plays before it is switched: its track's clock is derived from those frames."""
FRAME_MS = 1000 / 15
"""The virtual cameras' sub streams have 15 frames per second."""
LIVE_TRIES = 40
"""How often the frames are checked, four frames apart: a busy machine reaches the live edge only after some seconds."""
_TILES = 4


@dataclass(frozen=True, slots=True)
class Opened:
    """One opening of the wall in a new page, ms. `offered`: from the moment when the page posted its offer."""

    route: float
    offered: float


async def opened(browser: Chromium, layout: str, cameras: Sequence[int], settle: float = SETTLE_SECONDS) -> Opened:
    """A new page that shows the alarms, `settle` seconds, a click on the wall's link: until the last tile's picture."""
    async with browser.page("/alarms", (layout, cameras)) as page:
        await page.until("the shell is loaded", "() => !!document.querySelector('header nav a[href=\"/wall\"]')")
        await page.rest(settle)
        await page.page.click('header nav a[href="/wall"]')
        last = await _last_picture(page, cameras)
        return Opened(last - await page.clicked_at(), last - await _offered(page))


async def navigated(browser: Chromium, layout: str, cameras: Sequence[int]) -> Opened:
    """The wall's address opened in a new page: from the start of the navigation, loading included."""
    wanted = ",".join(map(str, cameras))
    async with browser.page(f"/wall?layout={layout}&cams={wanted}") as page:
        last = await _last_picture(page, cameras)
        return Opened(last, last - await _offered(page))


async def warmed(browser: Chromium, cameras: Sequence[int]) -> None:
    """Start every feed; they keep running when nobody watches."""
    for first in range(0, len(cameras), WALL):
        await opened(browser, "16", cameras[first : first + WALL])


async def _last_picture(page: WallPage, cameras: Sequence[int]) -> float:
    await page.playing(cameras)
    return max([await page.shown_at(tile) for tile in range(len(cameras))])


async def _offered(page: WallPage) -> float:
    at: float = await page.page.evaluate("() => window.__bench.offered[0]")
    return at


@dataclass(frozen=True, slots=True)
class Switched:
    """One switch of a tile by a click on a camera in the list, ms."""

    first: float
    """To the first visible frame of the new camera: presented and uncovered."""
    live: float
    """To the first frame at the live edge."""
    live_age: float
    """How old that frame was when it was presented, since it reached the hub."""


async def switches(
    browser: Chromium, cameras: Sequence[int], count: int, settles: Sequence[float] = (SETTLE_SECONDS,)
) -> AsyncIterator[Switched]:
    """Switch the tiles of a wall of four, one after the other, through all cameras; every feed is running already.

    `settles`: for how many seconds the wall plays before each click, in turn.
    """
    if len(cameras) <= _TILES:
        raise HubError(Kind.INVALID, f"switching needs more than {_TILES} cameras")
    shown = list(cameras[:_TILES])
    async with browser.page(f"/wall?layout={_TILES}&cams={','.join(map(str, shown))}") as page:
        await page.playing(shown)
        for (tile, camera), settle in zip(_plan(cameras, count), cycle(settles), strict=False):
            yield await _switch(page, tile, camera, settle)


def _plan(cameras: Sequence[int], count: int) -> Iterator[tuple[int, int]]:
    """Which tile gets which camera: always one that no tile shows."""
    for number, camera in zip(range(count), cycle([*cameras[_TILES:], *cameras[:_TILES]]), strict=False):
        yield number % _TILES, camera


async def _switch(page: WallPage, tile: int, camera: int, settle: float) -> Switched:
    row = page.page.locator(f'aside.tree [data-camera="{camera}"]').first
    await page.page.click(f'[data-tile="{tile}"]')
    await row.scroll_into_view_if_needed()
    await page.forget()
    await page.rest(settle)
    offset = hub_time(await page.frames(tile))
    before = await page.tile(tile)
    await page.forget()
    await row.click()
    clicked = await page.clicked_at()
    await page.until(
        f"tile {tile} shows camera {camera}",
        """([tile, camera]) => {
            const shown = window.__wall.tiles[tile]
            return shown.camera === camera && shown.framesShown && shown.firstRtp !== null
        }""",
        [tile, camera],
    )
    if before["camera"] == camera:
        raise HubError(Kind.INTERNAL, f"tile {tile} showed camera {camera} before it was switched to it")
    for _ in range(LIVE_TRIES):
        await page.rest(4 * FRAME_MS / 1000)
        first_rtp = int((await page.tile(tile))["firstRtp"])
        seen = [frame for frame in await page.frames(tile) if frame.at >= clicked]
        first = first_own(seen, first_rtp)
        live = first_live(seen, first_rtp, offset, clicked, FRAME_MS)
        if first is not None and live is not None:
            break
    else:
        raise HubError(Kind.INTERNAL, f"tile {tile} never showed camera {camera} at its live edge")
    uncovered = await page.shown_at(tile)
    return Switched(max(first.at, uncovered) - clicked, max(live.at, uncovered) - clicked, age(live, offset))
