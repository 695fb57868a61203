"""Key-frame pictures, with a relay and an eye that only speak."""

import asyncio
from typing import Any

import pytest

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import CameraChanged, EventBus
from camera_hub.eye.messages import Look, Seen
from camera_hub.media.background import Background
from camera_hub.media.decoders.stills import Stills
from camera_hub.media.engine import MediaEngine
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.key_frames import KeyFrames
from camera_hub.media.interface import TileStatus, TileWish
from camera_hub.media.wall.stream_selection import StreamSelection, StreamWish
from camera_hub.media.wall.viewer_session import PlayerTerms
from camera_hub.relay.messages import KeyFrame
from tests.fakes.clock import ManualClock
from tests.media.conftest import OPERATOR, FakeSources, tile_in, until
from tests.media.parts import FakeCapacity
from tests.media.test_engine import PAGE, heard, say

pytestmark = pytest.mark.one_database

TAPS = [("s12", 0.95)]


async def taps(media: MediaEngine) -> list[tuple[str, float | None]]:
    """What the relay was told about key frames."""
    return [(m["feed"], m["every"]) for m in await heard(media) if m["type"] == "feed.keys"]


async def key_frame(media: MediaEngine, body: str = "", count: int = 1) -> None:
    """The camera sends some more."""
    head = {"type": "key_frame", "feed": "s12", "codec": "h265", "received_at": 0.0, "body": body}
    await say(media, *[head] * count)


class NobodyRests:
    """No camera is late."""

    def rests(self, camera_id: int) -> bool:
        return False


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
    wish = StreamWish(1, wanted, wanted)
    chosen, why = await StreamSelection(sources, NobodyRests(), FakeCapacity()).choose(wish, frozenset(codecs))
    assert (chosen.role, why) == found


async def test_what_is_no_matter_of_codecs_stays_the_reason() -> None:
    error = HubError(Kind.UNREACHABLE, "no answer", reason=Reason.TIMED_OUT)
    selection = StreamSelection(FakeSources(errors={1: error}), NobodyRests(), FakeCapacity())
    with pytest.raises(HubError, match="no answer"):
        await selection.choose(StreamWish(1, "auto", "auto"), frozenset({"h264"}))


@pytest.mark.parametrize(("path", "reason"), [("h265", Reason.NO_H264), ("b_frames", Reason.B_FRAMES)])
async def test_a_stream_that_no_browser_here_plays_is_shown_as_pictures(
    media: MediaEngine, sources: FakeSources, path: str, reason: Reason
) -> None:
    sources.paths[1] = {"sub": path}
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        media.tiles.show(PAGE, TileWish(viewer, 0, 1, 1))
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
        media.tiles.show(PAGE, TileWish(viewer, 0, 2, None))
        await tile_in(news, "empty")
    assert await taps(media) == [*TAPS, ("s12", None)]
    assert media.stills.newest(1, "sub") is None, "a picture is kept only as long as a tile shows it"


async def test_tiles_share_the_tap_and_a_look_does_not_end_it(media: MediaEngine, sources: FakeSources) -> None:
    sources.paths[1] = {"sub": "h265"}
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        for track in (0, 1):
            media.tiles.show(PAGE, TileWish(viewer, track, 1, 1))
            while (await tile_in(news, "pictures")).track != track:
                continue
        assert await taps(media) == TAPS
        assert (await media.looks.look(1)).jpeg == b"jpeg"
        assert await taps(media) == [*TAPS, ("s12", 0)]
        media.tiles.show(PAGE, TileWish(viewer, 0, 2, None))
        await tile_in(news, "empty")
        looks = media.readings.summary()["eyes"][0]["looks"]
        await key_frame(media)
        while (await tile_in(news, "pictures")).track != 1:
            continue
        assert media.readings.summary()["eyes"][0]["looks"] == looks + 1, "decoded once"
        assert (await taps(media))[-1] == ("s12", 0)


async def test_a_large_tile_gets_larger_pictures_of_the_main_stream(media: MediaEngine, sources: FakeSources) -> None:
    sources.paths[1] = {"main": "h265", "sub": "h265"}
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        media.tiles.show(PAGE, TileWish(viewer, 0, 1, 1, "main"))
        large = await tile_in(news, "pictures")
    assert large.stream == "main"
    assert (await taps(media))[-1] == ("s11", 0.95)


async def test_a_browser_that_plays_h265_gets_it_as_video(media: MediaEngine, sources: FakeSources) -> None:
    sources.paths[1] = {"main": "h265"}
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "h265 too")).viewer
        media.tiles.show(PAGE, TileWish(viewer, 0, 1, 1, "main"))
        told = await until(news, lambda n: isinstance(n, TileStatus) and n.codec == "h265")
        assert isinstance(told, TileStatus)
        assert told.state == "waiting"
    assert await taps(media) == []
    assert [m["feed"] for m in await heard(media) if m["type"] == "track.show"] == ["s11"]


async def test_pictures_become_video_when_the_camera_is_set_to_h264(
    media: MediaEngine, sources: FakeSources, bus: EventBus
) -> None:
    sources.paths[1] = {"sub": "h265"}
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        media.tiles.show(PAGE, TileWish(viewer, 0, 1, 1))
        await tile_in(news, "pictures")
        bus.publish(CameraChanged(1, 1))  # a health state, say: the tile goes on as it is
        state = {"type": "feed.state", "feed": "s12", "phase": "live", "codec": "h264", "width": 64, "height": 48}
        await say(media, state)
        await until(news, lambda n: isinstance(n, TileStatus) and n.codec == "h264" and n.state in ("waiting", "live"))
    assert (await taps(media))[-1] == ("s12", None)
    assert [m["feed"] for m in await heard(media) if m["type"] == "track.show"][-1] == "s12"


async def test_a_picture_that_cannot_be_decoded_is_a_reason(media: MediaEngine, sources: FakeSources) -> None:
    sources.paths[1] = {"sub": "h265"}
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        media.tiles.show(PAGE, TileWish(viewer, 0, 1, 1))
        await tile_in(news, "pictures")
        await key_frame(media, body="broken")
        assert (await tile_in(news, "failed")).reason == Reason.UNDECODABLE
        await key_frame(media)
        await tile_in(news, "pictures")


class SlowEyes:
    """Looks one at a time, when it is let."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.free = asyncio.Semaphore(0)

    async def look(self, camera_id: int, request: Look, data: bytes) -> tuple[Seen, bytes]:
        self.seen.append(data)
        await self.free.acquire()
        return Seen(64, 48), b"jpeg of " + data


async def test_a_camera_has_one_picture_in_work_and_only_the_newest_waits(clock: ManualClock) -> None:
    eyes, key, changes = SlowEyes(), FeedKey(0, "s12"), list[int]()
    frames = KeyFrames(lambda key, every: None)
    async with Background() as background:
        stills = Stills(clock, frames, eyes, background, at_once=2)
        lease = stills.acquire(key, 1, "sub", large=False, on_change=lambda: changes.append(lease.still.number))
        for number in range(10):
            frames.on_key_frame(key, KeyFrame("s12", "h265", 0.0), b"%d" % number)
            await clock.settle()
        assert eyes.seen == [b"0"]
        eyes.free.release()
        await clock.settle()
        assert eyes.seen == [b"0", b"9"]
        eyes.free.release()
        await clock.settle()
        assert changes == [1, 2]
        assert lease.still.jpeg == b"jpeg of 9"
        assert stills.dropped == 8
        lease.release()
        lease.release()
        assert len(stills) == 0
        assert stills.newest(1, "sub") is None


async def test_a_standard_player_is_refused_by_name(media: MediaEngine, sources: FakeSources) -> None:
    async def present() -> bool:
        return True

    sources.paths[1] = {"sub": "h265"}
    sources.codecs[12] = "h265"
    with pytest.raises(HubError) as refused:
        await media.whep.offer(OPERATOR, 1, "offer", PlayerTerms(present))
    assert (refused.value.kind, refused.value.reason) == (Kind.UNSUPPORTED, Reason.NO_H264)
    assert len(media.viewers) == 0
    await media.whep.offer(OPERATOR, 1, "h265 too", PlayerTerms(present))
    assert len(media.viewers) == 1
