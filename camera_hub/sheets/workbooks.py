"""Rows of a workbook (.xlsx, .xls). Hidden sheets are left out, unless there are no others.

A value that was merged over several rows is given to each of them: "village" over the twenty cameras of the village. A
row that is one value merged over several columns is a heading between others, and no row.
"""

import io
from collections.abc import Iterator

import python_calamine as calamine

from camera_hub.sheets.answer import HEADING_ROWS, MAX_COLUMNS, MAX_ROWS, MAX_SHEETS, SheetRow, refusal
from camera_hub.sheets.cells import cell_text

_HEADING_COLUMNS = 3
Spans = list[tuple[tuple[int, int], tuple[int, int]]]


class Workbook:
    """An opened workbook. Raises HubError for a damaged or protected one, here and while rows are read."""

    def __init__(self, data: bytes) -> None:
        try:
            self._book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
            found = [one for one in self._book.sheets_metadata if one.typ == calamine.SheetTypeEnum.WorkSheet]
        except calamine.PasswordError as error:
            raise refusal("sheet_encrypted") from error
        except (calamine.CalamineError, OSError, ValueError) as error:
            raise refusal("sheet_broken") from error
        shown = [one.name for one in found if one.visible == calamine.SheetVisibleEnum.Visible]
        self.sheets = shown or [one.name for one in found]
        if len(self.sheets) > MAX_SHEETS:
            raise refusal("sheet_sheets", max=MAX_SHEETS)

    def rows(self, sheet: str) -> Iterator[SheetRow]:
        """The rows of a sheet that are not blank."""
        try:
            found = self._book.get_sheet_by_name(sheet)
            yield from _rows(found)
        except calamine.PasswordError as error:
            raise refusal("sheet_encrypted") from error
        except (calamine.CalamineError, OSError, ValueError) as error:
            raise refusal("sheet_broken") from error


def _rows(sheet: calamine.CalamineSheet) -> Iterator[SheetRow]:
    if sheet.start is None:
        return
    margin = [""] * min(sheet.start[1], MAX_COLUMNS + 1)
    spans = sheet.merged_cell_ranges or []
    begins = _downward(spans)
    headings = {top for (top, left), (_, right) in spans if right - left + 1 >= _HEADING_COLUMNS}
    running: dict[int, tuple[int, str]] = {}
    count = 0
    for index, raw in enumerate(sheet.iter_rows()):
        if len(raw) > MAX_COLUMNS and any(raw[MAX_COLUMNS:]):
            raise refusal("sheet_columns", max=MAX_COLUMNS)
        cells = margin + [cell_text(value) if value != "" else "" for value in raw[:MAX_COLUMNS]]
        own = sum(map(bool, cells))
        for column, bottom in begins.get(index, ()):
            if column < len(cells):
                running[column] = (bottom, cells[column])
        for column, (bottom, text) in tuple(running.items()):
            if index > bottom:
                del running[column]
            elif not cells[column]:
                cells[column] = text
        if not own or (own == 1 and index in headings):
            continue
        while not cells[-1]:
            cells.pop()
        if len(cells) > MAX_COLUMNS:
            raise refusal("sheet_columns", max=MAX_COLUMNS)
        count += 1
        if count > MAX_ROWS + HEADING_ROWS:
            raise refusal("sheet_rows", max=MAX_ROWS)
        yield SheetRow(index + 1, cells)


def _downward(spans: Spans) -> dict[int, list[tuple[int, int]]]:
    """Merged over several rows: by the first row, the column and the last row."""
    found: dict[int, list[tuple[int, int]]] = {}
    for (top, left), (bottom, _) in spans:
        if bottom > top and left < MAX_COLUMNS:
            found.setdefault(top, []).append((left, bottom))
    return found
