"""Patrols that were given up or have expired: sealed as what they are, without a signature."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from openpyxl.utils import get_column_letter
from sqlalchemy import update

from camera_hub.access.audit.canonical import Json
from camera_hub.access.audit.verify import AuditReport
from camera_hub.errors import HubError, Kind
from camera_hub.health.notices.cause_words import CAUSES_EN
from camera_hub.patrol.records.compare import camera_names
from camera_hub.patrol.records.earlier import EarlierPatrols
from camera_hub.patrol.records.expiry import RecordExpiry
from camera_hub.patrol.records.export import FullRecord, RecordExport
from camera_hub.patrol.records.listing import RecordList, RecordQuery
from camera_hub.patrol.records.reviews import Opinion
from camera_hub.patrol.records.sheet import record_workbook, records_workbook
from camera_hub.patrol.records.sheet_words import RecordWords
from camera_hub.store.tables import Run, RunEvent, RunResult
from tests.patrol.records.site import SealedSite

WORDS = RecordWords("zh", {}, {}, ZoneInfo("Asia/Shanghai"), "东沟镇")
ENDS = ("stopped", "expired")


def reasons(report: AuditReport) -> list[str]:
    return [fault.reason for fault in report.faults]


@pytest.mark.parametrize("end", ENDS)
async def test_it_is_sealed_reviewed_by_nobody_and_kept_as_long_as_others(site: SealedSite, end: str) -> None:
    async with site.chain() as chain:
        run = await site.patrol(chain, end=end)
        reviews = site.reviews(chain)
        view = await reviews.of(site.leader, run)
        assert view.seal is not None
        assert (view.may_sign, view.sign_why, view.may_note) == (False, "not_submitted", False)
        opinions: tuple[Opinion, ...] = ("approved", "returned")
        for opinion in opinions:
            with pytest.raises(HubError) as refused:
                await reviews.sign(site.leader, run, opinion, "看", 0)
            assert (refused.value.kind, refused.value.reason) == (Kind.CONFLICT, "not_submitted")
        noted = await reviews.note(site.operator, run, "中途停电")  # why it was, may be said afterwards
        assert [one.kind for one in noted.reviews] == ["note"]
        assert (await site.verify()).lines()[1:-1] == []
        report = await site.tampered("UPDATE run_results SET result = 'normal', words = '' WHERE position = 1")
        assert (reasons(report), report.exit_code) == (["row_changed", "row_changed"], 1)
        assert reasons(await site.tampered(f"UPDATE runs SET end_reason = 'submitted' WHERE id = {run}"))[:1] == [
            "row_changed"
        ]
        site.clock.move(366 * 86400)
        expiry = RecordExpiry(site.database, site.clock, chain, site.pictures, timedelta(days=365))
        assert await expiry.expire() == 1
    assert (await site.verify()).exit_code == 0


async def test_what_ended_before_is_sealed_once_and_what_is_inserted_since_is_found(site: SealedSite) -> None:
    async with site.chain() as chain:
        submitted = await site.patrol(chain)
        old = [await site.patrol(chain, sealed=False, end=end) for end in ENDS]
        loop = await site.patrol(chain, sealed=False, end="stopped", loop=True)
        assert (await site.verify()).exit_code == 0  # nobody has sealed what was given up yet, and nobody said so
        earlier = EarlierPatrols(site.database, chain)
        assert await earlier.seal() == 2
        assert await earlier.seal() == 0
        rows = {one.id: one for one in await RecordList(site.database).listed(site.leader, RecordQuery())}
        assert [rows[run].seal is not None for run in (submitted, *old, loop)] == [True, True, True, False]
        assert (await site.verify()).lines()[1:-1] == []
        inserted = await site.patrol(chain, sealed=False, end="stopped")
        assert await earlier.seal() == 0
    report = await site.verify()
    assert [(fault.reason, fault.subject) for fault in report.faults] == [("record_unsealed", f"run:{inserted}")]
    assert "given up" in report.faults[0].detail
    # Without the link that says so it would not be found: but that it is gone is.
    assert reasons(await site.tampered("DELETE FROM audit_links WHERE kind = 'patrols_sealed'")) != []


async def test_lists_and_counts_do_not_ask_for_its_signature(site: SealedSite) -> None:
    async with site.chain() as chain:
        submitted = await site.patrol(chain)
        given_up = [await site.patrol(chain, end=end) for end in ENDS]
        loop = await site.patrol(chain, sealed=False, end="stopped", loop=True)
    records = RecordList(site.database)

    async def ids(query: RecordQuery) -> set[int]:
        return {one.id for one in await records.listed(site.leader, query)}

    assert await ids(RecordQuery(state="given_up")) == set(given_up)
    assert await ids(RecordQuery(state="submitted")) == {submitted}
    assert await ids(RecordQuery(signed="unsigned")) == {submitted}
    assert await ids(RecordQuery(loop=True)) == {loop}
    assert (await records.counts(site.leader)).unsigned == 1
    rows = {one.id: one.to_be_signed for one in await records.listed(site.leader, RecordQuery())}
    assert rows == {submitted: True, **dict.fromkeys(given_up, False), loop: False}


@pytest.mark.one_database
async def test_the_sheets_say_what_it_is(site: SealedSite) -> None:
    async with site.chain() as chain:
        runs = [await site.patrol(chain, end=end) for end in ("submitted", *ENDS)]
    records = RecordList(site.database)
    export = RecordExport(site.database, records)
    rows = sorted(await records.listed(site.leader, RecordQuery()), key=lambda one: one.id)
    book = openpyxl.load_workbook(BytesIO(records_workbook(rows, [], WORDS, "")))
    lines = list(book["巡查"].values)
    head = next(line for line in lines if "状态" in line)
    told = [(line[head.index("状态")], line[head.index("签审")]) for line in lines[lines.index(head) + 1 :]]
    assert told == [("已提交", "未签审"), ("已放弃", "无需签审"), ("过期未提交", "无需签审")]
    one = openpyxl.load_workbook(BytesIO(record_workbook(await export.one(site.leader, runs[1]), WORDS)))
    summary = {line[0]: line[1] for line in one["概况"].values if line[0] is not None}
    assert (summary["状态"], summary["签审"]) == ("已放弃", "无需签审")
    assert str(summary["封存"]).startswith("第 2 号")


@pytest.mark.one_database
async def test_sheets_have_dates_that_sort_numbers_that_add_up_and_heads_that_stay(site: SealedSite) -> None:
    async with site.chain() as chain:
        run = await site.patrol(chain)
    export = RecordExport(site.database, RecordList(site.database))
    full = await export.one(site.leader, run)
    for content in (record_workbook(full, WORDS), records_workbook([full.row], [full], WORDS, "")):
        for sheet in openpyxl.load_workbook(BytesIO(content)).worksheets:
            if sheet.title == "说明":
                continue
            head, *lines = sheet.iter_rows()
            assert sheet.freeze_panes == "A2"
            assert (sheet.print_title_rows, sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (
                "$1:$1",
                1,
                0,
            )
            for number, cell in enumerate(head):
                values = [line[number] for line in lines if line[number].value is not None]
                if str(cell.value).endswith("时间") or cell.value in ("开始", "结束"):
                    assert all(isinstance(one.value, datetime) for one in values), (sheet.title, cell.value)
                    assert {one.number_format for one in values} <= {"yyyy-mm-dd hh:mm:ss"}
                if cell.value in ("说明", "内容", "详情"):
                    assert all(one.alignment.wrap_text for one in values if isinstance(one.value, str))
                longest = max((len(str(one.value)) for one in values), default=0)
                width = sheet.column_dimensions[get_column_letter(number + 1)].width
                assert longest <= width or any(one.alignment.wrap_text for one in values), (sheet.title, cell.value)
            if sheet.title == "概况":
                numbers = {line[0].value: line[1].value for line in lines}
                assert (numbers["巡查编号"], numbers["正常（路）"], numbers["巡查人"]) == (run, 2, "张三")


@pytest.mark.slow
@pytest.mark.one_database
async def test_the_sheets_name_all_who_had_the_patrol_and_when(site: SealedSite) -> None:
    async with site.chain() as chain:
        run = await site.patrol(chain)
    async with site.database.write() as session:
        row = await session.get_one(Run, run)
        at = row.started_at
        row.operator_name = "王五"
        for seconds, kind, name, detail in (
            (65, "handed_over", "张三", {"to": 2, "to_name": "李四", "note": ""}),
            (90, "closing", "", {}),
            (100, "taken_over", "王五", {"from": 2, "from_name": "李四", "note": ""}),
        ):
            moment = at + timedelta(seconds=seconds)
            session.add(RunEvent(run_id=run, at=moment, kind=kind, position=1, user_name=name, detail=detail))
    records = RecordList(site.database)
    (row_of,) = await records.listed(site.leader, RecordQuery())
    assert [(one.name, (one.since - at).total_seconds(), one.position) for one in row_of.turns] == [
        ("李四", 65.0, 1),
        ("王五", 100.0, None),
    ]

    def local(seconds: int) -> str:
        return f"{(at + timedelta(seconds=seconds)).astimezone(WORDS.zone):%H:%M:%S}"

    full = await RecordExport(site.database, records).one(site.leader, run)
    zh, en = (
        f"张三 → 李四（{local(65)} 第 2 站起） → 王五（{local(100)} 走完后）",
        f"张三 → 李四 (from stop 2, {local(65)}) → 王五 (after the last stop, {local(100)})",
    )
    for words, told in ((WORDS, zh), (replace(WORDS, language="en"), en)):
        one = openpyxl.load_workbook(BytesIO(record_workbook(full, words)))
        assert told in [line[1] for line in one.worksheets[0].values]
        many = openpyxl.load_workbook(BytesIO(records_workbook([row_of], [], words, "")))
        assert told in next(line for line in many.worksheets[0].values if line[0] == run)


@pytest.mark.slow
@pytest.mark.one_database
async def test_an_english_sheet_is_english_but_for_names_and_words_of_people(site: SealedSite) -> None:
    async with site.chain() as chain:
        runs = [await site.patrol(chain, end=end) for end in ("submitted", *ENDS)]
    records = RecordList(site.database)
    export = RecordExport(site.database, records)
    full = [await export.one(site.leader, run) for run in runs]
    english = replace(WORDS, language="en", causes=CAUSES_EN, categories={}, township="")
    own = {text for one in full for text in texts_of(one)}
    for content in (
        *(record_workbook(one, english) for one in full),
        records_workbook([one.row for one in full], full, english, ""),
    ):
        for sheet in openpyxl.load_workbook(BytesIO(content)).worksheets:
            for cell in [sheet.title, *(one for line in sheet.values for one in line if isinstance(one, str))]:
                left = cell
                for text in sorted(own, key=len, reverse=True):
                    left = left.replace(text, "")
                assert re.search("[\u4e00-\u9fff\uff00-\uffef]", left) is None, (sheet.title, cell)


def texts_of(record: FullRecord) -> list[str]:
    """Whatever people have written or named in it."""

    def walk(value: Json) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            for one in value.values():
                yield from walk(one)
        elif isinstance(value, Sequence):
            for one in value:
                yield from walk(one)

    return [
        *(text for rows in record.content.values() for row in rows for text in walk(row) if text),
        *(one.words for one in record.reviews if one.words),
        *(one.user_name for one in record.reviews),
        *camera_names(record.content).values(),
    ]


@pytest.mark.slow
@pytest.mark.one_database
async def test_what_nobody_confirmed_of_a_patrol_that_is_over_waits_for_nobody(site: SealedSite) -> None:
    async with site.chain() as chain:
        run = await site.patrol(chain, end="stopped")
    async with site.database.write() as session:
        await session.execute(update(RunResult).where(RunResult.run_id == run).values(result="open"))
    full = await RecordExport(site.database, RecordList(site.database)).one(site.leader, run)

    def results(one: FullRecord, words: RecordWords) -> set[object]:
        lines = (
            openpyxl.load_workbook(BytesIO(record_workbook(one, words)))
            .worksheets[1]
            .iter_rows(min_row=2, values_only=True)
        )
        return {line[5] for line in lines}

    assert results(full, WORDS) == {"未确认"}
    assert results(full, replace(WORDS, language="en")) == {"Not confirmed"}
    running = replace(full, row=replace(full.row, state="closing", end_reason=None, ended_at=None))
    assert results(running, WORDS) == {"待确认"}
