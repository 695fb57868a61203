"""Listening to approved devices: who is listened to, what is written, when a device is left alone."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from camera_hub.cameras.device_events.listening import DeviceEvents
from camera_hub.cameras.device_events.roster import ListenedDevice, with_room
from camera_hub.cameras.device_events.store import DeviceEventHistory, device_event_expiry
from camera_hub.cameras.onvif.notifications import Notification, Pulled
from camera_hub.cameras.onvif.pull_points import EventsUnsupported
from camera_hub.cameras.onvif.targets import OnvifTarget
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import DeviceChanged, DeviceReported, EventBus, Subscription
from camera_hub.settings import DeviceEventSettings
from camera_hub.store.database import Database
from camera_hub.store.retention import Retention
from camera_hub.store.tables import Camera, DeviceEvent
from tests.cameras.fakes import ADMIN
from tests.fakes.clock import ManualClock
from tests.fakes.databases import at_rest
from tests.fakes.site import add_village

MOTION = ("videosource", "motionalarm")
Failure = Callable[[], HubError]


def moved(source: str, state: str) -> Notification:
    return Notification(MOTION, "changed", (("Source", source),), (("State", state),))


@dataclass
class FakeSubscriptions:
    """Devices whose reports a test hands in; `fails` says by host why one cannot be heard."""

    fails: dict[str, Failure] = field(default_factory=dict)
    reports: dict[str, asyncio.Queue[Pulled]] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)
    open_now: set[str] = field(default_factory=set)

    def of(self, host: str) -> "asyncio.Queue[Pulled]":
        return self.reports.setdefault(host, asyncio.Queue())

    @asynccontextmanager
    async def open(self, target: OnvifTarget) -> AsyncIterator["FakeSubscription"]:
        self.opened.append(target.host)
        if (failure := self.fails.get(target.host)) is not None:
            raise failure()
        assert target.host not in self.open_now
        self.open_now.add(target.host)
        try:
            yield FakeSubscription(self.of(target.host))
        finally:
            self.open_now.discard(target.host)


@dataclass
class FakeSubscription:
    queue: "asyncio.Queue[Pulled]"

    async def pull(self, seconds: float, limit: int, wanted: Callable[[tuple[str, ...]], bool]) -> Pulled:
        return await self.queue.get()


class FakeTargets:
    async def of(self, device: ListenedDevice) -> OnvifTarget:
        return OnvifTarget(device.host, device.port, device.path)


@pytest.fixture
def subscriptions() -> FakeSubscriptions:
    return FakeSubscriptions()


@pytest.fixture
def told(bus: EventBus) -> Iterator[Subscription]:
    with bus.subscribe(DeviceReported, limit=64) as subscription:
        yield subscription


def listening(
    database: Database, bus: EventBus, clock: ManualClock, fake: FakeSubscriptions, settings: DeviceEventSettings
) -> DeviceEvents:
    return DeviceEvents(settings, clock, bus, database, fake, FakeTargets(), draw=lambda: 0.5)


async def go_on(clock: ManualClock, database: Database, seconds: float) -> None:
    """Let time pass, but none while somebody reads or writes."""
    for _ in range(max(1, round(seconds))):
        await clock.advance(1.0)
        await at_rest(database)


async def until(holds: Callable[[], bool], clock: ManualClock, database: Database) -> None:
    for _ in range(120):
        if holds():
            return
        await go_on(clock, database, 1)
    raise AssertionError("it did not come about within two minutes of the clock")


async def rows(database: Database) -> list[DeviceEvent]:
    async with database.read() as session:
        return list(await session.scalars(select(DeviceEvent).order_by(DeviceEvent.id)))


async def test_reports_become_rows_of_the_right_camera_and_events_on_the_bus(
    database: Database, bus: EventBus, clock: ManualClock, subscriptions: FakeSubscriptions, told: Subscription
) -> None:
    cameras = await add_village(database, clock, "董家村", 3, recorder=2)
    async with listening(database, bus, clock, subscriptions, DeviceEventSettings()) as events:
        await until(lambda: len(subscriptions.open_now) == 2, clock, database)
        recorder = sorted(subscriptions.open_now)[1]
        pulled = Pulled((moved("v3", "true"), moved("v2", "true"), moved("v9", "true")), unread=4)
        subscriptions.of(recorder).put_nowait(pulled)
        await until(lambda: events.figures.reports == 3, clock, database)
        found = await written(clock, database, lambda found: set(found) == {cameras[1], cameras[2], None})
        assert all(row.until is None for row in found.values())
        subscriptions.of(recorder).put_nowait(Pulled((moved("v3", "false"),)))
        found = await written(clock, database, lambda found: found[cameras[2]].until is not None)
        assert found[cameras[1]].until is None
        assert (events.figures.unread, events.figures.listening) == (4, 2)
        history = DeviceEventHistory(database, clock)
        shown = await history.of_camera(ADMIN, cameras[2], 1.0)
        assert sorted((one.camera_id or 0, one.kind) for one in shown) == [(0, "motion"), (cameras[2], "motion")]
    assert subscriptions.open_now == set()
    assert all(row.until is not None for row in await rows(database))
    got = [event for event in await told.batch() if isinstance(event, DeviceReported)]
    assert [(one.lasts) for one in got if one.camera_id == cameras[2]] == [True, False]


async def written(
    clock: ManualClock, database: Database, holds: Callable[[dict[int | None, DeviceEvent]], bool]
) -> dict[int | None, DeviceEvent]:
    """The rows by camera, once they are as expected."""
    for _ in range(120):
        found = {row.camera_id: row for row in await rows(database)}
        if holds(found):
            return found
        await go_on(clock, database, 1)
    raise AssertionError("the rows did not come within two minutes of the clock")


REST = [
    lambda: HubError(Kind.UNREACHABLE, "refused", reason=Reason.WRONG_PASSWORD),
    lambda: HubError(Kind.UNREACHABLE, "not there", reason=Reason.ADDRESS_REFUSED),
    EventsUnsupported,
]


@pytest.mark.parametrize("failure", REST)
async def test_a_device_that_refuses_is_left_alone_until_something_changes(
    database: Database, bus: EventBus, clock: ManualClock, subscriptions: FakeSubscriptions, failure: Failure
) -> None:
    await add_village(database, clock, "董家村", 1)
    host = "127.9.1.1"
    subscriptions.fails[host] = failure
    async with listening(database, bus, clock, subscriptions, DeviceEventSettings()) as events:
        await until(lambda: events.figures.resting == 1, clock, database)
        await clock.advance(1800.0)
        assert subscriptions.opened == [host]
        del subscriptions.fails[host]
        bus.publish(DeviceChanged(1, 1, credentials=True))
        await until(lambda: host in subscriptions.open_now, clock, database)
        assert events.figures.resting == 0


async def test_one_that_cannot_be_heard_is_tried_ever_more_rarely(
    database: Database, bus: EventBus, clock: ManualClock, subscriptions: FakeSubscriptions
) -> None:
    await add_village(database, clock, "董家村", 1)
    subscriptions.fails["127.9.1.1"] = lambda: HubError(Kind.TIMEOUT, "silent", reason=Reason.TIMED_OUT)
    async with listening(database, bus, clock, subscriptions, DeviceEventSettings()):
        await until(lambda: len(subscriptions.opened) > 0, clock, database)
        await clock.advance(3000.0)
        assert 12 <= len(subscriptions.opened) <= 20  # every five minutes in the mean, by full jitter up to ten


async def test_who_is_approved_later_is_listened_to_and_who_is_retired_no_longer(
    database: Database, bus: EventBus, clock: ManualClock, subscriptions: FakeSubscriptions
) -> None:
    first, second = await add_village(database, clock, "董家村", 2)

    async def put(camera_id: int, state: str) -> None:
        async with database.write() as session:
            camera = await session.get(Camera, camera_id)
            assert camera is not None
            camera.state = state
        bus.publish(DeviceChanged(camera.device_id, camera.village_id))

    await put(second, "waiting")
    async with listening(database, bus, clock, subscriptions, DeviceEventSettings()):
        await until(lambda: len(subscriptions.open_now) == 1, clock, database)
        await put(second, "approved")
        await until(lambda: len(subscriptions.open_now) == 2, clock, database)
        await put(first, "retired")
        await until(lambda: subscriptions.open_now == {"127.9.1.2"}, clock, database)


async def test_it_can_be_switched_off(
    database: Database, bus: EventBus, clock: ManualClock, subscriptions: FakeSubscriptions
) -> None:
    await add_village(database, clock, "董家村", 1)
    async with listening(database, bus, clock, subscriptions, DeviceEventSettings(enabled=False)):
        await go_on(clock, database, 60)
    assert subscriptions.opened == []


def test_there_is_room_for_so_many_in_all_and_in_each_village() -> None:
    devices = [ListenedDevice(number, number % 3, "h", 80, "/", 1, thrifty=False, cameras=()) for number in range(30)]
    assert [one.device_id for one in with_room(devices, 100, 2)] == [0, 1, 2, 3, 4, 5]
    assert len(with_room(devices, 7, 100)) == 7


async def test_old_occurrences_go(database: Database, bus: EventBus, clock: ManualClock) -> None:
    (camera_id,) = await add_village(database, clock, "董家村", 1)
    now = clock.now()
    async with database.write() as session:
        session.add(
            DeviceEvent(device_id=1, camera_id=camera_id, kind="motion", since=now, seen=now, until=now, count=1)
        )
    rule = device_event_expiry(DeviceEventSettings(keep_days=14))
    clock.move(13 * 86_400.0)
    retention = Retention(database, clock, [rule])
    assert await retention.apply(rule) == 0
    clock.move(2 * 86_400.0)
    assert await retention.apply(rule) == 1
