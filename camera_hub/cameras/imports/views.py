"""What pages get of imports: no password, no address of a stream in full."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.cameras.imports import mappings
from camera_hub.cameras.imports.columns import SheetColumn
from camera_hub.cameras.imports.values import OUTSIDE
from camera_hub.store.tables import Camera, SheetImport, SheetImportRow


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """Rows by verdict; `changed` and `unchanged` are those that are registered already. `outside`: good ones whose
    address somebody must confirm; `approved`: those done whose cameras are in service now."""

    total: int = 0
    good: int = 0
    bad: int = 0
    changed: int = 0
    unchanged: int = 0
    done: int = 0
    failed: int = 0
    staged: int = 0
    outside: int = 0
    approved: int = 0


@dataclass(frozen=True, slots=True)
class ImportView:
    """One import, without its rows."""

    id: int
    village_id: int | None
    name: str
    state: str
    sheets: Sequence[str]
    sheet: str
    header_row: int
    columns: Sequence[SheetColumn]
    counts: ImportCounts
    job_id: str | None
    created_at: datetime
    user: str
    on_behalf: bool
    remembered: bool  # whether somebody has mapped these headers, now or before


@dataclass(frozen=True, slots=True)
class RowView:
    """One row with its verdict."""

    number: int
    village_id: int | None
    values: Mapping[str, str]
    has_password: bool
    verdict: str
    problems: Sequence[Mapping[str, Any]]
    changes: Sequence[Mapping[str, str]]
    device_id: int | None
    camera_id: int | None
    candidate_id: int | None


@dataclass(frozen=True, slots=True)
class RowPage:
    """Some rows of an import, and its counts."""

    rows: Sequence[RowView]
    counts: ImportCounts


async def counts_of(session: AsyncSession, ids: Sequence[int]) -> dict[int, ImportCounts]:
    """The counts of these imports."""
    row = SheetImportRow
    found = await session.execute(
        select(row.import_id, row.verdict, row.changed, func.count())
        .where(row.import_id.in_(ids))
        .group_by(row.import_id, row.verdict, row.changed)
    )
    counted: dict[int, dict[str, int]] = {id: {} for id in ids}
    noted = cast(row.problems, String)
    outside = await session.execute(
        select(row.import_id, func.count())
        .where(row.import_id.in_(ids), row.verdict == "good")
        .where(or_(*(noted.contains(f'"{reason.value}"') for reason in OUTSIDE)))
        .group_by(row.import_id)
    )
    approved = await session.execute(
        select(row.import_id, func.count())
        .join(Camera, Camera.id == row.camera_id)
        .where(row.import_id.in_(ids), row.verdict == "done", Camera.state == "approved")
        .group_by(row.import_id)
    )
    for id, number in approved:
        counted[id]["approved"] = number
    for id, number in outside:
        counted[id]["outside"] = number
    for id, verdict, changed, number in found:
        name = verdict if verdict != "same" else "changed" if changed else "unchanged"
        counts = counted[id]
        counts[name] = counts.get(name, 0) + number
        counts["total"] = counts.get("total", 0) + number
    return {id: ImportCounts(**counts) for id, counts in counted.items()}


async def views(session: AsyncSession, rows: Sequence[SheetImport]) -> list[ImportView]:
    """Imports as pages get them."""
    counts = await counts_of(session, [row.id for row in rows])
    remembered = await mappings.confirmed(session, rows)
    return [
        ImportView(
            row.id,
            row.village_id,
            row.name,
            row.state,
            row.sheets,
            row.sheet,
            row.header_row,
            [SheetColumn(**column) for column in row.columns],
            counts[row.id],
            row.job_id,
            row.created_at,
            row.user_name,
            row.on_behalf,
            row.id in remembered,
        )
        for row in rows
    ]
