"""What is sealed of a patrol: every row that belongs to it, as JSON.

Columns whose foreign key is set to NULL when a user is deleted are left out: the name beside them is sealed. The rows
name the SHA-256 of each picture.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.audit.canonical import Json
from camera_hub.access.audit.links import moment
from camera_hub.store.tables import Base, Finding, Run, RunEvent, RunResult, RunStep, RunStepCamera
from camera_hub.store.tables.base import table_of

Row = Mapping[str, Json]
Content = Mapping[str, Sequence[Row]]
"""By table: its rows, in the order of their ids."""


@dataclass(frozen=True, slots=True)
class SealedTable:
    """A table whose rows belong to runs, and which of them belong to one."""

    table: Table

    @property
    def columns(self) -> "list[Column[Any]]":
        """Those that are sealed."""
        return [column for column in self.table.columns if not _set_null(column)]

    def of(self, run_id: int) -> ColumnElement[bool]:
        """Its rows of that run."""
        if self.table.name == "runs":
            return self.table.c.id == run_id
        if self.table.name == "run_step_cameras":
            steps = table_of(RunStep)
            return self.table.c.step_id.in_(select(steps.c.id).where(steps.c.run_id == run_id))
        return self.table.c.run_id == run_id


_ENTITIES: tuple[type[Base], ...] = (Run, RunStep, RunStepCamera, RunResult, Finding, RunEvent)
"""Each after the one that its rows refer to."""
SEALED_TABLES = tuple(SealedTable(table_of(entity)) for entity in _ENTITIES)


class UnreadableRows(ValueError):
    """A column holds what it cannot hold; the argument is the table."""


async def content_of(session: AsyncSession, run_id: int) -> Content:
    """The rows of a run as they are stored: read past the session's own objects. No table: there is no such run.

    Raises UnreadableRows.
    """
    found: dict[str, Sequence[Row]] = {}
    for sealed in SEALED_TABLES:
        query = select(*sealed.columns).where(sealed.of(run_id)).order_by(sealed.table.c.id)
        try:
            rows = (await session.execute(query)).mappings().all()
        except (ValueError, TypeError) as error:  # SQLite stores anything in any column
            raise UnreadableRows(sealed.table.name) from error
        if not rows and sealed.table.name == "runs":
            return {}
        found[sealed.table.name] = [{name: plain(value) for name, value in row.items()} for row in rows]
    return found


def content_from(value: Json) -> Content:
    """A sealed copy as content: what has another shape is left out."""
    if not isinstance(value, Mapping):
        return {}
    return {
        table: [row for row in rows if isinstance(row, Mapping)]
        for table, rows in value.items()
        if isinstance(rows, Sequence) and not isinstance(rows, str)
    }


def plain(value: object) -> Json:
    """A column's value as JSON; times as text in UTC with microseconds. Raises TypeError for what no column holds."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, Sequence):
        return [plain(one) for one in value]
    raise TypeError(f"{type(value).__name__} cannot be sealed")


def _set_null(column: "Column[Any]") -> bool:
    return any(key.ondelete == "SET NULL" for key in column.foreign_keys)


@dataclass(frozen=True, slots=True)
class SealedPicture:
    """A picture that a sealed row names: the row's table, its column, camera and stop, and the digest of the file."""

    table: str
    row: Row
    picture: int
    sha256: str


_PICTURES = (("picture", "sha256"), ("photo", "photo_sha256"))


def pictures_of(content: Content) -> Iterator[SealedPicture]:
    """The pictures that sealed rows name."""
    for table, rows in content.items():
        for row in rows:
            for column, digest in _PICTURES:
                number, sha256 = row.get(column), row.get(digest)
                if isinstance(number, int) and isinstance(sha256, str):
                    yield SealedPicture(table, row, number, sha256)
