"""A device that bears two sessions: tiles beyond it say so and are served as room comes; looks stand back."""

import asyncio
from pathlib import Path

import pytest

from camera_hub.errors import Reason
from camera_hub.media.engine import MediaEngine
from camera_hub.media.interface import TileWish
from camera_hub.settings import EyeSettings, IngestSettings, MediaSettings, ServerSettings, Settings
from tests.media.conftest import OPERATOR, FakeSources, eventually, tile_in
from tests.media.test_engine import PAGE, heard, say


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        server=ServerSettings(data_dir=tmp_path),
        media=MediaSettings(udp_port=0, load_limit=1.0),
        ingest=IngestSettings(sessions_per_device=2),
        eye=EyeSettings(processes=1),
    )


@pytest.fixture
def sources() -> FakeSources:
    return FakeSources(device="recorder")


async def opened(media: MediaEngine) -> list[str]:
    return [message["feed"] for message in await heard(media) if message["type"] == "feed.open"]


async def test_a_tile_beyond_it_says_so_and_comes_when_another_is_emptied(media: MediaEngine) -> None:
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        for track in range(2):
            media.tiles.show(PAGE, TileWish(viewer, track, 1, track + 1))
            await tile_in(news, "live")
        media.tiles.show(PAGE, TileWish(viewer, 2, 1, 3))
        full = await tile_in(news, "failed")
        assert (full.camera, full.reason) == (3, Reason.DEVICE_FULL)
        assert "closed" in full.detail
        assert await opened(media) == ["s12", "s22"], "no storm of refusals"
        media.tiles.show(PAGE, TileWish(viewer, 0, 2, None))
        assert (await tile_in(news, "live")).camera == 3
        assert await opened(media) == ["s12", "s22", "s32"]


async def test_a_look_uses_what_runs_or_waits_and_never_blames_the_camera(media: MediaEngine) -> None:
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        for track in range(2):
            media.tiles.show(PAGE, TileWish(viewer, track, 1, track + 1))
            await tile_in(news, "live")
        assert (await media.looks.look(2)).reason is None, "of the running feed"
        assert (await media.looks.look(3, deadline=0.6)).reason == Reason.BUSY
        waiting = asyncio.create_task(media.looks.look(3, deadline=30))
        await eventually(lambda: _true(bool(media._feeds._room_waiters)))
        media.tiles.show(PAGE, TileWish(viewer, 0, 2, None))
        media._feeds.drop_camera(1)  # without waiting until it has lingered
        assert (await waiting).reason is None


async def test_a_refusal_teaches_that_it_bears_fewer(media: MediaEngine, sources: FakeSources) -> None:
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        media.tiles.show(PAGE, TileWish(viewer, 0, 1, 1))
        await tile_in(news, "live")
        sources.paths[2] = {"sub": "failed/device_full"}
        media.tiles.show(PAGE, TileWish(viewer, 1, 1, 2))
        assert (await tile_in(news, "failed")).reason == Reason.DEVICE_FULL
        await say(media)  # what it said before has been heard
        media.tiles.show(PAGE, TileWish(viewer, 2, 1, 3))
        assert (await tile_in(news, "failed")).camera == 3
        messages = [(m["type"], m["feed"]) for m in await heard(media) if m["type"] in ("feed.open", "feed.close")]
        assert messages == [("feed.open", "s12"), ("feed.open", "s22"), ("feed.close", "s22")]


async def _true(answer: bool) -> bool:
    return answer
