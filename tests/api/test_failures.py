"""What a page gets while the database fails: words and a time to try again, no traceback; reading goes on."""

import sqlite3
from contextlib import closing

import httpx
import pytest

from camera_hub.access.policy import Role
from camera_hub.clock import Clock
from camera_hub.events import EventBus
from camera_hub.patrol.tours.scenes import Scenes
from camera_hub.store.database import Database
from tests.api.conftest import Hub
from tests.conftest import POSTGRES
from tests.store.test_failures import behind_proxy, pragma


@pytest.fixture
async def operator(hub: Hub) -> httpx.AsyncClient:
    client = await hub.client(Role.OPERATOR)
    assert (await client.get("/api/scenes")).json() == []
    return client


async def test_a_full_disk_is_507_in_words_and_reading_goes_on(
    hub: Hub, operator: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    database: Database = hub.parts[Database]
    if not database.is_sqlite:
        return
    caplog.clear()
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    with pragma(database, "max_page_count=1"):
        for _ in range(3):
            names = [f"村{number:059}" for number in range(50)]
            refused = await admin.post("/api/villages", json={"names": names, "kind": "village"})
            assert (refused.status_code, refused.json()["reason"]) == (507, "storage_full"), refused.text
            assert refused.headers["retry-after"] == "60"
            assert "free some" in refused.json()["detail"]
            assert (await operator.get("/api/scenes")).status_code == 200
    assert [record.levelname for record in caplog.records if record.levelname == "ERROR"] == ["ERROR"]
    assert "Traceback" not in caplog.text


async def test_a_locked_database_is_503_in_words(hub: Hub, operator: httpx.AsyncClient) -> None:
    database: Database = hub.parts[Database]
    if not database.is_sqlite:
        return
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    with closing(sqlite3.connect(str(database.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pragma(database, "busy_timeout=20"):
            refused = await admin.post("/api/villages", json={"names": ["新村"], "kind": "village"})
    assert (refused.status_code, refused.json()["reason"]) == (503, "database_busy")
    assert refused.headers["retry-after"] == "2"


@pytest.mark.skipif(not POSTGRES, reason="needs CAMERA_HUB_TEST_POSTGRES")
async def test_a_postgresql_that_is_away_is_503_in_words_until_it_is_back(
    hub: Hub, operator: httpx.AsyncClient
) -> None:
    database: Database = hub.parts[Database]
    if database.is_sqlite:
        return
    async with behind_proxy(database) as (through, proxy):
        hub.parts[Scenes] = Scenes(through, hub.parts[EventBus], hub.parts[Clock])
        assert (await operator.get("/api/scenes")).status_code == 200
        await proxy.cut()
        away = await operator.get("/api/scenes")
        assert (away.status_code, away.json()["reason"]) == (503, "database_away")
        assert away.headers["retry-after"] == "5"
        await proxy.open()
        assert (await operator.get("/api/scenes")).status_code == 200
