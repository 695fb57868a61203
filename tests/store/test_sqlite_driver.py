"""One trip to the connection's thread per statement, with all that SQLAlchemy wants to know of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiosqlite
import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from camera_hub.store.database import Database
from camera_hub.store.tables import Village
from tests.fakes.databases import Databases
from tests.store.test_database import NOW


@pytest.fixture
async def sqlite(databases: Databases) -> AsyncIterator[Database]:
    async with databases.sqlite() as url, Database(url) as database:
        yield database


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is sent to threads of connections, in order."""
    sent: list[object] = []
    execute: Any = aiosqlite.Connection._execute

    async def counted(connection: aiosqlite.Connection, function: object, *given: object) -> object:
        sent.append(function)
        return await execute(connection, function, *given)

    monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
    return sent


async def test_a_statement_is_one_trip(sqlite: Database, trips: list[object]) -> None:
    async with sqlite.read() as session:
        await session.execute(select(Village))
        trips.clear()
        assert (await session.scalars(select(Village.id))).all() == []
        assert len(trips) == 1
        trips.clear()
    assert len(trips) == 1, "the rollback; the pool's own finds no transaction"


async def test_what_is_written_is_committed_and_what_fails_is_rolled_back(sqlite: Database) -> None:
    async with sqlite.write() as session:
        village = Village(name="东沟村", created_at=NOW)
        session.add(village)
        await session.flush()
        assert village.id == 1

    async def fail() -> None:
        async with sqlite.write() as session:
            session.add(Village(name="西沟村", created_at=NOW))
            await session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with sqlite.read() as session:
        assert (await session.scalars(select(Village.name))).all() == ["东沟村"]


async def test_rows_are_counted_and_come_whole_one_by_one_and_in_parts(sqlite: Database) -> None:
    async with sqlite.write() as session:
        names = [{"name": f"村{number}", "created_at": NOW} for number in range(7)]
        await session.execute(insert(Village), names)  # executemany
        connection = await session.connection()
        changed = await connection.exec_driver_sql("UPDATE villages SET position = 3 WHERE id > 5")
        assert changed.rowcount == 2
    async with sqlite.read() as session:
        result = await session.execute(select(Village.id).order_by(Village.id))
        assert list(result.keys()) == ["id"]
        assert [row.id for row in result.fetchmany(2)] == [1, 2]
        first = result.fetchone()
        assert first is not None
        assert first.id == 3
        assert [row.id for row in result] == [4, 5, 6, 7]
        streamed = await session.stream(select(Village.id).order_by(Village.id))
        assert [row.id async for row in streamed] == [1, 2, 3, 4, 5, 6, 7]


async def test_errors_are_those_of_sqlalchemy_and_the_connection_goes_on(sqlite: Database) -> None:
    async with sqlite.read() as session:
        with pytest.raises(OperationalError, match="no such table"):
            await session.execute(text("SELECT * FROM nowhere"))
    async with sqlite.read() as session:
        with pytest.raises(IntegrityError):
            await session.execute(text("INSERT INTO villages (name) VALUES (NULL)"))
    async with sqlite.read() as session:
        assert await session.scalar(select(func.count()).select_from(Village)) == 0


async def test_who_is_cancelled_while_a_statement_runs_leaves_a_connection_that_works(sqlite: Database) -> None:
    count = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 300000) SELECT max(x) FROM n"
    begun = asyncio.Event()

    async def reading() -> None:
        async with sqlite.read() as session:
            await session.execute(text("SELECT 1"))
            begun.set()
            await session.execute(text(count))

    task = asyncio.create_task(reading())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with sqlite.write() as session:
        session.add(Village(name="东沟村", created_at=NOW))
    async with sqlite.read() as session:
        assert await session.scalar(select(func.count()).select_from(Village)) == 1


@pytest.mark.slow
async def test_who_is_cancelled_while_waiting_for_the_lock_leaves_nobody_locked_out(databases: Databases) -> None:
    """The thread still waits then, and begins its transaction once the lock is free: that transaction must end."""
    async with databases.sqlite() as url, Database(url) as one, Database(url) as other:

        async def writing() -> None:
            async with other.write() as session:
                await session.execute(select(Village))

        async with one.write() as session:
            session.add(Village(name="东沟村", created_at=NOW))
            await session.flush()
            task = asyncio.create_task(writing())
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(task, 0.2)
        for database in (one, other):
            async with database.write() as session:
                session.add(Village(name=f"西沟村{id(database)}", created_at=NOW))
        async with other.read() as session:
            assert await session.scalar(select(func.count()).select_from(Village)) == 3
