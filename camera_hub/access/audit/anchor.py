"""How far the audit chain had come, in a file outside the database: sequence and hash of a link, keyed.

Whoever can write to the database alone cannot change it, so that a cut tail, a restored old copy and a table written
anew from its beginning do not fit it any more. It is replaced in one step after the transaction that has added links,
so after a crash it may lag behind the chain, and never leads.
"""

import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from camera_hub.access.audit.links import GENESIS, anchor_mac
from camera_hub.errors import HubError, Kind

FILE_NAME = "audit.anchor"
_MOST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Anchor:
    """A link by its sequence and hash; `key`: the number of the audit key of `mac`. Sequence 0: no link yet."""

    sequence: int
    hash: str
    key: int
    mac: str

    @classmethod
    def of(cls, sequence: int, hash: str, key_id: int, key: bytes) -> Self:
        """The anchor at this link (0: GENESIS)."""
        return cls(sequence, hash, key_id, anchor_mac(key, sequence, hash))

    def proved_by(self, key: bytes) -> bool:
        """Whether the hub has written it."""
        return self.mac == anchor_mac(key, self.sequence, self.hash)

    @property
    def at_beginning(self) -> bool:
        """Whether no link was there yet."""
        return self.sequence == 0 and self.hash == GENESIS


class AnchorFile:
    """The file; its methods block for a moment, so they belong in a thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()  # a write outlives the task that waited for it when that is cancelled

    def read(self) -> Anchor | None:
        """What it holds; None where there is no file. Raises HubError(UNAVAILABLE, anchor_file)."""
        try:
            with self.path.open("rb") as file:
                values = json.loads(file.read(_MOST_BYTES))
            found = Anchor(values["sequence"], values["hash"], values["key"], values["mac"])
            kinds = (type(found.sequence), type(found.hash), type(found.key), type(found.mac))
            if kinds != (int, str, int, str):
                raise ValueError("values of other types")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise HubError(
                Kind.UNAVAILABLE, f"{self.path} cannot be read: {error.strerror}", reason="anchor_file"
            ) from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise HubError(
                Kind.UNAVAILABLE,
                f"{self.path} does not hold an anchor; it was changed by hand or is damaged",
                reason="anchor_file",
            ) from error
        return found

    def advance(self, anchor: Anchor) -> None:
        """Replace the file unless it names a newer link already. Raises HubError: STORAGE_FULL, UNAVAILABLE."""
        with self._lock:
            present = self.read()
            if present is None or present.sequence < anchor.sequence:
                self._write(anchor)

    def write(self, anchor: Anchor) -> None:
        """Replace the file, whatever it names. Raises HubError(STORAGE_FULL)."""
        with self._lock:
            self._write(anchor)

    def _write(self, anchor: Anchor) -> None:
        """Replace the file in one step, mode 0600, on the disk when this returns. Raises HubError(STORAGE_FULL)."""
        part = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            part.unlink(missing_ok=True)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(json.dumps(asdict(anchor)).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, self.path)
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise HubError(
                Kind.STORAGE_FULL,
                f"the anchor of the audit chain cannot be written to {self.path}: {error.strerror}",
                reason="storage_full",
            ) from error
