"""The page's WebSocket, against a real server."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from camera_hub.access.policy import Actor
from camera_hub.api.live import REPLACED, SIGNED_OUT
from camera_hub.events import AccessChanged, AlarmChanged, CameraChanged, EventBus, SweepChanged
from camera_hub.media.engine import MediaEngine
from tests.api.hub_with_media import Site, serving
from tests.media.conftest import FakeSources, media, settings, site, sources

__all__ = ["media", "settings", "site", "sources"]

PAGE = "page-0001"


@pytest.fixture
async def hub(media: MediaEngine) -> AsyncIterator[Site]:
    async with serving(media) as hub:
        yield hub


async def offer(hub: Site, page: str = PAGE, token: str = "op") -> str:
    async with hub.browser(token) as browser:
        answer = await browser.post("/api/viewers", json={"page": page, "sdp": "offer"})
        assert answer.status_code == 201, answer.text
        body = answer.json()
    assert (body["sdp"], body["tracks"], body["relay"], body["epoch"]) == ("answer", 16, 0, 1)
    return str(body["viewer"])


async def test_hello_then_tiles_of_the_shown_camera(hub: Site) -> None:
    async with hub.page(PAGE) as page:
        hello = await page.next("hello")
        assert hello["relays"] == {"0": 1}
        assert hello["viewers"] == []
        viewer = await offer(hub)
        await page.show(viewer=viewer, camera=1)
        live = await page.next("tile", state="live")
    assert (live["camera"], live["stream"], live["codec"], live["since"]) == (1, "sub", "h264", None)


async def test_a_page_that_reconnects_keeps_its_viewer_and_is_told_its_tiles(hub: Site) -> None:
    async with hub.page(PAGE) as page:
        viewer = await offer(hub)
        await page.show(viewer=viewer, camera=1)
        await page.next("tile", state="live")
    async with hub.page(PAGE) as page:
        assert (await page.next("hello"))["viewers"] == [viewer]
        assert (await page.next("tile"))["state"] == "live"


async def test_a_second_connection_of_a_page_replaces_the_first(hub: Site) -> None:
    async with hub.page(PAGE) as first, hub.page(PAGE) as second:
        await second.next("hello")
        assert await first.closed() == REPLACED


async def test_events_become_changes_in_the_actor_s_scope(hub: Site, bus: EventBus) -> None:
    asked: list[tuple[int, int]] = []

    async def reader(state: Any, actor: Actor, identity: Any) -> dict[str, Any] | None:
        asked.append((actor.user_id, identity))
        return {"id": identity}

    hub.readers.update(camera=reader, alarm=reader, sweep=reader)
    async with hub.page(PAGE) as operator, hub.page("page-0002", "village") as village:
        await operator.next("hello")
        await village.next("hello")
        for event in (CameraChanged(5, 2), AlarmChanged(7, None), SweepChanged("s", 2), CameraChanged(1, 1)):
            bus.publish(event)
        assert (await operator.next("changed"))["id"] == 5
        assert (await operator.next("changed"))["topic"] == "alarm"
        assert await operator.next("changed") == {"type": "changed", "topic": "camera", "id": 1, "data": {"id": 1}}
        assert (await village.next("changed"))["topic"] == "sweep"
        assert (await village.next("changed"))["id"] == 1
    assert (2, 5) not in asked


async def test_a_flood_of_changes_is_one_reload(hub: Site, bus: EventBus) -> None:
    async with hub.page(PAGE) as page:
        await page.next("hello")
        for number in range(1, 3000):
            bus.publish(CameraChanged(number, 1))
        assert await page.next("reload") == {"type": "reload"}


async def test_a_page_whose_session_ended_is_closed_and_so_are_its_pictures(
    hub: Site, bus: EventBus, media: MediaEngine
) -> None:
    async with hub.page(PAGE) as page:
        await page.next("hello")
        viewer = await offer(hub)
        assert media.viewers_of(PAGE) == [viewer]
        hub.sessions.actors.clear()
        bus.publish(AccessChanged(1))
        assert await page.closed() == SIGNED_OUT
        assert media.viewers_of(PAGE) == []


@pytest.mark.parametrize(("text", "code"), [("{}", 1003), ("no json", 1003), ('"' + "x" * 70_000 + '"', 1009)])
async def test_what_is_no_wish_closes_the_connection(hub: Site, text: str, code: int) -> None:
    async with hub.page(PAGE) as page:
        await page.next("hello")
        await page.connection.send(text)
        assert await page.closed() == code


@pytest.mark.parametrize(
    ("token", "origin", "status"), [("", None, 401), ("op", "http://evil.test", 403)], ids=["no session", "foreign"]
)
async def test_strangers_are_refused(hub: Site, token: str, origin: str | None, status: int) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with hub.page(PAGE, token, origin):
            pass
    assert refused.value.response.status_code == status


async def test_a_known_origin_is_let_in(hub: Site) -> None:
    async with hub.page(PAGE, origin="http://pages.test") as page:
        await page.next("hello")


async def test_the_parameters_and_messages_are_described(hub: Site) -> None:
    async with hub.browser() as browser:
        assert (await browser.get("/api/media")).json() == {
            "ice_servers": [],
            "relays": [0],
            "tracks": 16,
            "audio": False,
        }
        examples = (await browser.get("/api/live/messages")).json()
    assert examples["tile"]["state"] == "empty"


async def test_viewers_are_closed_by_their_owner_alone(hub: Site, sources: FakeSources) -> None:
    viewer = await offer(hub)
    async with hub.browser("village") as other:
        assert (await other.delete(f"/api/viewers/{viewer}")).status_code == 404
    async with hub.browser() as own:
        assert (await own.delete(f"/api/viewers/{viewer}")).status_code == 200
        assert (await own.delete(f"/api/viewers/{viewer}")).status_code == 404
    assert sources.chosen == []
