"""States that last: one interval per aspect, whatever is not looked at meanwhile, restarts and outages in between."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import cycle
from typing import Any

import pytest
from sqlalchemy import select

from camera_hub.events import AspectFound, DeviceSettingsChanged, EventBus
from camera_hub.health.rounds.rounds import Rounds
from camera_hub.settings import HealthSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Alarm, Camera, CameraState, ClockCheckRow
from tests.fakes.media import FakeSight
from tests.fakes.site import add_village
from tests.fakes.stepped import SteppedClock
from tests.health.test_rounds import Hub

SETTINGS = HealthSettings(round_seconds=20.0, picture_seconds=40.0)
MINUTES = 60


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def hub(database: Database, clock: SteppedClock, bus: EventBus, monkeypatch: pytest.MonkeyPatch) -> Hub:
    monkeypatch.setattr("camera_hub.health.rounds.rounds.TICK", 2.0)
    return Hub(database, clock, bus)


@asynccontextmanager
async def rounds(hub: Hub, seconds: float = 60.0) -> AsyncIterator[Rounds]:
    async with hub.rounds(SETTINGS) as running:
        await hub.clock.walk(seconds, step=2.0)
        yield running


async def rows(hub: Hub, camera: int, aspect: str) -> list[tuple[str, str | None, float, float | None]]:
    """(state, cause, minutes from the start, minutes to its end or None)."""
    async with hub.database.read() as session:
        query = select(CameraState).where(CameraState.camera_id == camera, CameraState.aspect == aspect)
        found = (await session.scalars(query.order_by(CameraState.since, CameraState.id))).all()
    start = found[0].since

    def minutes(span: timedelta) -> float:
        return round(span.total_seconds() / 60, 1)

    return [
        (one.state, one.cause, minutes(one.since - start), None if one.until is None else minutes(one.until - start))
        for one in found
    ]


@pytest.mark.slow
async def test_a_camera_that_is_frozen_all_day_is_one_interval_across_restarts_and_outages(hub: Hub) -> None:
    frozen, _ = await add_village(hub.database, hub.clock, "东沟村", 2)
    hub.media.frozen = {frozen}
    async with rounds(hub, 120):
        assert [row[:2] for row in await rows(hub, frozen, "picture")] == [("fault", "frozen")]
        await hub.cut([frozen])
        await hub.clock.walk(45 * MINUTES, step=2.0)
        await hub.cut([frozen], on=False)
        await hub.clock.walk(180, step=2.0)
    hub.clock.move(3 * 3600)  # the hub is away
    async with rounds(hub, 180):
        pass
    assert [(*row[:2], row[3]) for row in await rows(hub, frozen, "picture")] == [("fault", "frozen", None)]
    assert [row[:2] for row in await rows(hub, frozen, "media")] == [("ok", None), ("fault", "timed_out"), ("ok", None)]
    assert [row[:2] for row in await rows(hub, frozen, "reachable")] == [
        ("ok", None),
        ("fault", "timed_out"),
        ("ok", None),
    ]


async def test_what_changed_while_nobody_looked_is_not_known_in_between(hub: Hub) -> None:
    """The cable was mended in those hours: nobody can say when, and no row does."""
    camera, other = await add_village(hub.database, hub.clock, "东沟村", 2)
    hub.media.reasons[camera] = "no_media"
    async with rounds(hub, 120):
        pass
    hub.clock.move(3 * 3600)
    del hub.media.reasons[camera]
    hub.media.reasons[other] = "no_media"
    async with rounds(hub, 180):
        pass
    (bad, well), (before, after) = await rows(hub, camera, "media"), await rows(hub, other, "media")
    assert (bad[:2], well[:2]) == (("fault", "no_media"), ("ok", None))
    assert (before[:2], after[:2]) == (("ok", None), ("fault", "no_media"))
    for old, new in ((bad, well), (before, after)):
        assert old[3] is not None
        assert old[3] <= 2.5, "it ends with the last look that found it so"
        assert new[2] >= 180


async def test_a_short_restart_leaves_no_gap(hub: Hub) -> None:
    camera, _ = await add_village(hub.database, hub.clock, "东沟村", 2)
    async with rounds(hub, 120):
        pass
    hub.clock.move(5 * MINUTES)
    hub.media.reasons[camera] = "no_media"
    async with rounds(hub, 120):
        pass
    well, bad = await rows(hub, camera, "media")
    assert (well[3], bad[:3]) == (bad[2], ("fault", "no_media", bad[2]))


@pytest.mark.slow
async def test_a_cause_that_is_known_soon_names_the_whole_fault_and_a_later_one_begins_a_state(hub: Hub) -> None:
    camera, _ = await add_village(hub.database, hub.clock, "东沟村", 2)
    async with rounds(hub):
        hub.media.reasons[camera] = "stalled"
        await hub.clock.walk(60, step=2.0)
        hub.media.reasons[camera] = "no_media"
        await hub.clock.walk(20 * MINUTES, step=2.0)
        hub.media.reasons[camera] = "wrong_password"
        await hub.clock.walk(60, step=2.0)
    assert [row[:2] for row in await rows(hub, camera, "media")] == [
        ("ok", None),
        ("fault", "no_media"),
        ("fault", "wrong_password"),
    ]
    _, first, second = await rows(hub, camera, "media")
    assert first[3] == second[2] > 19


async def test_two_causes_by_turns_are_one_state(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    camera, _ = await add_village(hub.database, hub.clock, "东沟村", 2)
    look, causes = hub.media.look, cycle(["no_media", "no_key_frame"])

    async def by_turns(camera_id: int, **asked: Any) -> FakeSight:
        if camera_id == camera:
            hub.media.reasons[camera] = next(causes)
        return await look(camera_id, **asked)

    async with rounds(hub):
        monkeypatch.setattr(hub.media, "look", by_turns)
        await hub.clock.walk(800, step=2.0)
    assert len(await rows(hub, camera, "media")) == 2


async def test_recording_and_osd_are_taken_from_those_who_check_them_and_outlast_a_restart(hub: Hub) -> None:
    cameras = await add_village(hub.database, hub.clock, "东沟村", 6, recorder=4)
    single, recorder = cameras[0], cameras[2:]

    def found(camera: int, aspect: str, reason: str | None) -> None:
        hub.bus.publish(AspectFound(camera, aspect, reason, "as found", {"days": 3}))

    async with rounds(hub):
        found(single, "recording", "recording_short")
        found(single, "osd", None)
        for camera in recorder:
            found(camera, "recording", "no_recording")
            await hub.clock.walk(10, step=2.0)
        found(recorder[0], "picture", "black")  # not theirs to say
        found(99999, "osd", "osd_name_wrong")  # of a camera that was retired meanwhile
        await hub.clock.walk(10, step=2.0)
        raised = [("camera", "recording_short", [single]), ("device", "no_recording", recorder)]
        assert sorted(await hub.alarms(closed=True)) == raised, "its channels wait for each other"
        found(recorder[0], "recording", None)
        await hub.clock.walk(10, step=2.0)
        assert [level for level, *_ in await hub.alarms()] == ["camera", "device"], "the others stay one alarm"
    async with rounds(hub):
        found(single, "recording", "recording_unknown")
        for camera in recorder:
            found(camera, "recording", None)
        await hub.clock.walk(10, step=2.0)
        assert await hub.alarms() == []
    assert [row[:2] for row in await rows(hub, single, "recording")] == [("fault", "recording_short"), ("ok", None)]
    assert [row[:2] for row in await rows(hub, single, "osd")] == [("ok", None)]


async def test_a_nightly_check_and_a_clock_that_was_set_are_believed_at_once(hub: Hub) -> None:
    camera, _ = await add_village(hub.database, hub.clock, "东沟村", 2)

    async def check(offset_s: float | None, verdict: str) -> None:
        async with hub.database.write() as session:
            device = (await session.get_one(Camera, camera)).device_id
            await session.merge(ClockCheckRow(device_id=device, offset_s=offset_s, verdict=verdict))
        hub.bus.publish(DeviceSettingsChanged(device, 1))
        await hub.clock.walk(4, step=2.0)

    async with rounds(hub):
        await check(-95.0, "wrong")
        assert await hub.alarms() == [("camera", "clock_wrong", [camera])]
        await check(None, "unknown")
        assert await hub.alarms() != [], "what could not be read says nothing"
        await check(0.2, "ok")
        assert await hub.alarms() == []
    async with hub.database.read() as session:
        (alarm,) = (await session.scalars(select(Alarm))).all()
    assert (alarm.aspect, alarm.severity, alarm.ending) == ("clock", "warning", "recovered")
