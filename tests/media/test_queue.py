"""Tiles for which there is no room: what they are told, that nobody else loses anything, and that they come back."""

from collections.abc import AsyncIterator

import pytest

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.background import Background
from camera_hub.media.capacity.budget import Grant
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.interface import PullableStream, Quality, TileStatus, TileWish
from camera_hub.media.relays.link import relay_of
from camera_hub.media.wall.tile_requests import RETRIED_AT_ONCE
from camera_hub.media.wall.tile_state import ASK_AGAIN_SECONDS
from camera_hub.relay.messages import TrackPhase, TrackState
from tests.fakes.clock import ManualClock
from tests.media.test_tile_requests import Wall

NO = Grant.REFUSED


class FullWall(Wall):
    """Shows cameras in tiles and keeps what the page is told."""

    async def put(self, track: int, camera: int | None, serial: int = 1, quality: str = "auto") -> None:
        self.requests.show("page", TileWish("v0", track, serial, camera, quality))  # type: ignore[arg-type]
        await self.clock.settle()

    async def second(self) -> None:
        """What the hub does each second."""
        await self.clock.advance(1.0)
        self.reports.sweep()
        await self.clock.settle()

    def told(self, track: int) -> tuple[str, str | None]:
        """What the page was last told of the tile."""
        return [(one.state, one.reason) for one in self._of(track)][-1]

    def count(self, track: int) -> int:
        """How often it was told something of it."""
        return len(self._of(track))

    def _of(self, track: int) -> list[TileStatus]:
        return [one for _, one in self.pages.published if isinstance(one, TileStatus) and one.track == track]


@pytest.fixture
async def wall(clock: ManualClock) -> AsyncIterator[FullWall]:
    async with Background() as background:
        yield FullWall(clock, background)


async def test_a_tile_beyond_what_the_machine_bears_is_busy_and_the_others_lose_nothing(wall: FullWall) -> None:
    await wall.put(0, 1)
    wall.reports.on_track_state(TrackState("v0", 0, 1, TrackPhase.LIVE, "s12"))
    asked = len(wall.relays[0].posts)
    wall.capacity.grants, wall.capacity.crowded = [NO], True
    await wall.put(1, 2)
    assert wall.told(1) == ("refused", Reason.BUSY)
    assert wall.told(0) == ("live", None)
    assert wall.feeds.leases[0].released == 0
    assert [post for post in wall.relays[0].posts[asked:] if post["track"] == 0] == []
    assert len(wall.feeds.leases) == 1, "nothing is pulled for it"
    told = wall.count(1)
    for _ in range(30):
        await wall.second()
    assert wall.count(1) == told, "it is told once"
    wall.capacity.crowded = False
    await wall.second()
    assert wall.told(1) == ("waiting", None)
    assert wall.viewer.shown[1].queued is None


async def test_room_is_given_in_the_order_of_asking_and_a_few_at_a_time(wall: FullWall) -> None:
    wall.viewer.tracks, waiting = 32, RETRIED_AT_ONCE + 6
    wall.capacity.crowded, wall.capacity.grants = True, [NO] * waiting
    for track in range(waiting):
        await wall.put(track, track + 1)
        await wall.clock.advance(0.1)
    asked = len(wall.capacity.asked)
    wall.capacity.crowded = False
    wall.capacity.grants = [Grant.GRANTED, Grant.GRANTED, *[NO] * (RETRIED_AT_ONCE - 2)]
    await wall.second()
    first = range(RETRIED_AT_ONCE)
    assert [holder for _, holder, _ in wall.capacity.asked[asked:]] == [f"v0/{track}" for track in first]
    assert [wall.told(track)[0] for track in first] == ["waiting"] * 2 + ["refused"] * (RETRIED_AT_ONCE - 2)
    await wall.put(31, 50)
    assert wall.told(31) == ("refused", Reason.BUSY), "who comes later is behind those that wait"
    assert len(wall.capacity.asked) == asked + RETRIED_AT_ONCE
    for _ in range(3):
        await wall.second()
    assert {wall.told(track)[0] for track in (*range(waiting), 31)} == {"waiting"}


async def test_a_tile_that_is_emptied_or_closed_leaves_the_queue(wall: FullWall) -> None:
    wall.capacity.crowded, wall.capacity.grants = True, [NO, NO]
    await wall.put(0, 1)
    await wall.put(1, 2)
    assert [tile.number for _, tile in wall.sessions.queue(0)] == [0, 1]
    await wall.put(0, None, serial=2)
    assert [tile.number for _, tile in wall.sessions.queue(0)] == [1]
    wall.sessions.remove(wall.viewer)
    assert wall.sessions.queue(0) == []


async def test_a_tile_that_shows_a_picture_may_show_another_one(wall: FullWall) -> None:
    await wall.put(0, 1)
    wall.capacity.crowded = True
    await wall.put(0, 2, serial=2)
    assert wall.capacity.asked[-1] == ("s22", "v0/0", True), "asked as a replacement"
    assert wall.told(0) == ("waiting", None)
    asked = len(wall.capacity.asked)
    await wall.put(0, 2, serial=3)
    assert len(wall.capacity.asked) == asked, "what is shown already is not asked for again"


async def test_without_room_for_the_main_stream_the_sub_stream_is_shown_and_called_so_until_there_is(
    wall: FullWall,
) -> None:
    wall.sources.paths[1] = {"main": "live", "sub": "live"}
    wall.capacity.grants = [Grant.SUB_STREAM]
    await wall.put(0, 1, quality="main")
    wall.reports.on_track_state(TrackState("v0", 0, 1, TrackPhase.LIVE, "s12"))
    tile = [one for _, one in wall.pages.published if isinstance(one, TileStatus)][-1]
    assert (tile.state, tile.stream, tile.note) == ("live", "sub", "busy_sub")
    shown = len(wall.relays[0].posts)
    wall.capacity.grants = [Grant.SUB_STREAM]
    for _ in range(11):
        await wall.second()
    assert len(wall.relays[0].posts) == shown, "a stream that is shown is not switched to itself"
    for _ in range(11):
        await wall.second()
    tile = [one for _, one in wall.pages.published if isinstance(one, TileStatus)][-1]
    assert (tile.stream, tile.note) == ("main", None)


async def test_where_not_even_the_sub_stream_fits_the_tile_waits(wall: FullWall) -> None:
    wall.capacity.grants, wall.capacity.crowded = [Grant.SUB_STREAM, NO], True
    await wall.put(0, 1, quality="main")
    assert wall.told(0) == ("refused", Reason.BUSY)


async def fill_queue(wall: FullWall, count: int) -> None:
    """So many tiles wait, of the cameras 1 and on; then there is room."""
    wall.viewer.tracks = 32
    wall.capacity.crowded, wall.capacity.grants = True, [NO] * count
    for track in range(count):
        await wall.put(track, track + 1)
        await wall.clock.advance(0.01)
    wall.capacity.crowded, wall.capacity.grants = False, []


async def test_tiles_whose_cameras_cannot_be_shown_any_longer_do_not_keep_the_others_waiting(wall: FullWall) -> None:
    sick, count = RETRIED_AT_ONCE, RETRIED_AT_ONCE + 3
    await fill_queue(wall, count)
    for camera in range(1, sick + 1):
        wall.authorization.errors[camera] = HubError(Kind.FORBIDDEN, "no longer yours")
    await wall.second()
    await wall.second()
    assert {wall.told(track) for track in range(sick)} == {("refused", "forbidden")}
    assert {wall.told(track)[0] for track in range(sick, count)} == {"waiting"}
    assert wall.sessions.queue(0) == []


async def test_a_slow_device_is_waited_for_and_what_it_says_ends_its_turn(wall: FullWall) -> None:
    sick, count = RETRIED_AT_ONCE, RETRIED_AT_ONCE + 3
    await fill_queue(wall, count)
    choose, asked = wall.sources.choose, list[int]()

    async def slow(camera_id: int, quality: Quality, codecs: frozenset[str]) -> PullableStream:
        if camera_id > sick:
            return await choose(camera_id, quality, codecs)
        asked.append(camera_id)
        await wall.clock.sleep(3.0)
        raise HubError(Kind.UNAVAILABLE, "no answer", reason=Reason.UNREACHABLE)

    wall.sources.choose = slow  # type: ignore[method-assign]
    for _ in range(6):
        await wall.second()
    assert asked == list(range(1, sick + 1)), "an attempt under way is left alone"
    assert {wall.told(track) for track in range(sick)} == {("failed", Reason.UNREACHABLE)}
    assert {wall.told(track)[0] for track in range(sick, count)} == {"waiting"}


async def test_a_tile_whose_page_comes_to_another_relay_waits_for_that_one(clock: ManualClock) -> None:
    async with Background() as background:
        wall = FullWall(clock, background, relays=2)
        wall.authorization.village = next(village for village in range(9) if relay_of(village, 2) == 1)
        wall.capacity.grants = [NO, NO]
        await wall.put(0, 1)
        assert [tile.number for _, tile in wall.sessions.queue(0)] == [0]
        wall.join("v1", 1)
        await wall.second()
        assert wall.sessions.queue(0) == []
        assert [tile.number for _, tile in wall.sessions.queue(1)] == [0]


async def test_a_waiting_tile_of_a_viewer_that_ends_is_told_again_that_it_waits(wall: FullWall) -> None:
    wall.capacity.crowded, wall.capacity.grants = True, [NO, NO]
    await wall.put(0, 1)
    wall.join("v1", 0)
    wall.sessions.remove(wall.viewer)
    wall.requests.release(wall.viewer)
    await wall.clock.settle()
    assert wall.told(0) == ("refused", Reason.BUSY)
    assert [(viewer.id, tile.number) for viewer, tile in wall.sessions.queue(0)] == [("v1", 0)]


async def test_what_else_is_busy_is_not_the_queue_and_is_asked_again_soon(wall: FullWall) -> None:
    choose = wall.sources.choose
    error: HubError | None = HubError(Kind.BUSY, "the login has just been changed", reason=Reason.BUSY)

    async def ask(camera_id: int, quality: Quality, codecs: frozenset[str]) -> PullableStream:
        if error is not None:
            raise error
        return await choose(camera_id, quality, codecs)

    wall.sources.choose = ask  # type: ignore[method-assign]
    await wall.put(0, 1)
    told = [one for _, one in wall.pages.published if isinstance(one, TileStatus)][-1]
    assert (told.state, told.reason) == ("refused", Reason.BUSY)
    assert told.retry_at is not None, "the page can tell it from the queue by that"
    assert (told.retry_at - wall.clock.now()).total_seconds() == ASK_AGAIN_SECONDS
    error = None
    for _ in range(int(ASK_AGAIN_SECONDS)):
        await wall.second()
    assert wall.told(0) == ("waiting", None)


async def test_what_is_busy_for_a_moment_takes_no_picture_away(wall: FullWall) -> None:
    wall.sources.paths[1] = {"main": "live", "sub": "live"}
    wall.capacity.grants = [Grant.SUB_STREAM]
    await wall.put(0, 1, quality="main")
    wall.reports.on_track_state(TrackState("v0", 0, 1, TrackPhase.LIVE, "s12"))

    async def busy(camera_id: int, quality: Quality, codecs: frozenset[str]) -> PullableStream:
        raise HubError(Kind.BUSY, "the login has just been changed", reason=Reason.BUSY)

    wall.sources.choose = busy  # type: ignore[method-assign]
    for _ in range(int(ASK_AGAIN_SECONDS) + 1):
        await wall.second()
    assert wall.told(0) == ("live", None)


async def test_a_player_that_was_answered_is_not_sent_into_the_queue(wall: FullWall) -> None:
    await wall.put(0, 1)
    player = wall.join("player", 0, page=None)
    wall.capacity.crowded, wall.capacity.grants = True, [NO]
    await wall.put(1, 2)
    wall.requests.show(None, TileWish("player", 0, 1, 99))
    await wall.clock.settle()
    assert player.shown[0].key == FeedKey(0, "s992")


async def test_a_picture_of_one_relay_makes_no_room_on_another(clock: ManualClock) -> None:
    async with Background() as background:
        wall = FullWall(clock, background, relays=2)
        of = {relay_of(village, 2): village for village in range(9)}
        wall.join("v1", 1)
        wall.authorization.village = of[0]
        await wall.put(0, 1)
        wall.authorization.village, wall.capacity.grants = of[1], [NO]
        await wall.put(0, 5, serial=2)
        assert wall.capacity.asked[-1] == ("s52", "v1/0", False), "it is a new picture there"
        assert wall.told(0) == ("refused", Reason.BUSY)
        wall.authorization.village = of[0]
        await wall.put(1, 1)
        wall.authorization.village = of[1]
        asked = len(wall.capacity.asked)
        await wall.put(1, 6, serial=2)
        assert wall.told(1) == ("refused", Reason.BUSY), "and comes after those that wait there"
        assert len(wall.capacity.asked) == asked
