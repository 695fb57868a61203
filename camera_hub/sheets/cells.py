"""A cell as the person who typed it sees it. Pure.

A number is what spreadsheets show: 13800000000.0 is 13800000000. They keep 15 digits of it, so a longer one is written
as they would (3.40123000013200E+19): whoever expects an ID of 20 digits sees that it is lost.
"""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

from camera_hub.sheets.answer import MAX_CELL
from camera_hub.text import all_shows, is_invisible

Value = int | float | str | bool | time | date | datetime | timedelta | None
_EXACT = 10**15


def cell_text(value: Value) -> str:
    """The text of a cell, one line without what cannot be seen, cut to MAX_CELL + 1 characters."""
    if isinstance(value, str):
        return _line(value)
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat("seconds")
    return str(value) if value is not None else ""


def number_text(number: int | float) -> str:
    """A number with as many digits as a spreadsheet keeps of it."""
    if isinstance(number, float) and (number != number or number in (float("inf"), float("-inf"))):
        return ""
    if abs(number) >= _EXACT:
        return f"{Decimal(number):.14E}"
    if isinstance(number, int) or number == int(number):
        return str(int(number))
    return format(Decimal(f"{number:.15g}"), "f")


def _line(text: str) -> str:
    text = text[: 4 * MAX_CELL]
    if all_shows(text):
        return text.strip()[: MAX_CELL + 1]
    seen = "".join(
        " " if letter.isspace() else letter for letter in text if letter.isspace() or not is_invisible(letter)
    )
    return seen.strip()[: MAX_CELL + 1]
