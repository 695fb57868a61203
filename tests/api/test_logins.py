"""Login profiles and bulk changes over the API: no secret comes back by any road."""

import asyncio
import logging
from typing import Any

import pytest

from camera_hub.access.policy import Role
from camera_hub.events import Event, EventBus
from camera_hub.store.database import Database
from camera_hub.store.tables import Device, LoginProfile, StoredLogin
from tests.api.conftest import Hub
from tests.fakes.clock import ManualClock

CANARY = "canary-Pw-7731"


async def test_no_password_leaves_by_answer_job_event_or_log(
    hub: Hub, database: Database, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Typed into every place where a password can be typed; then everything that can be read is read."""
    async with database.write() as session:
        device = Device(village_id=hub.village, name="d", host="127.0.0.1", onvif_port=9, created_at=clock.now())
        session.add(device)
    caplog.set_level(logging.DEBUG)
    client = await hub.client(Role.TOWNSHIP_ADMIN)
    bus: EventBus = hub.parts[EventBus]
    texts: list[str] = []
    events: list[Event] = []
    with bus.subscribe() as heard:

        async def asked(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
            answer = await client.request(method, path, json=body)
            texts.append(answer.text)
            return answer.json()

        login = {"username": "admin", "password": CANARY}
        profile = await asked("POST", "/api/logins", {"village_id": hub.village, "name": "p", **login})
        place = f"/api/logins/{profile['id']}"
        jobs = [
            await asked("POST", f"{place}/assign", {"device_ids": [device.id]}),
            await asked("POST", "/api/logins/change", {"device_ids": [device.id], **login}),
            await asked("POST", f"{place}/retry"),
        ]
        await asked("PATCH", place, {"password": CANARY + "2"})
        await asked("PATCH", place, {"password": CANARY + "\n"})  # refused, and not repeated
        await asked("PATCH", place, {"password": {"x": CANARY}})
        named = {"village_id": hub.village, "old_username": "admin", **login}
        await asked("POST", "/api/logins/change-named", named)
        for job in jobs:
            async with asyncio.timeout(60):
                while (await asked("GET", f"/api/jobs/{job['id']}"))["state"] == "running":
                    events.append(await heard.next())
        for path in ("/api/logins", place, "/api/jobs", "/api/devices", f"/api/devices/{device.id}", "/api/vault"):
            await asked("GET", path)
        events += await heard.batch()
    assert (await asked("GET", "/api/jobs"))[0]["done"] >= 0
    for text in (*texts, caplog.text, repr(events), repr(hub.parts)):
        assert CANARY not in text
    async with database.read() as session:
        row = await session.get_one(LoginProfile, profile["id"])
        assert CANARY.encode() not in row.sealed
        assert await session.get(StoredLogin, (device.id, "ordinary")) is None  # nothing answered there
    assert texts[0].count('"password"') == 0
