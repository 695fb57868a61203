"""A metered village is looked at rarely, what sleeps is let alone, and the bytes that looks take are told."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from camera_hub.access.policy import Actor, Role
from camera_hub.errors import HubError
from camera_hub.events import EventBus, ExclusionChanged, VillageChanged
from camera_hub.health.round_plans import DayOfBytes, RoundPlans
from camera_hub.health.rounds.rounds import Rounds
from camera_hub.settings import HealthSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Exclusion, Observation, ObservationDay, ObservationHour, RollUpMark, Village
from tests.fakes.clock import ManualClock
from tests.fakes.media import FakeMedia
from tests.fakes.site import add_village
from tests.fakes.stepped import SteppedClock
from tests.health.fake_network import FakeNetwork

ADMIN = Actor(1, "admin", "admin", Role.TOWNSHIP_ADMIN)
OUTSIDER = Actor(2, "other", "other", Role.VILLAGE_ADMIN, frozenset({99}))


@pytest.mark.slow
async def test_a_thrifty_village_is_asked_and_looked_at_rarely_at_once_after_it_is_set(
    database: Database, bus: EventBus
) -> None:
    clock = SteppedClock()
    metered = await add_village(database, clock, "远沟村", 2)
    other = await add_village(database, clock, "东沟村", 2)
    media, network = FakeMedia(nap=clock.nap), FakeNetwork(clock)
    settings = HealthSettings(
        round_seconds=10, picture_seconds=50, thrifty_round_seconds=50, thrifty_picture_seconds=500
    )
    plans = RoundPlans(database, bus, clock, ZoneInfo("Asia/Shanghai"))
    async with Rounds(settings, clock, bus, database, media, network):
        await clock.walk(120, step=1.0)
        await plans.set_plan(1, "thrifty")
        await clock.walk(60, step=1.0)
        media.looks.clear()
        network.asked.clear()
        await clock.walk(500, step=2.0)
    looks = [camera for camera, _ in media.looks]
    assert all(looks.count(camera) <= 2 for camera in metered)
    assert all(8 <= looks.count(camera) <= 12 for camera in other)
    asked = {host: network.asked.count(host) for host in set(network.asked)}
    assert max(count for host, count in asked.items() if host.startswith("127.9.1.")) <= 14
    assert min(count for host, count in asked.items() if host.startswith("127.9.2.")) >= 40


async def test_what_is_asleep_without_power_or_gone_is_let_alone_and_what_is_repaired_is_looked_at(
    database: Database, bus: EventBus
) -> None:
    clock = SteppedClock()
    kinds = ("sleep", "power_cut", "removed", "repair", "maintenance")
    cameras = await add_village(database, clock, "东沟村", 6)
    media, network = FakeMedia(nap=clock.nap), FakeNetwork(clock)
    async with database.write() as session:
        for kind, camera in zip(kinds, cameras, strict=False):
            one = Exclusion(level="camera", camera_id=camera, kind=kind, reason="x", since=clock.now())
            one.until, one.created_name, one.created_at = clock.now() + timedelta(seconds=300), "a", clock.now()
            one.approved_at, one.approved_name = clock.now(), "a"
            session.add(one)
    async with Rounds(HealthSettings(round_seconds=10, picture_seconds=30), clock, bus, database, media, network):
        await clock.walk(100, step=1.0)
        assert {camera for camera, _ in media.looks} == set(cameras[3:])
        assert {host.rpartition(".")[2] for host in network.asked} == {"4", "5", "6"}
        bus.publish(ExclusionChanged(1, 1))
        await clock.walk(260, step=2.0)
        assert {camera for camera, _ in media.looks} == set(cameras), "they are looked at again when it is over"


async def test_bytes_are_told_by_village_and_by_camera_and_day(
    database: Database, bus: EventBus, clock: ManualClock
) -> None:
    """08:00 UTC is 16:00 of the site; the hours before 07:00 UTC are rolled up."""
    first, second = await add_village(database, clock, "东沟村", 2)
    now, midnight = clock.now(), datetime(2026, 11, 22, 16, tzinfo=UTC)
    tallied = {"looks": 1, "bad": 0, "reasons": {}, "scores": {}}
    async with database.write() as session:
        for back, size in ((1, 300), (2, 500), (40, 7)):
            session.add(
                ObservationDay(camera_id=first, at=midnight - timedelta(days=back), received_bytes=size, **tallied)
            )
        session.add(ObservationHour(camera_id=first, at=now - timedelta(hours=2), received_bytes=20, **tallied))
        session.add(RollUpMark(level="hours", until=now - timedelta(hours=1)))
        for hours, size in ((2, 20), (0.5, 4)):
            session.add(Observation(camera_id=first, at=now - timedelta(hours=hours), received_bytes=size))
        session.add(Observation(camera_id=second, at=now, received_bytes=100))
    plans = RoundPlans(database, bus, clock, ZoneInfo("Asia/Shanghai"))
    (village,) = await plans.all(ADMIN)
    assert (village.cameras, village.today_bytes, village.month_bytes) == (2, 124, 800)
    assert village.estimate_bytes == 800 * 30 // 2
    assert list(await plans.of_camera(ADMIN, first, 30)) == [
        DayOfBytes(midnight - timedelta(days=2), 500),
        DayOfBytes(midnight - timedelta(days=1), 300),
        DayOfBytes(midnight, 24),
    ]
    assert await plans.all(OUTSIDER) == []
    with pytest.raises(HubError, match="no such camera"):
        await plans.of_camera(OUTSIDER, first, 30)


async def test_a_plan_is_set_and_told_and_an_unknown_one_refused(
    database: Database, bus: EventBus, clock: ManualClock
) -> None:
    await add_village(database, clock, "东沟村", 1)
    plans = RoundPlans(database, bus, clock, ZoneInfo("Asia/Shanghai"))
    with bus.subscribe(VillageChanged) as events:
        await plans.set_plan(1, "thrifty")
        assert await events.next() == VillageChanged(1)
    assert [one.plan for one in await plans.all(ADMIN)] == ["thrifty"]
    for village, plan in ((1, "hourly"), (99, "normal")):
        with pytest.raises(HubError):
            await plans.set_plan(village, plan)
    async with database.write() as session:
        await session.execute(update(Village).values(round_plan="normal"))
