"""`python -m camera_hub.sheets.workbook`: write an .xlsx, as the lines of JSON on stdin say (see writing).

A process of its own, since openpyxl takes numpy along where that is installed: 40 MB, and a second of the hub's time.
"""

import io
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties

from camera_hub.sheets.answer import MAX_ROWS
from camera_hub.sheets.writing import CellValue, WrittenColumn

_LONGEST = 32_000
"""Characters of a cell; Excel holds 32,767."""
_LONGEST_LIST = 250
"""Characters of a drop-down list in the sheet itself."""
_TEXT_FORMAT = "@"
_TIME_FORMAT = "yyyy-mm-dd hh:mm:ss"
_WRAPPED = Alignment(wrap_text=True, vertical="top")
_A4 = 9
_WIDEST_UPRIGHT = 95
"""Characters of a sheet, beyond which it is printed on A4 in landscape."""
_HEADER_FONT = Font(bold=True, color="FFFFFF")
_HEADER_FILL = PatternFill("solid", fgColor="1F4E79")
_HEADER_FILL_NEEDED = PatternFill("solid", fgColor="9C3D10")


def main() -> None:
    """Read what to write from stdin, write the .xlsx to stdout."""
    order = json.loads(sys.stdin.buffer.readline())
    lines = map(json.loads, sys.stdin.buffer)
    book = Workbook(write_only=True)
    for sheet in order["sheets"]:
        columns = [WrittenColumn(**{**one, "choices": tuple(one["choices"])}) for one in sheet["columns"]]
        _sheet(book, sheet["name"], columns, islice(lines, sheet["rows"]), sheet["room_for"])
    if order["notes"]:
        _notes(book, order["notes_sheet"], order["notes"])
    out = io.BytesIO()
    book.save(out)
    sys.stdout.buffer.write(out.getvalue())


def _sheet(
    book: Workbook,
    name: str,
    columns: Sequence[WrittenColumn],
    rows: Iterable[Sequence[CellValue]],
    room_for: int,
) -> None:
    page = book.create_sheet(name[:31])
    page.freeze_panes = "A2"
    # Printed on A4 it is as wide as the paper, with the headers on each page.
    page.print_title_rows = "1:1"
    page.page_setup.paperSize = _A4
    page.page_setup.orientation = "landscape" if sum(one.width for one in columns) > _WIDEST_UPRIGHT else "portrait"
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    for number, column in enumerate(columns, 1):
        dimension = page.column_dimensions[get_column_letter(number)]
        dimension.width = max(6, min(60, column.width))
        if column.as_text:
            dimension.number_format = _TEXT_FORMAT
    page.append([_header(page, column) for column in columns])
    count = 0
    for row in rows:
        page.append([_cell(page, column, value) for column, value in zip(columns, row, strict=True)])
        count += 1
    _choices(page, columns, min(count + room_for, MAX_ROWS) + 1)


def _notes(book: Workbook, name: str, notes: Sequence[str]) -> None:
    page = book.create_sheet(name[:31])
    page.column_dimensions["A"].width = 100
    for line in notes:
        page.append([_text(page, line, Alignment(wrap_text=True, vertical="top"))])


def _header(page: object, column: WrittenColumn) -> Cell:
    cell = _text(page, column.header, Alignment(wrap_text=True, vertical="center", horizontal="center"))
    cell.font = _HEADER_FONT
    cell.fill = _HEADER_FILL_NEEDED if column.needed else _HEADER_FILL
    return cell


def _cell(page: object, column: WrittenColumn, value: CellValue) -> Cell | None:
    if value is None or value == "":
        return None
    if column.as_time and isinstance(value, str):
        cell = _text(page, "")
        cell.value, cell.number_format = datetime.fromisoformat(value), _TIME_FORMAT
        return cell
    if isinstance(value, int | float) and not column.as_text:
        return WriteOnlyCell(page, value=value)  # type: ignore[arg-type]  # any sheet will do
    cell = _text(page, str(value), _WRAPPED if column.wraps else None)
    if column.as_text:
        cell.number_format = _TEXT_FORMAT
    return cell


def _text(page: object, text: str, alignment: Alignment | None = None) -> Cell:
    cell = WriteOnlyCell(page)  # type: ignore[arg-type]
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", text)[:_LONGEST]
    cell.data_type = "s"  # openpyxl takes "=…" for a formula, "#N/A" for an error
    if text[:1] in "=+-@\t\r" and text:
        cell.number_format = _TEXT_FORMAT
        cell.quotePrefix = True  # editing the cell makes no formula of it either
    if alignment is not None:
        cell.alignment = alignment
    return cell


def _choices(page: object, columns: Sequence[WrittenColumn], last: int) -> None:
    for number, column in enumerate(columns, 1):
        listed = ",".join(one for one in column.choices if "," not in one and '"' not in one)
        if not listed or len(listed) > _LONGEST_LIST or last < 2:
            continue
        rule = DataValidation(type="list", formula1=f'"{listed}"', allow_blank=True, showErrorMessage=False)
        letter = get_column_letter(number)
        rule.add(f"{letter}2:{letter}{last}")
        page.data_validations.append(rule)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
