"""What the reading process answers: bounded lines of JSON, one per sheet and row.

`{"scan": rows}` (how many rows the largest sheet declares, before the parser is let at it), then for each sheet
`{"sheet": name}`, its rows `[number, cells]`, and at last `{"end": true}`, or `{"refused": reason, "params": {…}}`.
A row that is not blank has its number in the sheet (from 1) and its cells up to the last that is not blank.
"""

from dataclasses import dataclass

from camera_hub.errors import HubError, Kind

MAX_FILE = 8 * 1024 * 1024
"""Bytes of an uploaded file."""
MAX_ROWS = 5_000
"""Rows of data in a sheet …"""
HEADING_ROWS = 50
"""… with room for titles, headers and totals."""
MAX_COLUMNS = 120
MAX_CELL = 500
"""Characters of a cell. A longer one is cut to one more, which tells it."""
MAX_SHEETS = 20
MAX_TEXT = 6 * 1024 * 1024
"""Bytes of all lines together."""
MAX_LINE = 512 * 1024
MAX_UNPACKED = 192 * 1024 * 1024
"""Bytes of the XML in a workbook: a thousand rows have less than one million."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row: its number in the sheet, from 1, and the texts of its cells."""

    number: int
    cells: list[str]


REFUSALS = {
    "sheet_empty": (Kind.INVALID, "the file has no filled rows; check that it is the right one, save it and try again"),
    "sheet_kind": (
        Kind.UNSUPPORTED,
        "this is no sheet; open it in Excel or WPS and save it as .xlsx, .xls or .csv",
    ),
    "sheet_web_page": (
        Kind.UNSUPPORTED,
        "this is a web page or XML that only looks like a sheet; open it in Excel or WPS and save it as .xlsx",
    ),
    "sheet_encrypted": (
        Kind.UNSUPPORTED,
        "this sheet is protected by a password; remove the password in Excel or WPS and save it again",
    ),
    "sheet_broken": (Kind.INVALID, "this sheet is damaged or incomplete; open it in Excel or WPS and save it again"),
    "sheet_file_large": (
        Kind.TOO_LARGE,
        f"the file is over {MAX_FILE // 1024 // 1024} MiB; delete pictures and other sheets, or split it",
    ),
    "sheet_rows": (
        Kind.TOO_LARGE,
        f"a sheet may have {MAX_ROWS} rows; delete empty rows at its end, or split it",
    ),
    "sheet_columns": (Kind.TOO_LARGE, f"a sheet may have {MAX_COLUMNS} columns; delete those that are not needed"),
    "sheet_sheets": (Kind.TOO_LARGE, f"a file may have {MAX_SHEETS} sheets; delete those that are not needed"),
    "sheet_unpacked": (
        Kind.TOO_LARGE,
        "the sheet takes too much memory or time; copy its filled cells alone into a new file and try again",
    ),
}
"""Why a file is refused: kind of the error, and the sentence."""


def refusal(reason: str, **params: str | int) -> HubError:
    """The error for one of REFUSALS."""
    kind, sentence = REFUSALS[reason]
    return HubError(kind, sentence, reason=reason, **params)
