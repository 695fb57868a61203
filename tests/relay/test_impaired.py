"""Chromium behind a bad road: what is repaired, how soon a picture is back, that others never notice. Fixed seeds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise

import pytest
from playwright.async_api import Page

from camera_hub.bench.impairment import Impairment
from camera_hub.bench.road import Road, road, through
from tests.relay.browser import another, chromium
from tests.relay.camera import camera
from tests.relay.clip import RATE, clip
from tests.relay.hub import Hub, relay

pytestmark = pytest.mark.browser


@dataclass
class Watcher:
    """A page that shows feed "a" in its one track, over a road of its own."""

    name: str
    page: Page
    way: Road
    hub: Hub

    async def decoded(self) -> int:
        (stats,) = await self.page.evaluate("stats()")
        return int(stats["framesDecoded"])

    async def decoded_at_last(self) -> int:
        """How many it has decoded, however late, when no more are sent to it: a busy machine decodes slowly."""
        await self.hub.call("track.show", viewer=self.name, track=0, feed=None, serial=2)
        last, same = -1, 0
        async with asyncio.timeout(60):
            while same < 20:  # for a second nothing more
                await self.page.wait_for_timeout(50)
                now = await self.decoded()
                last, same = now, same + 1 if now == last else 0
        return last

    async def lost(self) -> int:
        (stats,) = await self.page.evaluate("stats()")
        return int(stats["packetsLost"])

    async def sent(self) -> int:
        """Frames of the camera, whether or not they went out."""
        return int((await self.hub.call("figures"))["feeds"]["a"]["frames"])


async def watcher(stack: AsyncExitStack, hub: Hub, name: str, page: Page, seed: int) -> Watcher:
    """Offer, connect over a road, and wait until the picture moves."""
    port = await hub.port()
    way = await stack.enter_async_context(road(port, seed=seed))
    answer = await hub.call("viewer.offer", viewer=name, sdp=await page.evaluate("offer(1)"))
    await page.evaluate("sdp => accept(sdp)", through(answer["sdp"], port, way.port))
    await hub.call("track.show", viewer=name, track=0, feed="a", serial=1)
    await page.wait_for_function("pictures().length == 1 && pictures()[0].frames > 25")
    return Watcher(name, page, way, hub)


@asynccontextmanager
async def watching(seed: int) -> AsyncIterator[tuple[AsyncExitStack, Watcher]]:
    """A camera of some 1 Mbit/s, a relay, and one page."""
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(relay())
        shown = clip(width=640, height=480, noise=20, options="bitrate=1000:vbv-maxrate=1000:vbv-bufsize=500")
        await hub.open("a", await stack.enter_async_context(camera(shown)))
        page = await stack.enter_async_context(chromium())
        yield stack, await watcher(stack, hub, "v", page, seed)


async def sent_frames(one: Watcher, count: int) -> None:
    """Until the camera has sent so many more."""
    wanted = await one.sent() + count
    async with asyncio.timeout(60):
        while await one.sent() < wanted:
            await one.page.wait_for_timeout(50)


@pytest.mark.parametrize(("loss", "share"), [(0.01, 0.95), (0.05, 0.85)])
async def test_most_frames_are_decoded_in_spite_of_loss_and_jitter(loss: float, share: float) -> None:
    async with watching(seed=21) as (_, one):
        one.way.down.impairment = one.way.up.impairment = Impairment(loss=loss, jitter=0.05, reorder=True)
        sent, before = await one.sent(), await one.decoded()
        await sent_frames(one, 8 * RATE)
        sent = await one.sent() - sent
        decoded = await one.decoded_at_last() - before
        assert one.way.down.figures.lost > loss * 600
        assert decoded >= share * sent, f"{decoded} of {sent} frames, {one.way.down.figures}"


async def test_after_a_second_of_silence_the_picture_goes_on_within_two() -> None:
    async with watching(seed=12) as (_, one):
        await one.page.evaluate("follow()")
        one.way.silence(1.0)
        await one.page.wait_for_function("followed.length > 1 && (followed.at(-1) - followed[0] >>> 0) > 4 * 90000")
        # Of what the camera sent over 2 s after the silence nothing is missing; RTP timestamps are the hub's time.
        stamps: list[int] = await one.page.evaluate("followed")
        steps = [(after - before) % (1 << 32) / 90_000 for before, after in pairwise(stamps)]
        assert one.way.down.figures.silenced > 0
        assert max(steps) <= 3.0, steps


async def test_a_viewer_on_a_thin_line_takes_nothing_from_the_others() -> None:
    async with watching(seed=13) as (stack, one):
        thin = await watcher(stack, one.hub, "thin", await another(one.page), 14)
        thin.way.down.impairment = Impairment(rate=100_000, queue=16_000)
        sent, before = await one.sent(), await one.decoded()
        await sent_frames(one, 6 * RATE)
        sent = await one.sent() - sent
        decoded = await one.decoded_at_last() - before
        assert thin.way.down.figures.overflowed > 0
        track = (await one.hub.call("figures"))["viewers"]["v"]["tracks"][0]
        assert (await one.lost(), track["lost"], track["dropped_frames"], track["rtx"]) == (0, 0, 0, 0)
        assert decoded >= sent - RATE // 5, "what is on its way to the decoder, no more"
