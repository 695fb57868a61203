"""Fixtures that every room's tests share."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from camera_hub.events import EventBus
from camera_hub.media.processes import Spawn, spawn_process
from camera_hub.store.database import Database
from tests.fakes.clock import ManualClock
from tests.fakes.in_process import in_this_process

# What lands is judged by the same examples each time; at a desk hypothesis goes on looking for new ones.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")

POSTGRES = os.environ.get("CAMERA_HUB_TEST_POSTGRES", "")
"""URL of a database that may be emptied, e.g. postgresql+psycopg://hub@127.0.0.1:5432/hub_test. Empty: SQLite alone."""


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test that needs one leaves a migrated, empty SQLite database for the others to copy."""
    return tmp_path_factory.mktemp("migrated") / "hub.sqlite3"


@pytest.fixture(params=["sqlite", *(["postgresql"] if POSTGRES else [])])
async def database(request: pytest.FixtureRequest, tmp_path: Path, migrated: Path) -> AsyncIterator[Database]:
    """A real, migrated, empty database; every test that uses it runs on each backend that is there."""
    if request.param == "sqlite":
        file = tmp_path / "hub.sqlite3"
        if not migrated.exists():  # noqa: ASYNC240 (nothing else runs yet)
            async with Database(f"sqlite+aiosqlite:///{migrated}"):
                pass
        shutil.copyfile(migrated, file)
        url = f"sqlite+aiosqlite:///{file}"
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


@pytest.fixture
def spawn(request: pytest.FixtureRequest) -> Spawn:
    """How relays and eyes are started: inside this process, or as ever for a test that is marked `processes`."""
    return spawn_process if request.node.get_closest_marker("processes") else in_this_process
