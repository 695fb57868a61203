"""Records that somebody has changed in the database so that they cannot be read: each page and list shows what is left,
and names the rest. SQLite stores any value in any column."""

import itertools
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text

from camera_hub.access.audit.anchor import AnchorFile
from camera_hub.access.audit.verify import AuditVerifier
from camera_hub.access.policy import Role
from camera_hub.patrol.records import sheet
from camera_hub.patrol.records.verify import RecordVerification, patrol_kinds
from camera_hub.sheets.writing import WrittenSheet
from camera_hub.store.database import Database
from camera_hub.store.tables import (
    AuditLink,
    Base,
    Finding,
    PlanOccurrence,
    Run,
    RunEvent,
    RunPicture,
    RunResult,
    RunReview,
    RunStep,
    RunStepCamera,
)
from camera_hub.store.tables.base import table_of
from tests.api.conftest import Hub
from tests.patrol.records.site import WORDS, SealedSite

pytestmark = [pytest.mark.one_database]

LONG = bool(os.environ.get("CAMERA_HUB_LONG"))

NOVEMBER = "2026-11-01T00:00:00Z&{}=2026-12-01T00:00:00Z"
ROUTES = (
    "/api/runs/1",
    "/api/runs/1/itinerary",
    "/api/runs/1/steps",
    "/api/runs/1/events",
    "/api/runs/1/results",
    "/api/runs/1/record",
    "/api/runs/1/record.xlsx",
    "POST /api/runs/1/verify",
    "/api/runs",
    "/api/runs?state=active",
    "/api/records",
    "/api/records?operator_id=1",
    "/api/records/counts",
    "/api/records/records.xlsx",
    "/api/findings",
    f"/api/occurrences?begin={NOVEMBER.format('end')}",
    "/api/occurrences/days?first=2026-11-01&last=2026-11-30",
    f"/api/patrol/figures?from={NOVEMBER.format('to')}",
)
ROWS: dict[type[Base], str] = {
    Run: "id = 1",
    RunStep: "run_id = 1",
    RunStepCamera: "step_id IN (SELECT id FROM run_steps WHERE run_id = 1)",
    RunResult: "run_id = 1",
    Finding: "run_id = 1",
    RunEvent: "run_id = 1",
    RunPicture: "run_id = 1",
    RunReview: "run_id = 1",
    PlanOccurrence: "run_id = 1",
    AuditLink: "subject = 'run:1'",
}
RULE = '{"times": [], "every": null}'
NOTHING = """'{"a": {"b": [1]}}'"""
RUBBISH = ("x'ff00'", "'rubbish'", "9e999", NOTHING)
"""Bytes; a text that is no time, number, word or JSON; a number beyond all; a JSON of another shape."""


NAMES_ITS_PATROL = {"run_id", "step_id", "subject"}
"""Of which the rest of a row would be another patrol's, or nobody's."""


def values_at_once() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Table, which rows, and what stands in which columns at once: in all of a table; with CAMERA_HUB_LONG=1 in each by
    itself as well."""
    number = itertools.count()
    for entity, rows in ROWS.items():
        table = table_of(entity)
        names = [column.name for column in table.columns if not column.primary_key]
        values = {name: RUBBISH[next(number) % len(RUBBISH)] for name in names}
        yield table.name, rows, {name: value for name, value in values.items() if name not in NAMES_ITS_PATROL}
        if LONG:
            yield from ((table.name, rows, {name: value}) for name, value in values.items())


@asynccontextmanager
async def tampered(database: Database, table: str, rows: str, values: dict[str, str]) -> AsyncIterator[None]:
    """The first of these rows has those values, until the end of the block."""
    async with database.engine.connect() as connection:
        row = await connection.scalar(text(f"SELECT min(rowid) FROM {table} WHERE {rows}"))
    await changed(database, f"CREATE TABLE kept AS SELECT * FROM {table} WHERE rowid = {row}")
    sets = ", ".join(f"{column} = {value}" for column, value in values.items())
    await changed(database, f"UPDATE {table} SET {sets} WHERE rowid = {row}")
    yield
    back = ", ".join(f"{column} = (SELECT {column} FROM kept)" for column in values)
    await changed(database, f"UPDATE {table} SET {back} WHERE rowid = {row}", "DROP TABLE kept")


async def changed(database: Database, *statements: str) -> None:
    """What somebody with the file of the database does, foreign keys or not."""
    async with database.engine.connect() as connection:
        await connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        raw: Any = (await connection.get_raw_connection()).driver_connection
        await connection.rollback()
        await raw.execute("PRAGMA foreign_keys = OFF")
        try:
            for statement in statements:
                await connection.exec_driver_sql(statement)
            await connection.commit()
        finally:
            await connection.rollback()
            await raw.execute("PRAGMA foreign_keys = ON")


@pytest.fixture
async def planned(hub: Hub, sealed: SealedSite, database: Database) -> SealedSite:
    """The first patrol was returned, and was due by a plan."""
    leader = await hub.client(Role.LEADER)
    body = {"opinion": "returned", "words": "大门画面偏了", "reviews": 0}
    assert (await leader.post("/api/runs/1/sign", json=body)).status_code == 200
    at = "'2026-11-23 07:00:00'"
    await changed(
        database,
        "INSERT INTO plans (id, name, note, tour_id, night_from, night_to, enabled, seasons, weekdays, rule,"
        " in_special, grace_minutes, prompted, revision, created_at, changed_name, changed_at) VALUES (1, 'p', '', 1,"
        f" '22:00', '06:00', 0, '[]', '[]', '{RULE}', 'same', 30, '[]', 0, {at}, '', {at})",
        "INSERT INTO occurrences (id, plan_id, plan_name, tour_id, tour_name, variant, special, due_at, late_at,"
        " over_at, state, late, run_id, started_at, started_name, ended_at, declined) VALUES (1, 1, 'p', 1, 't', 'day',"
        f" 0, {at}, {at}, {at}, 'done', 0, 1, {at}, '张三', {at}, '[]')",
    )
    return sealed


@pytest.mark.slow
async def test_whatever_a_column_holds_every_page_and_list_answers(
    hub: Hub, planned: SealedSite, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(sheets: list[WrittenSheet], **_: object) -> bytes:
        for one in sheets:
            assert all(isinstance(cell, str | int | float | None) for row in one.rows for cell in row)
        return b""

    monkeypatch.setattr(sheet, "write_workbook", written)  # which takes a process for each workbook
    leader = await hub.client(Role.LEADER)
    wrong, columns = [], 0
    for table, rows, values in values_at_once():
        columns += len(values)
        async with tampered(database, table, rows, values):
            for route in ROUTES:
                verb, _, path = route.rpartition(" ")
                answer = await (leader.post(path) if verb else leader.get(path))
                if answer.status_code != 200 and (answer.status_code, table) != (409, "audit_links"):  # not_sealed
                    wrong.append((table, list(values), route, answer.status_code))
            others = (await leader.get("/api/records", params={"limit": 200})).json()
            if 2 not in [one["id"] for one in others.get("records", ())]:
                wrong.append((table, list(values), "the other record is not listed", 200))
    assert (wrong, columns > 80) == ([], True)


UNREADABLE = [
    ("runs", "itinerary", "'{'", "本次巡查的路线内容无法读取：被改成了无效内容"),
    ("runs", "itinerary", "'[{}]'", "本次巡查的路线内容无法读取：被改成了无效内容"),
    ("runs", "state", "'flying'", "本次巡查的状态无法读取：被改成了无效内容"),
    ("run_results", "seen_at", "'rubbish'", "第 1 站 东沟村 相机0的看到时间无法读取：被改成了无效内容"),
    ("run_results", "result", "'fine'", "第 1 站 东沟村 相机0的结果无法读取：被改成了无效内容"),
    ("run_events", "detail", NOTHING, "的详情无法读取：被改成了无效内容"),
    ("run_reviews", "at", "5", "的时间无法读取：被改成了无效内容"),
]


@pytest.mark.parametrize(("table", "column", "value", "told"), UNREADABLE)
async def test_what_cannot_be_read_is_named_and_not_approved_but_may_be_returned(
    hub: Hub, planned: SealedSite, database: Database, table: str, column: str, value: str, told: str
) -> None:
    rows = ROWS[next(one for one in ROWS if table_of(one).name == table)]
    leader = await hub.client(Role.LEADER)
    await changed(
        database, f"UPDATE {table} SET {column} = {value} WHERE rowid = (SELECT min(rowid) FROM {table} WHERE {rows})"
    )
    record = (await leader.get("/api/runs/1/record")).json()
    assert (record["unreadable_count"], len(record["unreadable"])) == (1, 1)
    assert record["unreadable"][0]["zh"].endswith(told)
    assert record["unreadable"][0]["en"].endswith("cannot be read: it was made invalid")
    results = (await leader.get("/api/runs/1/results")).json()
    assert len(results) == 4
    listed = {one["id"]: one for one in (await leader.get("/api/records")).json()["records"]}
    assert (sorted(listed), listed[2]["unreadable"]) == ([1, 2], 0)
    faults = (await leader.post("/api/runs/1/verify")).json()["faults"]
    assert faults
    opinion = {"opinion": "approved", "words": "", "reviews": 1}
    refused = await leader.post("/api/runs/1/sign", json=opinion)
    assert (refused.status_code, refused.json()["reason"]) == (409, "not_as_sealed")
    returned = await leader.post("/api/runs/1/sign", json=opinion | {"opinion": "returned", "words": "记录被改动"})
    assert (returned.status_code, returned.json()["reviews"][-1]["kind"]) == (200, "returned")


async def test_a_result_that_is_no_word_is_counted_apart(hub: Hub, planned: SealedSite, database: Database) -> None:
    await changed(database, "UPDATE run_results SET result = 'fine' WHERE run_id = 1 AND result = 'normal'")
    leader = await hub.client(Role.LEADER)
    states = [one["result"] for one in (await leader.get("/api/runs/1/results")).json()]
    assert sorted(states) == ["abnormal", "excused", "unreadable", "unreadable"]
    row = next(one for one in (await leader.get("/api/records")).json()["records"] if one["id"] == 1)
    assert (row["unreadable"], row["all_normal"]) == (2, False)
    assert row["results"] == {"open": 0, "normal": 0, "abnormal": 1, "excused": 1}


GONE = [
    ("DELETE FROM audit_links WHERE sequence = 2", ["本次巡查的封存（审计链第 2 号）被删除，封存副本还在"]),
    (
        "DELETE FROM audit_links WHERE sequence = 2; DELETE FROM audit_copies WHERE sequence = 2",
        ["审计链的第 2 号被删除，本次巡查的封存可能就在其中"],
    ),
    (
        "DELETE FROM audit_links WHERE sequence > 1",
        ["审计链的末尾被截去，本次巡查的封存（第 2 号）也在其中；也可能是恢复了较早的数据库"],
    ),
    (
        "DELETE FROM audit_links WHERE sequence > 1; DELETE FROM audit_copies WHERE sequence > 1",
        ["审计链末尾的第 2 至 3 号被截去，本次巡查的封存可能就在其中；也可能是恢复了较早的数据库"],
    ),
    (
        "UPDATE audit_links SET subject = 'run:77' WHERE sequence = 2",
        ["审计链上没有本次巡查的封存：可能是事后插入的，或封存被移除"],
    ),
]


@pytest.mark.parametrize(("statements", "told"), GONE)
async def test_a_record_whose_link_is_gone_says_what_became_of_it(
    hub: Hub, sealed: SealedSite, database: Database, statements: str, told: list[str]
) -> None:
    await changed(database, *statements.split("; "))
    leader = await hub.client(Role.LEADER)
    answer = (await leader.get("/api/runs/1/record")).json()
    assert answer["seal"] is None
    assert [one["zh"] for one in answer["seal_missing"]] == told
    assert all(one["en"] for one in answer["seal_missing"])
    refused = await leader.post("/api/runs/1/sign", json={"opinion": "approved", "words": "", "reviews": 0})
    assert (refused.status_code, refused.json()["reason"]) == (409, "not_sealed")


async def test_without_an_anchor_nobody_can_tell_whether_the_end_was_cut_off(
    hub: Hub, sealed: SealedSite, database: Database
) -> None:
    await changed(database, "DELETE FROM audit_links WHERE sequence = 3", "DELETE FROM audit_copies WHERE sequence = 3")
    nowhere = AnchorFile(sealed.folder / "nowhere")
    kinds = patrol_kinds(database, sealed.pictures, WORDS)
    verifier = AuditVerifier(database, sealed.vault, nowhere, kinds)
    hub.parts[RecordVerification] = RecordVerification(database, verifier, WORDS)
    leader = await hub.client(Role.LEADER)
    assert [one["zh"] for one in (await leader.get("/api/runs/2/record")).json()["seal_missing"]] == [
        "审计链上没有本次巡查的封存：可能是事后插入的，或封存被移除",
        "审计链的锚点文件缺失或损坏，无法判断链的末尾是否被截去",
    ]
    assert (await leader.get("/api/runs/1/record")).json()["seal_missing"] == []
