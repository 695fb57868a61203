"""The page's WebSocket, against a real server."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from camera_hub.access.policy import Actor, Role
from camera_hub.api.live import (
    CROWDED,
    PAGES_PER_USER,
    REPLACED,
    REPORTS,
    SIGNED_OUT,
    Live,
    LivePages,
    PageActions,
    PageLogin,
)
from camera_hub.api.live_changes import Audience, ChangedRow, PageChanges, Render, to_village
from camera_hub.api.live_ptz import PageSteering
from camera_hub.api.routing import COOKIE
from camera_hub.api.schemas.base import Answer
from camera_hub.clock import SystemClock
from camera_hub.errors import HubError, Kind
from camera_hub.events import AccessChanged, AlarmChanged, CameraChanged, EventBus, FavouriteChanged, SweepChanged
from camera_hub.media.engine import MediaEngine
from camera_hub.patrol.runs.visibility import Sighting
from camera_hub.running import running
from camera_hub.settings import Settings
from camera_hub.store.database import Database
from tests.api.hub_with_media import FakeSteering, Site, serving
from tests.media.conftest import FakeSources, media, settings, site, sources

__all__ = ["media", "settings", "site", "sources"]

PAGE = "page-0001"


class Row(Answer):
    """A changed row of any noun."""

    id: int


@pytest.fixture
async def hub(media: MediaEngine, bus: EventBus, site: Database, settings: Settings) -> AsyncIterator[Site]:
    async with serving(media, bus, SystemClock(), site, settings) as hub:
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
    asked: list[list[Any]] = []

    async def reader(ids: Collection[Any]) -> dict[Any, Render]:
        asked.append(list(ids))
        return {identity: to_village(Row(id=identity), 2 if identity == 5 else 1) for identity in ids}

    async def search(actor: Actor, identity: str) -> Row:
        return Row(id=actor.user_id)

    hub.readers["camera"] = hub.readers["alarm"] = reader
    hub.personal["sweep"] = search
    async with hub.page(PAGE) as operator, hub.page("page-0002", "village") as village:
        await operator.next("hello")
        await village.next("hello")
        for event in (CameraChanged(5, 2), AlarmChanged(7, None), SweepChanged("s", 2), CameraChanged(1, 1)):
            bus.publish(event)
        seen = [await operator.next("changed") for _ in range(3)]
        assert sorted((row["topic"], row["id"]) for row in seen) == [("alarm", 7), ("camera", 1), ("camera", 5)]
        assert {"type": "changed", "topic": "camera", "id": 1, "data": {"id": 1}} in seen
        told = [await village.next("changed") for _ in range(2)]
        assert sorted((row["topic"], row["id"], row["data"]) for row in told) == [
            ("camera", 1, {"id": 1}),
            ("sweep", "s", {"id": 2}),
        ]
    assert sorted(identity for ids in asked for identity in ids) == [1, 5, 7], "each row is read once for both pages"


async def test_a_favourite_wakes_the_pages_of_its_user_alone(hub: Site, bus: EventBus) -> None:
    async def reader(ids: Collection[Any]) -> dict[Any, Render]:
        return {identity: to_village(Row(id=identity), 1) for identity in ids}

    hub.readers["camera"] = reader
    async with hub.page(PAGE) as operator, hub.page("page-0002", "village") as village:
        await operator.next("hello")
        await village.next("hello")
        bus.publish(FavouriteChanged(1, 3))
        assert (await operator.next("changed"))["id"] == 3
        bus.publish(CameraChanged(4, 1))
        assert (await village.next("changed"))["id"] == 4


@pytest.mark.slow
async def test_a_database_that_is_away_delays_changes_and_loses_none(hub: Site, bus: EventBus) -> None:
    tries: list[int] = []

    async def reader(ids: Collection[Any]) -> dict[Any, Render]:
        tries.append(len(ids))
        if len(tries) == 1:
            raise HubError(Kind.UNAVAILABLE, "the database does not answer")
        return {identity: to_village(Row(id=identity), 1) for identity in ids}

    hub.readers["camera"] = reader
    async with hub.page(PAGE) as page:
        await page.next("hello")
        bus.publish(CameraChanged(3, 1))
        assert (await page.next("changed"))["data"] == {"id": 3}
    assert tries == [1, 1]


async def test_what_a_page_reports_counts_only_for_cameras_that_its_tiles_showed(hub: Site) -> None:
    async with hub.page(PAGE) as page:
        viewer = await offer(hub)
        await page.show(viewer=viewer, camera=1)
        await page.next("tile", state="live")
        cameras = [{"camera": 1, "seconds": 4.0}, {"camera": 2, "seconds": 4.0, "gap": "no_picture"}]
        await page.connection.send(json.dumps({"type": "seen", "run": 7, "step": 3, "cameras": cameras}))
        for step in range(20):
            await page.connection.send(json.dumps({"type": "seen", "run": 8, "step": step, "cameras": []}))
        await page.connection.send("{}")
        assert await page.closed() == 1003
    assert hub.reports[0] == (1, 7, 3, [Sighting(1, 4.0, None), Sighting(2, 0.0, "no_picture")])
    assert len(hub.reports) == REPORTS


class SlowPage:
    """A page's socket; after the first row that it is sent the user's rights are narrowed."""

    def __init__(self, wide: Actor, narrow: Actor) -> None:
        self.headers = {"authorization": "Bearer op"}
        self.changes = PageChanges(wide, lambda: None)
        self.sent: list[dict[str, Any]] = []
        self._narrow = narrow

    async def send_text(self, text: str) -> None:
        self.sent.append(json.loads(text))
        if len(self.sent) == 1:
            self.changes.ask_recheck()

    async def actor(self, token: str) -> Actor:
        return self._narrow


async def test_rows_that_wait_are_not_sent_before_changed_rights_are_read() -> None:
    wide = Actor(1, "op", "Operator", Role.OPERATOR)
    page = SlowPage(wide, Actor(1, "op", "Operator", Role.OPERATOR, frozenset({1})))
    nobody: Any = None
    actions = PageActions(nobody, nobody, nobody, nobody, PageSteering(FakeSteering(), EventBus()))
    pages = LivePages(nobody, actions, nobody, page, SystemClock())
    for number in (1, 2):
        audience = Audience(villages=frozenset({2}))
        page.changes.put(ChangedRow(("camera", number), audience, to_village(Row(id=number), 2)))
    live = Live(pages, page, PageLogin(wide, lambda: page.actor("op")), PAGE)  # type: ignore[arg-type]  # what of a socket is used
    live._ready.set()
    page.changes._wake = live._ready.set
    async with running(live._send_changes(page.changes), "changes"), asyncio.timeout(60):
        while len(page.sent) < 2:  # noqa: ASYNC110 (nothing but the socket tells)
            await asyncio.sleep(0)
    assert [(message["type"], message.get("id")) for message in page.sent] == [("changed", 1), ("reload", None)]


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
        assert media.pages.greeting(PAGE).viewers == [viewer]
        hub.sessions.actors.clear()
        bus.publish(AccessChanged(1))
        assert await page.closed() == SIGNED_OUT
        assert media.pages.greeting(PAGE).viewers == []


LISTEN = '{"type": "listen", "camera": null, "serial": %s}'


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{}", 1003),
        ("no json", 1003),
        ("[" * 30_000, 1003),
        (b"{}", 1003),
        (b"\xff\x00", 1003),
        (LISTEN % 2**63, 1003),
        (LISTEN % 10**4000, 1003),
        ('"' + "x" * 70_000 + '"', 1009),
        ([b"x" * 40_000, b"x" * 40_000], 1009),
        (["x" * 40_000, "x" * 40_000], 1009),
    ],
    ids=lambda value: str(value)[:12],
)
async def test_what_is_no_wish_closes_the_connection(hub: Site, message: Any, code: int) -> None:
    """Fragments count together, and as what they are unpacked (RFC 7692): the client compresses them."""
    async with hub.page(PAGE) as page:
        await page.next("hello")
        await page.connection.send(message)
        assert await page.closed() == code


@pytest.mark.parametrize(
    ("token", "origin", "status"), [("", None, 401), ("op", "http://evil.test", 403)], ids=["no session", "foreign"]
)
async def test_strangers_are_refused_without_an_error_of_the_server(
    hub: Site, caplog: pytest.LogCaptureFixture, token: str, origin: str | None, status: int
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with hub.page(PAGE, token, origin):
            pass
    assert refused.value.response.status_code == status
    assert not [one.message for one in caplog.records if one.levelno >= logging.WARNING]


async def test_who_names_no_page_is_told_how(hub: Site) -> None:
    url = f"{hub.url.replace('http', 'ws', 1)}/api/live?page={PAGE}"
    for offered in (["camera-hub"], [f"page.{PAGE}"], ["camera-hub", "page.a", "page.b"]):
        with pytest.raises(InvalidStatus) as refused:
            async with connect(
                url,
                additional_headers={"Cookie": f"{COOKIE}=op"},
                subprotocols=[Subprotocol(one) for one in offered],
                proxy=None,
            ):
                pass
        assert refused.value.response.status_code == 422
        assert b"offer the subprotocols camera-hub and page." in refused.value.response.body


async def test_a_user_has_so_many_pages_and_no_more(hub: Site) -> None:
    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(hub.page(f"page-{number:04}")) for number in range(PAGES_PER_USER)]
        for page in pages:
            await page.next("hello")
        async with hub.page("one-too-many") as late:
            assert await late.closed() == CROWDED
        async with hub.page("of-another-user", "village") as other:
            await other.next("hello")
        await pages[0].connection.close()
        async with hub.page("after-one-has-left") as page:
            await page.next("hello")


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
