"""Owners, suspension, many at once and filters through the API; a person's own notices."""

from datetime import timedelta
from typing import Any

import pytest

from camera_hub.access.policy import Role
from camera_hub.store.database import Database
from camera_hub.store.tables import Alarm, Notice
from tests.api.conftest import Hub
from tests.api.test_alarms import add_alarm
from tests.fakes.clock import ManualClock
from tests.fakes.site import add_village


@pytest.fixture
async def cameras(hub: Hub, database: Database, clock: ManualClock) -> list[int]:
    return await add_village(database, clock, "东沟村", 2)


async def test_many_are_acknowledged_at_once_and_nobodys_name_is_replaced(
    hub: Hub, cameras: list[int], database: Database, clock: ManualClock
) -> None:
    first, second, third = [await add_alarm(database, clock, cameras[0]) for _ in range(3)]
    operator, maintainer = await hub.client(Role.OPERATOR), await hub.client(Role.MAINTAINER)
    answer = await operator.post("/api/alarms/acknowledge", json={"ids": [first, second, first, 999], "note": "已派人"})
    assert answer.json() == {"done": [first, second], "others": [], "gone": [999]}
    again = await operator.post("/api/alarms/acknowledge", json={"ids": [first]})
    assert again.json()["done"] == [first]
    late = await maintainer.post("/api/alarms/acknowledge", json={"ids": [second, third]})
    assert late.json() == {"done": [third], "others": [{"id": second, "name": "operator"}], "gone": []}
    rows = {row["id"]: row for row in (await operator.get("/api/alarms")).json()}
    assert {number: (row["owner"]["name"], row["note"]) for number, row in rows.items()} == {
        first: ("operator", "已派人"),
        second: ("operator", "已派人"),
        third: ("maintainer", ""),
    }
    village = await hub.client(Role.VILLAGE_ADMIN)
    assert (await village.post("/api/alarms/acknowledge", json={"ids": [first]})).json()["gone"] == [first]
    for ids in ([], list(range(1, 502))):
        assert (await operator.post("/api/alarms/acknowledge", json={"ids": ids})).status_code == 422


async def test_an_alarm_is_given_to_who_may_take_care_of_it(
    hub: Hub, cameras: list[int], database: Database, clock: ManualClock
) -> None:
    alarm = await add_alarm(database, clock, cameras[0])
    client = await hub.client(Role.OPERATOR)
    owners = [one["name"] for one in (await client.get(f"/api/alarms/{alarm}/owners")).json()]
    assert owners == ["maintainer", "operator", "township_admin"]
    path = f"/api/alarms/{alarm}/owner"
    given = await client.post(path, json={"user_id": hub.accounts[Role.MAINTAINER].id})
    assert (given.json()["owner"]["name"], given.json()["acknowledged_at"]) == ("maintainer", None)
    for role in (Role.LEADER, Role.VILLAGE_ADMIN, Role.CONTRACTOR):
        refused = await client.post(path, json={"user_id": hub.accounts[role].id})
        assert (refused.status_code, refused.json()["reason"]) == (422, "not_an_owner")
    assert (await client.post(path, json={"user_id": None})).json()["owner"] is None
    leader = await hub.client(Role.LEADER)
    assert (await leader.post(path, json={"user_id": None})).status_code == 403


async def test_an_alarm_is_suspended_for_a_time_and_resumed(
    hub: Hub, cameras: list[int], database: Database, clock: ManualClock
) -> None:
    alarm = await add_alarm(database, clock, cameras[0])
    client = await hub.client(Role.OPERATOR)
    until = (clock.now() + timedelta(days=2)).isoformat()
    path = f"/api/alarms/{alarm}/suspend"
    answer = (await client.post(path, json={"until": until, "reason": "parts", "note": "等硬盘"})).json()
    assert answer["suspended"]["reason"] == "parts"
    assert (answer["suspended"]["by"], answer["note"]) == ("operator", "等硬盘")
    assert [one["id"] for one in (await client.get("/api/alarms?suspended=true")).json()] == [alarm]
    for bad in (clock.now(), clock.now() + timedelta(days=91)):
        refused = await client.post(path, json={"until": bad.isoformat(), "reason": "parts"})
        assert (refused.status_code, refused.json()["reason"]) == (422, "suspension_end")
    assert (await client.post(f"/api/alarms/{alarm}/resume")).json()["suspended"] is None
    assert (await client.post(f"/api/alarms/{alarm}/resume")).status_code == 200
    async with database.write() as session:
        (await session.get_one(Alarm, alarm)).closed_at = clock.now() + timedelta(minutes=9)
    late = await client.post(path, json={"until": until, "reason": "parts"})
    assert (late.status_code, late.json()["reason"]) == (409, "alarm_closed")
    assert (await client.get("/api/alarms")).json()[0]["duration_s"] == 540.0


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "cba"),
        ("severity=minor", "b"),
        ("aspect=picture", "b"),
        ("cause=black", "b"),
        ("acknowledged=true", "a"),
        ("acknowledged=false", "cb"),
        ("text=摄像机2", "b"),
        ("text=%25", ""),
        ("text=东沟", "cba"),
        ("open=true&severity=major", "c"),
        ("owner=1", ""),
        ("since=2026-11-23T07:00:00Z&until=2026-11-23T08:00:01Z", "cba"),
        ("until=2026-11-23T08:00:00Z", ""),
        ("since=2026-11-23T09:00:00Z", "cb"),
    ],
)
async def test_a_list_shows_what_is_asked_for(
    hub: Hub, cameras: list[int], database: Database, clock: ManualClock, query: str, expected: str
) -> None:
    a = await add_alarm(database, clock, cameras[0], closed=True)
    b = await add_alarm(database, clock, cameras[1])
    c = await add_alarm(database, clock, cameras[0], level="village")
    async with database.write() as session:
        (await session.get_one(Alarm, a)).acknowledged_at = clock.now()
        row = await session.get_one(Alarm, b)
        row.aspect, row.severity, row.cause = "picture", "minor", "black"
    client = await hub.client(Role.OPERATOR)
    names = {a: "a", b: "b", c: "c"}
    assert "".join(names[row["id"]] for row in (await client.get(f"/api/alarms?{query}")).json()) == expected


async def test_a_village_of_others_is_none(hub: Hub, cameras: list[int]) -> None:
    client = await hub.client(Role.VILLAGE_ADMIN)
    assert (await client.get(f"/api/alarms?village_id={hub.other_village}")).status_code == 404
    assert (await client.get(f"/api/alarms?village_id={hub.village}")).status_code == 200
    assert (await client.get("/api/alarms?smell=1")).status_code == 422


async def test_everybody_reads_and_marks_their_own_notices(hub: Hub, database: Database, clock: ManualClock) -> None:
    said: dict[str, Any] = {"title": "告警", "text": "东沟村", "severity": "major", "sound": True, "alarm_ids": []}
    async with database.write() as session:
        for role in (Role.OPERATOR, Role.OPERATOR, Role.LEADER, Role.OPERATOR):
            notice = Notice(user_id=hub.accounts[role].id, kind="digest", payload=said)
            notice.created_at = notice.next_attempt_at = clock.now()
            session.add(notice)
            await session.flush()
    client = await hub.client(Role.OPERATOR)
    mine = (await client.get("/api/notices")).json()
    assert [one["id"] for one in mine] == [4, 2, 1]
    assert (mine[0]["title"], mine[0]["sound"], mine[0]["read_at"]) == ("告警", True, None)
    assert [one["id"] for one in (await client.get("/api/notices?after=1&limit=1")).json()] == [4]
    assert [one["id"] for one in (await client.get("/api/notices?before=4")).json()] == [2, 1]
    assert (await client.get("/api/notices/unread")).json() == {"unread": 3, "newest": 4}
    assert (await client.post("/api/notices/read", json={"up_to": 3})).json() == {"unread": 1, "newest": 4}
    leader = await hub.client(Role.LEADER)
    assert (await leader.get("/api/notices/unread")).json() == {"unread": 1, "newest": 3}
