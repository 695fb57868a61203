"""Rows of imports ↔ values, and what of them is sealed. An owner is the import, or one row of it."""

import base64
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from camera_hub.cameras.imports.columns import SheetColumn
from camera_hub.cameras.imports.judging import JudgedRow
from camera_hub.cameras.imports.values import OUTSIDE, RowSecrets, RowValues
from camera_hub.cameras.imports.views import RowView
from camera_hub.sheets.reading import ReadSheet, SheetBook
from camera_hub.store.tables import SheetImportRow

PENDING = ("good", "bad", "same")
"""Verdicts of a row that no run has touched."""


class ImportSealer(Protocol):
    """What imports need from access.vault."""

    def seal(self, text: str, owner: str) -> bytes:
        """Bytes that only this vault can open, and only for this owner."""
        ...

    def open(self, sealed: bytes, owner: str) -> str:
        """The text. Raises HubError(UNAVAILABLE, credential_locked)."""
        ...


def is_outside(row: SheetImportRow) -> bool:
    """Whether somebody must confirm the row's address."""
    return any(one["reason"] in OUTSIDE for one in row.problems)


def seal_cells(vault: ImportSealer, import_id: int, book: SheetBook) -> bytes:
    """All cells of the sheets: any of them may be a password."""
    return vault.seal(base64.b64encode(zlib.compress(book.packed(), 6)).decode(), f"import:{import_id}")


def open_cells(vault: ImportSealer, import_id: int, sealed: bytes) -> SheetBook:
    """What `seal_cells` was given. Raises HubError(UNAVAILABLE, credential_locked)."""
    return SheetBook.unpacked(zlib.decompress(base64.b64decode(vault.open(sealed, f"import:{import_id}"))))


def without_logins(sheet: ReadSheet, columns: Sequence[SheetColumn]) -> SheetBook:
    """The one sheet without its passwords and stream addresses."""
    secret = {one.index for one in columns if one.field in ("password", "main_url", "sub_url")}
    kept = ReadSheet(sheet.name)
    for row in sheet.rows():
        kept.add(row.number, ["" if index in secret else cell for index, cell in enumerate(row.cells)])
    return SheetBook([kept])


def seal_secrets(vault: ImportSealer, import_id: int, row: RowValues) -> bytes | None:
    """None where the row has none."""
    return vault.seal(row.secrets.to_text(), f"import:{import_id}:{row.number}") if row.secrets else None


def values_in(vault: ImportSealer, row: SheetImportRow) -> RowValues:
    """The values of a stored row. Raises HubError(UNAVAILABLE, credential_locked)."""
    secrets = RowSecrets()
    if row.sealed is not None:
        secrets = RowSecrets.of(vault.open(row.sealed, f"import:{row.import_id}:{row.number}"))
    return RowValues(row.number, row.values, secrets)


def verdict_columns(judged: JudgedRow) -> dict[str, Any]:
    """A verdict as columns of the row."""
    return {
        "village_id": judged.village_id,
        "verdict": judged.verdict,
        "changed": bool(judged.changes),
        "problems": [{**asdict(one), "params": dict(one.params)} for one in judged.problems],
        "changes": [asdict(one) for one in judged.changes],
        "device_id": judged.camera.device_id if judged.camera is not None else None,
        "camera_id": judged.camera.id if judged.camera is not None else None,
        "candidate_id": None,
    }


def row_columns(
    vault: ImportSealer, import_id: int, values: Sequence[RowValues], judged: Iterable[JudgedRow]
) -> list[dict[str, Any]]:
    """Whole rows, to be inserted."""
    return [
        {
            "import_id": import_id,
            "number": row.number,
            "values": dict(row.shown),
            "sealed": seal_secrets(vault, import_id, row),
            **verdict_columns(found),
        }
        for row, found in zip(values, judged, strict=True)
    ]


def row_view(row: SheetImportRow, vault: ImportSealer) -> RowView:
    """A row as pages get it."""
    has_password = row.sealed is not None and bool(values_in(vault, row).secrets.password)
    return RowView(
        row.number,
        row.village_id,
        row.values,
        has_password,
        row.verdict,
        row.problems,
        row.changes,
        row.device_id,
        row.camera_id,
        row.candidate_id,
    )
