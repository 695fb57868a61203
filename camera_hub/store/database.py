"""The database: one engine, reading and writing sessions, migrations at start.

A writer begins IMMEDIATE on SQLite: a deferred transaction that reads, then writes, fails "database is locked" at once
whatever busy_timeout says (measured). Commits are FULL-synchronous: 6,400/s measured, we need tens.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, Self

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from camera_hub.errors import HubError, Kind

_MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """An async context manager: entering migrates to the newest schema, leaving closes all connections."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine: AsyncEngine = _engine(url, self.is_sqlite)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False, autoflush=False)
        # SQLite has one writer anyway: queueing here keeps the order fair and the wait out of the busy handler.
        self._writer = asyncio.Lock() if self.is_sqlite else None

    async def __aenter__(self) -> Self:
        try:
            await self.migrate()
        except BaseException:
            await self.engine.dispose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.engine.dispose()

    async def migrate(self) -> None:
        """Bring the schema to the newest revision. Raises HubError when it is newer than this program."""
        try:
            async with (
                self.engine.connect() as connection,
                _without_foreign_keys(connection, self.is_sqlite),
            ):
                await connection.run_sync(_upgrade)
                await connection.commit()
        except OperationalError as error:
            raise HubError(
                Kind.UNAVAILABLE,
                f"the database at {self.url.render_as_string(hide_password=True)} cannot be opened: {error.orig}",
            ) from error

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session that must not write; it is rolled back at the end."""
        async with self._sessions() as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session that is committed when the block ends well and rolled back otherwise."""
        if self._writer is None:
            async with self._sessions() as session, session.begin():
                yield session
            return
        async with self._writer, self._sessions() as session:
            await session.connection(execution_options={"begin": "IMMEDIATE"})
            async with _committed(session):
                yield session


@asynccontextmanager
async def _without_foreign_keys(connection: AsyncConnection, sqlite: bool) -> AsyncIterator[None]:
    """SQLite changes a table by making it again: with foreign keys on, dropping the old one deletes what points there.

    The switch does nothing within a transaction, hence past SQLAlchemy, which would begin one.
    """
    if not sqlite:
        yield
        return
    raw: Any = (await connection.get_raw_connection()).driver_connection
    await raw.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        await connection.rollback()
        await raw.execute("PRAGMA foreign_keys=ON")


@asynccontextmanager
async def _committed(session: AsyncSession) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        await session.rollback()
        raise
    await session.commit()


def _engine(url: str, sqlite: bool) -> AsyncEngine:
    if not sqlite:
        return create_async_engine(url, pool_size=10, max_overflow=10, pool_timeout=10, pool_pre_ping=True)
    engine = create_async_engine(url, connect_args={"timeout": 5.0})

    @event.listens_for(engine.sync_engine, "connect")
    def _connect(raw: Any, _: object) -> None:
        raw.isolation_level = None  # we say BEGIN ourselves
        cursor = raw.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get("begin", "")
        connection.exec_driver_sql(f"BEGIN {mode}".strip())

    return engine


@cache
def _revisions() -> tuple[frozenset[str], str | None]:
    """All revisions that this program knows, and the newest: they do not change while it runs."""
    scripts = ScriptDirectory.from_config(_config())
    return frozenset(script.revision for script in scripts.walk_revisions()), scripts.get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def _upgrade(connection: Connection) -> None:
    known, newest = _revisions()
    try:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
    except DBAPIError:
        found = []
        connection.rollback()
    if strange := [revision for revision in found if revision not in known]:
        raise HubError(
            Kind.CONFLICT,
            f"the database has schema {strange[0]}, which is newer than this camera hub; install the newer version",
            reason="schema_newer",
        )
    if list(found) == [newest]:
        return
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            raise HubError(
                Kind.CONFLICT,
                f"the database holds rows that point nowhere (first in table {broken[0][0]}) and was not changed;"
                " restore the last backup, or have it repaired",
                reason="schema_broken",
            )
