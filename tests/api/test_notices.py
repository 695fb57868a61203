"""Notice channels through the API: a township admin's, and no address ever comes back."""

import pytest

from camera_hub.access.policy import Role
from tests.api.conftest import Hub

PATH = "/api/notices/channels"
URL = "https://robot.example/send?key=s3cret"


async def test_channels_are_added_changed_listed_and_removed(hub: Hub) -> None:
    client = await hub.client(Role.TOWNSHIP_ADMIN)
    assert (await client.get(PATH)).json() == []
    added = await client.post(PATH, json={"name": "值班群", "url": URL})
    assert added.status_code == 201
    channel = added.json()
    assert (channel["host"], channel["enabled"], channel["from_settings"]) == ("robot.example", True, False)
    assert channel["rules"] == [{"village_id": None, "aspect": None, "min_severity": None}]
    rules = [{"village_id": hub.village, "min_severity": "major"}]
    changed = await client.patch(f"{PATH}/{channel['id']}", json={"enabled": False, "rules": rules})
    assert (changed.json()["enabled"], changed.json()["rules"][0]["village_id"]) == (False, hub.village)
    listed = await client.get(PATH)
    assert listed.json() == [changed.json()]
    for answer in (added, changed, listed):
        assert "s3cret" not in answer.text
    assert (await client.delete(f"{PATH}/{channel['id']}")).status_code == 200
    assert (await client.get(PATH)).json() == []
    assert (await client.delete(f"{PATH}/{channel['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "x"}, 422),
        ({"name": "x", "url": "ftp://robot.example/s3cret"}, 422),
        ({"name": "x", "url": "http://" + "s3cret" * 400}, 422),
        ({"name": "x", "url": URL, "rules": [{"village_id": 999}]}, 422),
        ({"name": "x", "url": URL, "rules": [{"aspect": "smell"}]}, 422),
        ({"name": "x", "url": URL, "timeout_s": 0}, 422),
        ({"name": "x", "url": URL, "sms": "138"}, 422),
        ({"name": "", "url": URL}, 422),
    ],
)
async def test_a_bad_channel_is_refused_without_repeating_its_address(
    hub: Hub, body: dict[str, object], status: int
) -> None:
    client = await hub.client(Role.TOWNSHIP_ADMIN)
    answer = await client.post(PATH, json=body)
    assert answer.status_code == status
    assert "s3cret" not in answer.text
    assert (await client.get(PATH)).json() == []


async def test_two_channels_of_one_name_are_refused(hub: Hub) -> None:
    client = await hub.client(Role.TOWNSHIP_ADMIN)
    first = (await client.post(PATH, json={"name": "a", "url": URL})).json()
    assert (await client.post(PATH, json={"name": "a", "url": URL})).status_code == 409
    await client.post(PATH, json={"name": "b", "url": URL})
    again = await client.patch(f"{PATH}/{first['id']}", json={"name": "b"})
    assert (again.status_code, again.json()["reason"]) == (409, "channel_name_taken")


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.MAINTAINER, Role.LEADER, Role.VILLAGE_ADMIN])
async def test_nobody_else_sees_or_changes_channels(hub: Hub, role: Role) -> None:
    admin, client = await hub.client(Role.TOWNSHIP_ADMIN), await hub.client(role)
    channel = (await admin.post(PATH, json={"name": "a", "url": URL})).json()["id"]
    for answer in (
        await client.get(PATH),
        await client.post(PATH, json={"name": "b", "url": URL}),
        await client.patch(f"{PATH}/{channel}", json={"enabled": False}),
        await client.delete(f"{PATH}/{channel}"),
    ):
        assert answer.status_code == 403
