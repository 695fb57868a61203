"""SQLAlchemy's aiosqlite driver with one trip to the connection's thread per statement instead of four.

A connection has a thread, and each trip there and back wakes both it and the event loop, which costs more than most of
our statements. SQLAlchemy makes one for the cursor, the statement, its rows, and closing the cursor; here all four are
done in one. Rolling back where no transaction is open, as each connection does on its way back to the pool, needs none.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import aiosqlite
from sqlalchemy.connectors.asyncio import AsyncAdapt_dbapi_connection
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.util import EMPTY_DICT, await_only


def sqlite_driver() -> Any:
    """The DBAPI module for `create_async_engine(url, module=…)`."""
    return _Driver(aiosqlite, sqlite3)


class _Done:
    """What a cursor tells of its last statement, after it was closed."""

    __slots__ = ("arraysize", "description", "lastrowid", "rowcount", "rows")

    def __init__(self, cursor: sqlite3.Cursor | None = None) -> None:
        self.arraysize = 1
        self.description = cursor.description if cursor is not None else None
        self.rows: Sequence[Any] = cursor.fetchall() if cursor is not None and self.description else ()
        self.rowcount = cursor.rowcount if cursor is not None else -1  # of a RETURNING it is known after the last row
        self.lastrowid = cursor.lastrowid if cursor is not None else None


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    __slots__ = ()

    def __init__(self, adapt_connection: AsyncAdapt_dbapi_connection) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._soft_closed_memoized = EMPTY_DICT  # never filled: see _async_soft_close
        self._cursor: Any = _Done()
        self._rows = deque()

    def execute(self, operation: Any, parameters: Any = None) -> Any:
        return self._run(lambda cursor: cursor.execute(operation, () if parameters is None else parameters))

    def executemany(self, operation: Any, seq_of_parameters: Any) -> Any:
        return self._run(lambda cursor: cursor.executemany(operation, seq_of_parameters))

    def _run(self, statement: Callable[[sqlite3.Cursor], object]) -> None:
        def trip(connection: sqlite3.Connection) -> _Done:
            cursor = connection.cursor()
            try:
                statement(cursor)
                return _Done(cursor)
            finally:
                cursor.close()

        raw: Any = self._connection
        try:
            self._cursor = await_only(raw._execute(lambda: trip(raw._conn)))
        except Exception as error:
            self._adapt_connection._handle_exception(error)
        self._rows = deque(self._cursor.rows)

    async def _async_soft_close(self) -> None:
        """Nothing is open."""

    def close(self) -> None:
        self._rows.clear()


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()

    _cursor_cls = _Cursor

    def rollback(self) -> None:
        raw: Any = self._connection
        if raw._connection is not None and raw.in_transaction:
            super().rollback()


class _Driver(AsyncAdapt_aiosqlite_dbapi):
    def connect(self, *arguments: Any, **named: Any) -> _Connection:
        plain = super().connect(*arguments, **named)
        return _Connection(self, plain._connection)
