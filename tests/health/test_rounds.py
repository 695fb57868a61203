"""Whole rounds over a real database with a pretended media: from what a camera shows to alarms and notices."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from camera_hub.events import (
    AlarmChanged,
    CameraChanged,
    CameraQuarantined,
    DeviceChanged,
    EventBus,
    FeedChanged,
    VillageChanged,
)
from camera_hub.health.history import Retention
from camera_hub.health.rounds.rounds import Rounds
from camera_hub.settings import HealthSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Alarm, Camera, Device, Notice, Observation
from tests.fakes.media import FakeMedia
from tests.fakes.site import add_village
from tests.fakes.stepped import SteppedClock

FAST = HealthSettings(round_seconds=2.0, picture_seconds=4.0)


@dataclass(frozen=True)
class Reading:
    offset_s: float | None


@dataclass
class Network:
    """Which hosts are silent, and how wrong clocks are by host."""

    time: SteppedClock
    silent: set[str] = field(default_factory=set)
    clocks: dict[str, float] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def reach(self, host: str, ports: tuple[int, ...], timeout: float) -> tuple[str, str] | None:
        self.asked.append(host)
        if host not in self.silent:
            return None
        await self.time.nap(timeout)
        return "timed_out", f"no answer on {ports}"

    async def clock(self, host: str, port: int, path: str) -> Reading:
        return Reading(self.clocks.get(host, 0.4))


@dataclass
class Hub:
    """One hub's rounds and what surrounds them."""

    database: Database
    clock: SteppedClock
    bus: EventBus
    media: FakeMedia = field(init=False)
    network: Network = field(init=False)

    def __post_init__(self) -> None:
        self.media = FakeMedia(nap=self.clock.nap)
        self.network = Network(self.clock)

    @asynccontextmanager
    async def rounds(self, settings: HealthSettings = FAST) -> AsyncIterator[Rounds]:
        async with Rounds(
            settings, self.clock, self.bus, self.database, self.media, self.network, reach=self.network.reach
        ) as rounds:
            yield rounds

    async def cut(self, cameras: list[int], *, on: bool = True) -> None:
        """Cut the link of these cameras, or mend it."""
        async with self.database.read() as session:
            hosts = (await session.scalars(select(Device.host).join(Camera).where(Camera.id.in_(cameras)))).all()
        for camera in cameras:
            if on:
                self.media.reasons[camera] = "timed_out"
            else:
                self.media.reasons.pop(camera, None)
        (self.network.silent.update if on else self.network.silent.difference_update)(hosts)

    async def alarms(self, *, closed: bool = False) -> list[tuple[str, str, list[int]]]:
        """(level, cause, members) of the open alarms, or of all."""
        async with self.database.read() as session:
            query = select(Alarm).order_by(Alarm.id)
            rows = await session.scalars(query if closed else query.where(Alarm.closed_at.is_(None)))
            return [(row.level, row.cause, row.members) for row in rows]

    async def notices(self) -> list[tuple[str, str]]:
        async with self.database.read() as session:
            rows = await session.scalars(select(Notice).order_by(Notice.id))
            return [(row.kind, row.payload["alarm"]["cause"]) for row in rows]

    async def health(self) -> dict[int, tuple[str, str | None]]:
        async with self.database.read() as session:
            return {row.id: (row.health, row.cause) for row in await session.scalars(select(Camera))}


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def hub(database: Database, clock: SteppedClock, bus: EventBus) -> Hub:
    return Hub(database, clock, bus)


async def test_a_healthy_site_becomes_ok_and_nothing_is_told(hub: Hub) -> None:
    cameras = await add_village(hub.database, hub.clock, "东沟村", 4, recorder=2)
    async with hub.rounds():
        await hub.clock.walk(10)
    assert await hub.health() == {camera: ("ok", None) for camera in cameras}
    assert await hub.alarms(closed=True) == []
    async with hub.database.read() as session:
        rows = (await session.scalars(select(Observation).where(Observation.camera_id == cameras[0]))).all()
        device = await session.get(Device, 1)
    assert all(row.reason is None and row.signalling_ms == 12.0 for row in rows)
    assert {"black": 95.0, "frozen": 100.0} in [row.scores for row in rows]
    assert device is not None
    assert device.clock_offset_s == 0.4


async def test_each_camera_is_looked_at_once_a_round_and_never_all_together(hub: Hub) -> None:
    cameras = await add_village(hub.database, hub.clock, "东沟村", 20)
    async with hub.rounds(HealthSettings(round_seconds=20.0, picture_seconds=100.0, at_once_per_village=20)):
        await hub.clock.walk(40)
        hub.media.looks.clear()
        most = 0
        for _ in range(40):
            before = len(hub.media.looks)
            await hub.clock.walk(0.5)
            most = max(most, len(hub.media.looks) - before)
    assert sorted({camera for camera, _ in hub.media.looks}) == cameras
    assert len(hub.media.looks) <= 22
    assert most <= 3


async def test_a_dead_village_is_one_alarm_and_one_recovery(hub: Hub) -> None:
    dead = await add_village(hub.database, hub.clock, "东沟村", 10, recorder=4)
    await add_village(hub.database, hub.clock, "西沟村", 4)
    async with hub.rounds():
        await hub.clock.walk(10)
        await hub.cut(dead)
        await hub.clock.walk(20)
        assert await hub.alarms() == [("village", "village_link", dead)]
        assert {(await hub.health())[camera] for camera in dead} == {("fault", "timed_out")}
        await hub.cut(dead, on=False)
        await hub.clock.walk(30)
        assert await hub.alarms() == []
    assert await hub.notices() == [("opened", "village_link"), ("closed", "village_link")]
    assert len(await hub.alarms(closed=True)) == 1


async def test_with_slow_rounds_a_dead_village_is_known_within_a_minute(hub: Hub) -> None:
    dead = await add_village(hub.database, hub.clock, "东沟村", 40)
    await add_village(hub.database, hub.clock, "西沟村", 20)
    async with hub.rounds(HealthSettings()):
        await hub.clock.walk(90, step=1.0)
        await hub.cut(dead)
        await hub.clock.walk(60, step=1.0)
        assert await hub.alarms(closed=True) == [("village", "village_link", dead)]
        looked = sum(camera in dead and not scores for camera, scores in hub.media.looks)
    assert looked < 200


async def test_a_camera_that_stays_down_after_its_village_recovers_gets_its_own(hub: Hub) -> None:
    dead = await add_village(hub.database, hub.clock, "东沟村", 6)
    await add_village(hub.database, hub.clock, "西沟村", 4)
    async with hub.rounds():
        await hub.clock.walk(10)
        await hub.cut(dead)
        await hub.clock.walk(20)
        await hub.cut(dead[:5], on=False)
        await hub.clock.walk(40)
        assert await hub.alarms() == [("camera", "timed_out", [dead[5]])]
    assert await hub.notices() == [("opened", "village_link"), ("closed", "village_link"), ("opened", "timed_out")]


async def test_a_blip_is_not_told(hub: Hub) -> None:
    cameras = await add_village(hub.database, hub.clock, "东沟村", 4)
    async with hub.rounds(HealthSettings(round_seconds=20.0)):
        await hub.clock.walk(40)
        await hub.cut(cameras[:1])
        await hub.clock.walk(9)
        await hub.cut(cameras[:1], on=False)
        await hub.clock.walk(60)
    assert await hub.alarms(closed=True) == []


async def test_a_picture_that_comes_too_late_is_an_alarm_that_closes_when_it_does_no_more(hub: Hub) -> None:
    cameras = await add_village(hub.database, hub.clock, "东沟村", 3)
    async with hub.rounds():
        await hub.clock.walk(10)
        hub.media.late = {cameras[1]}
        hub.bus.publish(FeedChanged(cameras[1], 1, "live", "late"))
        await hub.clock.walk(10)
        assert await hub.alarms() == [("camera", "late", [cameras[1]])]
        hub.media.late = set()
        await hub.clock.walk(20)
        assert await hub.alarms() == []


async def test_frozen_and_black_and_wrong_login_have_their_own_causes(hub: Hub) -> None:
    cameras = await add_village(hub.database, hub.clock, "东沟村", 5)
    hub.media.frozen, hub.media.black = {cameras[0]}, {cameras[1]}
    hub.media.reasons = {cameras[2]: "wrong_password", cameras[3]: "no_media"}
    async with hub.rounds():
        await hub.clock.walk(20)
        assert sorted(await hub.alarms()) == [
            ("camera", "black", [cameras[1]]),
            ("camera", "frozen", [cameras[0]]),
            ("camera", "no_media", [cameras[3]]),
            ("camera", "wrong_password", [cameras[2]]),
        ]
        assert (await hub.health())[cameras[0]] == ("fault", "frozen")
        assert (await hub.health())[cameras[4]] == ("ok", None)
        hub.media.frozen.clear()
        hub.media.reasons.clear()
        await hub.clock.walk(20)
        assert await hub.alarms() == [("camera", "black", [cameras[1]])]


async def test_a_camera_whose_pictures_keep_ending_the_decoder_is_an_alarm_that_closes_when_looks_succeed_again(
    hub: Hub,
) -> None:
    cameras = await add_village(hub.database, hub.clock, "东沟村", 3)
    async with hub.rounds():
        await hub.clock.walk(20)
        hub.media.reasons = {cameras[1]: "quarantined"}
        hub.bus.publish(CameraQuarantined(cameras[1]))
        await hub.clock.walk(10)
        assert await hub.alarms() == [("camera", "quarantined", [cameras[1]])]
        assert (await hub.health())[cameras[1]] == ("fault", "quarantined")
        hub.media.reasons.clear()
        await hub.clock.walk(20)
        assert await hub.alarms() == []


async def test_with_default_settings_a_frozen_camera_is_known_two_minutes_after_start(hub: Hub) -> None:
    cameras = await add_village(hub.database, hub.clock, "东沟村", 3)
    hub.media.frozen = {cameras[1]}
    async with hub.rounds(HealthSettings()):
        await hub.clock.walk(120)
    assert await hub.alarms() == [("camera", "frozen", [cameras[1]])]


async def test_a_wrong_clock_is_told_for_its_device(hub: Hub) -> None:
    cameras = await add_village(hub.database, hub.clock, "东沟村", 6, recorder=4)
    async with hub.database.read() as session:
        recorder = await session.get(Camera, cameras[5])
        assert recorder is not None
        device = await session.get(Device, recorder.device_id)
    assert device is not None
    hub.network.clocks[device.host] = -3600.0
    async with hub.rounds():
        await hub.clock.walk(20)
    assert await hub.alarms() == [("device", "clock_wrong", cameras[2:])]


async def test_a_restart_tells_nothing_anew_and_says_no_all_clear(hub: Hub) -> None:
    dead = await add_village(hub.database, hub.clock, "东沟村", 6)
    other = await add_village(hub.database, hub.clock, "西沟村", 5)
    hub.media.frozen, hub.media.reasons = {other[0]}, {other[1]: "wrong_password"}
    async with hub.rounds():
        await hub.clock.walk(10)
        await hub.cut(dead)
        await hub.clock.walk(20)
    before, told = await hub.alarms(closed=True), await hub.notices()
    assert len(before) == 3
    async with hub.rounds():
        await hub.clock.walk(40)
    assert (await hub.alarms(closed=True), await hub.notices()) == (before, told)


async def test_a_running_feed_is_observed_for_nothing(hub: Hub) -> None:
    (camera,) = await add_village(hub.database, hub.clock, "东沟村", 1)
    async with hub.rounds(HealthSettings(round_seconds=2.0, picture_seconds=1000.0)):
        await hub.clock.walk(10)
        hub.media.looks.clear()
        hub.media.feeds[camera] = ("live", None)
        await hub.clock.walk(10)
        assert hub.media.looks == []
        hub.media.feeds[camera] = ("failed", "stalled")
        hub.media.reasons[camera] = "stalled"
        await hub.clock.walk(10)
    assert await hub.alarms() == [("camera", "stalled", [camera])]


async def test_what_the_hub_could_not_look_at_is_not_held_against_the_camera(hub: Hub) -> None:
    (camera,) = await add_village(hub.database, hub.clock, "东沟村", 1)
    hub.media.reasons[camera] = "busy"
    async with hub.rounds() as rounds:
        await hub.clock.walk(10)
        assert (rounds.looks, rounds.skipped > 2) == (0, True)
    assert await hub.health() == {camera: ("unknown", None)}


async def test_an_approved_camera_is_looked_at_at_once_and_a_retired_one_no_more(hub: Hub) -> None:
    first, second = await add_village(hub.database, hub.clock, "东沟村", 2)
    async with hub.database.write() as session:
        await session.execute(update(Camera).where(Camera.id == second).values(state="waiting"))
    async with hub.rounds(HealthSettings(round_seconds=600.0)):
        await hub.clock.walk(2)
        async with hub.database.write() as session:
            await session.execute(update(Camera).where(Camera.id == second).values(state="approved"))
            await session.execute(update(Camera).where(Camera.id == first).values(state="retired"))
        hub.bus.publish(CameraChanged(second, 1))
        hub.bus.publish(CameraChanged(first, 1))
        await hub.clock.walk(2)
        assert (second, True) in hub.media.looks
        hub.media.looks.clear()
        await hub.clock.walk(1300, step=10)
    assert first not in {camera for camera, _ in hub.media.looks}


async def test_a_new_login_is_tried_at_once(hub: Hub) -> None:
    (camera,) = await add_village(hub.database, hub.clock, "东沟村", 1)
    hub.media.reasons[camera] = "wrong_password"
    async with hub.rounds(HealthSettings(round_seconds=600.0)):
        await hub.clock.walk(630, step=5)
        assert await hub.alarms() == [("camera", "wrong_password", [camera])]
        hub.media.reasons.clear()
        hub.bus.publish(DeviceChanged(1, 1, credentials=True))
        await hub.clock.walk(40)
        assert await hub.alarms() == []


async def test_events_name_what_changed(hub: Hub) -> None:
    (camera,) = await add_village(hub.database, hub.clock, "东沟村", 1)
    hub.media.reasons[camera] = "no_media"
    with hub.bus.subscribe(AlarmChanged, CameraChanged, VillageChanged) as events:
        async with hub.rounds():
            await hub.clock.walk(10)
        told = [await events.next() for _ in range(3)]
        assert set(told[:2]) == {CameraChanged(camera, 1), AlarmChanged(1, 1)}
        assert told[2] == VillageChanged(1), "last, so that whoever asks for the village then sees the alarm"


async def test_old_observations_end_in_small_batches(database: Database, clock: SteppedClock) -> None:
    (camera,) = await add_village(database, clock, "东沟村", 1)
    async with database.write() as session:
        for hour in range(1300):
            at = clock.now() + timedelta(hours=hour)
            session.add(Observation(camera_id=camera, at=at, scores={}))
    deleted = await Retention(14.0, database, clock).delete_old(clock.now() + timedelta(hours=1200))
    async with database.read() as session:
        assert (deleted, await session.scalar(select(func.count()).select_from(Observation))) == (1200, 100)


async def test_a_port_that_never_answered_is_not_believed(hub: Hub) -> None:
    """The register may hold a wrong port: the look decides until one of the ports has answered once."""
    cameras = await add_village(hub.database, hub.clock, "东沟村", 4)
    async with hub.database.read() as session:
        hub.network.silent.update(await session.scalars(select(Device.host)))
    async with hub.rounds():
        await hub.clock.walk(30)
    assert await hub.health() == {camera: ("ok", None) for camera in cameras}
    assert await hub.alarms(closed=True) == []


async def test_a_half_open_village_is_one_alarm_too(hub: Hub) -> None:
    """Connections are accepted, then silence: only looks can tell."""
    dead = await add_village(hub.database, hub.clock, "东沟村", 6)
    await add_village(hub.database, hub.clock, "西沟村", 4)
    async with hub.rounds():
        await hub.clock.walk(10)
        for camera in dead:
            hub.media.reasons[camera] = "timed_out"
        await hub.clock.walk(80, step=1.0)
        assert await hub.alarms() == [("village", "village_link", dead)]


async def test_a_link_cut_while_feeds_ran_is_the_villages_though_the_feeds_only_say_stalled(hub: Hub) -> None:
    dead = await add_village(hub.database, hub.clock, "东沟村", 4)
    await add_village(hub.database, hub.clock, "西沟村", 4)
    async with hub.rounds():
        await hub.clock.walk(10)
        await hub.cut(dead)
        for camera in dead[:2]:
            hub.media.feeds[camera] = ("failed", "stalled")
            hub.media.reasons[camera] = "stalled"
        await hub.clock.walk(20)
        assert await hub.alarms(closed=True) == [("village", "village_link", dead)]
