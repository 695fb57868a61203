"""Users through the API."""

import pytest

from camera_hub.access.policy import OF_PERSONS, Role
from tests.api.conftest import PASSWORD, Hub


async def test_a_user_is_made_changed_and_disabled(hub: Hub) -> None:
    admin, other = await hub.client(Role.TOWNSHIP_ADMIN), await hub.client(None)
    body = {
        "username": "Li.Si",
        "display_name": "李四",
        "role": "village_admin",
        "villages": [{"village_id": hub.village}],
        "password": PASSWORD,
    }
    made = await admin.post("/api/users", json=body)
    assert made.status_code == 201
    user = made.json()
    assert (user["username"], user["disabled"]) == ("li.si", False)
    assert user["villages"] == [{"village_id": hub.village, "from": None, "until": None}]
    assert "password" not in made.text
    assert (await admin.post("/api/users", json=body)).json()["reason"] == "username_taken"

    assert (await other.post("/api/session", json={"username": "li.si", "password": PASSWORD})).status_code == 200
    moved = await admin.patch(f"/api/users/{user['id']}", json={"villages": [{"village_id": hub.other_village}]})
    assert [one["village_id"] for one in moved.json()["villages"]] == [hub.other_village]
    assert (await other.get("/api/session")).json()["villages"] == [{"id": hub.other_village, "name": "西"}]
    renamed = await admin.patch(f"/api/users/{user['id']}", json={"display_name": "李"})
    assert renamed.json()["villages"] == moved.json()["villages"]

    await admin.patch(f"/api/users/{user['id']}", json={"disabled": True})
    assert (await other.get("/api/session")).status_code == 401
    listed = {row["username"]: row["disabled"] for row in (await admin.get("/api/users")).json()}
    assert listed["li.si"] is True
    assert len(listed) == len(OF_PERSONS) + 1


async def test_a_new_password_lets_a_locked_account_in_again(hub: Hub) -> None:
    admin, other = await hub.client(Role.TOWNSHIP_ADMIN), await hub.client(None)
    for _ in range(11):
        answer = await other.post("/api/session", json={"username": "leader", "password": "wrong"})
    assert answer.status_code == 429
    leader = hub.accounts[Role.LEADER].id
    assert (await admin.patch(f"/api/users/{leader}", json={"password": "another-Password"})).status_code == 200
    answer = await other.post("/api/session", json={"username": "leader", "password": "another-Password"})
    assert answer.status_code == 200


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", "2026-11-28T12:00:00"])
async def test_a_time_that_cannot_be_kept_is_refused(hub: Hub, time: str) -> None:
    admin, leader = await hub.client(Role.TOWNSHIP_ADMIN), hub.accounts[Role.LEADER].id
    villages = [{"village_id": hub.village, "until": time}]
    assert (await admin.patch(f"/api/users/{leader}", json={"villages": villages})).status_code == 422


async def test_refusals_name_their_reason(hub: Hub) -> None:
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    me = hub.accounts[Role.TOWNSHIP_ADMIN].id
    assert (await admin.patch(f"/api/users/{me}", json={"role": "leader"})).json()["reason"] == "last_admin"
    assert (await admin.patch("/api/users/999", json={"disabled": True})).status_code == 404
    bad = await admin.post(
        "/api/users", json={"username": "a b", "display_name": "x", "role": "king", "password": PASSWORD, "extra": 1}
    )
    assert {field["field"] for field in bad.json()["params"]["fields"]} == {"username", "role", "extra"}
