"""Whole rounds over a real database with a fake media: from what a camera shows to alarms and notices."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.errors import Explanation, HubError, Kind, Reason
from camera_hub.events import (
    AlarmChanged,
    CameraChanged,
    CameraQuarantined,
    DeviceChanged,
    Event,
    EventBus,
    FeedChanged,
    HubLoad,
    VillageChanged,
)
from camera_hub.health.alarms.evaluator import AlarmEvaluator
from camera_hub.health.judging.hub_load import CLOSE_SECONDS, RAISE_SECONDS
from camera_hub.health.notices.announcer import Announcer
from camera_hub.health.notices.policy import NoticePolicy
from camera_hub.health.rounds.inspector import Inspector
from camera_hub.health.rounds.roster import Roster
from camera_hub.health.rounds.rounds import Rounds
from camera_hub.settings import HealthSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import (
    Alarm,
    AlarmMember,
    Camera,
    CameraState,
    Device,
    Notice,
    NoticeChannel,
    NoticeRule,
    Observation,
)
from tests.fakes.media import FakeMedia
from tests.fakes.site import add_village
from tests.fakes.stepped import SteppedClock
from tests.health.fake_network import FakeNetwork

FAST = HealthSettings(round_seconds=2.0, picture_seconds=4.0)


AT_ONCE = NoticePolicy(parent_delay=0, camera_delay=0, key_delay=0, parent_settle=0, camera_settle=0, quiet=None)
"""Whatever is raised is announced at once: what notices wait for is tested elsewhere."""


@dataclass
class Hub:
    """One hub's rounds and what surrounds them."""

    database: Database
    clock: SteppedClock
    bus: EventBus
    media: FakeMedia = field(init=False)
    network: FakeNetwork = field(init=False)

    def __post_init__(self) -> None:
        self.media = FakeMedia(nap=self.clock.nap)
        self.network = FakeNetwork(self.clock)

    @asynccontextmanager
    async def rounds(self, settings: HealthSettings = FAST) -> AsyncIterator[Rounds]:
        async with Rounds(settings, self.clock, self.bus, self.database, self.media, self.network) as rounds:
            yield rounds

    async def announce(self) -> None:
        """Notify everybody of what stands in the alarms now; asking for alarms or notices does so, too."""
        with suppress(HubError):  # while the database cannot be written
            await Announcer(self.database, self.bus, self.clock, AT_ONCE, ZoneInfo("Asia/Shanghai")).announce()

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
        """(level, cause, all cameras that it ever stood for) of the open alarms, or of all."""
        await self.announce()
        async with self.database.read() as session:
            query = select(Alarm).order_by(Alarm.id)
            rows = (await session.scalars(query if closed else query.where(Alarm.closed_at.is_(None)))).all()
            members: dict[int, set[int]] = {row.id: set() for row in rows}
            for member in await session.scalars(select(AlarmMember).where(AlarmMember.alarm_id.in_(members))):
                members[member.alarm_id].add(member.camera_id)
            return [(row.level, row.cause, sorted(members[row.id])) for row in rows]

    async def members(self) -> list[tuple[int, bool]]:
        """(camera, whether it has left) of all alarms, in the order in which they joined."""
        async with self.database.read() as session:
            rows = await session.scalars(select(AlarmMember).order_by(AlarmMember.joined_at, AlarmMember.camera_id))
            return [(row.camera_id, row.left_at is not None) for row in rows]

    async def states(self, camera_id: int) -> list[tuple[str, str, str | None, bool]]:
        """(aspect, state, cause, whether it is over) of a camera, in the order in which they began."""
        async with self.database.read() as session:
            query = select(CameraState).where(CameraState.camera_id == camera_id).order_by(CameraState.id)
            return [(row.aspect, row.state, row.cause, row.until is not None) for row in await session.scalars(query)]

    async def add_channel(self) -> None:
        """A channel that gets every notice."""
        async with self.database.write() as session:
            channel = NoticeChannel(name="all", created_at=self.clock.now())
            session.add(channel)
            await session.flush()
            session.add(NoticeRule(channel_id=channel.id))

    async def notices(self) -> list[tuple[str, str]]:
        await self.announce()
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
async def hub(database: Database, clock: SteppedClock, bus: EventBus) -> Hub:
    hub = Hub(database, clock, bus)
    await hub.add_channel()
    return hub


async def test_a_healthy_site_becomes_ok_and_no_alarm_is_raised(hub: Hub) -> None:
    cameras = await add_village(hub.database, hub.clock, "东沟村", 4, recorder=2)
    async with hub.rounds():
        await hub.clock.walk(10)
    assert await hub.health() == {camera: ("ok", None) for camera in cameras}
    assert await hub.alarms(closed=True) == []
    async with hub.database.read() as session:
        rows = (await session.scalars(select(Observation).where(Observation.camera_id == cameras[0]))).all()
        device = await session.get(Device, 1)
    assert {(row.reason, row.reachable, row.signalling_ms) for row in rows} == {(None, "ok", 9.0)}
    assert {(row.media, row.key_frame_ms) for row in rows} == {("ok", 400.0), (None, None)}
    assert {"black": 95.0, "frozen": 100.0} in [row.scores for row in rows]
    assert device is not None
    assert device.clock_offset_s == 0.4


async def test_looks_that_were_to_begin_as_a_round_failed_begin_with_the_next(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    cameras = await add_village(hub.database, hub.clock, "东沟村", 4, recorder=2)
    settle, failures = AlarmEvaluator.settle, iter(range(3))

    async def failing(self: AlarmEvaluator, roster: Roster) -> bool:
        if any(watch.looking for watch in roster.cameras.values()) and next(failures, None) is not None:
            raise ZeroDivisionError  # at once: what was started in this tick has not had its first step
        return await settle(self, roster)

    monkeypatch.setattr(AlarmEvaluator, "settle", failing)
    async with hub.rounds():
        await hub.clock.walk(40)
    assert next(failures, None) is None
    assert await hub.health() == {camera: ("ok", None) for camera in cameras}


@pytest.mark.slow
async def test_each_camera_is_looked_at_once_a_round_and_never_all_together(hub: Hub) -> None:
    cameras = await add_village(hub.database, hub.clock, "东沟村", 20)
    async with hub.rounds(HealthSettings(round_seconds=20.0, picture_seconds=100.0, at_once_per_village=20)):
        await hub.clock.walk(100)
        asked, looks = hub.network.asked, hub.media.looks
        for seconds, seen in ((20, asked), (100, looks)):
            seen.clear()
            most = 0
            for _ in range(seconds * 2):
                before = len(seen)
                await hub.clock.walk(0.5)
                most = max(most, len(seen) - before)
            assert len(set(seen)) == len(cameras)
            assert len(seen) <= 24
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


@pytest.mark.slow
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
        assert await hub.alarms() == [("village", "village_link", dead)]
        await hub.cut(dead[:5], on=False)
        await hub.clock.walk(40)
        assert await hub.alarms() == [("camera", "timed_out", [dead[5]])]
    assert await hub.notices() == [("opened", "village_link"), ("opened", "timed_out"), ("closed", "village_link")]


async def test_a_blip_raises_no_alarm(hub: Hub) -> None:
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


async def test_a_feed_that_loses_frames_is_an_alarm_whose_words_follow_its_cause(hub: Hub) -> None:
    cameras = await add_village(hub.database, hub.clock, "东沟村", 3)

    async def said() -> tuple[str, str, dict[str, object]]:
        async with hub.database.read() as session:
            row = (await session.scalars(select(Alarm))).one()
            return row.cause, row.detail, row.params

    async with hub.rounds():
        await hub.clock.walk(10)
        hub.media.weak[cameras[1]] = Explanation(Reason.LOSSY, "20 % by gaps", {"cause": "gap", "percent": 20})
        await hub.clock.walk(20)
        assert await hub.alarms() == [("camera", "lossy", [cameras[1]])]
        assert await said() == ("lossy", "20 % by gaps", {"cause": "gap", "percent": 20})
        hub.media.weak[cameras[1]] = Explanation(Reason.LOSSY, "9 % broken", {"cause": "broken", "percent": 9})
        await hub.clock.walk(20)
        assert await said() == ("lossy", "9 % broken", {"cause": "broken", "percent": 9})
        del hub.media.weak[cameras[1]]
        hub.media.reasons[cameras[1]] = "no_media"
        await hub.clock.walk(20)
        assert await said() == ("no_media", "the test says no_media", {})
        del hub.media.reasons[cameras[1]]
        await hub.clock.walk(20)
        assert await hub.alarms() == []
    assert await hub.notices() == [("opened", "lossy"), ("closed", "no_media")]


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


async def test_a_wrong_clock_is_its_devices_alarm_and_no_fault_of_the_picture(hub: Hub) -> None:
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
    assert set((await hub.health()).values()) == {("ok", None)}
    assert sorted(await hub.states(cameras[5])) == [
        ("clock", "fault", "clock_wrong", False),
        ("media", "ok", None, False),
        ("picture", "ok", None, False),
        ("reachable", "ok", None, False),
    ]


@pytest.mark.slow
async def test_a_restart_raises_no_alarm_again_and_closes_none(hub: Hub) -> None:
    dead = await add_village(hub.database, hub.clock, "东沟村", 6)
    other = await add_village(hub.database, hub.clock, "西沟村", 5)
    hub.media.frozen, hub.media.reasons = {other[0]}, {other[1]: "wrong_password"}
    async with hub.rounds():
        await hub.clock.walk(10)
        await hub.cut(dead)
        await hub.clock.walk(20)
    before, notices, members = await hub.alarms(closed=True), await hub.notices(), await hub.members()
    states = [await hub.states(camera) for camera in dead + other]
    assert len(before) == 3
    async with hub.rounds():
        await hub.clock.walk(40)
    assert (await hub.alarms(closed=True), await hub.notices(), await hub.members()) == (before, notices, members)
    assert [await hub.states(camera) for camera in dead + other] == states


async def test_a_running_feed_is_observed_without_a_look(hub: Hub) -> None:
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


@pytest.mark.parametrize("reason", ["busy", "database_away", "storage_full", "unavailable", "internal"])
async def test_what_the_hub_could_not_look_at_is_not_held_against_the_camera(hub: Hub, reason: str) -> None:
    (camera,) = await add_village(hub.database, hub.clock, "东沟村", 1)
    hub.media.reasons[camera] = reason
    async with hub.rounds() as rounds:
        await hub.clock.walk(10)
        assert (rounds.looks, rounds.skipped > 2) == (0, True)
    assert await hub.health() == {camera: ("unknown", None)}


async def test_a_look_that_took_too_long_is_logged_in_words(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def late(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(Inspector, "look", late)
    (camera,) = await add_village(hub.database, hub.clock, "东沟村", 1)
    async with hub.rounds():
        await hub.clock.walk(10)
    assert f"camera {camera} could not be looked at: the look took too long" in caplog.text


async def test_looks_for_which_there_is_no_time_come_again_after_about_a_round(hub: Hub) -> None:
    cameras = await add_village(hub.database, hub.clock, "东沟村", 3)
    hub.media.reasons = dict.fromkeys(cameras, "overloaded")
    async with hub.rounds(HealthSettings(round_seconds=60.0)) as rounds:
        await hub.clock.walk(180)
        assert (rounds.looks, rounds.skipped) == (0, 0)
        assert 6 <= rounds.postponed <= 18
        hub.media.reasons.clear()
        await hub.clock.walk(100)
    assert set((await hub.health()).values()) == {("ok", None)}


async def test_a_hub_that_carries_too_much_raises_one_alarm_of_itself_and_closes_it_after(hub: Hub) -> None:
    cameras = await add_village(hub.database, hub.clock, "东沟村", 2)
    async with hub.rounds():
        hub.bus.publish(HubLoad((0,), False))
        await hub.clock.walk(RAISE_SECONDS - 2)
        assert await hub.alarms() == []
        await hub.clock.walk(4)
        assert await hub.alarms() == [("hub", "overloaded", [])]
        await hub.cut(cameras)
        await hub.clock.walk(20)
        assert ("village", "village_link", cameras) in await hub.alarms(), "other alarms are raised beside it"
        await hub.cut(cameras, on=False)
        await hub.clock.walk(20)
        hub.bus.publish(HubLoad((), False))
        await hub.clock.walk(CLOSE_SECONDS + 2)
        assert await hub.alarms() == []
    notices = await hub.notices()
    assert notices[0] == ("opened", "overloaded")
    assert ("closed", "overloaded") in notices
    async with hub.database.read() as session:
        alarm = (await session.scalars(select(Alarm).order_by(Alarm.id))).first()
    assert alarm is not None
    assert (alarm.aspect, alarm.severity, alarm.detail[:7]) == ("load", "major", "relay 0")


async def test_a_silence_that_a_late_hub_found_is_not_the_devices(hub: Hub) -> None:
    cameras = await add_village(hub.database, hub.clock, "东沟村", 3)
    async with hub.rounds() as rounds:
        await hub.clock.walk(10)
        hub.bus.publish(HubLoad((), True))
        await hub.clock.walk(1)
        await hub.cut(cameras)
        await hub.clock.walk(25)
        assert await hub.alarms() == []
        assert rounds.skipped > 3
        hub.bus.publish(HubLoad((), False))
        await hub.clock.walk(40)
        assert await hub.alarms() == [("village", "village_link", cameras)]


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


async def test_an_approval_that_could_not_be_read_is_read_later(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    _, second = await add_village(hub.database, hub.clock, "东沟村", 2)
    async with hub.database.write() as session:
        await session.execute(update(Camera).where(Camera.id == second).values(state="waiting"))
    read, broken = hub.database.read, False

    @asynccontextmanager
    async def sometimes() -> AsyncIterator[AsyncSession]:
        if broken:
            raise HubError(Kind.UNAVAILABLE, "the database does not answer")
        async with read() as session:
            yield session

    monkeypatch.setattr(hub.database, "read", sometimes)
    async with hub.rounds(HealthSettings(round_seconds=600.0)):
        await hub.clock.walk(2)
        async with hub.database.write() as session:
            await session.execute(update(Camera).where(Camera.id == second).values(state="approved"))
        broken = True
        hub.bus.publish(CameraChanged(second, 1))
        await hub.clock.walk(5)
        broken = False
        await hub.clock.walk(30)
        assert (second, True) in hub.media.looks


async def test_events_are_followed_on_after_one_that_failed(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    (camera,) = await add_village(hub.database, hub.clock, "东沟村", 1)
    async with hub.rounds(HealthSettings(round_seconds=600.0)) as rounds:
        await hub.clock.walk(2)
        heed, failed = rounds._on_event, list[Event]()

        def once_broken(event: Event) -> None:
            if not failed:
                failed.append(event)
                raise RuntimeError("a bug")
            heed(event)

        monkeypatch.setattr(rounds, "_on_event", once_broken)
        hub.bus.publish(FeedChanged(camera, 1, "failed", "stalled"))
        hub.bus.publish(FeedChanged(camera, 1, "failed", "stalled"))
        await hub.clock.walk(30)
        assert failed
        assert {one for one, _ in hub.media.looks} == {camera}


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
        seen = [await events.next() for _ in range(3)]
        assert set(seen[:2]) == {CameraChanged(camera, 1), AlarmChanged(1, 1)}
        assert seen[2] == VillageChanged(1), "last, so that whoever asks for the village then sees the alarm"


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


async def test_a_dead_recorder_and_one_dead_camera_are_two_alarms_while_six_devices_answer(hub: Hub) -> None:
    cameras = await add_village(hub.database, hub.clock, "东沟村", 39, recorder=32)
    await add_village(hub.database, hub.clock, "西沟村", 4)
    async with hub.rounds():
        await hub.clock.walk(10)
        await hub.cut([cameras[0], *cameras[7:]])
        await hub.clock.walk(40)
        assert sorted(await hub.alarms(closed=True)) == [
            ("camera", "timed_out", [cameras[0]]),
            ("device", "device_down", cameras[7:]),
        ]


@pytest.mark.slow
async def test_a_camera_leaves_the_villages_alarm_when_it_recovers_and_joins_again(hub: Hub) -> None:
    dead = await add_village(hub.database, hub.clock, "东沟村", 6)
    await add_village(hub.database, hub.clock, "西沟村", 4)
    async with hub.rounds():
        await hub.clock.walk(10)
        await hub.cut(dead)
        await hub.clock.walk(20)
        await hub.cut(dead[:1], on=False)
        await hub.clock.walk(20)
        assert await hub.members() == [(dead[0], True), *((camera, False) for camera in dead[1:])]
        assert await hub.alarms() == [("village", "village_link", dead)]
        await hub.cut(dead[:1])
        await hub.clock.walk(20)
        assert await hub.members() == [(dead[0], True), *((c, False) for c in dead[1:]), (dead[0], False)]
        await hub.cut(dead, on=False)
        await hub.clock.walk(40)
        assert await hub.alarms() == []
    assert all(left for _, left in await hub.members())
    assert await hub.notices() == [("opened", "village_link"), ("closed", "village_link")]


async def test_each_look_says_what_it_judged(hub: Hub) -> None:
    """A camera that is frozen all the time is not frozen and well by turns."""
    (camera, _) = await add_village(hub.database, hub.clock, "东沟村", 2)
    hub.media.frozen = {camera}
    async with hub.rounds():
        await hub.clock.walk(30)
    async with hub.database.read() as session:
        rows = (await session.scalars(select(Observation).where(Observation.camera_id == camera))).all()
    assert {row.media for row in rows} == {"ok", None}, "what only asked whether the device answers proves no media"
    assert {row.picture for row in rows[2:]} == {"frozen", None}
    assert {(row.picture, row.reason) for row in rows if row.picture is None} == {(None, None)}


async def test_states_of_a_retired_camera_end(hub: Hub) -> None:
    (camera,) = await add_village(hub.database, hub.clock, "东沟村", 1)
    async with hub.rounds():
        await hub.clock.walk(10)
        assert ("media", "ok", None, False) in await hub.states(camera)
        async with hub.database.write() as session:
            await session.execute(update(Camera).where(Camera.id == camera).values(state="retired"))
        hub.bus.publish(CameraChanged(camera, 1))
        await hub.clock.walk(2)
        assert all(over for *_, over in await hub.states(camera))


async def test_what_could_not_be_written_is_written_with_a_later_tick(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    (camera,) = await add_village(hub.database, hub.clock, "东沟村", 1)
    hub.media.reasons[camera] = "no_media"
    write, broken = hub.database.write, True

    @asynccontextmanager
    async def sometimes() -> AsyncIterator[AsyncSession]:
        if broken:
            raise HubError(Kind.UNAVAILABLE, "the disk is full")
        async with write() as session:
            yield session

    monkeypatch.setattr(hub.database, "write", sometimes)
    async with hub.rounds():
        await hub.clock.walk(30)
        assert await hub.alarms() == []
        broken = False
        await hub.clock.walk(30)
        assert await hub.alarms() == [("camera", "no_media", [camera])]
    async with hub.database.read() as session:
        rows = (await session.scalars(select(Observation.at).order_by(Observation.id))).all()
    assert rows[0] == min(rows) <= hub.clock.now() - timedelta(seconds=55)
