"""How well pictures survive a bad network: the hub's own wall in Chromium, behind a road that loses and delays."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from camera_hub.bench.impairment import CLEAR, Impairment
from camera_hub.bench.road import Road, road, through
from camera_hub.bench.view_browser import Chromium, WallPage
from camera_hub.bench.view_site import Site
from camera_hub.errors import HubError, Kind

if TYPE_CHECKING:
    from playwright.async_api import Route

JITTER = 0.05
LOSSES = ((0.01, 0.95), (0.05, 0.85))
"""The share that is lost each way, and the share of frames that must still be decoded."""
SPAN_SECONDS = 12.0
SILENCE_SECONDS = 1.0
BACK_MS = 2000.0
THIN_BITS = 100_000.0
_SEED = 7
_CANDIDATE = re.compile(r" (\d+) typ host")


class BadWall:
    """A wall whose one peer connection goes through a road."""

    def __init__(self, page: WallPage, way: Road, site: Site) -> None:
        self.page = page
        self.way = way
        self._site = site

    def impair(self, how: Impairment) -> None:
        """Impair both directions in the same way from now on."""
        self.way.down.impairment = self.way.up.impairment = how

    async def counted(self) -> dict[str, float]:
        """By the browser: frames `decoded`, packets `lost`. By the hub: frames `sent`, packets `resent`.

        `sent` are the cameras' frames, whether or not they were sent: one that the hub skipped is missing as well.
        """
        viewer = await self.page.page.evaluate("() => window.__wall.peers[0].viewer")
        reported: dict[str, float] = await self.page.page.evaluate(
            """async () => {
                const found = {decoded: 0, lost: 0}
                for (const one of (await window.__bench.last.getStats()).values()) {
                    if (one.type !== 'inbound-rtp') continue
                    found.decoded += one.framesDecoded
                    found.lost += one.packetsLost
                }
                return found
            }"""
        )
        tiles = await self._site.api("GET", f"/api/viewers/{viewer}/figures")
        reported["sent"] = sum(tile["feed"]["frames"] for tile in tiles if tile["feed"] is not None)
        reported["resent"] = sum(tile["sent"]["rtx"] for tile in tiles)
        return reported

    async def over(self, seconds: float) -> dict[str, float]:
        """What is counted within that many seconds."""
        before = await self.counted()
        await self.page.rest(seconds)
        after = await self.counted()
        return {name: after[name] - before[name] for name in after}


@asynccontextmanager
async def bad_wall(browser: Chromium, site: Site, cameras: Sequence[int]) -> AsyncIterator[BadWall]:
    """A wall that shows these cameras through a road that is perfect at first."""
    async with AsyncExitStack() as stack:
        ways: list[Road] = []

        async def lead(route: "Route") -> None:
            if route.request.method != "POST":
                await route.continue_()
                return
            answer = await route.fetch()
            body: dict[str, Any] = await answer.json()
            found = _CANDIDATE.search(str(body.get("sdp", "")))
            if found is not None:
                way = await stack.enter_async_context(road(int(found[1]), seed=_SEED))
                ways.append(way)
                body["sdp"] = through(body["sdp"], int(found[1]), way.port)
            await route.fulfill(response=answer, json=body)

        wanted = ",".join(map(str, cameras))
        page = await stack.enter_async_context(browser.page(f"/wall?layout=4&cams={wanted}", through=lead))
        await page.playing(cameras)
        if len(ways) != 1:
            raise HubError(Kind.INTERNAL, f"the page offered {len(ways)} times instead of once")
        yield BadWall(page, ways[0], site)


async def impaired(browser: Chromium, site: Site) -> AsyncIterator[dict[str, Any]]:
    """The lines, one after the other. The road is the same each time: its random numbers have a fixed seed."""
    cameras = site.cameras
    async with bad_wall(browser, site, cameras[:4]) as wall:
        for loss, bar in LOSSES:
            wall.impair(Impairment(loss=loss, jitter=JITTER, reorder=True))
            got = await wall.over(SPAN_SECONDS)
            wall.impair(CLEAR)
            share = got["decoded"] / got["sent"]
            yield {
                "figure": "decoded_share",
                "loss": loss,
                "jitter_ms": JITTER * 1000,
                "decoded_share": share,
                "bar": bar,
                "met": share >= bar,
                **got,
            }
            await wall.page.rest(2.0)
        back = [await _back(wall) for _ in range(5)]
        yield {
            "figure": "back_after_silence_ms",
            "silence_ms": SILENCE_SECONDS * 1000,
            "n": len(back),
            "max": max(back),
            "bar_max": BACK_MS,
            "met": max(back) <= BACK_MS,
        }
    async with bad_wall(browser, site, cameras[:4]) as other, bad_wall(browser, site, cameras[:4]) as thin:
        calm = await other.over(SPAN_SECONDS / 2)
        thin.way.down.impairment = Impairment(rate=THIN_BITS)
        got = await other.over(SPAN_SECONDS)
        share, before = got["decoded"] / got["sent"], calm["decoded"] / calm["sent"]
        yield {
            "figure": "beside_a_thin_viewer",
            "thin_bits": THIN_BITS,
            "thin_lost": thin.way.down.figures.overflowed,
            "lost": got["lost"],
            "decoded_share": share,
            "decoded_share_before": before,
            "met": got["lost"] == 0
            and share >= 0.98 * min(1.0, before),  # browser and hub are not read at the same moment
        }


async def _back(wall: BadWall) -> float:
    """Milliseconds from the end of a silence to the last tile's first new frame."""
    page = wall.page
    await page.forget()
    wall.way.silence(SILENCE_SECONDS)
    await page.rest(SILENCE_SECONDS)
    ended = float(await page.page.evaluate("() => performance.now()"))
    await page.rest(BACK_MS / 1000 + 2.0)
    first: list[float] = []
    for tile in range(4):
        fresh = [frame.at for frame in await page.frames(tile) if frame.received >= ended - 50]
        if not fresh:
            raise HubError(Kind.TIMEOUT, f"tile {tile} did not come back")
        first.append(fresh[0] - ended)
    return max(0.0, *first)
