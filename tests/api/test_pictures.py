"""Kept pictures, fresh ones, and WHEP, against a real server."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import update

from camera_hub.clock import SystemClock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import EventBus
from camera_hub.media.engine import MediaEngine
from camera_hub.settings import Settings
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera
from tests.api.hub_with_media import OPERATOR, Site, serving
from tests.media.conftest import NOON, FakeSources, eventually, media, settings, site, sources

__all__ = ["media", "settings", "site", "sources"]


@pytest.fixture
async def hub(media: MediaEngine, bus: EventBus, site: Database, settings: Settings) -> AsyncIterator[Site]:
    async with serving(media, bus, SystemClock(), site, settings) as hub:
        yield hub


async def test_a_kept_picture_is_served_with_a_tag_and_not_twice(hub: Site) -> None:
    await hub.media.pictures.save(1, b"\xff\xd8 picture", NOON)
    async with hub.browser() as browser:
        first = await browser.get("/api/cameras/1/picture")
        assert (first.status_code, first.content, first.headers["content-type"]) == (
            200,
            b"\xff\xd8 picture",
            "image/jpeg",
        )
        assert first.headers["cache-control"] == "private, no-cache"
        again = await browser.get("/api/cameras/1/picture", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        await hub.media.pictures.save(1, b"\xff\xd8 another", NOON)
        changed = await browser.get("/api/cameras/1/picture", headers={"If-None-Match": first.headers["etag"]})
        assert changed.status_code == 200


async def test_no_picture_and_a_foreign_village_are_404(hub: Site) -> None:
    await hub.media.pictures.save(5, b"jpeg", NOON)
    async with hub.browser() as operator, hub.browser("village") as village:
        assert (await operator.get("/api/cameras/1/picture")).json()["reason"] == "no_picture"
        assert (await operator.get("/api/cameras/5/picture")).status_code == 200
        for method, path in (("GET", "picture"), ("POST", "snapshot")):
            assert (await village.request(method, f"/api/cameras/5/{path}")).json()["reason"] == "not_found"
        assert (await operator.get("/api/cameras/99/picture")).status_code == 404


@pytest.mark.parametrize("state", ["waiting", "retired", "found"])
async def test_a_picture_of_a_camera_that_is_not_approved_is_for_those_who_manage_it(
    hub: Site, site: Database, state: str
) -> None:
    await hub.media.pictures.save(1, b"jpeg", NOON)
    async with site.write() as session:
        await session.execute(update(Camera).where(Camera.id == 1).values(state=state))
    async with hub.browser() as operator, hub.browser("village") as village:
        assert (await operator.get("/api/cameras/1/picture")).json()["reason"] == "not_found"
        assert (await village.get("/api/cameras/1/picture")).status_code == 200


async def test_a_key_frame_picture_is_there_for_those_who_may_see_it_as_long_as_a_tile_shows_it(
    hub: Site, sources: FakeSources
) -> None:
    sources.paths[5] = {"sub": "h265"}
    still = "/api/cameras/5/still?stream=sub&n=1"
    async with hub.browser() as operator, hub.browser("village") as village, hub.page("page-0001") as page:
        assert (await operator.get(still)).json()["reason"] == "no_picture"
        offer = {"page": "page-0001", "relay": 0, "sdp": "offer"}
        viewer = (await operator.post("/api/viewers", json=offer)).json()["viewer"]
        await page.show(viewer=viewer, camera=5)
        told = await page.next("tile", state="pictures")
        assert (told["reason"], told["stream"], told["picture"] > 0) == ("no_h264", "sub", True)
        answer = await operator.get(still)
        assert (answer.status_code, answer.content, answer.headers["cache-control"]) == (
            200,
            b"jpeg",
            "private, no-store",
        )
        assert 0 <= int(answer.headers["x-picture-age"]) < 10_000
        assert (await village.get(still)).json()["reason"] == "not_found"
        assert (await operator.get("/api/cameras/5/still?stream=main")).status_code == 404
        await page.show(viewer=viewer, camera=None, serial=2)
        await page.next("tile", state="empty")
        assert (await operator.get(still)).status_code == 404


async def test_a_snapshot_is_of_the_main_stream_or_else_of_the_sub_stream(hub: Site, sources: FakeSources) -> None:
    sources.paths[1] = {"main": "live", "sub": "live"}
    sources.paths[2] = {"main": "failed/stream_not_found", "sub": "live"}
    async with hub.browser() as browser:
        for camera, stream in ((1, "main"), (2, "sub")):
            answer = await browser.post(f"/api/cameras/{camera}/snapshot")
            assert (answer.status_code, answer.content) == (200, b"jpeg"), answer.text
            assert answer.headers["x-picture-stream"] == stream


async def test_a_snapshot_of_a_sick_camera_says_why(hub: Site, sources: FakeSources) -> None:
    sources.paths[1] = {"sub": "failed/wrong_password"}
    async with hub.browser() as browser:
        answer = await browser.post("/api/cameras/1/snapshot?quality=sub")
        assert (answer.status_code, answer.json()["reason"]) == (502, "wrong_password")
        answer = await browser.post("/api/cameras/6/snapshot")
        assert (answer.status_code, answer.json()["reason"]) == (409, "not_approved")


async def test_whep_shows_one_camera_until_it_is_deleted(hub: Site) -> None:
    async with hub.browser() as browser:
        answer = await browser.post("/api/cameras/1/whep", content="offer", headers={"Content-Type": "application/sdp"})
        assert (answer.status_code, answer.text) == (201, "answer")
        assert answer.headers["content-type"].startswith("application/sdp")
        location = answer.headers["location"]
        assert location.startswith("/api/whep/")
        async with hub.browser("village") as other:
            assert (await other.delete(location)).status_code == 404
        assert (await browser.delete(location)).status_code == 200
        assert (await browser.delete(location)).status_code == 404


@pytest.mark.slow
async def test_whep_ends_with_its_session(hub: Site) -> None:
    sdp = {"Content-Type": "application/sdp"}
    async with hub.browser() as browser, hub.browser("village") as other:
        ended = (
            (await browser.post("/api/cameras/1/whep", content="offer", headers=sdp))
            .headers["location"]
            .rpartition("/")[2]
        )
        kept = (await other.post("/api/cameras/1/whep", content="offer", headers=sdp)).headers["location"]
        del hub.sessions.actors["op"]

        async def gone() -> bool:
            return bool(hub.media.readings.summary()["viewers"] == 1)

        await eventually(gone)
        with pytest.raises(HubError):
            await hub.media.viewers.close(ended, OPERATOR)
        assert (await other.delete(kept)).status_code == 200


async def test_whep_refuses_by_name(hub: Site, sources: FakeSources) -> None:
    sources.errors[2] = HubError(Kind.UNSUPPORTED, "no H.264", reason=Reason.NO_H264)
    sdp = {"Content-Type": "application/sdp"}
    async with hub.browser() as browser, hub.browser("village") as village:
        assert (await browser.post("/api/cameras/1/whep", content="offer")).status_code == 415
        assert (await browser.post("/api/cameras/1/whep", content=b"\xff", headers=sdp)).status_code == 422
        assert (await browser.post("/api/cameras/1/whep", content=b"x" * 300_000, headers=sdp)).status_code == 413
        assert (await browser.post("/api/cameras/2/whep", content="offer", headers=sdp)).json()["reason"] == "no_h264"
        assert (await browser.post("/api/cameras/1/whep", content="broken", headers=sdp)).status_code == 422
        assert (await village.post("/api/cameras/5/whep", content="offer", headers=sdp)).status_code == 404
    assert hub.media.readings.summary()["viewers"] == 0
