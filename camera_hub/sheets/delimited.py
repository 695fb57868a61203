"""Rows of a CSV, whatever its encoding (camera_hub.text_decoding) and its delimiter: comma, semicolon, tab or bar."""

import csv
import io
from collections.abc import Iterator

from camera_hub.sheets.answer import HEADING_ROWS, MAX_COLUMNS, MAX_ROWS, SheetRow, refusal
from camera_hub.sheets.cells import cell_text
from camera_hub.text_decoding import decoded

SHEET = "CSV"
_DELIMITERS = ",;\t|,;"
_LOOKED_AT = 20
"""Lines by which the delimiter is chosen."""
_MOST_UNREADABLE = 0.02
_FIELD = 64 * 1024


def csv_rows(data: bytes) -> Iterator[SheetRow]:
    """The rows that are not blank. Raises HubError: what cannot be a table of texts, too many rows or columns."""
    text = decoded(data).text
    if text.count("\ufffd") > _MOST_UNREADABLE * len(text):
        raise refusal("sheet_kind")
    text, delimiter = _without_declaration(text)
    csv.field_size_limit(_FIELD)
    count = 0
    try:
        for number, raw in enumerate(_records(text, delimiter), 1):
            cells = [cell_text(_plain(one)) for one in raw[: MAX_COLUMNS + 1]]
            while cells and not cells[-1]:
                cells.pop()
            if not cells:
                continue
            if len(raw) > MAX_COLUMNS and any(one.strip() for one in raw[MAX_COLUMNS:]):
                raise refusal("sheet_columns", max=MAX_COLUMNS)
            count += 1
            if count > MAX_ROWS + HEADING_ROWS:
                raise refusal("sheet_rows", max=MAX_ROWS)
            yield SheetRow(number, cells[:MAX_COLUMNS])
    except csv.Error as error:
        raise refusal("sheet_broken") from error


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    lines = io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", ""), newline="")
    return csv.reader(lines, delimiter=delimiter)


def _plain(text: str) -> str:
    """Without what keeps a spreadsheet from making a number of a text: ="0123", '0123, a tab in front."""
    text = text.strip()
    if text.startswith('="') and text.endswith('"') and len(text) > 2:
        return text[2:-1]
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1:].isalnum() else text


def _without_declaration(text: str) -> tuple[str, str]:
    """The text, and its delimiter: as its first line declares ("sep=;"), else the one that cuts most lines alike."""
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        return rest, first.strip()[-1]
    lines = [line for line in text[:64_000].splitlines() if line.strip()][:_LOOKED_AT]

    def worth(delimiter: str) -> int:
        counts = [len(one) - 1 for one in csv.reader(lines, delimiter=delimiter)]
        most = max(counts, default=0)
        return most * sum(count == most for count in counts)

    try:
        return text, max(_DELIMITERS, key=worth)
    except csv.Error as error:
        raise refusal("sheet_broken") from error
