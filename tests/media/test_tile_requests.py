"""The straight path of a click on a tile, with every neighbour replaced."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.background import Background
from camera_hub.media.feeds.feed_states import FeedReport
from camera_hub.media.feeds.sub_stream_fallback import LateCameras
from camera_hub.media.interface import PullableStream, Quality, TileWish, ViewerEnded
from camera_hub.media.wall.stream_selection import StreamSelection
from camera_hub.media.wall.tile_bindings import TileBindings
from camera_hub.media.wall.tile_reports import TileReports
from camera_hub.media.wall.tile_requests import TileRequests
from camera_hub.media.wall.tile_updates import TileUpdates
from camera_hub.media.wall.viewer_session import ViewerSession, ViewerSessions
from camera_hub.relay.messages import FeedPhase, FeedState, LinkLevel, LinkState, TrackPhase, TrackState
from tests.fakes.clock import ManualClock
from tests.media.conftest import OPERATOR, FakeSources
from tests.media.parts import FakeAuthorization, FakeCapacity, FakeLeases, FakePages, FakeStills, RecordingRelay

LIVE = FeedReport(FeedState("s12", FeedPhase.LIVE, codec="h264"), was_live=True)


class LoggedSources(FakeSources):
    """Streams of every camera; keeps the order of what was asked of whom."""

    log: list[str]

    async def choose(self, camera_id: int, quality: Quality, codecs: frozenset[str]) -> PullableStream:  # type: ignore[override]
        self.log.append(f"choose {camera_id} {quality}")
        return await super().choose(camera_id, quality, codecs)


class Wall:
    """The parts of the straight path over recorded neighbours; one page with a viewer of four tracks."""

    def __init__(self, clock: ManualClock, background: Background, relays: int = 1) -> None:
        self.clock = clock
        self.log: list[str] = []
        self.relays = [RecordingRelay(number) for number in range(relays)]
        self.pages = FakePages()
        self.authorization = FakeAuthorization(self.log)
        self.sources = LoggedSources()
        self.sources.log = self.log
        self.feeds = FakeLeases(self.log, LIVE)
        self.stills = FakeStills()
        self.late = LateCameras(clock)
        self.capacity = FakeCapacity()
        self.sessions = ViewerSessions(relays)
        updates = TileUpdates(self.pages, self.pages)
        selection = StreamSelection(self.sources, self.late, self.capacity)
        bindings = TileBindings(self.feeds, self.stills, self.relays, updates)
        self.requests = TileRequests(self.sessions, self.authorization, selection, bindings, updates, background, clock)
        self.reports = TileReports(self.sessions, self.requests, selection, updates, clock)
        self.viewer = self.join("v0", 0)

    def join(self, name: str, relay: int, page: str | None = "page") -> ViewerSession:
        viewer = ViewerSession(name, page, relay, OPERATOR, codecs=frozenset({"h264"}), tracks=4)
        self.sessions.add(viewer)
        return viewer

    async def show(self, camera: int | None, serial: int = 1, quality: Quality = "auto", **values: datetime) -> None:
        self.requests.show("page", TileWish("v0", 0, serial, camera, quality, **values))
        await self.clock.settle()


@pytest.fixture
async def wall(clock: ManualClock) -> AsyncIterator[Wall]:
    async with Background() as background:
        yield Wall(clock, background)


@pytest.fixture
async def two(clock: ManualClock) -> AsyncIterator[Wall]:
    async with Background() as background:
        yield Wall(clock, background, relays=2)


async def test_a_click_runs_straight_through(wall: Wall) -> None:
    await wall.show(1)
    assert wall.log == ["authorize 1", "choose 1 auto", "acquire s12"]
    assert wall.relays[0].posts == [
        {"type": "track.show", "viewer": "v0", "track": 0, "feed": "s12", "serial": 1, "hold": False}
    ]
    wall.reports.on_track_state(TrackState("v0", 0, 1, TrackPhase.LIVE, "s12"))
    assert wall.pages.states() == [("connecting", None), ("waiting", None), ("live", None)]
    assert [tile.state for tile in wall.pages.followed] == ["connecting", "waiting", "live"]


async def test_the_last_feed_is_released_when_the_next_one_is_bound_and_an_emptied_tile_holds_none(wall: Wall) -> None:
    await wall.show(1)
    await wall.show(2, serial=2)
    assert [lease.released for lease in wall.feeds.leases] == [1, 0]
    await wall.show(None, serial=3)
    assert [lease.released for lease in wall.feeds.leases] == [1, 1]
    assert wall.pages.states()[-1] == ("empty", None)


async def test_who_may_not_watch_is_refused_before_anything_is_asked(wall: Wall) -> None:
    wall.authorization.errors[1] = HubError(Kind.CONFLICT, "retired", reason=Reason.RETIRED)
    await wall.show(1)
    assert wall.log == ["authorize 1"]
    assert wall.pages.states()[-1] == ("refused", Reason.RETIRED)


async def test_a_position_on_a_live_source_is_refused_by_name(wall: Wall) -> None:
    await wall.show(1, position=datetime(2026, 11, 1, tzinfo=UTC))
    assert wall.log == ["authorize 1"], "nothing is pulled for it"
    assert wall.pages.states()[-1] == ("refused", Reason.PLAYBACK_UNSUPPORTED)
    await wall.show(1, serial=2)
    assert wall.pages.states()[-1] == ("waiting", None)


async def test_a_newer_wish_overtakes_one_that_is_under_way(wall: Wall) -> None:
    wall.requests.show("page", TileWish("v0", 0, 1, 1))
    wall.requests.show("page", TileWish("v0", 0, 2, 2))
    wall.requests.show("page", TileWish("v0", 0, 1, 3))
    await wall.clock.settle()
    assert [post["feed"] for post in wall.relays[0].posts] == ["s22"]


async def test_an_unknown_viewer_and_a_track_that_there_is_not(wall: Wall) -> None:
    wall.requests.show("page", TileWish("gone", 0, 1, 1))
    assert wall.pages.published == [("page", ViewerEnded("gone", "unknown"))]
    with pytest.raises(HubError, match="4 tracks"):
        wall.requests.show("page", TileWish("v0", 4, 1, 1))


async def test_a_feed_that_this_viewer_cannot_play_gives_way_to_the_other_stream(wall: Wall) -> None:
    wall.sources.paths[1] = {"main": "live", "sub": "live"}
    wall.feeds.report = replace(LIVE, state=replace(LIVE.state, codec="h265"))
    wall.requests.show("page", TileWish("v0", 0, 1, 1, "main"))
    await wall.clock.settle()
    assert wall.log[:4] == ["authorize 1", "choose 1 main", "acquire s11", "authorize 1"]
    assert "choose 1 sub" in wall.log
    assert wall.stills.leases, "neither can be played: key frames are shown"
    assert wall.relays[0].posts[-1]["feed"] is None


async def test_a_poor_link_gets_the_sub_stream(wall: Wall) -> None:
    wall.sources.paths[1] = {"main": "live", "sub": "live"}
    await wall.show(1, quality="main")
    wall.reports.on_link_state(LinkState("v0", LinkLevel.LIGHT))
    await wall.clock.settle()
    assert [post["feed"] for post in wall.relays[0].posts] == ["s11", "s12"]
    assert wall.relays[0].posts[-1]["hold"] is True


async def test_the_relay_of_the_village_carries_the_tile_and_another_one_when_it_is_gone(two: Wall) -> None:
    far = two.join("v1", 1)
    two.authorization.village = 1
    await two.show(1)
    assert [len(relay.posts) for relay in two.relays] == [0, 1]
    assert list(far.shown) == [0]
    two.sessions.remove(far)
    two.requests.release(far)
    await two.clock.settle()
    assert list(two.viewer.shown) == [0]
    assert two.relays[0].posts[-1]["feed"] == "s12"
    assert two.feeds.leases[0].released == 1


async def test_a_stream_that_could_not_be_had_is_asked_for_again(wall: Wall) -> None:
    wall.sources.errors[1] = HubError(Kind.UNREACHABLE, "away", reason=Reason.UNREACHABLE)
    await wall.show(1)
    assert wall.pages.states()[-1] == ("failed", Reason.UNREACHABLE)
    del wall.sources.errors[1]
    wall.reports.sweep()
    await wall.clock.settle()
    assert wall.pages.states()[-1] == ("failed", Reason.UNREACHABLE), "not at once"
    wall.clock.move(10.5)
    wall.reports.sweep()
    await wall.clock.settle()
    assert wall.pages.states()[-1] == ("waiting", None)
