"""`python -m camera_hub.sheets --file N`: read the sheet that is open as descriptor N, write the answer to stdout.

It has no more than its memory, its seconds, and the two descriptors: it opens no file, no socket, starts no process.
"""

import argparse
import codecs
import json
import os
import resource
import sys
from collections.abc import Iterator
from typing import Any

from camera_hub.errors import HubError
from camera_hub.sheets.answer import MAX_FILE, MAX_TEXT, SheetRow, refusal
from camera_hub.sheets.delimited import SHEET, csv_rows
from camera_hub.sheets.kinds import kind_of, scanned
from camera_hub.sheets.workbooks import Workbook

_CODECS = ("ascii", "utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "gb18030", "cp1252", "cp437")
"""Loaded from files at first use, which is too late once none can be opened; cp437 is that of names in ZIP files."""


def main() -> None:
    """Set the limits of this process, then read."""
    arguments = argparse.ArgumentParser(prog="camera_hub.sheets")
    arguments.add_argument("--file", type=int, required=True)
    arguments.add_argument("--address-space", type=int, required=True)
    arguments.add_argument("--cpu-seconds", type=int, required=True)
    given = arguments.parse_args()
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_AS, given.address_space),
        (resource.RLIMIT_CPU, given.cpu_seconds),
    ):
        resource.setrlimit(limit, (value, value))
    for name in _CODECS:
        codecs.lookup(name)
    with os.fdopen(given.file, "rb") as file:
        data = file.read(MAX_FILE + 1)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))  # what is open stays open
    try:
        for line in lines(data):
            sys.stdout.buffer.write(line)
    except HubError as error:
        _refuse(error)
    except MemoryError:
        _refuse(refusal("sheet_unpacked"))
    sys.stdout.buffer.flush()


def lines(data: bytes) -> Iterator[bytes]:
    """The answer, line by line. Raises HubError."""
    if len(data) > MAX_FILE:
        raise refusal("sheet_file_large")
    left = MAX_TEXT
    for value in _answer(data):
        line = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
        left -= len(line)
        if left < 0:
            raise refusal("sheet_unpacked")
        yield line
        if "scan" in value:
            sys.stdout.buffer.flush()


def _answer(data: bytes) -> Iterator[Any]:
    kind = kind_of(data)
    if kind == "csv":
        yield {"sheet": SHEET}
        yield from map(_row, csv_rows(data))
    else:
        if kind == "xlsx":
            yield {"scan": scanned(data)}
        book = Workbook(data)
        for sheet in book.sheets:
            yield {"sheet": sheet[:64]}
            yield from map(_row, book.rows(sheet))
    yield {"end": True}


def _row(row: SheetRow) -> list[Any]:
    return [row.number, row.cells]


def _refuse(error: HubError) -> None:
    sys.stdout.buffer.write(json.dumps({"refused": error.reason, "params": error.params}).encode() + b"\n")


if __name__ == "__main__":
    main()
