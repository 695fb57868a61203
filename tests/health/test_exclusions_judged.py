"""What is excluded is not judged: no alarm opens, one that is open closes without a word, and all comes back after."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from camera_hub.events import EventBus, ExclusionChanged
from camera_hub.store.database import Database
from camera_hub.store.tables import Alarm, Camera, CameraState, Exclusion
from tests.fakes.site import add_village
from tests.fakes.stepped import SteppedClock
from tests.health.test_rounds import Hub


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def hub(database: Database, clock: SteppedClock, bus: EventBus, monkeypatch: pytest.MonkeyPatch) -> Hub:
    monkeypatch.setattr("camera_hub.health.rounds.rounds.TICK", 1.0)
    return Hub(database, clock, bus)


async def exclude(
    hub: Hub, camera: int, *, level: str = "camera", begins: float = 0.0, lasts: float = 3600.0, approved: bool = True
) -> None:
    """Ask for an exclusion that begins in so many seconds."""
    now = hub.clock.now()
    async with hub.database.write() as session:
        row = await session.get_one(Camera, camera)
        session.add(
            Exclusion(
                level=level,
                camera_id=camera if level == "camera" else None,
                device_id=row.device_id if level == "device" else None,
                village_id=row.village_id if level == "village" else None,
                kind="repair",
                reason="换镜头",
                since=now + timedelta(seconds=begins),
                until=now + timedelta(seconds=begins + lasts),
                created_name="a",
                created_at=now,
                approved_name="b" if approved else None,
                approved_at=now if approved else None,
            )
        )
    hub.bus.publish(ExclusionChanged(1, row.village_id))


async def endings(hub: Hub) -> list[str | None]:
    async with hub.database.read() as session:
        return list(await session.scalars(select(Alarm.ending).order_by(Alarm.id)))


async def test_an_open_alarm_closes_quietly_and_opens_again_after_the_exclusion(hub: Hub) -> None:
    broken, other = await add_village(hub.database, hub.clock, "东沟村", 2)
    hub.media.reasons[broken] = "no_media"
    async with hub.rounds():
        await hub.clock.walk(20, step=1.0)
        assert await hub.alarms() == [("camera", "no_media", [broken])]
        await exclude(hub, broken, begins=20, lasts=60)
        await hub.clock.walk(15, step=1.0)
        assert len(await hub.alarms()) == 1, "it has not begun"
        await hub.clock.walk(15, step=1.0)
        assert await hub.alarms() == []
        hub.media.reasons[other] = "no_media"
        await hub.clock.walk(20, step=1.0)
        assert await hub.alarms() == [("camera", "no_media", [other])]
        await hub.clock.walk(40, step=1.0)
        assert await hub.alarms() == [("camera", "no_media", [other]), ("camera", "no_media", [broken])]
        assert await endings(hub) == ["excluded", None, None]
    assert await hub.notices() == [], "no channel is there; see the announcer"
    async with hub.database.read() as session:
        states = await session.scalars(select(CameraState).where(CameraState.camera_id == broken))
        assert [(one.state, one.until) for one in states if one.aspect == "media"] == [("fault", None)], (
            "its states are written all the same"
        )


async def test_one_that_is_repaired_meanwhile_has_no_alarm_after(hub: Hub) -> None:
    broken, _ = await add_village(hub.database, hub.clock, "东沟村", 2)
    hub.media.reasons[broken] = "no_media"
    await exclude(hub, broken, lasts=40)
    async with hub.rounds():
        await hub.clock.walk(30, step=1.0)
        hub.media.reasons.clear()
        await hub.clock.walk(60, step=1.0)
    assert await hub.alarms(closed=True) == []


async def test_one_that_is_only_asked_for_is_not_in_force(hub: Hub) -> None:
    broken, _ = await add_village(hub.database, hub.clock, "东沟村", 2)
    hub.media.reasons[broken] = "no_media"
    await exclude(hub, broken, level="village", approved=False)
    async with hub.rounds():
        await hub.clock.walk(20, step=1.0)
        assert await hub.alarms() == [("camera", "no_media", [broken])]


@pytest.mark.parametrize(
    ("cut", "excluded", "raised"),
    [
        (4, 0, [("camera", 1)] * 4),  # 4 of 6: not the village
        (4, 2, [("village", 4)]),  # of the 4 that are judged all 4
        (6, 6, []),
        (6, 5, [("camera", 1)]),  # one device that is judged is no village
    ],
)
async def test_a_villages_share_counts_only_what_is_judged(
    hub: Hub, cut: int, excluded: int, raised: list[tuple[str, int]]
) -> None:
    cameras = await add_village(hub.database, hub.clock, "东沟村", 6)
    await add_village(hub.database, hub.clock, "西沟村", 4)
    for camera in cameras[len(cameras) - excluded :]:
        await exclude(hub, camera, level="device")
    async with hub.rounds():
        await hub.clock.walk(10, step=1.0)
        await hub.cut(cameras[:cut])
        await hub.clock.walk(60, step=1.0)
        assert [(level, len(members)) for level, _, members in await hub.alarms()] == raised


async def test_a_village_that_is_excluded_while_its_link_is_down_closes_quietly(hub: Hub) -> None:
    cameras = await add_village(hub.database, hub.clock, "东沟村", 4)
    await add_village(hub.database, hub.clock, "西沟村", 4)
    async with hub.rounds():
        await hub.clock.walk(10, step=1.0)
        await hub.cut(cameras)
        await hub.clock.walk(40, step=1.0)
        assert [level for level, *_ in await hub.alarms()] == ["village"]
        await exclude(hub, cameras[0], level="village")
        await hub.clock.walk(20, step=1.0)
    assert (await hub.alarms(), await endings(hub)) == ([], ["excluded"])
