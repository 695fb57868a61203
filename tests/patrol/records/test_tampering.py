"""Whatever somebody with write access to the database does to sealed records is found, and named."""

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, Column, Double, Float, Integer, String
from sqlalchemy.types import TypeDecorator

from camera_hub.access.audit.links import GENESIS, digest, link_hash
from camera_hub.access.audit.verify import AuditReport
from camera_hub.patrol.records.content import SEALED_TABLES
from camera_hub.store.database import Database
from camera_hub.store.tables import AuditLink, Base
from tests.fakes.site import add_village
from tests.patrol.records.site import SealedSite


def told(report: AuditReport) -> list[tuple[str, int | None]]:
    """Reason and link of each fault."""
    return [(fault.reason, fault.sequence) for fault in report.faults]


async def sealed(site: SealedSite, patrols: int = 3) -> list[int]:
    """That many sealed patrols, the first of them signed: links 1 … patrols, and one more."""
    async with site.chain() as chain:
        runs = [await site.patrol(chain) for _ in range(patrols)]
        await site.reviews(chain).sign(site.leader, runs[0], "approved", "", 0)
    report = await site.verify()
    assert (report.faults, report.links, report.anchored, report.exit_code) == ([], patrols + 1, patrols + 1, 0)
    return runs


def another(column: Column[Any], rows: dict[str, list[int]], row: int) -> str:
    """Another value that the column can hold, as SQL."""
    for key in column.foreign_keys:
        return str(next(one for one in rows[key.column.table.name] if one != row))
    kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    if isinstance(kind, Boolean):
        return f"NOT {column.name}"
    if isinstance(kind, Integer | Double | Float):
        return "7777"
    return "'[1]'" if isinstance(kind, JSON) else "'zz'" if isinstance(kind, String) else "'2026-01-02 03:04:05.000000'"


@pytest.mark.slow
@pytest.mark.one_database
async def test_every_field_of_every_sealed_table_is_named_when_it_was_edited(
    database: Database, site: SealedSite
) -> None:
    """Each row of the first patrol has one more field edited than the verifier may overlook: none."""
    await sealed(site, 2)
    await add_village(database, site.clock, "西沟村", 1)
    tables = {name: [row[0] for row in await site.rows(f"SELECT id FROM {name}")] for name in Base.metadata.tables
              if "id" in Base.metadata.tables[name].columns}  # fmt: skip
    missed = []
    for sealed_table in SEALED_TABLES:
        name = sealed_table.table.name
        for column in sealed_table.columns:
            if column.name == "id":
                continue
            row = tables[name][0]
            was = (await site.rows(f"SELECT {column.name} FROM {name} WHERE id = {row}"))[0][0]
            other = another(column, tables, was if isinstance(was, int) else 0)
            if column.name == "camera_id" and name == "run_results":
                other = str(tables["cameras"][-1])  # each camera of the patrol once at a stop
            free = "position = 50, " if (name, column.name) == ("run_results", "run_id") else ""
            report = await site.tampered(f"UPDATE {name} SET {free}{column.name} = {other} WHERE id = {row}")
            faults = [one.params for one in report.faults if one.params.get("table") == name]
            moved = column.name in ("run_id", "step_id")  # a row of one record has gone to another
            if not any(moved or str(one["field"]).startswith(column.name) for one in faults):
                missed.append(f"{name}.{column.name}")
    assert missed == []


COPY_OF_ANOTHER = (
    "UPDATE audit_copies SET content = (SELECT content FROM audit_copies WHERE sequence = 1) WHERE sequence = 2"
)
CASES: Sequence[tuple[str, Sequence[str], str, int, str]] = [
    (
        "a step's seconds",
        ["UPDATE run_steps SET shown_s = 60 WHERE run_id = 2 AND sequence = 2"],
        "row_changed",
        2,
        "the seconds shown of stop 3 (站2, step 3) were changed after sealing: was 15, is now 60",
    ),
    (
        "a camera's visible seconds",
        ["UPDATE run_step_cameras SET visible_s = 99 WHERE id = 5"],
        "row_changed",
        2,
        "the seconds seen of 东沟村 相机0 at stop 1 in step 1 were changed after sealing: was 12.5, is now 99",
    ),
    (
        "a result",
        ["UPDATE run_results SET result = 'normal', words = '' WHERE run_id = 2 AND position = 1"],
        "row_changed",
        2,
        "the result of 东沟村 相机1 at stop 2 was changed after sealing: was Abnormal, is now Normal",
    ),
    (
        "a result is deleted",
        ["DELETE FROM run_results WHERE run_id = 2 AND position = 1"],
        "row_deleted",
        2,
        "the result of 东沟村 相机1 at stop 2 (Abnormal, 积水, 张三, 2026-11-23 16:00:15) was deleted after sealing",
    ),
    (
        "a finding is deleted",
        ["DELETE FROM findings WHERE run_id = 3"],
        "row_deleted",
        3,
        "finding 3 (东沟村 相机1 at stop 2, 张三, “桥下积水”) was deleted after sealing",
    ),
    (
        "an event is inserted",
        [
            "INSERT INTO run_events (id, run_id, at, kind, user_name, detail) "
            "SELECT 99, run_id, at, 'resumed', user_name, detail FROM run_events WHERE id = 1"
        ],
        "row_inserted",
        1,
        "event 99 (Resumed, 张三, 2026-11-23 16:00:00) was inserted after sealing",
    ),
    (
        "a record is deleted, with all its rows",
        ["DELETE FROM run_step_cameras WHERE step_id IN (SELECT id FROM run_steps WHERE run_id = 2)"]
        + [f"DELETE FROM {table} WHERE run_id = 2" for table in ("run_steps", "run_results", "findings", "run_events")]
        + ["DELETE FROM run_pictures WHERE run_id = 2", "DELETE FROM runs WHERE id = 2"],
        "record_deleted",
        2,
        "the record was deleted after sealing",
    ),
    (
        "a signature is deleted",
        ["DELETE FROM run_reviews"],
        "review_deleted",
        4,
        "link 4 (the signature (Approved, li, 2026-11-23 16:00) on patrol 1 ",
    ),
    ("a signature is edited", ["UPDATE run_reviews SET user_name = '王五'"], "review_changed", 4, "王五"),
    (
        "a signature is inserted",
        [
            "INSERT INTO run_reviews (id, run_id, kind, words, user_name, at) "
            "SELECT 9, 3, kind, words, user_name, at FROM run_reviews"
        ],
        "review_unsealed",
        0,
        "the signature (Approved, li, 2026-11-23 16:00) on patrol 3 ",
    ),
    ("a link is deleted", ["DELETE FROM audit_links WHERE sequence = 2"], "link_missing", 2, "link 2 is missing"),
    (
        "links are reordered",
        [
            "UPDATE audit_links SET sequence = 20 WHERE sequence = 2",
            "UPDATE audit_links SET sequence = 2 WHERE sequence = 3",
            "UPDATE audit_links SET sequence = 3 WHERE sequence = 20",
        ],
        "link_moved",
        2,
        "link 2 (patrol 3 of 2026-11-23 16:00 “重点路段” by 张三): it stands in a wrong place: it was sealed as link 3",
    ),
    (
        "a link's time is edited",
        ["UPDATE audit_links SET at = '2026-01-02 03:04:05.000000+00:00' WHERE sequence = 2"],
        "link_changed",
        2,
        "its time, kind or subject was changed",
    ),
    (
        "a link's digest is edited",
        [f"UPDATE audit_links SET digest = '{'0' * 64}' WHERE sequence = 2"],
        "link_changed",
        2,
        "its digest was changed",
    ),
    (
        "a link's hash is edited",
        [f"UPDATE audit_links SET hash = '{'1' * 64}' WHERE sequence = 2"],
        "hash_changed",
        2,
        "its hash was changed",
    ),
    (
        "a keyed seal is edited",
        [f"UPDATE audit_links SET mac = '{'1' * 64}' WHERE sequence = 2"],
        "link_forged",
        2,
        "the key does not fit",
    ),
    (
        "a sealed copy is deleted",
        ["DELETE FROM audit_copies WHERE sequence = 2"],
        "copy_missing",
        2,
        "its sealed copy was deleted",
    ),
    (
        "a sealed copy is edited",
        [COPY_OF_ANOTHER],
        "copy_changed",
        2,
        "the sealed copy was changed",
    ),
    (
        "a row and its sealed copy are edited",
        [
            COPY_OF_ANOTHER,
            "UPDATE run_steps SET shown_s = 60 WHERE run_id = 2 AND sequence = 2",
        ],
        "record_changed",
        2,
        "the record was changed after sealing, and its sealed copy too",
    ),
    (
        "the tail is cut",
        ["DELETE FROM audit_links WHERE sequence > 2"],
        "tail_cut",
        4,
        "links 3 to 4 are missing at the",
    ),
    (
        "a record is cut off with its link, copy and signature",
        [f"DELETE FROM {table} WHERE sequence > 3" for table in ("audit_links", "audit_copies")]
        + ["DELETE FROM run_reviews"],
        "tail_cut",
        4,
        "link 4 is missing at the end",
    ),
    (
        "everything is deleted",
        ["DELETE FROM audit_links", "DELETE FROM audit_copies", "DELETE FROM run_reviews"],
        "tail_cut",
        4,
        "links 1 to 4 are missing",
    ),
    (
        "the key of the chain is deleted with it",
        ["DELETE FROM audit_links", "DELETE FROM audit_copies", "DELETE FROM audit_keys", "DELETE FROM run_reviews"],
        "tail_cut",
        4,
        "links 1 to 4 are missing",
    ),
]


async def test_what_was_done_is_named(site: SealedSite) -> None:
    await sealed(site)
    wrong = {}
    for case, statements, reason, link, words in CASES:
        report = await site.tampered(*statements)
        details = [one.detail for one in report.faults if (one.reason, one.sequence) == (reason, link or None)]
        if report.exit_code != 1 or not any(words in detail for detail in details):
            wrong[case] = report.lines()
    assert wrong == {}
    assert (await site.verify()).exit_code == 0


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("statement", "reason", "link"),
    [
        ("UPDATE run_results SET confirmed_at = 'rubbish' WHERE run_id = 2", "rows_unreadable", 2),
        ("UPDATE runs SET itinerary = '{' WHERE id = 2", "rows_unreadable", 2),
        ("UPDATE audit_links SET at = 'rubbish' WHERE sequence = 2", "link_changed", 2),
        ("UPDATE audit_copies SET content = x'00' WHERE sequence = 2", "copy_changed", 2),
    ],
)
async def test_rubbish_in_a_column_of_sqlite_is_named_like_an_edit(
    site: SealedSite, statement: str, reason: str, link: int
) -> None:
    await sealed(site)
    assert (reason, link) in told(await site.tampered(statement))


async def test_a_cut_tail_together_with_its_record_is_found_by_the_anchor_alone(site: SealedSite) -> None:
    await sealed(site)
    run_rows = [
        f"DELETE FROM {name} WHERE run_id = 3" for name in ("run_steps", "run_results", "findings", "run_events")
    ]
    await site.sql(
        "DELETE FROM run_step_cameras WHERE step_id IN (SELECT id FROM run_steps WHERE run_id = 3)",
        *run_rows,
        "DELETE FROM run_pictures WHERE run_id = 3",
        "DELETE FROM run_reviews",
        "DELETE FROM runs WHERE id = 3",
        "DELETE FROM audit_links WHERE sequence > 2",
        "DELETE FROM audit_copies WHERE sequence > 2",
    )
    assert told(await site.verify()) == [("tail_cut", 4)]
    async with site.chain() as chain:  # the hub goes on; that does not heal it
        for _ in range(3):
            await site.patrol(chain)
    assert ("other_chain", 4) in told(await site.verify())


async def test_a_chain_written_anew_by_who_knows_how_but_has_no_key(site: SealedSite) -> None:
    """Everything recomputed after an edit: hashes fit, the keyed seals cannot."""
    await sealed(site)
    await site.sql("UPDATE audit_copies SET content = (SELECT content FROM audit_copies WHERE sequence = 1)")
    previous = GENESIS
    async with site.database.write() as session:
        for sequence in range(1, 5):
            link = await session.get_one(AuditLink, sequence)
            link.digest, link.previous = digest(b"anything"), previous
            link.hash = link_hash(link.sequence, link.at, link.kind, link.subject, link.digest, link.previous)
            previous = link.hash
            await session.flush()
    found = told(await site.verify())
    assert [one for one in found if one[0] == "link_forged"] == [("link_forged", n) for n in range(1, 5)]
    assert ("other_chain", 4) in found


async def test_a_replaced_and_a_deleted_picture_are_named_by_camera(site: SealedSite) -> None:
    await sealed(site)
    await site.pictures.write(3, b"another picture")
    await site.pictures.delete([9])
    report = await site.verify()
    assert [(one.reason, one.sequence, one.params["camera"]) for one in report.faults] == [
        ("picture_replaced", 1, "东沟村 相机2"),
        ("picture_deleted", 2, "东沟村 相机3"),
    ]


@pytest.mark.one_database
async def test_an_old_copy_of_the_table_is_found(database: Database, site: SealedSite) -> None:
    async with site.chain() as chain:
        await site.patrol(chain)
        path = database.url.database
        assert path is not None
        saved = await asyncio.to_thread(_dump, path)
        await site.patrol(chain)
    await site.sql("DELETE FROM audit_links", "DELETE FROM audit_copies")
    await asyncio.to_thread(_load, path, saved)
    assert ("tail_cut", 2) in told(await site.verify())


def _dump(path: str) -> dict[str, list[tuple[object, ...]]]:
    with sqlite3.connect(path) as raw:
        return {name: raw.execute(f"SELECT * FROM {name}").fetchall() for name in ("audit_links", "audit_copies")}


def _load(path: str, saved: dict[str, list[tuple[object, ...]]]) -> None:
    with sqlite3.connect(path) as raw:
        for name, rows in saved.items():
            raw.executemany(f"INSERT INTO {name} VALUES ({','.join('?' * len(rows[0]))})", rows)
