"""SQLAlchemy's dialects, whose engines share compiled statements.

An engine compiles each statement to SQL once. In a test nearly every statement is its engine's first, and compiling
took more time than all the rest. The dialects themselves are SQLAlchemy's; that of SQLite also notes what it sends.
"""

from typing import Any

from sqlalchemy import Engine, util
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg, PGDialectAsync_psycopg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite

from tests.fakes.statements import STATEMENTS as SENT

STATEMENTS = 4000
"""A bound; the suite has some hundreds per dialect."""

SEVERAL = 2
"""Rows that are read one by one: how many there are is not known yet."""

_compiled: "util.LRUCache[Any, Any]" = util.LRUCache(STATEMENTS)


class _Shared:
    """Dialects of one class are equal, because the cache of compiled statements has the dialect in its key."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=_compiled)


class SharedSqlite(_Shared, SQLiteDialect_aiosqlite):
    supports_statement_cache = True

    def do_execute(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        cursor.execute(statement, parameters)
        SENT.note(statement, SEVERAL if cursor.server_side else len(cursor._rows))

    def do_executemany(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        cursor.executemany(statement, parameters)
        SENT.note(statement, 0)


class SharedPostgresAsync(_Shared, PGDialectAsync_psycopg):
    supports_statement_cache = True


class SharedPostgres(PGDialect_psycopg):
    supports_statement_cache = True

    @classmethod
    def get_async_dialect_cls(cls, url: Any) -> type[SharedPostgresAsync]:
        return SharedPostgresAsync


def share_compiled_statements() -> None:
    """For every engine that this process creates from here on."""
    registry.register("sqlite.aiosqlite", __name__, SharedSqlite.__name__)
    registry.register("postgresql.psycopg", __name__, SharedPostgres.__name__)
