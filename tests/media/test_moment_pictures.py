"""Pictures of this moment, with a relay and an eye that only speak: from feeds that run, and from no others."""

import asyncio

import pytest

from camera_hub.errors import HubError, Reason
from camera_hub.media.engine import MediaEngine
from camera_hub.media.interface import TileWish
from tests.media.conftest import OPERATOR, FakeSources, eventually, tile_in
from tests.media.test_engine import PAGE, heard

pytestmark = pytest.mark.one_database


async def pulled(media: MediaEngine) -> list[str]:
    """The feeds that the relay was told to open."""
    return [m["feed"] for m in await heard(media) if m["type"] == "feed.open"]


async def test_a_camera_that_is_watched_gives_its_picture_without_another_pull(
    media: MediaEngine, sources: FakeSources
) -> None:
    sources.paths[1] = {"main": "live", "sub": "live"}
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        media.tiles.show(PAGE, TileWish(viewer, 0, 1, 1, "sub"))
        await tile_in(news, "live")
        before = await pulled(media)
        for role in ("sub", "main"):  # the main stream does not run: the sub stream will do
            picture = await media.moments.take(1, max_width=640, role="main" if role == "main" else "sub", seconds=5.0)
            assert picture.jpeg == b"jpeg"
        assert await pulled(media) == before
        assert (await media.moments.take(1, max_width=0, role="sub", seconds=5.0)).at.tzinfo is not None
    assert (media.moments.taken, media.moments.failed) == (3, 0)


async def test_nobody_watches_so_there_is_no_picture_and_nothing_is_opened(
    media: MediaEngine, sources: FakeSources
) -> None:
    sources.paths[1] = {"sub": "live"}
    with pytest.raises(HubError) as missing:
        await media.moments.take(1, max_width=640, role="sub", seconds=5.0)
    assert missing.value.reason == Reason.NO_MEDIA
    assert await pulled(media) == []
    assert media.moments.failed == 1


async def test_sixteen_at_once_wait_for_the_eye_in_turn(media: MediaEngine, sources: FakeSources) -> None:
    cameras = range(1, 17)
    sources.paths = {camera: {"sub": "live"} for camera in cameras}
    await media.cameras.warm(list(cameras), "run-1-now", 60.0)

    async def live() -> bool:
        return all((media.cameras.feed_reason(camera) or ("", None))[0] == "live" for camera in cameras)

    await eventually(live)
    takes = [media.moments.take(camera, max_width=640, role="sub", seconds=20.0) for camera in cameras]
    assert [picture.jpeg for picture in await asyncio.gather(*takes)] == [b"jpeg"] * 16
