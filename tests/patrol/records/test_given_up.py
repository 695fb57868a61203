"""Patrols that were given up or have expired: sealed as what they are, without a signature."""

from datetime import datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from camera_hub.access.audit.verify import AuditReport
from camera_hub.errors import HubError, Kind
from camera_hub.patrol.records.earlier import EarlierPatrols
from camera_hub.patrol.records.expiry import RecordExpiry
from camera_hub.patrol.records.export import RecordExport
from camera_hub.patrol.records.listing import RecordList, RecordQuery
from camera_hub.patrol.records.reviews import Opinion
from camera_hub.patrol.records.sheet import RecordWords, record_workbook, records_workbook
from tests.patrol.records.site import SealedSite

WORDS = RecordWords({}, {}, ZoneInfo("Asia/Shanghai"), "东沟镇")
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
    assert told == [("已提交", "未签审"), ("中途结束", "无需签审"), ("过期未提交", "无需签审")]
    one = openpyxl.load_workbook(BytesIO(record_workbook(await export.one(site.leader, runs[1]), WORDS)))
    summary = {line[0]: line[1] for line in one["概况"].values if line[0] is not None}
    assert (summary["状态"], summary["签审"]) == ("中途结束", "无需签审")
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
