"""Every column that the vault has sealed, and whose secret each of its rows is.

A new column of type `Sealed` needs its line here: without it the rows could not be sealed with a new key, and would be
lost with the old one. The suite fails when one is missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, LargeBinary, String, Table, cast, func, select

from camera_hub.access.vault import Owner
from camera_hub.store.tables import Base, Camera, Sealed


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """One sealed column. `subject`: what `owner` makes the row's owner (access.vault) of."""

    name: str
    column: "Column[bytes]"
    subject: ColumnElement[Any]
    owner: Callable[[Any], Owner]

    @property
    def table(self) -> Table:
        return self.column.table

    def not_of(self, key_id: bytes) -> ColumnElement[bool]:
        """Rows that were sealed with a key of another id."""
        first: ColumnElement[bytes] = func.substr(self.column, 1, 1, type_=LargeBinary)
        return self.column.is_not(None) & (first != key_id)


_Rule = tuple[Callable[[Table], ColumnElement[Any]], Callable[[Any], Owner]]


def _id(table: Table) -> ColumnElement[Any]:
    return table.c.id


def _numbered(what: str) -> _Rule:
    return _id, lambda number: f"{what}:{number}"


_RULES: Mapping[str, _Rule] = {
    "device_logins.sealed": (lambda table: table.c.device_id, int),
    "streams.sealed_uri": (
        lambda table: select(Camera.device_id).where(Camera.id == table.c.camera_id).scalar_subquery(),
        int,
    ),
    "notice_channels.url_sealed": (_id, lambda number: -number),  # health.notices.channels.seal_owner
    "notice_channels.secrets_sealed": _numbered("notice channel"),  # health.notices.channels.secrets_owner
    "login_profiles.sealed": _numbered("login profile"),  # cameras.credentials.profiles.seal_owner
    "audit_keys.sealed": _numbered("audit key"),  # access.audit.chain
    "candidates.sealed": _numbered("candidate"),  # cameras.intake.candidates
    "sheet_imports.sealed_cells": _numbered("import"),  # cameras.imports.rows
    "sheet_import_rows.sealed": (
        lambda table: cast(table.c.import_id, String) + ":" + cast(table.c.number, String),
        lambda row: f"import:{row}",
    ),
}


def sealed_columns() -> list[SealedColumn]:
    """All of them, by name. Raises LookupError for one whose owner is not known."""
    found = []
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Sealed):
                name = f"{table.name}.{column.name}"
                if name not in _RULES:
                    raise LookupError(f"whose secret is {name}? Say so in access.sealed_columns")
                subject, owner = _RULES[name]
                found.append(SealedColumn(name, column, subject(table), owner))
    return found
