"""The suite's engines share compiled statements, but none across kinds of databases."""

import pytest
from sqlalchemy import Dialect
from sqlalchemy.ext.asyncio import create_async_engine

from tests.fakes.dialects import SharedPostgresAsync, SharedSqlite


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("sqlite+aiosqlite:///{}.sqlite3", SharedSqlite),
        ("postgresql+psycopg://hub@127.0.0.1/{}", SharedPostgresAsync),
    ],
)
def test_two_engines_of_a_kind_compile_a_statement_once(url: str, kind: type[Dialect]) -> None:
    one, other = create_async_engine(url.format("one")), create_async_engine(url.format("other"))
    assert isinstance(one.dialect, kind)
    assert one.dialect == other.dialect
    assert hash(one.dialect) == hash(other.dialect)
    caches = [engine.sync_engine.get_execution_options()["compiled_cache"] for engine in (one, other)]
    assert caches[0] is caches[1]


def test_a_statement_of_one_kind_is_not_taken_for_the_other_s() -> None:
    sqlite = create_async_engine("sqlite+aiosqlite:///one.sqlite3")
    postgres = create_async_engine("postgresql+psycopg://hub@127.0.0.1/one")
    assert sqlite.dialect != postgres.dialect
