"""Key-frame pictures, with a relay and an eye that only speak."""

import asyncio
from typing import Any

import pytest

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import CameraChanged, EventBus
from camera_hub.media.engine import MediaEngine
from camera_hub.media.interface import TileStatus, TileWish
from camera_hub.media.wall.stream_selection import choose_stream
from camera_hub.media.wall.tile_state import TileSlot
from camera_hub.wire import PipeFrame
from tests.media.conftest import OPERATOR, FakeSources, tile_in, until
from tests.media.test_engine import PAGE, heard, say

TAPS = [("s12", 0.95)]


async def taps(media: MediaEngine) -> list[tuple[str, float | None]]:
    """What the relay was told about key frames."""
    return [(m["feed"], m["every"]) for m in await heard(media) if m["type"] == "feed.keys"]


async def key_frame(media: MediaEngine, feed: str = "s12", codec: str = "h265") -> None:
    """The camera sends one more."""
    await say(media, {"type": "key_frame", "feed": feed, "codec": codec, "received_at": 0.0})


@pytest.mark.parametrize(
    ("streams", "wanted", "codecs", "found"),
    [
        ({"main": "h265", "sub": "h264"}, "main", {"h264"}, ("sub", None)),
        ({"main": "h265", "sub": "h264"}, "main", {"h264", "h265"}, ("main", None)),
        ({"main": "h265", "sub": "h265"}, "auto", {"h264"}, ("sub", "no_h264")),
        ({"main": "h265", "sub": "h265"}, "main", {"h264"}, ("main", "no_h264")),
        ({"main": "h265"}, "auto", {"h264"}, ("main", "no_h264")),
        ({"main": "h265"}, "auto", {"h264", "h265"}, ("main", None)),
    ],
)
async def test_a_stream_is_played_or_shown_as_pictures(
    streams: dict[Any, str], wanted: Any, codecs: set[str], found: tuple[str, str | None]
) -> None:
    known = {FakeSources.stream(1, role): codec for role, codec in streams.items()}
    sources = FakeSources(paths={1: dict.fromkeys(streams, "live")}, codecs=known)
    chosen, why = await choose_stream(sources, TileSlot(0, camera_id=1, quality=wanted), frozenset(codecs))
    assert (chosen.role, why) == found


async def test_what_is_no_matter_of_codecs_stays_the_reason() -> None:
    error = HubError(Kind.UNREACHABLE, "no answer", reason=Reason.TIMED_OUT)
    with pytest.raises(HubError, match="no answer"):
        await choose_stream(FakeSources(errors={1: error}), TileSlot(0, camera_id=1), frozenset({"h264"}))


@pytest.mark.parametrize(("path", "reason"), [("h265", Reason.NO_H264), ("b_frames", Reason.B_FRAMES)])
async def test_a_stream_that_no_browser_here_plays_is_shown_as_pictures(
    media: MediaEngine, sources: FakeSources, path: str, reason: Reason
) -> None:
    sources.paths[1] = {"sub": path}
    async with media.page(PAGE, OPERATOR) as news:
        viewer = (await media.offer(OPERATOR, PAGE, 0, "offer")).viewer
        await media.show(PAGE, TileWish(viewer, 0, 1, 1))
        first = await tile_in(news, "pictures")
        assert (first.reason, first.stream, first.interval) == (reason, "sub", None)
        assert (still := media.stills.newest(1, "sub")) is not None
        assert (still.number, still.jpeg) == (first.picture, b"jpeg")
        await key_frame(media)
        second = await tile_in(news, "pictures")
        assert second.picture is not None
        assert first.picture is not None
        assert second.picture > first.picture
        assert second.interval is not None
        assert await taps(media) == TAPS
        shown = [m["feed"] for m in await heard(media) if m["type"] == "track.show"]
        assert shown[-1] is None, "nothing is sent as video"
        await media.show(PAGE, TileWish(viewer, 0, 2, None))
        await tile_in(news, "empty")
    assert await taps(media) == [*TAPS, ("s12", None)]
    assert media.stills.newest(1, "sub") is None, "a picture is kept only as long as a tile shows it"


async def test_tiles_share_the_tap_and_a_look_does_not_end_it(media: MediaEngine, sources: FakeSources) -> None:
    sources.paths[1] = {"sub": "h265"}
    async with media.page(PAGE, OPERATOR) as news:
        viewer = (await media.offer(OPERATOR, PAGE, 0, "offer")).viewer
        for track in (0, 1):
            await media.show(PAGE, TileWish(viewer, track, 1, 1))
            while (await tile_in(news, "pictures")).track != track:
                continue
        assert await taps(media) == TAPS
        assert (await media.look(1)).jpeg == b"jpeg"
        assert await taps(media) == [*TAPS, ("s12", 0)]
        await media.show(PAGE, TileWish(viewer, 0, 2, None))
        await tile_in(news, "empty")
        looks = media.eyes.looks
        await key_frame(media)
        while (await tile_in(news, "pictures")).track != 1:
            continue
        assert media.eyes.looks == looks + 1, "decoded once"
        assert (await taps(media))[-1] == ("s12", 0)


async def test_a_large_tile_gets_larger_pictures_of_the_main_stream(media: MediaEngine, sources: FakeSources) -> None:
    sources.paths[1] = {"main": "h265", "sub": "h265"}
    async with media.page(PAGE, OPERATOR) as news:
        viewer = (await media.offer(OPERATOR, PAGE, 0, "offer")).viewer
        await media.show(PAGE, TileWish(viewer, 0, 1, 1, "main"))
        large = await tile_in(news, "pictures")
    assert large.stream == "main"
    assert (await taps(media))[-1] == ("s11", 0.95)


async def test_a_browser_that_plays_h265_gets_it_as_video(media: MediaEngine, sources: FakeSources) -> None:
    sources.paths[1] = {"main": "h265"}
    async with media.page(PAGE, OPERATOR) as news:
        viewer = (await media.offer(OPERATOR, PAGE, 0, "h265 too")).viewer
        await media.show(PAGE, TileWish(viewer, 0, 1, 1, "main"))
        told = await until(news, lambda n: isinstance(n, TileStatus) and n.codec == "h265")
        assert isinstance(told, TileStatus)
        assert told.state == "waiting"
    assert await taps(media) == []
    assert [m["feed"] for m in await heard(media) if m["type"] == "track.show"] == ["s11"]


async def test_pictures_become_video_when_the_camera_is_set_to_h264(
    media: MediaEngine, sources: FakeSources, bus: EventBus
) -> None:
    sources.paths[1] = {"sub": "h265"}
    async with media.page(PAGE, OPERATOR) as news:
        viewer = (await media.offer(OPERATOR, PAGE, 0, "offer")).viewer
        await media.show(PAGE, TileWish(viewer, 0, 1, 1))
        await tile_in(news, "pictures")
        bus.publish(CameraChanged(1, 1))  # a health state, say: the tile goes on as it is
        state = {"type": "feed.state", "feed": "s12", "phase": "live", "codec": "h264", "width": 64, "height": 48}
        await say(media, state)
        await until(news, lambda n: isinstance(n, TileStatus) and n.codec == "h264" and n.state in ("waiting", "live"))
    assert (await taps(media))[-1] == ("s12", None)
    assert [m["feed"] for m in await heard(media) if m["type"] == "track.show"][-1] == "s12"


async def test_a_picture_that_cannot_be_decoded_is_a_reason(media: MediaEngine, sources: FakeSources) -> None:
    sources.paths[1] = {"sub": "h265"}
    async with media.page(PAGE, OPERATOR) as news:
        viewer = (await media.offer(OPERATOR, PAGE, 0, "offer")).viewer
        await media.show(PAGE, TileWish(viewer, 0, 1, 1))
        await tile_in(news, "pictures")
        broken = {"type": "key_frame", "feed": "s12", "codec": "h265", "received_at": 0.0}
        relay = media._feeds.relays[0]
        media._dispatch.relay_said(relay, PipeFrame(broken, b"broken"))
        assert (await tile_in(news, "failed")).reason == Reason.UNDECODABLE
        await key_frame(media)
        await tile_in(news, "pictures")


async def test_a_camera_has_one_picture_in_work_and_only_the_newest_waits(
    media: MediaEngine, sources: FakeSources
) -> None:
    sources.paths[1] = {"sub": "h265"}
    async with media.page(PAGE, OPERATOR) as news:
        viewer = (await media.offer(OPERATOR, PAGE, 0, "offer")).viewer
        await media.show(PAGE, TileWish(viewer, 0, 1, 1))
        await tile_in(news, "pictures")
        relay, looks = media._feeds.relays[0], media.eyes.looks
        head = {"type": "key_frame", "feed": "s12", "codec": "h265", "received_at": 0.0}
        for _ in range(5):
            media._dispatch.relay_said(relay, PipeFrame(head, b"fine"))
        for _ in range(2):
            await asyncio.sleep(0)
        for _ in range(5):
            media._dispatch.relay_said(relay, PipeFrame(head, b"fine"))
        await tile_in(news, "pictures")
        await tile_in(news, "pictures")
        assert media.eyes.looks == looks + 2
        assert media.stills.dropped == 8


async def test_a_relay_that_begins_anew_is_told_of_the_tap(media: MediaEngine, sources: FakeSources) -> None:
    sources.paths[1] = {"sub": "h265"}
    async with media.page(PAGE, OPERATOR) as news:
        viewer = (await media.offer(OPERATOR, PAGE, 0, "offer")).viewer
        await media.show(PAGE, TileWish(viewer, 0, 1, 1))
        await tile_in(news, "pictures")
        (key,) = media._feeds.of_camera(1)
        media._feeds._do(media._feeds._wanted.reopen(key))
        await tile_in(news, "pictures")
        assert await taps(media) == TAPS * 2


async def test_a_standard_player_is_refused_by_name(media: MediaEngine, sources: FakeSources) -> None:
    async def present() -> bool:
        return True

    sources.paths[1] = {"sub": "h265"}
    sources.codecs[12] = "h265"
    with pytest.raises(HubError) as refused:
        await media.offer_camera(OPERATOR, 1, "offer", present)
    assert (refused.value.kind, refused.value.reason) == (Kind.UNSUPPORTED, Reason.NO_H264)
    assert len(media._viewers) == 0
    await media.offer_camera(OPERATOR, 1, "h265 too", present)
    assert len(media._viewers) == 1
