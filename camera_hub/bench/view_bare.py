"""A page with nothing but WHEP (view_bare.js): how a server does when the page costs nothing."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from camera_hub.bench.view_browser import WallPage
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

_SCRIPT = Path(__file__).with_name("view_bare.js")


@dataclass(frozen=True, slots=True)
class BareBrowser:
    """Opens bare pages of one server. `address`: one of its origin that answers with some words and no script."""

    context: "BrowserContext"
    address: str
    clock: Clock
    headers: Mapping[str, str] = field(default_factory=dict)

    async def opened(self, urls: Sequence[str], settle: float) -> float:
        """A loaded page that shows nothing yet, `settle` seconds, a click: ms until the last tile's first picture."""
        async with self._page(urls, "click") as page:
            await page.rest(settle)
            await _click(page)
            return await _last_picture(page, urls) - await page.clicked_at()

    async def navigated(self, urls: Sequence[str]) -> float:
        """A new page that opens all tiles at once: ms from the start of the navigation to the last one's picture."""
        async with self._page(urls, "load") as page:
            return await _last_picture(page, urls)

    async def switched(self, urls: Sequence[str], following: Sequence[str], settles: Sequence[float]) -> list[float]:
        """A playing wall whose tiles, one after the other, get what follows: ms from each click to the new picture.

        `settles`: for how many seconds it plays before each click.
        """
        taken: list[float] = []
        shown = list(urls)
        async with self._page(urls, "load") as page:
            await _last_picture(page, urls)
            for number, (url, settle) in enumerate(zip(following, settles, strict=True)):
                tile = number % len(urls)
                shown[tile] = url
                await page.forget()
                await page.page.evaluate("([tile, url]) => { window.__bare.urls[tile] = url }", [tile, url])
                await page.rest(settle)
                await _click(page)
                taken.append(await _picture(page, tile, shown) - await page.clicked_at())
        return taken

    @asynccontextmanager
    async def _page(self, urls: Sequence[str], at: Literal["load", "click"]) -> AsyncIterator[WallPage]:
        page = await self.context.new_page()
        try:
            settings = json.dumps({"urls": list(urls), "at": at, "headers": dict(self.headers)})
            await page.add_init_script(f"window.__bare = {settings};\n{_SCRIPT.read_text('utf-8')}")
            await page.goto(self.address, wait_until="load")
            yield WallPage(page, self.clock)
            await page.evaluate("() => window.__bare.close()")  # tells the server at once, so that it stops to send
        finally:
            await page.close()


async def _click(page: WallPage) -> None:
    await page.page.mouse.click(5, 5)


async def _last_picture(page: WallPage, urls: Sequence[str]) -> float:
    return max([await _picture(page, tile, urls) for tile in range(len(urls))])


async def _picture(page: WallPage, tile: int, urls: Sequence[str]) -> float:
    """When the tile presented the first frame of that camera since `forget` (page's clock, ms)."""
    answer = await page.until(
        f"tile {tile} shows {urls[tile]}",
        """([tile, url]) => window.__bare.failed !== null ? {failed: window.__bare.failed}
            : window.__bare.shown()[tile] === url ? {failed: null} : null""",
        [tile, urls[tile]],
    )
    if answer["failed"] is not None:
        raise HubError(Kind.UNAVAILABLE, f"the bare page failed: {answer['failed']}")
    return (await page.frames(tile))[0].at
