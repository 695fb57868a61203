"""The store on every backend that is there."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, inspect, select, text

from camera_hub.errors import HubError
from camera_hub.store.database import Database, storable
from camera_hub.store.revisions import revisions
from camera_hub.store.tables import Base, Run, RunStep, RunStepCamera, Village
from tests.fakes.clock import ManualClock
from tests.fakes.databases import Databases
from tests.fakes.site import add_village

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


async def drift(database: Database) -> list[object]:
    """Where the migrated tables and those of the code differ."""
    async with database.read() as session:
        connection = await session.connection()
        found: list[object] = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), Base.metadata)
        )
    return found


async def test_migrations_make_exactly_the_tables(database: Database) -> None:
    assert await drift(database) == []


def test_the_revisions_that_are_read_from_the_files_are_those_of_alembic() -> None:
    config = Config()
    config.set_main_option("script_location", "camera_hub:store/migrations")
    scripts = ScriptDirectory.from_config(config)
    assert revisions().known == {script.revision for script in scripts.walk_revisions()}
    assert revisions().newest == scripts.get_current_head()


async def test_whoever_comes_after_the_database_was_closed_is_told(databases: Databases) -> None:
    async with databases.sqlite() as url, Database(url) as database:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        async with database.read():
            pass
    with pytest.raises(RuntimeError, match="closed"):
        async with database.write():
            pass


async def test_who_is_cancelled_while_closing_has_closed_every_connection(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    close: Any = aiosqlite.Connection.close
    closed: list[aiosqlite.Connection] = []

    async def closing(connection: aiosqlite.Connection) -> None:
        task.cancel()  # at the first: two are still open
        await close(connection)
        closed.append(connection)

    async with databases.sqlite() as url:
        database = Database(url)
        async with database.read() as one, database.read() as other, database.read() as third:
            for session in (one, other, third):
                await session.execute(text("SELECT 1"))
        monkeypatch.setattr(aiosqlite.Connection, "close", closing)
        task = asyncio.create_task(database.close())
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(closed) == 3


@pytest.mark.slow
async def test_a_database_in_use_is_taken_along_from_the_first_version(database: Database) -> None:
    async with database.write() as session:
        session.add(Village(name="东沟村", created_at=NOW))
        config = Config()
        config.set_main_option("script_location", "camera_hub:store/migrations")
        await session.flush()
        connection = await session.connection()
        assert len(ScriptDirectory.from_config(config).get_heads()) == 1

        def back(sync: Connection) -> None:
            config.attributes["connection"] = sync
            command.downgrade(config, "0001")

        await connection.run_sync(back)
        tables = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
        assert tables & {"stream_tokens", "stream_sessions", "login_accounts"} == set()
    async with Database(database.url.render_as_string(hide_password=False)) as later:
        assert await drift(later) == []
        async with later.read() as session:
            assert (await session.scalars(select(Village.name))).all() == ["东沟村"]


@pytest.mark.slow
async def test_the_record_of_an_older_version_becomes_a_line_per_camera(database: Database) -> None:
    """A month of a loop over three stops: every line and camera is there afterwards, on both databases."""
    config = Config()
    config.set_main_option("script_location", "camera_hub:store/migrations")
    cameras = 3
    lines = 3000
    first, second, third = await add_village(database, ManualClock(), "东沟村", cameras)

    def back(sync: Connection) -> None:
        config.attributes["connection"] = sync
        command.downgrade(config, "0003")

    async with database.write() as session:
        connection = await session.connection()
        await connection.run_sync(back)
        at = NOW.replace(tzinfo=None) if database.is_sqlite else NOW
        await session.execute(
            text("INSERT INTO tours (id, name, note, created_at) VALUES (1, 't', '', :at)"), {"at": at}
        )
        await session.execute(
            text(
                "INSERT INTO runs (id, tour_id, tour_name, plan, loop, lap, state, position, anchor_at, elapsed_s,"
                " revision, started_name, started_at)"
                " VALUES (1, 1, 't', '[]', false, 0, 'ended', 0, :at, 0, 0, '', :at)"
            ),
            {"at": at},
        )
        shown = [{"id": first, "name": "a", "village": "v", "skipped": None}, None, {"id": second, "skipped": "black"}]
        twice = [{"id": third, "name": "c", "village": "v", "skipped": None}] * 2
        step = (
            "INSERT INTO run_steps (run_id, sequence, lap, position, name, cameras, outcome, reason, started_at, "
            "ended_at, shown_s) VALUES (:run, :n, :lap, :position, 's', :cameras, :outcome, :reason, :at, :at, 15)"
        )
        await session.execute(
            text(step),
            [
                {
                    "run": 1,
                    "n": n,
                    "lap": n // cameras,
                    "position": n % cameras,
                    "cameras": json.dumps(twice if n % 3 == 2 else shown),
                    "outcome": "skipped" if n % 3 == 2 else "shown",
                    "reason": "hub_away" if n % 3 == 2 else None,
                    "at": at,
                }
                for n in range(lines)
            ],
        )
    async with Database(database.url.render_as_string(hide_password=False)) as later:
        assert await drift(later) == []
        async with later.read() as session:
            run = (await session.scalars(select(Run))).one()
            assert (run.steps, run.shown, run.skipped, run.rolled_up) == (lines, 2000, 1000, 0)
            assert await session.scalar(select(func.sum(RunStep.shown_s))) == 15.0 * lines
            counted = await session.execute(
                select(RunStepCamera.camera_id, RunStepCamera.visible_s, RunStepCamera.why, func.count())
                .group_by(RunStepCamera.camera_id, RunStepCamera.visible_s, RunStepCamera.why)
                .order_by(RunStepCamera.camera_id)
            )
            assert [tuple(row) for row in counted] == [
                (first, None, None, 2000),
                (second, 0.0, "black", 2000),
                (third, 0.0, "hub_away", 1000),
            ]


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


async def test_a_newer_schema_is_refused(databases: Databases) -> None:
    async with databases.sqlite() as url:
        async with Database(url) as database, database.write() as session:
            await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(HubError, match="newer"):
            async with Database(url):
                pass


async def test_what_no_database_can_store_of_a_device_s_text_is_replaced(database: Database) -> None:
    async with database.write() as session:
        session.add(Village(name="a\x00b\ud800东", created_at=NOW))
    async with database.read() as session:
        assert (await session.scalars(select(Village.name).where(Village.name != "\x00"))).all() == [
            "a\ufffdb\ufffd\ufffd\ufffd东"
        ]


def test_parameters_keep_their_shape() -> None:
    for value in ("x", "东", 7, None, b"\x00", {"a": ["东", ("x", 1)]}, [("a", 1), ("b", 2)]):
        assert storable(value) == value
    assert storable([{"a": "\x00"}]) == [{"a": "\ufffd"}]
