"""The database: one engine, reading and writing sessions, migrations at start.

On SQLite a writer begins IMMEDIATE: a deferred transaction that reads, then writes, fails with "database is locked" at
once, whatever busy_timeout is (measured). Commits use synchronous=FULL: 6,400/s measured, we need tens.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from operator import methodcaller
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from camera_hub.errors import DATABASE_REASONS, HubError, Kind
from camera_hub.running import completed
from camera_hub.store.failures import busy, failure_of
from camera_hub.store.revisions import revisions
from camera_hub.store.sqlite_driver import sqlite_driver

log = logging.getLogger(__name__)

WRITER_SECONDS = 10.0
"""Seconds to wait for the writer's turn on SQLite: two earlier writers may each have waited for their busy_timeout."""

HUB_LOCK = "hashtext('camera hub'), hashtext(current_schema())"
"""The keys of the advisory lock that a hub holds on PostgreSQL while it runs (store.lock)."""

_MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """An async context manager: entering migrates to the newest schema, leaving closes all connections.

    If the database fails (full, locked, unavailable), `read` and `write` raise HubError with the remedy; the log gets
    one line when that begins and one when it is over, not one per request.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine: AsyncEngine = _engine(url, self.is_sqlite)
        event.listen(self.engine.sync_engine, "before_cursor_execute", _with_storable_texts, retval=True)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False, autoflush=False)
        # SQLite has one writer anyway: queueing here keeps the order fair and the wait out of the busy handler.
        self._writer = asyncio.Lock() if self.is_sqlite else None
        self._failing = _Failing()
        self._closed = False

    async def __aenter__(self) -> Self:
        try:
            await self.migrate()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections, even if we are cancelled meanwhile. Who reads or writes later gets RuntimeError:
        nobody would close the connections that it would open."""
        self._closed = True
        await completed(self.engine.dispose())

    async def migrate(self) -> None:
        """Bring the schema to the newest revision. Raises HubError when it is newer than this program, or when it
        would have to be changed while a hub runs on it (PostgreSQL)."""
        try:
            async with (
                self.engine.connect() as connection,
                _without_foreign_keys(connection, self.is_sqlite),
            ):
                await connection.run_sync(_upgrade)
                await connection.commit()
        except DBAPIError as error:
            place = self.url.render_as_string(hide_password=True)
            failure = failure_of(error)
            raise HubError(
                failure.kind if failure is not None else Kind.UNAVAILABLE,
                f"the database at {place} cannot be opened: {error.orig}",
                reason=failure.reason if failure is not None else None,
            ) from error

    async def check_schema(self) -> None:
        """Raise HubError(CONFLICT) unless the schema is the one of this program: for reading without migrating."""
        newest = revisions().newest
        try:
            async with self.engine.connect() as connection:
                found = (await connection.exec_driver_sql("SELECT version_num FROM alembic_version")).scalars().all()
        except DBAPIError as error:
            raise failure_of(error) or HubError(
                Kind.CONFLICT,
                "this is no database of a camera hub, or it was never started",
                reason="schema_older",
            ) from error
        if list(found) != [newest]:
            raise HubError(
                Kind.CONFLICT,
                f"the database has schema {', '.join(found) or 'none'}, this camera hub {newest}; use the version that"
                " runs on it, or start this one once",
                reason="schema_other",
            )

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session that must not write; it is rolled back at the end. Raises HubError when the database fails."""
        self._check_open()
        with self._failing.translated(writing=False):
            async with self._sessions() as session:
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session that is committed when the block ends well and rolled back otherwise.

        Raises HubError when the database fails: STORAGE_FULL, UNAVAILABLE (database_busy, database_away).
        """
        self._check_open()
        with self._failing.translated(writing=True):
            if self._writer is None:
                async with self._sessions() as session, session.begin():
                    yield session
                return
            async with self._turn(self._writer), self._sessions() as session:
                await session.connection(execution_options={"begin": "IMMEDIATE"})
                async with _committed(session):
                    yield session

    async def overwrite_deleted(self, session: AsyncSession) -> None:
        """SQLite: what this session's connection deletes or replaces from now on is overwritten with zeros."""
        if self.is_sqlite:
            await session.execute(text("PRAGMA secure_delete=ON"))

    async def checkpoint(self) -> None:
        """SQLite: move the write-ahead log into the file and empty it, so that it holds no former content."""
        if not self.is_sqlite:
            return
        async with self.engine.connect() as connection:
            raw: Any = (await connection.get_raw_connection()).driver_connection
            await raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("the database is closed")

    @asynccontextmanager
    async def _turn(self, writer: asyncio.Lock) -> AsyncIterator[None]:
        """Wait for the writer's turn, but not for ever: those before may be waiting for another process's lock."""
        try:
            async with asyncio.timeout(WRITER_SECONDS):
                await writer.acquire()
        except TimeoutError as error:
            raise busy() from error
        try:
            yield
        finally:
            writer.release()


class _Failing:
    """Translates failures, and logs when they begin and end. A failure of writing ends when a write succeeds."""

    def __init__(self) -> None:
        self._reading: str | None = None
        self._writing: str | None = None

    @contextmanager
    def translated(self, *, writing: bool) -> Iterator[None]:
        """Raise a failure of the database as HubError; other errors pass through."""
        try:
            yield
        except (SQLAlchemyError, HubError) as error:
            failure = error if isinstance(error, HubError) else failure_of(error)
            if failure is not None and failure.reason in DATABASE_REASONS:
                self._begin(failure, error, writing)
            if failure is None or failure is error:
                raise
            raise failure from error
        if self._reading or self._writing:
            self._end(writing)

    def _begin(self, failure: HubError, error: Exception, writing: bool) -> None:
        if failure.reason not in (self._reading, self._writing):
            log.error("%s (%s)", failure, getattr(error, "orig", None) or error.__cause__ or error)
        if writing:
            self._writing = failure.reason
        else:
            self._reading = failure.reason

    def _end(self, writing: bool) -> None:
        self._reading = None
        if writing:
            self._writing = None
        if self._writing is None:
            log.warning("the database works again")


@asynccontextmanager
async def _without_foreign_keys(connection: AsyncConnection, sqlite: bool) -> AsyncIterator[None]:
    """Turn foreign keys off: SQLite alters a table by recreating it, and dropping the old one would delete referring
    rows.

    The pragma has no effect within a transaction, so it bypasses SQLAlchemy, which would begin one.
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
        await session.commit()
    except BaseException:
        await session.rollback()
        raise


def _engine(url: str, sqlite: bool) -> AsyncEngine:
    if not sqlite:
        # A dead server is detected while connecting, while sending, and while waiting for an answer.
        timeouts = {
            "connect_timeout": 5,
            "tcp_user_timeout": 10_000,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
        }
        return create_async_engine(
            url, pool_size=10, max_overflow=10, pool_timeout=10, pool_pre_ping=True, connect_args=timeouts
        )
    engine = create_async_engine(url, module=sqlite_driver(), connect_args={"timeout": 5.0})

    @event.listens_for(engine.sync_engine, "connect")
    def _connect(raw: Any, _: object) -> None:
        raw.isolation_level = None  # BEGIN is ours: see _begin
        # Else one text that is no UTF-8, put there by somebody else, fails the whole statement that reads it.
        raw.driver_connection.text_factory = methodcaller("decode", "utf-8", "replace")
        cursor = raw.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get("begin", "")
        connection.exec_driver_sql(f"BEGIN {mode}".strip())

    return engine


def _with_storable_texts(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
) -> tuple[str, Any]:
    return statement, storable(parameters)


def storable(value: Any) -> Any:
    """Parameters of a statement with every text as a database can store it: devices and players send what they like,
    and PostgreSQL takes no NUL, no encoding half a character.
    """
    if isinstance(value, str):
        if "\x00" not in value and value.isascii():
            return value
        return value.replace("\x00", "\ufffd").encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if isinstance(value, dict):
        return {key: storable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(storable(one) for one in value)
    return value


def in_use(url: URL) -> HubError:
    """Another hub runs on this database."""
    return HubError(
        Kind.CONFLICT,
        f"another camera hub uses the database {url.render_as_string(hide_password=True)}; stop it first, or "
        "give this one a database of its own (database.url)",
        reason="second_instance",
    )


def _upgrade(connection: Connection) -> None:
    schema = revisions()
    try:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
    except DBAPIError:
        found = []
        connection.rollback()
    if strange := [revision for revision in found if revision not in schema.known]:
        raise HubError(
            Kind.CONFLICT,
            f"the database has schema {strange[0]}, which is newer than this camera hub; install the newer version",
            reason="schema_newer",
        )
    if list(found) == [schema.newest]:
        return
    # Else a newer hub, started beside one that runs, would change the tables beneath it before it is refused.
    on_postgresql = connection.dialect.name == "postgresql"
    if on_postgresql and not connection.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({HUB_LOCK})").scalar():
        raise in_use(connection.engine.url)
    _run_migrations(connection)
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            raise HubError(
                Kind.CONFLICT,
                f"the database contains rows with dangling references (first in table {broken[0][0]}) and was not"
                " changed; restore the last backup, or have it repaired",
                reason="schema_broken",
            )


def _run_migrations(connection: Connection) -> None:
    from alembic import command  # not while the hub only starts: it takes 10 MB
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
