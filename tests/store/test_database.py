"""The store on every backend that is there."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, select, text

from camera_hub.errors import HubError
from camera_hub.store.database import Database
from camera_hub.store.tables import Base, Village

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


async def test_migrations_make_exactly_the_tables(database: Database) -> None:
    async with database.read() as session:
        connection = await session.connection()
        drift = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), Base.metadata)
        )
    assert drift == []


async def test_a_write_is_committed_and_times_stay_aware(database: Database) -> None:
    async with database.write() as session:
        session.add(Village(name="东沟村", created_at=NOW, ranges=["127.20.1.0/24"]))
    async with database.read() as session:
        village = (await session.scalars(select(Village))).one()
    assert village.created_at == NOW
    assert village.ranges == ["127.20.1.0/24"]


async def test_a_failing_write_leaves_nothing(database: Database) -> None:
    async def fail() -> None:
        async with database.write() as session:
            session.add(Village(name="东沟村", created_at=NOW))
            await session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Village)) == 0


async def test_many_read_then_write_transactions_never_meet_a_lock(database: Database) -> None:
    async def add(number: int) -> None:
        async with database.write() as session:
            count = await session.scalar(select(func.count()).select_from(Village))
            session.add(Village(name=f"村{number}", position=count or 0, created_at=NOW))

    await asyncio.gather(*(add(number) for number in range(20)))
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Village)) == 20


async def test_sqlite_runs_with_the_promised_pragmas(tmp_path: Path) -> None:
    async with Database(f"sqlite+aiosqlite:///{tmp_path / 'x.sqlite3'}") as database, database.read() as session:
        for pragma, expected in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            assert (await session.execute(text(f"PRAGMA {pragma}"))).scalar() == expected


async def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'x.sqlite3'}"
    async with Database(url) as database, database.write() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(HubError, match="newer"):
        async with Database(url):
            pass
