"""Alarms and observations through the API."""

from datetime import timedelta

import pytest
from sqlalchemy import insert

from camera_hub.access.policy import Role
from camera_hub.api import alarms
from camera_hub.health.alarms.alarms import Alarms
from camera_hub.store.database import Database
from camera_hub.store.tables import Alarm, AlarmMember, Camera, CameraState, Observation
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
            opened_at=clock.now(),
            closed_at=clock.now() if closed else None,
        )
        session.add(alarm)
        await session.flush()
        if camera_id is not None:
            session.add(
                AlarmMember(alarm_id=alarm.id, camera_id=camera_id, joined_at=alarm.opened_at, left_at=alarm.closed_at)
            )
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
    assert (await client.get(f"/api/alarms/{alarm}/members")).status_code == 404
    assert (await client.get("/api/alarms/count")).json() == {"open": 0}
    for path in ("observations", "history"):
        assert (await client.get(f"/api/cameras/{cameras[0]}/{path}")).status_code == 404


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


async def test_a_page_gets_events_of_alarms_in_its_scope_only(
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


async def test_open_alarms_are_counted_beyond_one_page(
    hub: Hub, cameras: list[int], database: Database, clock: ManualClock
) -> None:
    async with database.write() as session:
        for number in range(730):
            closed = clock.now() if number % 10 == 0 else None
            session.add(Alarm(level="hub", cause="hub_uplink", opened_at=clock.now(), closed_at=closed))
    client = await hub.client(Role.OPERATOR)
    assert (await client.get("/api/alarms/count")).json() == {"open": 657}


async def test_pages_miss_nothing_and_repeat_nothing_while_alarms_come_and_close(
    hub: Hub, cameras: list[int], database: Database, clock: ManualClock
) -> None:
    ids = [await add_alarm(database, clock, cameras[n % 2], closed=n % 3 == 0) for n in range(25)]
    client = await hub.client(Role.OPERATOR)
    seen: list[int] = []
    query = "/api/alarms?limit=10"
    while True:
        page = (await client.get(query)).json()
        seen += [row["id"] for row in page]
        if len(page) < 10:
            break
        query = f"/api/alarms?limit=10&before={page[-1]['id']}"
        # Meanwhile a new one opens, the oldest closes, and one of those not yet read is acknowledged.
        await add_alarm(database, clock, cameras[0])
        async with database.write() as session:
            (await session.get_one(Alarm, ids[1])).closed_at = clock.now()
        await client.post(f"/api/alarms/{ids[2]}/acknowledge")
    assert seen == ids[::-1]


async def test_an_alarm_names_who_it_stands_for_and_who_has_recovered(
    hub: Hub, cameras: list[int], database: Database, clock: ManualClock
) -> None:
    alarm = await add_alarm(database, clock, cameras[0], level="village")
    opened = clock.now()
    clock.move(60)
    async with database.write() as session:
        session.add(
            AlarmMember(alarm_id=alarm, camera_id=cameras[1], joined_at=opened, left_at=opened + timedelta(seconds=30))
        )
    client = await hub.client(Role.OPERATOR)
    (row,) = (await client.get("/api/alarms")).json()
    assert (row["members"], row["recovered"]) == ([cameras[0]], [cameras[1]])
    assert (row["aspect"], row["severity"]) == ("media", "major")
    members = (await client.get(f"/api/alarms/{alarm}/members")).json()
    assert [(one["camera_name"], one["left_at"]) for one in members] == [
        ("东沟村摄像机1", None),
        ("东沟村摄像机2", "2026-11-23T08:00:30Z"),
    ]
    for camera in cameras:
        listed = (await client.get(f"/api/alarms?camera_id={camera}")).json()
        assert [one["id"] for one in listed] == [alarm]


@pytest.mark.slow
async def test_three_days_of_looks_are_three_days(
    hub: Hub, cameras: list[int], database: Database, clock: ManualClock
) -> None:
    """A look a minute makes 4,320: the file shows the first of them as well as the last."""
    minutes = 3 * 24 * 60
    start = clock.now() - timedelta(minutes=minutes)
    async with database.write() as session:
        rows: list[dict[str, object]] = [
            {
                "camera_id": cameras[0],
                "at": start + timedelta(minutes=n + 1),
                "reason": "frozen" if n % 5 == 0 else "timed_out" if 3000 <= n < 3060 else None,
                "media": "timed_out" if 3000 <= n < 3060 and n % 5 else "ok",
                "picture": "frozen" if n % 5 == 0 else None,
                "key_frame_ms": float(n % 100),
                "scores": {},
            }
            for n in range(minutes)
        ]
        await session.execute(insert(Observation), rows)
    client = await hub.client(Role.OPERATOR)
    found = (await client.get(f"/api/cameras/{cameras[0]}/history?hours=72")).json()
    assert found["looks"] == minutes
    assert found["bad"] == minutes // 5 + 48
    assert found["key_frame_median_ms"] == 49.0
    assert len(found["points"]) <= 721
    assert found["points"][0]["at"][:16] == start.isoformat()[:16]
    pictures = [span for span in found["spans"] if span["aspect"] == "picture"]
    assert [(span["reason"], span["since"][:16], span["until"][:16]) for span in pictures] == [
        ("frozen", (start + timedelta(minutes=1)).isoformat()[:16], clock.now().isoformat()[:16])
    ]
    assert not [span for span in found["spans"] if span["aspect"] == "clock"]
    assert sum(span["reason"] == "timed_out" for span in found["spans"]) == 12
    page, seen = f"/api/cameras/{cameras[0]}/observations?hours=72&limit=4000", []
    query = page
    while rows_read := (await client.get(query)).json():
        seen += [row["at"] for row in rows_read]
        query = f"{page}&before={rows_read[-1]['id']}"
    assert (len(seen), seen) == (minutes, sorted(seen, reverse=True))


async def test_eight_live_pictures_with_a_wrong_clock_are_eight_online_and_eight_clocks_wrong(
    hub: Hub, database: Database, clock: ManualClock
) -> None:
    ids = await add_village(database, clock, "北沟村", 8, recorder=8)
    async with database.write() as session:
        for camera in ids:
            (await session.get_one(Camera, camera)).health = "ok"
            for aspect, state, cause in (("media", "ok", None), ("clock", "fault", "clock_wrong")):
                session.add(CameraState(camera_id=camera, aspect=aspect, state=state, cause=cause, since=clock.now()))
    client = await hub.client(Role.OPERATOR)
    village = next(one for one in (await client.get("/api/villages")).json() if one["name"] == "北沟村")
    assert village["counts"] == {
        "total": 8,
        "ok": 8,
        "fault": 0,
        "unknown": 0,
        "waiting": 0,
        "online": 8,
        "picture_fault": 0,
        "clock_wrong": 8,
    }
    camera = next(one for one in (await client.get("/api/cameras")).json() if one["id"] == ids[0])
    assert [(one["aspect"], one["state"], one["cause"]) for one in camera["states"]] == [
        ("clock", "fault", "clock_wrong"),
        ("media", "ok", None),
    ]
