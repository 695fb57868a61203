"""Migrated, empty databases: the first of a run is migrated, the others are made of it in a fraction of the time."""

import asyncio
import itertools
import os
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import QueuePool
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from camera_hub.store.database import Database
from camera_hub.store.tables import Base
from tests.fakes.clock import ManualClock

ENOUGH_BYTES = 1 << 30
"""Containers often have 64 MB of shared memory, which is Chromium's."""


class Databases:
    """Those of one run of the suite. `folder` is for it alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._first = folder / "hub.sqlite3"
        self._numbers = itertools.count(1)
        self._schemas: set[str] = set()

    @asynccontextmanager
    async def sqlite(self) -> AsyncIterator[str]:
        """A database in a file of its own; its URL. The file is deleted at the end."""
        if not self._first.exists():
            await _migrate(_sqlite_url(self._first))
        file = self._folder / f"hub-{next(self._numbers)}.sqlite3"
        shutil.copyfile(self._first, file)
        try:
            yield _sqlite_url(file)
        finally:
            for end in ("", "-wal", "-shm"):
                file.with_name(file.name + end).unlink(missing_ok=True)

    async def postgres(self, server: str, schema: str) -> str:
        """A schema of the server's database; its URL."""
        url = f"{server}?options=-csearch_path%3D{schema}"
        engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            if schema not in self._schemas or not await _emptied(connection, schema):
                await connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
                await connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
                self._schemas.add(schema)
        await engine.dispose()
        return url


@contextmanager
def quick_folder() -> Iterator[Path]:
    """A folder in memory where Linux has one, else on disk: SQLite waits for the disk at every commit."""
    memory = Path("/dev/shm")
    there = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ENOUGH_BYTES
    with tempfile.TemporaryDirectory(prefix="camera-hub-tests-", dir=memory if there else None) as folder:
        yield Path(folder)


def migrated_in(folder: Path) -> Path:
    """A migrated, empty SQLite file, made once in that folder, to be copied for hubs in processes of their own:
    migrating takes a new one a second and more."""
    file = folder / "migrated.sqlite3"
    if not file.exists():
        new = file.with_name("migrating.sqlite3")
        # In a thread: Playwright's event loop runs in that of the journeys.
        migrating = threading.Thread(target=lambda: asyncio.run(_migrate(_sqlite_url(new))))
        migrating.start()
        migrating.join()
        new.rename(file)
    return file


async def _migrate(url: str) -> None:
    async with Database(url):
        pass


async def _emptied(connection: AsyncConnection, schema: str) -> bool:
    """Take all rows out. False when a test has left other tables, or another version of them."""
    found = await connection.exec_driver_sql(f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'")
    if set(found.scalars()) != {*Base.metadata.tables, "alembic_version"}:
        return False
    versions = await connection.exec_driver_sql(f"SELECT version_num FROM {schema}.alembic_version")
    if versions.scalars().all() != [_newest()]:
        return False
    # Of a few rows, DELETE takes a tenth of the time of TRUNCATE, which makes new files for every table.
    rows = [f'DELETE FROM {schema}."{table.name}"' for table in reversed(Base.metadata.sorted_tables)]
    numbers = (
        "SELECT setval(c.oid::regclass, 1, false) FROM pg_class c "
        f"WHERE c.relkind = 'S' AND c.relnamespace = '{schema}'::regnamespace"
    )
    await connection.exec_driver_sql(f"BEGIN; {'; '.join(rows)}; {numbers}; COMMIT")
    return True


@cache
def _newest() -> str | None:
    config = Config()
    config.set_main_option("script_location", "camera_hub:store/migrations")
    return ScriptDirectory.from_config(config).get_current_head()


def _sqlite_url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


async def at_rest(database: Database) -> None:
    """Until nobody reads or writes, and nothing that can run at once is left to run: statements run in threads, which
    a busy machine keeps waiting."""
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)
    quiet = 0
    async with asyncio.timeout(60):
        while quiet < 2:  # twice: some do one thing after another
            await ManualClock.settle()
            quiet = 0 if pool.checkedout() else quiet + 1
