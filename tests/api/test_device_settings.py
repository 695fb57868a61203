"""Settings on devices over HTTP: previews, applying, the list of clocks; who may, and where."""

import asyncio
from typing import Any

import pytest

from camera_hub.access.policy import Role
from camera_hub.cameras.device_settings import previews
from camera_hub.cameras.device_settings.clock_checks import ClockCheck
from camera_hub.cameras.device_settings.store import SettingsStore
from camera_hub.cameras.device_settings.values import ClockState, SettingsReading
from camera_hub.cameras.jobs import Jobs
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, CameraSettingsRow, Device
from tests.api.conftest import Hub
from tests.cameras.fakes import ADMIN
from tests.fakes.clock import ManualClock

NOW = {"clock": {"set_now": True}}


async def device(database: Database, clock: ManualClock, village: int, **values: Any) -> int:
    async with database.write() as session:
        row = Device(village_id=village, name="村口", host="10.1.1.1", via="url", created_at=clock.now(), **values)
        session.add(row)
        await session.flush()
        session.add(
            Camera(
                device_id=row.id,
                village_id=village,
                channel="rtsp",
                name="东",
                state="approved",
                created_at=clock.now(),
            )
        )
    return row.id


async def ended(hub: Hub, job_id: str) -> None:
    jobs: Jobs = hub.parts[Jobs]
    task = jobs._jobs[job_id].task
    assert task is not None
    await asyncio.wait([task])


async def test_a_preview_says_why_a_device_cannot_be_set(hub: Hub, database: Database, clock: ManualClock) -> None:
    number = await device(database, clock, hub.village)
    browser = await hub.client(Role.MAINTAINER)
    body = {"village_id": hub.village, "change": {**NOW, "osd": {"name": "camera_name"}}}
    job = (await browser.post("/api/device-settings/preview", json=body)).json()
    await ended(hub, job["id"])
    preview = (await browser.get(f"/api/device-settings/previews/{job['id']}")).json()
    assert preview["state"] == "ready"
    assert [(one["part"], one["verdict"], one["reason"]) for one in preview["items"]] == [
        ("clock", "cannot", "no_settings_way"),
        ("osd_name", "cannot", "no_settings_way"),
    ]
    assert (preview["items"][0]["device_id"], preview["items"][1]["camera_name"]) == (number, "东")
    assert (await browser.get(f"/api/jobs/{job['id']}")).json()["failed"] == 1
    apply = f"/api/device-settings/previews/{job['id']}/apply"
    assert (await browser.post(apply, json={})).json()["reason"] == "nothing_to_set"
    assert (await browser.post(apply, json={"only": ["x"]})).status_code == 404
    other = await hub.client(Role.TOWNSHIP_ADMIN)  # it is one person's
    assert (await other.get(f"/api/device-settings/previews/{job['id']}")).status_code == 404
    clock.move(3601)
    assert (await browser.get(f"/api/device-settings/previews/{job['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"device_ids": [1], "village_id": 1, "change": NOW}, 422),
        ({"change": NOW}, 422),
        ({"device_ids": [], "change": NOW}, 422),
        ({"device_ids": [999999], "change": NOW}, 404),
        ({"camera_ids": [999999], "change": NOW}, 404),
        ({"village_id": 999999, "change": NOW}, 422),
        ({"village_id": 1, "change": {}}, 422),
        ({"village_id": 1, "change": {"clock": {"zone": "Nowhere/Land"}}}, 422),
        ({"village_id": 1, "change": {"clock": {"ntp_server": "a b"}}}, 422),
        ({"village_id": 1, "change": {"clock": {"ntp_server": "999.1.1.1"}}}, 422),
        ({"village_id": 1, "change": {"clock": {"ntp_server": "0.0.0.0"}}}, 422),
        ({"village_id": 1, "change": {"clock": {"ntp_server": "ntp.example:123"}}}, 422),
        ({"village_id": 1, "change": {"clock": {"ntp_server": "-ntp..example"}}}, 422),
        ({"village_id": 1, "change": {"sub": {"width": 640}}}, 422),
        ({"village_id": 1, "change": {"sub": {"gov_seconds": 0}}}, 422),
        ({"village_id": 1, "change": {"osd": {"name": "x" * 65}}}, 422),
    ],
)
async def test_what_cannot_be_meant_is_refused(hub: Hub, body: dict[str, Any], status: int) -> None:
    browser = await hub.client(Role.TOWNSHIP_ADMIN)
    answer = await browser.post("/api/device-settings/preview", json=body)
    assert answer.status_code == status, answer.text


async def test_clocks_are_listed_worst_first_and_in_scope(hub: Hub, database: Database, clock: ManualClock) -> None:
    store: SettingsStore = hub.parts[SettingsStore]
    villages = (hub.village, hub.village, hub.other_village)
    mine, second, others = [await device(database, clock, village) for village in villages]
    await store.keep_check(mine, ClockCheck(clock.now(), 8.0, "manual", "warn", clock.now(), "clock_drifts"))
    await store.keep_check(second, ClockCheck(clock.now(), -90.0, "ntp", "lies", clock.now(), "clock_lies"))
    await store.keep_check(others, ClockCheck(clock.now(), 0.1, "ntp", "ok"))
    admin, village = await hub.client(Role.TOWNSHIP_ADMIN), await hub.client(Role.VILLAGE_ADMIN)
    found = (await admin.get("/api/device-settings/clocks")).json()
    assert [one["device_id"] for one in found["clocks"]] == [second, mine, others]
    assert found["clocks"][0]["check"]["offset_s"] == -90.0
    bound = (await village.get("/api/device-settings/clocks")).json()["clocks"]
    assert [one["device_id"] for one in bound] == [second, mine]
    some = (await admin.get("/api/device-settings/clocks", params={"verdict": ["warn", "ok"]})).json()["clocks"]
    assert [one["device_id"] for one in some] == [mine, others]
    assert (await admin.get("/api/device-settings/clocks", params={"verdict": "x"})).status_code == 422
    defaults = (await admin.get("/api/device-settings/defaults")).json()
    assert (defaults["zone"], defaults["warn_s"]) == ("CST-8", 5.0)


async def test_what_was_read_is_kept_and_what_another_version_wrote_is_no_failure(
    hub: Hub, database: Database, clock: ManualClock
) -> None:
    number = await device(database, clock, hub.village)
    browser = await hub.client(Role.VILLAGE_ADMIN)
    path = f"/api/devices/{number}/settings"
    assert (await browser.get(path)).json()["read_at"] is None
    assert (await browser.get(path, params={"fresh": True})).json()["reason"] == "no_settings_way"
    store: SettingsStore = hub.parts[SettingsStore]
    state = ClockState("ntp", clock.now(), 0.4, "CST-8", 28800, ntp_server="10.0.0.1")
    await store.keep(number, SettingsReading(state, (), ("clock",)), ("clock", "ntp"), clock.now())
    shown = (await browser.get(path)).json()
    assert (shown["clock"]["ntp_server"], shown["can"]) == ("10.0.0.1", ["clock"])
    device_ = await store.device(ADMIN, number)
    async with database.write() as session:
        session.add(
            CameraSettingsRow(camera_id=device_.cameras[0].camera_id, read_at=clock.now(), settings={"osd": "what"})
        )
    assert (await browser.get(path)).json()["cameras"] == []


async def test_previews_are_bounded(
    hub: Hub, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previews, "MOST_IN_ALL", 3)
    monkeypatch.setattr(previews, "MOST_ITEMS", 2)
    for _ in range(2):
        await device(database, clock, hub.village)
    browser = await hub.client(Role.TOWNSHIP_ADMIN)
    body = {"village_id": hub.village, "change": NOW}
    first = (await browser.post("/api/device-settings/preview", json=body)).json()
    await ended(hub, first["id"])
    second = (await browser.post("/api/device-settings/preview", json=body)).json()
    assert (await browser.get(f"/api/device-settings/previews/{first['id']}")).status_code == 404
    assert (await browser.get(f"/api/device-settings/previews/{second['id']}")).status_code == 200
    body["change"] = {"clock": {"set_now": True, "ntp_server": "10.0.0.1"}}
    assert (await browser.post("/api/device-settings/preview", json=body)).json()["reason"] == "too_many_items"
