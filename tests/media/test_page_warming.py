"""What a page will show next is kept running, within its bound and its rights."""

from collections.abc import Sequence

import pytest

from camera_hub.access.policy import Actor, Role
from camera_hub.errors import HubError, Kind
from camera_hub.media.background import Background
from camera_hub.media.wall.authorization import CameraFacts
from camera_hub.media.wall.page_warming import LEASE_SECONDS, MOST_HELD, PageWarming
from camera_hub.media.wall.watchers import Watcher
from tests.fakes.clock import ManualClock
from tests.media.conftest import NOON

VILLAGE_2 = Actor(7, "wang", "Wang", Role.VILLAGE_ADMIN, frozenset({2}))


class Rights:
    """Cameras over 100 are of another village."""

    async def require(self, watcher: Watcher, camera_id: int) -> CameraFacts:
        if camera_id > 100:
            raise HubError(Kind.NOT_FOUND, "there is no such camera")
        return CameraFacts(camera_id, 2, "approved", None)


class Feeds:
    """Keeps what was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[int], str, float]] = []

    async def warm(self, camera_ids: Sequence[int], holder: str, seconds: float) -> None:
        self.asked.append((list(camera_ids), holder, seconds))


class Room:
    """Page warming over fakes."""

    def __init__(self) -> None:
        self.clock, self.feeds, self.background = ManualClock(NOON), Feeds(), Background()
        self.warming = PageWarming(Rights(), self.feeds, self.background, self.clock)

    async def ask(self, *cameras: int, page: str = "p1") -> list[int]:
        before = len(self.feeds.asked)
        self.warming.warm(page, VILLAGE_2, cameras)
        for task in list(self.background._tasks.values()):
            await task
        return [camera for asked, _, _ in self.feeds.asked[before:] for camera in asked]


@pytest.fixture
def room() -> Room:
    return Room()


async def test_only_what_the_user_may_watch_is_kept_running(room: Room) -> None:
    assert await room.ask(1, 101, 2, 1) == [1, 2]
    assert room.feeds.asked == [([1, 2], "page p1", LEASE_SECONDS)]
    assert await room.ask(102) == []


async def test_a_page_holds_few_at_a_time_and_others_have_their_own(room: Room) -> None:
    assert await room.ask(1, 2, 3, 4) == [1, 2, 3, 4]
    assert await room.ask(5, 6, 7, 8) == [5, 6, 7, 8]
    assert await room.ask(9, 1) == [1], "one that is held is renewed, a ninth is not taken"
    assert room.warming.dropped == 1
    assert await room.ask(9, page="p2") == [9]
    room.clock.move(LEASE_SECONDS + 0.1)
    assert await room.ask(9, 10) == [9, 10]
    assert MOST_HELD == 8


async def test_pages_that_ask_for_nothing_more_are_forgotten(room: Room) -> None:
    for page in range(100):
        await room.ask(1, page=f"page{page}")
    room.warming.sweep()
    assert len(room.warming) == 100
    room.clock.move(LEASE_SECONDS + 0.1)
    room.warming.sweep()
    assert len(room.warming) == 0
