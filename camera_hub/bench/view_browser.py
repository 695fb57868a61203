"""Headless Chromium with the hub's own pages, and their records. Playwright, a development tool, is loaded late."""

import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from camera_hub.bench.view_frames import Seen, frames
from camera_hub.bench.view_site import Site
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page, Route

    Intercept = Callable[[Route], Awaitable[None]]

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_SECONDS = 60.0
_LOOK_EVERY = 0.05
_OFFERS = "**/api/viewers"
_SCRIPT = Path(__file__).with_name("view_page.js")


class WallPage:
    """One page in one browser window. Everything is read from the page's own record (view_page.js)."""

    def __init__(self, page: "Page", clock: Clock) -> None:
        self.page = page
        self._clock = clock

    async def until(self, what: str, script: str, argument: object = None) -> Any:
        """Poll the page until the answer is not null or false. Raises HubError, which names `what`.

        Times come from the page's record, so the polling interval does not affect any figure.
        """
        end = self._clock.monotonic() + WAIT_SECONDS
        while True:
            if answer := await self.page.evaluate(script, argument):
                return answer
            if self._clock.monotonic() > end:
                raise HubError(Kind.TIMEOUT, f"not within {WAIT_SECONDS:g} s: {what}")
            await self._clock.sleep(_LOOK_EVERY)

    async def playing(self, cameras: Sequence[int]) -> None:
        """Wait until the first tiles show these cameras live."""
        await self.until(
            f"the tiles show the cameras {list(cameras)}",
            """cameras => window.__wall && cameras.every((camera, index) => {
                const tile = window.__wall.tiles[index]
                return tile.camera === camera && tile.phase === 'live' && tile.framesShown
            })""",
            list(cameras),
        )

    async def shown_at(self, tile: int) -> float:
        """When the tile's own picture was uncovered (page's clock, ms): the moment when a user sees it."""
        uncovered: float = await self.page.evaluate("tile => window.__bench.uncovered[tile]", tile)
        return uncovered

    async def frames(self, tile: int) -> list[Seen]:
        """The frames that the tile presented since the last `forget`."""
        return frames(await self.page.evaluate("() => window.__bench.frames"), tile)

    async def tile(self, index: int) -> dict[str, Any]:
        """What the page's wall reports about a tile."""
        reported: dict[str, Any] = await self.page.evaluate("index => window.__wall.tiles[index]", index)
        return reported

    async def clicked_at(self) -> float:
        """When the last click happened (page's clock, ms): the event's own time, not the sender's."""
        at: float = await self.page.evaluate("() => window.__bench.clicks.at(-1)")
        return at

    async def forget(self) -> None:
        """Start a new record."""
        await self.page.evaluate("() => { window.__bench.frames.length = 0 }")

    async def rest(self, seconds: float) -> None:
        """Wait while the page plays."""
        await self._clock.sleep(seconds)


class Chromium:
    """A browser that is signed in at a site; every page is new, but the pages' files are in its cache."""

    def __init__(self, context: "BrowserContext", site: Site, user: int, clock: Clock) -> None:
        self.context = context
        self._site = site
        self._user = user
        self._clock = clock

    @asynccontextmanager
    async def page(
        self, path: str, remembered: tuple[str, Sequence[int]] | None = None, through: "Intercept | None" = None
    ) -> AsyncIterator[WallPage]:
        """A page at `path` while the block runs. `remembered`: layout and cameras that the wall will open with.

        `through` intercepts every exchange of an offer for its answer.
        """
        page = await self.context.new_page()
        try:
            if through is not None:
                await page.route(_OFFERS, through)
            if remembered is not None:
                layout, cameras = remembered
                scene = json.dumps({"layout": layout, "cameras": list(cameras)})
                script = f"localStorage.setItem('wall:{self._user}', {json.dumps(scene)})"
                await page.add_init_script(script)
            await page.goto(f"{self._site.url}{path}", wait_until="load")
            yield WallPage(page, self._clock)
        finally:
            await page.close()


def browser_program() -> str:
    """Path of the machine's Chromium. Raises HubError with the remedy when it or Playwright is missing.

    Checked before anything is measured, so that nobody waits a minute for that message.
    """
    try:
        import playwright.async_api  # noqa: F401
    except ImportError as error:
        raise HubError(Kind.UNAVAILABLE, "bench view needs Playwright: pip install 'camera-hub[bench]'") from error
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        raise HubError(Kind.UNAVAILABLE, "bench view needs Chromium: apt-get install chromium")
    return path


@asynccontextmanager
async def chromium(site: Site, clock: Clock, *, record: bool = True) -> AsyncIterator[Chromium]:
    """Headless Chromium, signed in at the site. Raises HubError with the remedy if it is missing.

    `record`: whether its pages keep the record of view_page.js, which takes memory of its own.
    """
    async with launched() as browser:
        yield await signed_in(browser, site, clock, record=record)


@asynccontextmanager
async def launched(program: str | None = None) -> AsyncIterator["Browser"]:
    """Headless Chromium while the block runs. Raises HubError with the remedy if it is missing.

    `program`: what starts it, if not the machine's own program itself.
    """
    path = program or browser_program()
    from playwright.async_api import Error, async_playwright

    async with async_playwright() as playwright:
        try:
            browser = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        except Error as error:
            raise HubError(Kind.UNAVAILABLE, f"Chromium does not start: {error.message.splitlines()[0]}") from error
        try:
            yield browser
        finally:
            await browser.close()


async def observed(browser: "Browser", *, record: bool = True) -> "BrowserContext":
    """A context (cookies and cache) of its own, whose pages keep the record of view_page.js."""
    context = await browser.new_context(locale="zh-CN", viewport={"width": 1600, "height": 900})
    if record:
        await context.add_init_script(path=_SCRIPT)
    return context


async def signed_in(browser: "Browser", site: Site, clock: Clock, *, record: bool = True) -> Chromium:
    """A context that is signed in at the site."""
    me = await site.api("GET", "/api/session")
    cookies = [one.partition("=") for one in site.api.cookie.split("; ")]
    context = await observed(browser, record=record)
    await context.add_cookies([{"name": name, "value": value, "url": site.url} for name, _, value in cookies])
    return Chromium(context, site, int(me["id"]), clock)
