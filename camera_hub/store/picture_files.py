"""Files of rows: one JPEG for each row of a table, `<folder>/<id>.jpg`, written before its row is committed.

A reader gets the old or the new file, never half of one. What a crash left without a row is swept. Where many are kept
in one transaction they are staged before it, so that no other writer waits for the disk.
"""

import asyncio
import contextlib
import os
import re
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from camera_hub.errors import HubError, Kind, Reason

_OURS = re.compile(r"[0-9]+\.(jpg|part)")


class PictureFiles:
    """The JPEGs of one table; the folder and its files are the hub's user's alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._staged: set[Path] = set()

    async def write(self, row_id: int, jpeg: bytes) -> None:
        """Keep a row's JPEG in place of the one before. Raises HubError(STORAGE_FULL)."""
        part = self._folder / f"{row_id}.part"

        def write() -> None:
            self._write(part, jpeg)
            self._place(part, row_id)

        await asyncio.to_thread(write)

    async def stage(self, jpeg: bytes) -> Path:
        """Write a JPEG before its row has a number; `place` or `unstage` it. Raises HubError(STORAGE_FULL)."""
        part = self._folder / f"{secrets.randbits(63)}.part"
        self._staged.add(part)

        def write() -> None:
            self._write(part, jpeg)
            if part not in self._staged:  # the caller was cancelled meanwhile; a thread cannot be
                part.unlink(missing_ok=True)

        try:
            await asyncio.to_thread(write)
        except BaseException:
            self._staged.discard(part)
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise
        return part

    async def place(self, parts: Mapping[int, Path]) -> None:
        """Make staged JPEGs those of these rows, all or none. Raises HubError(STORAGE_FULL)."""

        def place() -> None:
            try:
                for row_id, part in parts.items():
                    self._place(part, row_id)
            except BaseException:
                for row_id in parts:
                    with contextlib.suppress(OSError):
                        self._path(row_id).unlink(missing_ok=True)
                raise

        await asyncio.to_thread(place)
        self._staged.difference_update(parts.values())

    async def unstage(self, parts: Collection[Path]) -> None:
        """Delete those of these staged JPEGs that were not placed."""
        left = [part for part in parts if part in self._staged]
        if not left:
            return

        def delete() -> None:
            for part in left:
                with contextlib.suppress(OSError):
                    part.unlink(missing_ok=True)

        await asyncio.to_thread(delete)
        self._staged.difference_update(left)

    async def read(self, row_id: int) -> bytes | None:
        """A row's JPEG; None where there is none."""
        try:
            return await asyncio.to_thread(self._path(row_id).read_bytes)
        except FileNotFoundError:
            return None

    async def delete(self, row_ids: Iterable[int]) -> None:
        """Delete the JPEGs of these rows, where there are any."""

        def delete() -> None:
            for row_id in row_ids:
                self._path(row_id).unlink(missing_ok=True)

        await asyncio.to_thread(delete)

    async def any(self) -> bool:
        """Whether there is a file at all, so that nobody asks the database for nothing."""
        return bool(await asyncio.to_thread(self._files))

    async def sweep(self, known: Collection[int]) -> int:
        """Delete files without a row: of rows that are gone, of writes that a crash broke off. Returns their number.
        What is staged stays.

        Files of rows that were added after `known` was read would be taken for orphans: sweep while nobody adds any.
        """
        names = {f"{row_id}.jpg" for row_id in known}

        def sweep() -> int:
            orphans = [path for path in self._files() if path.name not in names and path not in self._staged]
            for path in orphans:
                path.unlink(missing_ok=True)
            return len(orphans)

        return await asyncio.to_thread(sweep)

    def _path(self, row_id: int) -> Path:
        return self._folder / f"{row_id}.jpg"

    def _files(self) -> list[Path]:
        with contextlib.suppress(FileNotFoundError):
            return [path for path in self._folder.iterdir() if _OURS.fullmatch(path.name)]
        return []

    def _write(self, part: Path, jpeg: bytes) -> None:
        with _storing(part):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with part.open("wb") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(jpeg)
                os.fsync(file.fileno())

    def _place(self, part: Path, row_id: int) -> None:
        with _storing(part):
            part.replace(self._path(row_id))


@contextlib.contextmanager
def _storing(part: Path) -> Iterator[None]:
    """Raise HubError(STORAGE_FULL) for what the disk refuses, and leave no part behind, whatever fails."""
    try:
        yield
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise HubError(
            Kind.STORAGE_FULL,
            f"the picture cannot be kept: {error.strerror}; make room in the hub's data folder",
            reason=Reason.STORAGE_FULL,
        ) from error
