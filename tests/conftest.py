"""Fixtures that every room's tests share."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from camera_hub.events import EventBus
from camera_hub.store.database import Database
from tests.fakes.clock import ManualClock

# What lands is judged by the same examples each time; at a desk hypothesis goes on looking for new ones.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")

POSTGRES = os.environ.get("CAMERA_HUB_TEST_POSTGRES", "")
"""URL of a database that may be emptied, e.g. postgresql+psycopg://hub@127.0.0.1:5432/hub_test. Empty: SQLite alone."""


@pytest.fixture(params=["sqlite", *(["postgresql"] if POSTGRES else [])])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A real, migrated, empty database; every test that uses it runs on each backend that is there."""
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'hub.sqlite3'}"
    else:
        url = POSTGRES
        worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
        engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {worker} CASCADE")
            await connection.exec_driver_sql(f"CREATE SCHEMA {worker}")
        await engine.dispose()
        url += f"?options=-csearch_path%3D{worker}"
    async with Database(url) as database:
        yield database


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def bus() -> EventBus:
    asyncio.get_running_loop()
    return EventBus()
