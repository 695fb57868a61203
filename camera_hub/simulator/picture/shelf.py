"""Encoded loops on disk, so that only the first farm on a machine has to encode them."""

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from camera_hub.simulator.picture.loops import Unit

_LENGTH = 4


class Shelf:
    """A directory with one file per loop. Files that are truncated or of another kind count as absent."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def get(self, name: str) -> list[Unit] | None:
        """The loop of that name, if it was encoded by this version of the drawing and encoding code."""
        try:
            data = self._path(name).read_bytes()
            return _load(data)
        except (OSError, ValueError, TypeError):
            return None

    def put(self, name: str, units: Sequence[Unit]) -> None:
        """Keep a loop. A full or read-only disk is not an error: the loop will be encoded again next time."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._directory)
            with os.fdopen(handle, "wb") as file:
                file.write(_dump(units))
            os.replace(temporary, self._path(name))
        except OSError:
            return

    def _path(self, name: str) -> Path:
        return self._directory / f"{hashlib.sha256((_version() + name).encode()).hexdigest()[:32]}.loop"


@cache
def _version() -> str:
    """A digest of the code that draws and encodes: any change of it invalidates old loops."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _dump(units: Sequence[Unit]) -> bytes:
    head = json.dumps(
        [[unit.key, unit.time_offset, unit.again, [len(nal) for nal in unit.nals]] for unit in units]
    ).encode()
    return len(head).to_bytes(_LENGTH, "big") + head + b"".join(nal for unit in units for nal in unit.nals)


def _load(data: bytes) -> list[Unit]:
    """Raises ValueError or TypeError for what `_dump` did not write."""
    start = _LENGTH + int.from_bytes(data[:_LENGTH], "big")
    units = []
    for key, offset, again, lengths in json.loads(data[_LENGTH:start]):
        nals = []
        for length in lengths:
            nals.append(data[start : start + length])
            start += length
        units.append(Unit(tuple(nals), bool(key), int(offset), bool(again)))
    if start != len(data) or not units:
        raise ValueError("the file is cut short")
    return units
