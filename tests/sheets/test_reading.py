"""Sheets as people have them are read as people see them; files that are none are refused with one reason, in time."""

import asyncio
import datetime
import io
import socket
from pathlib import Path

import openpyxl
import pytest

from camera_hub.settings import SheetSettings
from camera_hub.sheets.reading import SheetBook, sheet_reader
from camera_hub.sheets.writing import WrittenColumn, write_xlsx
from tests.sheets.hostile import HOSTILE, fetching, outcome
from tests.sheets.xls import xls

SLOW = {"zip bomb", "lying zip bomb", "10^6 rows", "giant cell", "10^6 merged ranges", "text of everything", "deep xml"}
TABLE = '村;名称;IP\n东村;一号;1.2.3.4\n东村;"二;号";1.2.3.5\n'


async def read(folder: Path, content: bytes) -> SheetBook:
    path = folder / "sheet.jpg"
    path.write_bytes(content)
    return await sheet_reader(SheetSettings()).read(path)


def cells(book: SheetBook) -> list[list[str]]:
    return [row.cells for row in book.sheets[0].rows()]


async def test_cells_are_what_a_person_sees_in_them(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page["B2"] = "某镇监控台账"
    page.merge_cells("B2:F2")  # a title
    page.append([None, "村", "名称", "电话", "编码", "日期"])
    page.append([None, "东村", " 一\u3000号 ", 13800000000, 34012300001320000001, datetime.datetime(2024, 5, 1)])
    page.append([None, None, "=1+1", 117.283456, True, datetime.time(8, 30)])
    page.append([None, None, "x" * 600])
    page.merge_cells("B4:B6")
    book.create_sheet("隐藏").sheet_state = "hidden"
    book["隐藏"]["A1"] = "x"
    out = io.BytesIO()
    book.save(out)
    found = await read(tmp_path, out.getvalue())
    assert [one.name for one in found.sheets] == ["Sheet"]
    assert [row.number for row in found.sheets[0].rows()] == [3, 4, 5, 6]
    assert cells(found) == [
        ["", "村", "名称", "电话", "编码", "日期"],
        ["", "东村", "一 号", "13800000000", "3.40123000013200E+19", "2024-05-01"],
        ["", "东村", "", "117.283456", "是", "08:30:00"],  # a formula that nobody has computed
        ["", "东村", "x" * 501],
    ]
    assert [one.lines for one in SheetBook.unpacked(found.packed()).sheets] == [one.lines for one in found.sheets]


@pytest.mark.parametrize(
    "content",
    [
        TABLE.encode("gb18030"),
        TABLE.encode(),
        TABLE.encode("utf-8-sig"),
        TABLE.encode("utf-16"),
        TABLE.replace(";", "\t").replace('"二\t号"', '"二;号"').encode("gbk"),
        TABLE.replace(";", ",").replace('"二,号"', "二;号").replace("\n", "\r\n").encode(),
        ("sep=;\n" + TABLE).encode(),
    ],
    ids=["gb18030", "utf-8", "bom", "utf-16", "tab", "comma", "declared"],
)
async def test_csv_of_any_encoding_and_delimiter(tmp_path: Path, content: bytes) -> None:
    expected = [["村", "名称", "IP"], ["东村", "一号", "1.2.3.4"], ["东村", "二;号", "1.2.3.5"]]
    assert cells(await read(tmp_path, content)) == expected


async def test_an_old_workbook(tmp_path: Path) -> None:
    found = await read(tmp_path, xls([["名称", "电话"], ["村口", 13800000000.0], ["=1", 0.5]]))
    assert found.sheets[0].name == "点位"
    assert cells(found) == [["名称", "电话"], ["村口", "13800000000"], ["=1", "0.5"]]


DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x")', "#N/A", "0012"]


async def test_what_would_be_a_formula_is_written_as_text_and_read_back_unchanged(tmp_path: Path) -> None:
    content = write_xlsx([WrittenColumn("a"), WrittenColumn("b", as_text=True)], [[one, one] for one in DANGEROUS])
    page = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    assert {cell.data_type for row in page.iter_rows() for cell in row} <= {"s", "inlineStr"}
    assert [[cell.value for cell in row] for row in page.iter_rows(min_row=2)] == [[one, one] for one in DANGEROUS]
    assert cells(await read(tmp_path, content))[1:] == [[one.strip()] * 2 for one in DANGEROUS]


@pytest.mark.parametrize("name", [pytest.param(one, marks=pytest.mark.slow if one in SLOW else ()) for one in HOSTILE])
async def test_a_hostile_file_ends_in_time_with_its_reason(tmp_path: Path, name: str) -> None:
    content, reasons = HOSTILE[name]
    path = tmp_path / "sheet.xlsx"
    path.write_bytes(content())
    assert await outcome(path) in reasons


async def test_a_sheet_fetches_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.setblocking(False)
        assert cells(await read(tmp_path, fetching(canary.getsockname()[1]))) == [["名称", "IP"]]
        with pytest.raises(BlockingIOError):
            canary.accept()


async def test_reading_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "sheet"
    path.write_bytes(TABLE.encode())
    reader = sheet_reader(SheetSettings(read_seconds=0.001))
    (error,) = await asyncio.gather(reader.read(path), return_exceptions=True)
    assert getattr(error, "reason", "") == "sheet_unpacked"
