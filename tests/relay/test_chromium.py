"""The whole way: four cameras, one relay, one peer connection in Chromium, switched by message."""

from contextlib import AsyncExitStack

import pytest

from camera_hub.bench.road import road
from tests.relay.browser import chromium, pictures
from tests.relay.camera import camera
from tests.relay.clip import clip
from tests.relay.encoders import PLAYED, encoded
from tests.relay.hub import relay
from tests.relay.proxy import every

pytestmark = pytest.mark.browser


async def test_four_cameras_play_and_a_tile_switches_without_a_new_connection() -> None:
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(relay())
        sizes = [(320, 240), (352, 288), (384, 288), (416, 240), (640, 360)]
        for number, (width, height) in enumerate(sizes):
            shown = clip(40 * number, width=width, height=height)
            await hub.open(f"s{number}", await stack.enter_async_context(camera(shown)))
        for number in range(5):
            await hub.state(f"s{number}", "live")
        page = await stack.enter_async_context(chromium())
        answer = await hub.call("viewer.offer", viewer="v", sdp=await page.evaluate("offer(4)"))
        assert answer["tracks"] == 4
        assert "h264" in answer["codecs"]
        for track in range(4):
            await hub.call("track.show", viewer="v", track=track, feed=f"s{track}", serial=1)
        await page.evaluate("sdp => accept(sdp)", answer["sdp"])
        await hub.until("viewer.state", lambda head: head["state"] == "connected")
        await page.wait_for_function("pictures().length == 4 && pictures().every(p => p.width > 0 && p.frames > 25)")
        assert [(seen["width"], seen["height"]) for seen in await pictures(page)] == sizes[:4]

        await hub.call("track.show", viewer="v", track=1, feed="s4", serial=2)
        await hub.until("track.state", lambda head: head["serial"] == 2 and head["phase"] == "live")
        await page.wait_for_function("pictures()[1].width == 640")
        before = (await pictures(page))[1]["frames"]
        await page.wait_for_function(f"pictures()[1].frames > {before + 25}")
        assert await page.evaluate("connections") == 1
        stats = await page.evaluate("stats()")
        assert sum(entry["packetsLost"] for entry in stats) == 0
        assert all(entry.get("pliCount", 0) == 0 for entry in stats)


async def test_lost_packets_are_repaired_by_resends() -> None:
    shown = clip(width=640, height=480)
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(relay(payload_limit=500))
        await hub.open("a", await stack.enter_async_context(camera(shown)))
        lossy = await stack.enter_async_context(road(await hub.port()))
        page = await stack.enter_async_context(chromium())
        answer = await hub.call("viewer.offer", viewer="v", sdp=await page.evaluate("offer(1)"))
        sdp = answer["sdp"].replace(f" {await hub.port()} typ host", f" {lossy.port} typ host")
        await page.evaluate("sdp => accept(sdp)", sdp)
        await hub.until("viewer.state", lambda head: head["state"] == "connected")
        lossy.loses = every(30)
        await hub.call("track.show", viewer="v", track=0, feed="a", serial=1)
        await page.wait_for_function("pictures().length == 1 && pictures()[0].frames > 100")
        (stats,) = await page.evaluate("stats()")
        figures = (await hub.call("figures"))["viewers"]["v"]["tracks"][0]
        assert lossy.picked > 3
        assert figures["rtx"] >= lossy.picked - 2
        assert stats["retransmittedPacketsReceived"] >= lossy.picked - 3
        assert stats["framesDecoded"] >= 100


async def test_chromium_plays_all_that_is_not_named() -> None:
    """4:2:2 and 10 bit among them: Chromium decodes both, so the relay does not refuse them."""
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(relay())
        for name in PLAYED:
            await hub.open(name, await stack.enter_async_context(camera(encoded(name))))
        page = await stack.enter_async_context(chromium())
        answer = await hub.call("viewer.offer", viewer="v", sdp=await page.evaluate(f"offer({len(PLAYED)})"))
        for track, name in enumerate(PLAYED):
            await hub.call("track.show", viewer="v", track=track, feed=name, serial=1)
        await page.evaluate("sdp => accept(sdp)", answer["sdp"])
        await page.wait_for_function(
            f"pictures().length == {len(PLAYED)} && pictures().every(p => p.width > 0 && p.frames > 20)"
        )
        sizes = [(encoded(name).width, encoded(name).height) for name in PLAYED]
        assert [(seen["width"], seen["height"]) for seen in await pictures(page)] == sizes
