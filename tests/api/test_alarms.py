"""Alarms and observations through the API."""

from datetime import timedelta

import pytest

from camera_hub.access.policy import Role
from camera_hub.api import alarms
from camera_hub.health.alarms.alarms import Alarms
from camera_hub.store.database import Database
from camera_hub.store.tables import Alarm, Camera, Observation
from tests.api.conftest import Hub, told
from tests.fakes.clock import ManualClock
from tests.fakes.site import add_village


@pytest.fixture
async def cameras(hub: Hub, database: Database, clock: ManualClock) -> list[int]:
    """Two cameras of a third village, which no village admin of the hub has."""
    return await add_village(database, clock, "东沟村", 2)


async def add_alarm(
    database: Database, clock: ManualClock, camera_id: int | None, *, closed: bool = False, level: str = "camera"
) -> int:
    async with database.write() as session:
        camera = await session.get(Camera, camera_id) if camera_id is not None else None
        alarm = Alarm(
            level=level,
            cause="no_media" if level == "camera" else "village_link",
            village_id=camera.village_id if camera else None,
            device_id=camera.device_id if camera and level == "camera" else None,
            camera_id=camera_id if level == "camera" else None,
            members=[camera_id] if camera_id is not None else [],
            opened_at=clock.now(),
            closed_at=clock.now() if closed else None,
        )
        session.add(alarm)
        await session.flush()
        return alarm.id


async def test_alarms_are_listed_newest_first_with_names(
    hub: Hub, cameras: list[int], database: Database, clock: ManualClock
) -> None:
    old = await add_alarm(database, clock, cameras[0], closed=True)
    new = await add_alarm(database, clock, cameras[1])
    village = await add_alarm(database, clock, cameras[0], level="village")
    client = await hub.client(Role.OPERATOR)
    answer = await client.get("/api/alarms")
    assert [row["id"] for row in answer.json()] == [village, new, old]
    first = answer.json()[1]
    assert (first["camera_name"], first["village_name"], first["device_name"]) == (
        "东沟村摄像机2",
        "东沟村",
        "东沟村2",
    )
    assert [row["id"] for row in (await client.get("/api/alarms?open=true")).json()] == [village, new]
    assert [row["id"] for row in (await client.get("/api/alarms?open=false")).json()] == [old]
    assert [row["id"] for row in (await client.get(f"/api/alarms?camera_id={cameras[0]}")).json()] == [village, old]
    assert [row["id"] for row in (await client.get(f"/api/alarms?limit=1&before={village}")).json()] == [new]
    assert (await client.get("/api/alarms?limit=0")).status_code == 422


async def test_the_first_name_stands(hub: Hub, cameras: list[int], database: Database, clock: ManualClock) -> None:
    alarm = await add_alarm(database, clock, cameras[0])
    operator, maintainer = await hub.client(Role.OPERATOR), await hub.client(Role.MAINTAINER)
    answer = await operator.post(f"/api/alarms/{alarm}/acknowledge")
    assert answer.status_code == 200
    assert (answer.json()["acknowledged_name"], answer.json()["closed_at"]) == ("operator", None)
    again = await operator.post(f"/api/alarms/{alarm}/acknowledge")
    assert again.json() == answer.json()
    late = await maintainer.post(f"/api/alarms/{alarm}/acknowledge")
    assert (late.status_code, late.json()["params"]["name"]) == (409, "operator")
    assert (await operator.post("/api/alarms/999/acknowledge")).status_code == 404


async def test_a_leader_reads_and_does_not_acknowledge(
    hub: Hub, cameras: list[int], database: Database, clock: ManualClock
) -> None:
    alarm = await add_alarm(database, clock, cameras[0])
    client = await hub.client(Role.LEADER)
    assert (await client.get("/api/alarms")).status_code == 200
    assert (await client.post(f"/api/alarms/{alarm}/acknowledge")).status_code == 403
    assert (await (await hub.client(None)).get("/api/alarms")).status_code == 401


async def test_a_village_admin_sees_nothing_of_other_villages(
    hub: Hub, cameras: list[int], database: Database, clock: ManualClock
) -> None:
    alarm = await add_alarm(database, clock, cameras[0])
    client = await hub.client(Role.VILLAGE_ADMIN)
    assert (await client.get("/api/alarms")).json() == []
    assert (await client.post(f"/api/alarms/{alarm}/acknowledge")).status_code == 404
    assert (await client.get(f"/api/alarms?camera_id={cameras[0]}")).status_code == 404
    assert (await client.get(f"/api/cameras/{cameras[0]}/observations")).status_code == 404


async def test_a_cameras_history_is_read_newest_first(
    hub: Hub, cameras: list[int], database: Database, clock: ManualClock
) -> None:
    async with database.write() as session:
        for hour in (1, 5, 30):
            at = clock.now() - timedelta(hours=hour)
            session.add(Observation(camera_id=cameras[0], at=at, reason=None if hour > 1 else "black", scores={}))
    client = await hub.client(Role.OPERATOR)
    path = f"/api/cameras/{cameras[0]}/observations"
    assert [row["reason"] for row in (await client.get(path)).json()] == ["black", None]
    assert len((await client.get(path, params={"hours": 48})).json()) == 3
    assert (await client.get(path, params={"hours": 0})).status_code == 422
    assert (await client.get("/api/cameras/999/observations")).status_code == 404


async def test_a_page_is_told_of_alarms_in_its_scope_only(
    hub: Hub, cameras: list[int], database: Database, clock: ManualClock
) -> None:
    alarm = await add_alarm(database, clock, cameras[0])
    actors = {
        role: await hub.app.state.sessions.actor((await hub.client(role)).cookies["camera_hub_session"])
        for role in (Role.OPERATOR, Role.VILLAGE_ADMIN)
    }
    seen = await told(alarms.live(hub.parts[Alarms]), actors[Role.OPERATOR], alarm)
    assert seen is not None
    assert (seen["id"], seen["opened_at"]) == (alarm, "2026-11-23T08:00:00Z")
    assert await told(alarms.live(hub.parts[Alarms]), actors[Role.VILLAGE_ADMIN], alarm) is None
