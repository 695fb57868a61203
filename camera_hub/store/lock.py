"""One hub per PostgreSQL schema: an advisory lock that the server releases when the hub's connection ends.

On SQLite the data folder's own lock does this (camera_hub.instance).
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from camera_hub.clock import Clock
from camera_hub.running import Backoff, keep_running, running
from camera_hub.store.database import HUB_LOCK, Database, in_use
from camera_hub.store.failures import away, failure_of

log = logging.getLogger(__name__)

CHECK_SECONDS = 10.0
"""Seconds between two checks whether the lock's connection is still alive."""

_LOCK = text(f"SELECT pg_try_advisory_lock({HUB_LOCK})")


@asynccontextmanager
async def only_hub(database: Database, clock: Clock) -> AsyncIterator[None]:
    """Hold the database's lock while the block runs. Raises HubError(CONFLICT) when another hub holds it.

    When the server restarts, the lock is lost with the connection; it is acquired again as soon as the server is back.
    If another hub was faster, the log says so as long as that lasts.
    """
    if database.is_sqlite:
        yield
        return
    connection = await _locked(database)
    keeper = _Keeper(database, clock, connection)
    try:
        loop = keep_running("database lock", keeper.run, clock=clock, backoff=Backoff(cap=10.0))
        async with running(loop, "database lock"):
            yield
    finally:
        await keeper.close()


class _Keeper:
    """Watches the connection that holds the lock, and acquires the lock again when it is lost."""

    def __init__(self, database: Database, clock: Clock, connection: AsyncConnection) -> None:
        self._database = database
        self._clock = clock
        self._connection: AsyncConnection | None = connection

    async def run(self) -> None:
        while True:
            if self._connection is None:
                self._connection = await _locked(self._database)
                log.warning("the database lock is held again")
            await self._clock.sleep(CHECK_SECONDS)
            try:
                await self._connection.execute(text("SELECT 1"))
            except SQLAlchemyError as error:
                await self.close()
                raise failure_of(error) or away() from error

    async def close(self) -> None:
        """Release the lock."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await connection.invalidate()
            finally:
                await connection.close()


async def _locked(database: Database) -> AsyncConnection:
    """A separate connection that holds the lock; no transaction stays open on it."""
    try:
        connection = await database.engine.connect()
        try:
            connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
            if await connection.scalar(_LOCK):
                return connection
        except BaseException:
            await connection.close()
            raise
        await connection.close()
    except SQLAlchemyError as error:
        raise failure_of(error) or away() from error
    raise in_use(database.url)
