"""Encoded loops on disk, so that only the first farm of a machine has to encode them."""

import hashlib
import json
import os
import tempfile
from functools import cache
from pathlib import Path

from camera_hub.simulator.picture.loops import Encoded, ParameterSets, Unit

_LENGTH = 4


class Shelf:
    """A directory with one file per loop. Files that are cut short or foreign count as absent."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def get(self, name: str) -> Encoded | None:
        """The loop of that name, if it was encoded by this very version of the drawing and encoding code."""
        try:
            data = self._path(name).read_bytes()
            return _load(data)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, name: str, encoded: Encoded) -> None:
        """Keep a loop. A full or forbidden disk is no error: the loop will be encoded again next time."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._directory)
            with os.fdopen(handle, "wb") as file:
                file.write(_dump(encoded))
            os.replace(temporary, self._path(name))
        except OSError:
            return

    def _path(self, name: str) -> Path:
        return self._directory / f"{hashlib.sha256((_version() + name).encode()).hexdigest()[:32]}.loop"


@cache
def _version() -> str:
    """A digest of the code that draws and encodes: any change of it makes old loops useless."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _dump(encoded: Encoded) -> bytes:
    parameters = encoded.parameters
    head = {
        "codec": encoded.codec,
        "parameters": [one.hex() for one in (parameters.sps, parameters.pps, parameters.vps)],
        "units": [[unit.key, unit.time_offset, [len(nal) for nal in unit.nals]] for unit in encoded.units],
    }
    text = json.dumps(head).encode()
    return len(text).to_bytes(_LENGTH, "big") + text + b"".join(nal for unit in encoded.units for nal in unit.nals)


def _load(data: bytes) -> Encoded:
    """Raises ValueError, KeyError or TypeError for what `_dump` did not write."""
    start = _LENGTH + int.from_bytes(data[:_LENGTH], "big")
    head = json.loads(data[_LENGTH:start])
    units = []
    for key, offset, lengths in head["units"]:
        nals = []
        for length in lengths:
            nals.append(data[start : start + length])
            start += length
        units.append(Unit(tuple(nals), bool(key), int(offset)))
    if start != len(data) or not units:
        raise ValueError("the file is cut short")
    sps, pps, vps = (bytes.fromhex(one) for one in head["parameters"])
    return Encoded(str(head["codec"]), ParameterSets(sps, pps, vps), tuple(units))
