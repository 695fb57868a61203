"""Recordings and texts in pictures over HTTP: what is listed, in scope, and a check that a person asks for."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from camera_hub.access.policy import Role
from camera_hub.cameras.device_settings.store import SettingsStore
from camera_hub.cameras.device_settings.values import CameraSettings, ClockState, OsdText, SettingsReading
from camera_hub.cameras.jobs import Jobs
from camera_hub.cameras.recordings.days import RecordingDay
from camera_hub.cameras.recordings.store import RecordingStore
from camera_hub.cameras.recordings.values import RecordingStatus
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device
from tests.api.conftest import Hub
from tests.fakes.clock import ManualClock


async def camera(database: Database, clock: ManualClock, village: int) -> tuple[int, int]:
    """Ids of a device and its camera."""
    async with database.write() as session:
        row = Device(village_id=village, name="村口", host="10.1.1.1", via="url", created_at=clock.now())
        session.add(row)
        await session.flush()
        found = Camera(
            device_id=row.id, village_id=village, channel="1", name="东", state="approved", created_at=clock.now()
        )
        session.add(found)
        await session.flush()
        return row.id, found.id


async def test_recordings_are_listed_worst_first_with_their_days(
    hub: Hub, database: Database, clock: ManualClock
) -> None:
    store: RecordingStore = hub.parts[RecordingStore]
    now = clock.now()
    (_, well), (_, bad), (_, other) = [
        await camera(database, clock, one) for one in (hub.village, hub.village, hub.other_village)
    ]
    today = now.date()
    days = [
        RecordingDay(today - timedelta(days=3), now, 86_400, 86_400),  # it is overwritten by now
        RecordingDay(today - timedelta(days=2), now, 43_200, 86_400, 1),
        RecordingDay(today - timedelta(days=1), now, None, 86_400),
    ]
    await store.keep(
        [
            RecordingStatus(well, now, now, "ok", oldest=now - timedelta(days=31), latest=now, road="onvif", disk="ok"),
            RecordingStatus(
                bad, now, now, "fault", "recording_gaps", {"missing_hours": 12.0}, now, oldest=now - timedelta(days=2)
            ),
        ],
        {bad: days},
    )
    await store.keep([], {bad: days[:1]})  # once more: it is one row
    admin, village = await hub.client(Role.TOWNSHIP_ADMIN), await hub.client(Role.VILLAGE_ADMIN)
    found = (await admin.get("/api/recordings")).json()
    assert [one["camera_id"] for one in found["cameras"]] == [bad, well, other]
    first, second, third = found["cameras"]
    assert (first["reason"], first["recorded_s"], first["due_s"]) == ("recording_gaps", 43_200, 86_400)
    assert [(one["seconds"], one["kept"]) for one in first["days"]] == [(86_400, False), (43_200, True), (None, True)]
    assert (second["kept_days"], third["state"], third["kept_days"]) == (31.0, "unknown", None)
    assert (found["due_days"], found["last"]) == (30, today.isoformat())
    bound = (await village.get("/api/recordings")).json()["cameras"]
    assert [one["camera_id"] for one in bound] == [bad, well]
    assert (await village.get("/api/recordings", params={"village_id": hub.other_village})).status_code == 404


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({}, 200),
        ({"from": "2025-10-01", "to": "2026-10-31"}, 200),
        ({"from": "2026-11-02", "to": "2026-11-01"}, 422),
        ({"from": "2024-01-01", "to": "2026-11-01"}, 422),
        ({"to": "0001-01-02"}, 422),
        ({"from": "yesterday"}, 422),
    ],
)
async def test_a_span_of_days_is_bounded(
    hub: Hub, database: Database, clock: ManualClock, params: dict[str, str], status: int
) -> None:
    _, number = await camera(database, clock, hub.village)
    browser = await hub.client(Role.VILLAGE_ADMIN)
    answer = await browser.get(f"/api/cameras/{number}/recordings", params=params)
    assert answer.status_code == status, answer.text


async def test_a_check_is_a_job_that_says_why_a_device_does_not_tell(
    hub: Hub, database: Database, clock: ManualClock
) -> None:
    _, number = await camera(database, clock, hub.village)
    browser = await hub.client(Role.VILLAGE_ADMIN)
    job = (await browser.post("/api/recordings/check", json={"camera_ids": [number]})).json()
    await _ended(hub, job["id"])
    (verdict,) = (await browser.get(f"/api/jobs/{job['id']}")).json()["verdicts"]
    assert verdict["reason"] == "recording_unknown"
    (found,) = (await browser.get("/api/recordings")).json()["cameras"]
    assert (found["state"], found["problem"]) == ("unknown", "recording_unknown")
    assert (await browser.post("/api/recordings/check", json={"camera_ids": [999_999]})).status_code == 404


async def test_texts_are_judged_by_the_name_of_now(hub: Hub, database: Database, clock: ManualClock) -> None:
    device, number = await camera(database, clock, hub.village)
    store: SettingsStore = hub.parts[SettingsStore]
    texts = (
        OsdText("1", "name", "东", "lower_left"),
        OsdText("2", "time", "yyyy-MM-dd HH:mm:ss", "upper_right"),
    )
    state = ClockState("ntp", clock.now(), 0.0, "CST-8", 28_800)
    reading = SettingsReading(state, (CameraSettings(number, texts, can=("osd_name", "osd_time")),))
    browser = await hub.client(Role.TOWNSHIP_ADMIN)
    assert (await _osd(browser))["state"] == "unknown"
    await store.keep(device, reading, ("clock", "ntp", "osd_name", "osd_time"), clock.now())
    assert (await _osd(browser))["faults"] == []
    await browser.patch(f"/api/cameras/{number}", json={"name": "西"})
    found = await _osd(browser)
    assert (found["state"], found["faults"], found["shown_name"]) == ("fault", ["osd_name_wrong"], "东")
    assert (await browser.get("/api/osd", params={"state": "ok"})).json()["cameras"] == []


async def _osd(browser: Any) -> dict[str, Any]:
    (found,) = (await browser.get("/api/osd")).json()["cameras"]
    return dict(found)


async def _ended(hub: Hub, job_id: str) -> None:
    task = hub.parts[Jobs]._jobs[job_id].task
    assert task is not None
    await asyncio.wait([task])
