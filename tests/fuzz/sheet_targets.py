"""Targets of imports: a CSV through all that reads it in the hub's own way, to the verdict of each row."""

from collections.abc import Callable

from camera_hub.cameras.imports.columns import columns_of, data_rows, header_row
from camera_hub.cameras.imports.fields import TABLE
from camera_hub.cameras.imports.judging import judged
from camera_hub.cameras.imports.known import KnownPlaces
from camera_hub.cameras.imports.values import values_of
from camera_hub.cameras.reach import ReachPolicy, checking
from camera_hub.errors import HubError
from camera_hub.sheets.answer import MAX_CELL, MAX_COLUMNS
from camera_hub.sheets.delimited import csv_rows
from camera_hub.sheets.kinds import kind_of, scanned

KNOWN = KnownPlaces(None, False, {1: "东村"}, {1: checking(None, ReachPolicy)})


def sheet(data: bytes) -> None:
    """What is no CSV is only looked at: workbooks are parsed in a process that may end any moment."""
    try:
        kind = kind_of(data)
        if kind == "xlsx":
            assert scanned(data) >= 0
        rows = list(csv_rows(data)) if kind == "csv" else []
    except HubError:
        return
    for row in rows:
        assert 0 < len(row.cells) <= MAX_COLUMNS
        assert all(len(cell) <= MAX_CELL + 1 and "\n" not in cell for cell in row.cells)
    number = header_row(rows, TABLE)
    columns = columns_of(rows, number, TABLE, {})
    typed = [values_of(row.number, row.cells, columns) for row in data_rows(rows, number, columns)][:200]
    for values, found in zip(typed, judged(typed, KNOWN), strict=True):
        assert found.verdict in ("good", "bad")
        assert any(not one.note for one in found.problems) == (found.verdict == "bad")
        assert "password" not in values.shown


SHEET_TARGETS: dict[str, Callable[[bytes], None]] = {"sheet": sheet}
