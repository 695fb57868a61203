"""Sheets that the hub hands out: .xlsx whose cells are texts or numbers, never formulas.

A text that begins with =, +, -, @ or a tab is stored as a text (data type "s"), so that a spreadsheet program
shows it and computes nothing; nothing is put in front of it, so that it is the same when it is read in again.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from camera_hub.errors import HubError, Kind
from camera_hub.sheets.environment import clean_environment

WRITE_SECONDS = 60.0

CellValue = str | int | float | None


@dataclass(frozen=True, slots=True)
class WrittenColumn:
    """A column. `as_text`: its cells are texts, also where somebody types digits (IDs, telephone numbers); `as_time`:
    its texts are times of the site, YYYY-MM-DD HH:MM:SS, and become dates that a spreadsheet program sorts and filters;
    `wraps`: long texts are broken into lines; `choices`: a drop-down list; `needed`: shown as mandatory; `width` in
    characters."""

    header: str
    width: int = 14
    as_text: bool = False
    choices: tuple[str, ...] = ()
    needed: bool = False
    as_time: bool = False
    wraps: bool = False


@dataclass(frozen=True, slots=True)
class WrittenSheet:
    """A sheet: its columns' headers in a frozen first row, then rows. `room_for`: rows that people will add, which get
    the formats and lists of their columns."""

    name: str
    columns: Sequence[WrittenColumn]
    rows: Sequence[Sequence[CellValue]] = ()
    room_for: int = 0


def write_xlsx(
    columns: Sequence[WrittenColumn],
    rows: Iterable[Sequence[CellValue]],
    *,
    sheet: str = "Sheet1",
    room_for: int = 0,
    notes: Sequence[str] = (),
    notes_sheet: str = "说明",
) -> bytes:
    """An .xlsx with one sheet; `notes`: lines of a second one. See write_workbook."""
    return write_workbook([WrittenSheet(sheet, columns, list(rows), room_for)], notes=notes, notes_sheet=notes_sheet)


def write_workbook(sheets: Sequence[WrittenSheet], *, notes: Sequence[str] = (), notes_sheet: str = "说明") -> bytes:
    """An .xlsx with these sheets in their order; `notes`: lines of a last one.

    A process writes it; call this in a thread. Raises HubError(UNAVAILABLE) when it fails or takes too long.
    """
    order = {
        "sheets": [
            {
                "name": one.name,
                "columns": [asdict(column) for column in one.columns],
                "room_for": one.room_for,
                "rows": len(one.rows),
            }
            for one in sheets
        ],
        "notes": list(notes),
        "notes_sheet": notes_sheet,
    }
    lines = [json.dumps(order), *(json.dumps(list(row)) for one in sheets for row in one.rows)]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "camera_hub.sheets.workbook"],
            input="\n".join(lines).encode(),
            capture_output=True,
            env=clean_environment(),
            timeout=WRITE_SECONDS,
            check=True,
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise HubError(
            Kind.UNAVAILABLE, "the sheet could not be written; the machine may be short of memory, try again"
        ) from error
    return done.stdout
