"""A browser behind a narrow link: it gets what the link bears, and nobody else loses anything."""

from contextlib import AsyncExitStack

import pytest

from camera_hub.bench.impairment import Impairment
from camera_hub.bench.road import road
from camera_hub.relay.peer import link_quality as link
from camera_hub.relay.peer import viewer
from tests.relay.camera import camera
from tests.relay.clip import clip
from tests.relay.hub import relay
from tests.relay.peer import viewer as peer_of


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge quickly; how long is waited in earnest is a matter of test_link."""
    monkeypatch.setattr(viewer, "JUDGE_EVERY", 0.5)
    monkeypatch.setattr(link, "BAD_SECONDS", 2)
    monkeypatch.setattr(link, "SETTLE", 0.5)
    monkeypatch.setattr(link, "REST", 2.0)


@pytest.mark.slow
async def test_a_viewer_on_100_kbit_is_sent_key_frames_alone_and_the_other_loses_nothing() -> None:
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(relay())
        await hub.open("a", await stack.enter_async_context(camera(clip(width=640, height=480))))
        way = await stack.enter_async_context(road(await hub.port(), seed=5))
        thin = await stack.enter_async_context(peer_of(hub, "thin", port=way.port))
        good = await stack.enter_async_context(peer_of(hub, "good"))
        for name in ("thin", "good"):
            await hub.call("track.show", viewer=name, track=0, feed="a", serial=1)
        assert await thin.width(0) == await good.width(0) == 640
        way.down.impairment = Impairment(rate=100_000, queue=20_000)
        for level in ("light", "keys"):
            await hub.until("viewer.link", lambda head, level=level: head["level"] == level)  # type: ignore[misc]
        figures = (await hub.call("figures"))["viewers"]
        assert (figures["thin"]["link"], figures["good"]["link"]) == ("keys", "full")
        for _ in range(3):
            assert await thin.width(0) == 640, "it still moves"
        way.down.impairment = Impairment()
        heard = len(hub.said)
        await hub.until("viewer.link", lambda head: head["level"] == "full", since=heard)
        figures = (await hub.call("figures"))["viewers"]
        assert figures["thin"]["tracks"][0]["thinned_frames"] > 10
        track = figures["good"]["tracks"][0]
        assert (track["lost"], track["rtx"], track["dropped_frames"], track["thinned_frames"]) == (0, 0, 0, 0)
        assert not any(frame.head["viewer"] == "good" for frame in hub.said if frame.type == "viewer.link")
