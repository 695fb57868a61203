"""A database that is full, locked or away: named with its remedy, logged once, and over as soon as it is over."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from camera_hub.errors import HubError, Kind
from camera_hub.store.database import Database
from camera_hub.store.lock import CHECK_SECONDS, only_hub
from camera_hub.store.tables import Village
from tests.conftest import POSTGRES
from tests.fakes.databases import Databases
from tests.fakes.stepped import SteppedClock
from tests.store.test_database import NOW


@contextmanager
def pragma(database: Database, statement: str) -> Iterator[None]:
    """Run a PRAGMA on every connection that is used in the block."""

    def run(raw: sqlite3.Connection, *_: object) -> None:
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA {statement}")
        cursor.close()

    event.listen(database.engine.sync_engine, "checkout", run)
    try:
        yield
    finally:
        event.remove(database.engine.sync_engine, "checkout", run)


@pytest.fixture
async def sqlite(databases: Databases) -> AsyncIterator[Database]:
    async with databases.sqlite() as url, Database(url) as database:
        yield database


async def add(database: Database, name: str) -> None:
    async with database.write() as session:
        session.add(Village(name=name, created_at=NOW, ranges=["10.0.0.0/24"] * 1000))


async def count(database: Database) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(Village)) or 0


async def test_a_full_disk_is_507_while_reading_goes_on_and_is_logged_once(
    sqlite: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await add(sqlite, "东沟村")
    with pragma(sqlite, "max_page_count=1"):
        for number in range(3):
            with pytest.raises(HubError, match="no space left") as failed:
                await add(sqlite, f"村{number}")
            assert (failed.value.kind, failed.value.kind.status, failed.value.reason) == (
                Kind.STORAGE_FULL,
                507,
                "storage_full",
            )
            assert await count(sqlite) == 1
    with pragma(sqlite, "max_page_count=1000000"):
        await add(sqlite, "西沟村")
    said = [(record.levelname, record.getMessage()[:20]) for record in caplog.records]
    assert said == [("ERROR", "there is no space le"), ("WARNING", "the database works a")]


async def test_a_lock_of_somebody_else_is_503_and_over_when_it_is_released(
    sqlite: Database, caplog: pytest.LogCaptureFixture
) -> None:
    other = sqlite3.connect(str(sqlite.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pragma(sqlite, "busy_timeout=20"):
        for number in range(3):
            with pytest.raises(HubError, match="locked") as failed:
                await add(sqlite, f"村{number}")
            assert (failed.value.kind, failed.value.reason) == (Kind.UNAVAILABLE, "database_busy")
        assert await count(sqlite) == 0
        other.execute("ROLLBACK")
        await add(sqlite, "西沟村")
    other.close()
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


async def test_a_file_that_is_no_database_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite3").write_bytes(b"x" * 8192)
    with pytest.raises(HubError, match="cannot be opened: file is not a database") as failed:
        async with Database(f"sqlite+aiosqlite:///{tmp_path / 'x.sqlite3'}"):
            pass
    assert failed.value.kind is Kind.UNAVAILABLE


async def test_a_broken_rule_of_the_rows_is_no_failure(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    await add(database, "东沟村")
    with pytest.raises(IntegrityError):
        await add(database, "东沟村")
    assert caplog.records == []


class Proxy:
    """A TCP way to the server that can be cut, as when the server is stopped."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await self._server.wait_closed()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


@asynccontextmanager
async def behind_proxy(database: Database) -> AsyncIterator[tuple[Database, Proxy]]:
    """The same PostgreSQL database through a proxy."""
    url = make_url(database.url)
    proxy = Proxy(url.host or "127.0.0.1", url.port or 5432)
    await proxy.open()
    changed = url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
    async with Database(changed) as through:
        yield through, proxy
    await proxy.cut()


@pytest.mark.skipif(not POSTGRES, reason="needs CAMERA_HUB_TEST_POSTGRES")
async def test_a_server_that_is_away_is_503_and_over_when_it_is_back(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    if database.is_sqlite:
        return
    async with behind_proxy(database) as (through, proxy):
        await add(through, "东沟村")
        await proxy.cut()
        for _ in range(3):
            with pytest.raises(HubError, match="does not answer") as failed:
                await count(through)
            assert (failed.value.kind, failed.value.reason) == (Kind.UNAVAILABLE, "database_away")
            with pytest.raises(HubError, match="does not answer"):
                await add(through, "西沟村")
        await proxy.open()
        await add(through, "西沟村")
        assert await count(through) == 2
    said = [record.levelname for record in caplog.records if record.name == "camera_hub.store.database"]
    assert said == ["ERROR", "WARNING"]


@pytest.mark.skipif(not POSTGRES, reason="needs CAMERA_HUB_TEST_POSTGRES")
async def test_of_two_hubs_on_one_postgresql_the_second_does_not_start(database: Database) -> None:
    if database.is_sqlite:
        return
    clock = SteppedClock()
    async with only_hub(database, clock), Database(database.url.render_as_string(hide_password=False)) as other:
        with pytest.raises(HubError, match="another camera hub uses the database") as refused:
            async with only_hub(other, clock):
                pass
        assert (refused.value.kind, refused.value.reason) == (Kind.CONFLICT, "second_instance")
    async with only_hub(database, clock):
        pass


@pytest.mark.skipif(not POSTGRES, reason="needs CAMERA_HUB_TEST_POSTGRES")
async def test_a_newer_hub_does_not_change_the_tables_beneath_one_that_runs(database: Database) -> None:
    if database.is_sqlite:
        return
    newest = "SELECT version_num FROM alembic_version"
    async with database.write() as session:
        head = await session.scalar(text(newest))
        await session.execute(text("UPDATE alembic_version SET version_num = '0006'"))  # as an older hub left it
    newer = Database(database.url.render_as_string(hide_password=False))
    async with only_hub(database, SteppedClock()):
        with pytest.raises(HubError, match="another camera hub uses the database") as refused:
            async with newer:
                pass
    assert (refused.value.kind, refused.value.reason) == (Kind.CONFLICT, "second_instance")
    async with database.write() as session:
        assert await session.scalar(text(newest)) == "0006"
        await session.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": head})


@pytest.mark.skipif(not POSTGRES, reason="needs CAMERA_HUB_TEST_POSTGRES")
async def test_the_lock_is_taken_again_when_the_server_is_back(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    if database.is_sqlite:
        return
    clock = SteppedClock()
    async with behind_proxy(database) as (through, proxy), only_hub(through, clock):
        await clock.asleep()
        await proxy.cut()
        await clock.walk(CHECK_SECONDS + 1, step=1)
        await proxy.open()
        await clock.walk(3 * CHECK_SECONDS, step=1)
        assert "the database lock is held again" in caplog.text
        with pytest.raises(HubError, match="another camera hub"):
            async with only_hub(database, clock):
                pass
