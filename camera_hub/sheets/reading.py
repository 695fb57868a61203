"""Reading a sheet from the hub's side: a process per file, its bounded answer, one reason for each failure.

The rows stay as the lines of the answer and are decoded one by one: a sheet of 6 MiB of text costs the hub little more.
"""

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from camera_hub.errors import HubError
from camera_hub.running import acquired, completed
from camera_hub.settings import SheetSettings
from camera_hub.sheets.answer import MAX_LINE, MAX_ROWS, MAX_SHEETS, MAX_TEXT, REFUSALS, SheetRow, refusal
from camera_hub.sheets.environment import clean_environment

log = logging.getLogger(__name__)


@dataclass(slots=True)
class ReadSheet:
    """One sheet: its name and its rows, as lines of JSON."""

    name: str
    lines: list[bytes] = field(default_factory=list, repr=False)

    def add(self, number: int, cells: list[str]) -> None:
        """Append a row."""
        self.lines.append(json.dumps([number, cells], ensure_ascii=False, separators=(",", ":")).encode() + b"\n")

    def rows(self) -> Iterator[SheetRow]:
        """The rows that are not blank, in their order."""
        for line in self.lines:
            number, cells = json.loads(line)
            yield SheetRow(number, cells)


@dataclass(frozen=True, slots=True)
class SheetBook:
    """All sheets of a file, at least one of them with rows."""

    sheets: list[ReadSheet] = field(default_factory=list)

    def sheet(self, name: str) -> ReadSheet | None:
        """The sheet of that name."""
        return next((one for one in self.sheets if one.name == name), None)

    def packed(self) -> bytes:
        """As bytes, to be kept."""
        parts = [json.dumps({"sheet": one.name}).encode() + b"\n" + b"".join(one.lines) for one in self.sheets]
        return b"".join(parts)

    @classmethod
    def unpacked(cls, data: bytes) -> Self:
        """What `packed` gave."""
        book = cls()
        for line in data.splitlines(keepends=True):
            if line.startswith(b"{"):
                book.sheets.append(ReadSheet(json.loads(line)["sheet"]))
            else:
                book.sheets[-1].lines.append(line)
        return book


class SheetReader:
    """Reads files, each in a process of its own, `at_once` of them at a time; others wait."""

    def __init__(self, *, address_space: int, cpu_seconds: int, wall_seconds: float, at_once: int = 1) -> None:
        self._address_space = address_space
        self._cpu_seconds = cpu_seconds
        self._wall_seconds = wall_seconds
        self._free = asyncio.Semaphore(at_once)

    async def read(self, path: Path) -> SheetBook:
        """All sheets of the file. Raises HubError with one of answer.REFUSALS."""
        async with self._free:
            return await self._read(path)

    async def _read(self, path: Path) -> SheetBook:
        with path.open("rb") as file:
            starting = asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "camera_hub.sheets", "--file", str(file.fileno())),
                *("--address-space", str(self._address_space), "--cpu-seconds", str(self._cpu_seconds)),
                pass_fds=(file.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=clean_environment(),
                limit=MAX_LINE,
            )
            process = await acquired(starting, _kill)  # its pipe stays open when asyncio itself is given up here
        assert process.stdout is not None
        answer = _ReadAnswer()
        try:
            async with asyncio.timeout(self._wall_seconds):
                while not answer.ended and (line := await process.stdout.readline()):
                    answer.take(line)
        except (TimeoutError, ValueError):  # too slow, too long a line, or no JSON
            log.warning("a sheet was not read within its bounds")
        finally:
            await completed(_kill(process))
        return answer.book()


async def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


def sheet_reader(settings: SheetSettings) -> SheetReader:
    """A reader with the bounds of the settings; of its time on the clock, half may be waiting for a busy machine."""
    seconds = max(1, round(settings.read_seconds))
    return SheetReader(
        address_space=settings.read_memory_bytes, cpu_seconds=seconds, wall_seconds=2.0 * settings.read_seconds
    )


class _ReadAnswer:
    """What the process has said so far."""

    def __init__(self) -> None:
        self._book = SheetBook()
        self._refused: HubError | None = None
        self._scanned = 0
        self._left = MAX_TEXT
        self.ended = False

    def take(self, line: bytes) -> None:
        """Raises ValueError for what is no line of an answer."""
        self._left -= len(line)
        if self._left < 0:
            raise ValueError("too much")
        if line.startswith(b"["):
            self._book.sheets[-1].lines.append(line)
            return
        self._head(json.loads(line))

    def _head(self, head: Any) -> None:
        match head:
            case {"scan": int(rows)}:
                self._scanned = rows
            case {"sheet": str(name)} if len(self._book.sheets) < MAX_SHEETS:
                self._book.sheets.append(ReadSheet(name))
            case {"refused": str(reason), "params": dict(params)} if reason in REFUSALS:
                self._refused, self.ended = refusal(reason, **params), True
            case {"end": True}:
                self.ended = True
            case _:
                raise ValueError("no line of an answer")

    def book(self) -> SheetBook:
        """All of it. Raises HubError: the refusal, or what it means that the process ended too early."""
        if self._refused is not None:
            raise self._refused
        if not self.ended:
            raise refusal("sheet_rows", max=MAX_ROWS) if self._scanned > MAX_ROWS else refusal("sheet_unpacked")
        filled = [one for one in self._book.sheets if one.lines]
        if not filled:
            raise refusal("sheet_empty")
        return SheetBook(filled)
