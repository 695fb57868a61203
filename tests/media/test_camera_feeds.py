"""Feeds kept running for tours: read once, then renewed without reading; and what twenty tours cost the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.cameras.device_checks import DeviceChecks, approve_place
from camera_hub.cameras.peculiarities import Peculiarities
from camera_hub.cameras.reach import ReachPolicy
from camera_hub.cameras.register.register import Register
from camera_hub.cameras.streams import stored_urls
from camera_hub.cameras.streams.sources import StreamSources
from camera_hub.cameras.streams.stream_addresses import StreamAddresses
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import EventBus
from camera_hub.media.feeds.camera_feeds import ASK_AGAIN_SECONDS, CameraFeeds
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.sub_stream_fallback import LateCameras
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, Stream, Village
from tests.cameras.fakes import FakeDescriber, FakeVault
from tests.fakes.clock import ManualClock
from tests.media.conftest import NOON, FakeSources
from tests.media.parts import FakeCapacity, FeedParts

LEASE = 15.0
RENEWED = 5.0
"""As patrol.warming and patrol.runs."""


class Room(FeedParts):
    """Camera feeds over a recorded relay."""

    def __init__(self, bus: EventBus, clock: ManualClock, sources: Any) -> None:
        super().__init__(bus, clock, sources)
        self.capacity = FakeCapacity()
        late = LateCameras(clock)
        self.cameras = CameraFeeds(self.feeds, self.states, late, sources, clock, lambda village: 0, self.capacity)

    def opened(self) -> list[str]:
        return [post["feed"] for post in self.relay.posts if post["type"] == "feed.open"]


@pytest.fixture
def room(bus: EventBus, clock: ManualClock, sources: FakeSources) -> Room:
    return Room(bus, clock, sources)


async def test_a_stop_is_read_once_and_renewed_without_reading(
    room: Room, clock: ManualClock, sources: FakeSources
) -> None:
    for _ in range(20):
        await room.cameras.warm([1, 2, 1], "run-1-now", LEASE)
        clock.move(RENEWED)
        room.feeds.sweep()
        room.cameras.sweep()
    assert sources.chosen == [(1, "auto"), (2, "auto")]
    assert room.opened() == ["s12", "s22"]
    clock.move(LEASE + 10)
    room.feeds.sweep()  # the leases are over …
    clock.move(10)
    room.feeds.sweep()  # … and so is the time that feeds linger
    assert [post["feed"] for post in room.relay.posts if post["type"] == "feed.close"] == ["s12", "s22"]


async def test_only_what_changed_is_read_again(room: Room, sources: FakeSources) -> None:
    await room.cameras.warm([1, 2], "run-1-now", LEASE)
    room.cameras.on_camera_changed(2)
    sources.paths[2] = {"main": "live"}
    await room.cameras.warm([1, 2], "run-1-now", LEASE)
    await room.cameras.warm([1, 2], "run-1-now", LEASE)
    assert sources.chosen == [(1, "auto"), (2, "auto"), (2, "auto")]
    assert room.opened() == ["s12", "s22", "s21"]
    room.cameras.on_device_changed(1)
    await room.cameras.warm([1], "run-1-now", LEASE)
    assert len(sources.chosen) == 4
    room.cameras.on_events_lost()
    await room.cameras.warm([1, 2], "run-1-now", LEASE)
    assert len(sources.chosen) == 6


async def test_a_feed_that_was_closed_meanwhile_is_chosen_again(room: Room, sources: FakeSources) -> None:
    await room.cameras.warm([1], "run-1-now", LEASE)
    room.feeds.drop_camera(1)
    await room.cameras.warm([1], "run-1-now", LEASE)
    assert len(sources.chosen) == 2, "its address may be another one now"
    assert room.opened() == ["s12", "s12"]


async def test_a_camera_that_cannot_run_is_asked_for_now_and_then(
    room: Room, clock: ManualClock, sources: FakeSources
) -> None:
    sources.errors[1] = HubError(Kind.UNREACHABLE, "away", reason=Reason.UNREACHABLE)
    for _ in range(int(ASK_AGAIN_SECONDS / RENEWED)):
        await room.cameras.warm([1], "run-1-now", LEASE)
        clock.move(RENEWED)
        room.cameras.sweep()
    assert len(sources.chosen) == 1
    del sources.errors[1]
    await room.cameras.warm([1], "run-1-now", LEASE)
    assert room.opened() == ["s12"]


async def test_what_no_browser_plays_is_kept_running_for_its_pictures(room: Room, sources: FakeSources) -> None:
    sources.codecs[12] = "h265"
    await room.cameras.warm([1], "run-1-now", LEASE)
    assert room.opened() == ["s12"]
    assert room.states.owner(FeedKey(0, "s12")) is not None


# What it costs

RUNS = 20
CAMERAS = 16


async def test_a_tours_next_stop_is_not_fetched_while_nothing_more_fits_and_is_with_a_later_renewal(
    room: Room, clock: ManualClock
) -> None:
    await room.cameras.warm([1], "run", LEASE)
    room.capacity.crowded = True
    await room.cameras.warm([1, 2], "run", LEASE)
    assert room.opened() == ["s12"], "what runs goes on, what does not must wait"
    assert room.capacity.postponed == ["warm"]
    room.capacity.crowded = False
    await clock.advance(RENEWED)
    await room.cameras.warm([1, 2], "run", LEASE)
    assert room.opened() == ["s12", "s22"]


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Every SELECT, INSERT, UPDATE and DELETE that the database is sent meanwhile."""
    sent: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if statement.split(None, 1)[0].upper() in ("SELECT", "INSERT", "UPDATE", "DELETE"):
            sent.append(statement)

    listened = database.engine.sync_engine
    event.listen(listened, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(listened, "before_cursor_execute", note)


async def add_cameras(session: AsyncSession) -> list[list[int]]:
    """One village, a device per camera, sixteen cameras for each of twenty runs."""
    village = Village(name="东村", created_at=NOON)
    session.add(village)
    await session.flush()
    ids: list[list[int]] = []
    for run in range(RUNS):
        devices = [
            Device(village_id=village.id, host=f"10.0.{run}.{number + 1}", created_at=NOON) for number in range(CAMERAS)
        ]
        for device in devices:
            approve_place(device, None)
        session.add_all(devices)
        await session.flush()
        cameras = [
            Camera(device_id=one.id, village_id=village.id, channel="1", name="c", state="approved", created_at=NOON)
            for one in devices
        ]
        session.add_all(cameras)
        await session.flush()
        for camera in cameras:
            stream = Stream(camera_id=camera.id, role="sub", source="url", codec="h264")
            stored_urls.keep(stream, FakeVault(), camera.device_id, "rtsp://10.0.0.1/1")
            session.add(stream)
        ids.append([camera.id for camera in cameras])
    return ids


async def test_twenty_tours_of_sixteen_cameras_cost_nothing_while_nothing_changes(
    database: Database,
    bus: EventBus,
    clock: ManualClock,
) -> None:
    """Choosing costs four statements and more per camera; twenty tours asked for all of theirs every five seconds,
    256 statements a second. Now some are read at each change, and none between.
    """
    checks = DeviceChecks(database, ReachPolicy)
    register = Register(database, bus, clock, FakeVault(), FakeDescriber(), checks)
    sources = StreamSources(
        database,
        StreamAddresses(database, clock, register, NobodyAsked(), FakeVault()),
        register,
        NobodyAsked(),
        bus,
        Peculiarities(database, bus, clock),
        checks,
    )
    room = Room(bus, clock, sources)
    async with database.write() as session:
        runs = await add_cameras(session)

    async def renew() -> int:
        with statements(database) as sent:
            for number, cameras in enumerate(runs):
                await room.cameras.warm(cameras, f"run-{number}-now", LEASE)
        clock.move(RENEWED)
        room.feeds.sweep()
        room.cameras.sweep()
        return len(sent)

    with statements(database) as alone:
        await sources.choose(runs[0][0], "auto", frozenset({"h264"}))
    login = len(alone) - 2  # besides the camera with its device, and its streams
    assert login >= 1
    first = await renew()
    steady = [await renew() for _ in range(12)]
    async with database.write() as session:
        await session.execute(update(Camera).where(Camera.id == runs[3][5]).values(name="another"))
    room.cameras.on_camera_changed(runs[3][5])
    changed = await renew()
    after = await renew()
    figures = {"one alone": len(alone), "first": first, "unchanged": sum(steady), "changed": changed, "after": after}
    print(figures)  # noqa: T201
    assert len(room.opened()) == RUNS * CAMERAS
    assert first <= RUNS * (2 + CAMERAS * login), "two reads per stop, and each device's login"
    assert steady == [0] * 12
    assert 0 < changed <= 2 + login
    assert after == 0


class NobodyAsked:
    """Cameras with plain addresses: no device is asked."""

    async def stream_uri(self, target: Any, profile: str, *, timeout: float | None = None) -> str:
        raise AssertionError("no device needs to be asked")

    async def sync_point(self, target: Any, profile: str) -> None:
        raise AssertionError("no device needs to be asked")
