"""What is sealed of a patrol: every row that belongs to it, as JSON.

Columns whose foreign key is set to NULL when a user is deleted are left out: the name beside them is sealed. The rows
name the SHA-256 of each picture. What cannot be read of rows that were tampered with (store.tables.readable) is never
sealed, and is named where a record is read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.audit.canonical import Json
from camera_hub.access.audit.links import moment
from camera_hub.patrol.runs.itinerary import is_itinerary
from camera_hub.patrol.runs.run_events import is_detail
from camera_hub.store.tables import Base, Finding, Run, RunEvent, RunResult, RunStep, RunStepCamera
from camera_hub.store.tables.base import table_of
from camera_hub.store.tables.readable import Unreadable, UnreadableText

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
    """A column holds what it cannot hold; the argument is its table and name."""


@dataclass(frozen=True, slots=True)
class UnreadableValue:
    """A value of a run's rows that cannot be read, or that its column does not know."""

    table: str
    row: Row
    column: str


@dataclass(frozen=True, slots=True)
class StoredRows:
    """The rows of a run as they are stored. `content`: what cannot be read stands there as UnreadableText, a word that
    nobody knows as it is; `unreadable`: both of them."""

    content: Content
    unreadable: Sequence[UnreadableValue]


async def rows_of(session: AsyncSession, run_id: int) -> StoredRows:
    """Read past the session's own objects, as far as they can be read. No table: there is no such run."""
    found: dict[str, Sequence[Row]] = {}
    unreadable: list[UnreadableValue] = []
    for sealed in SEALED_TABLES:
        query = select(*sealed.columns).where(sealed.of(run_id)).order_by(sealed.table.c.id)
        rows = (await session.execute(query)).mappings().all()
        name = sealed.table.name
        if not rows and name == "runs":
            return StoredRows({}, ())
        plain_rows: list[Row] = []
        for stored in rows:
            row = {column: plain(value) for column, value in stored.items()}
            plain_rows.append(row)
            unreadable += [
                UnreadableValue(name, row, column)
                for column, value in stored.items()
                if isinstance(value, Unreadable) or _misshapen(name, column, value)
            ]
        found[name] = plain_rows
    return StoredRows(found, unreadable)


async def content_of(session: AsyncSession, run_id: int) -> Content:
    """The same rows, for sealing. Raises UnreadableRows."""
    found = (await rows_of(session, run_id)).content
    for table, rows in found.items():
        for row in rows:
            if spoilt := [column for column, value in row.items() if isinstance(value, Unreadable)]:
                raise UnreadableRows(f"{table}.{spoilt[0]}")
    return found


def _misshapen(table: str, column: str, value: object) -> bool:
    """Whether a JSON column holds another JSON than the hub writes there."""
    if (table, column) == ("runs", "itinerary"):
        return not is_itinerary(value)
    return (table, column) == ("run_events", "detail") and not is_detail(value)


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
    """A column's value as JSON; times as text in UTC with microseconds; what cannot be read as UnreadableText, a word
    that nobody knows as it is. Raises TypeError for what no column holds."""
    if isinstance(value, Unreadable):
        text = value if isinstance(value, str) else ""
        return UnreadableText(text) if value.stored is None else value.stored
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
