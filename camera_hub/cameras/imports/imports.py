"""Imports: a sheet is uploaded, its headers are mapped, each row is judged; rows are changed and judged anew.

Reading is the business of a process of its own; judging runs in a thread, one sheet at a time. Running is in `runs`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor, require_village
from camera_hub.cameras.imports import mappings
from camera_hub.cameras.imports.columns import (
    HeaderTable,
    SheetColumn,
    columns_of,
    data_rows,
    header_row,
    is_mapped,
    with_fields,
)
from camera_hub.cameras.imports.fields import TABLE
from camera_hub.cameras.imports.judging import JudgedRow, judged
from camera_hub.cameras.imports.known import KnownPlaces
from camera_hub.cameras.imports.known_reader import KnownReader
from camera_hub.cameras.imports.rows import (
    PENDING,
    ImportSealer,
    open_cells,
    row_columns,
    row_view,
    seal_cells,
    seal_secrets,
    values_in,
    verdict_columns,
)
from camera_hub.cameras.imports.values import RowValues, values_of
from camera_hub.cameras.imports.views import ImportView, RowPage, RowView, counts_of, views
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.settings import SheetSettings
from camera_hub.sheets.answer import refusal
from camera_hub.sheets.reading import ReadSheet, SheetBook, SheetReader
from camera_hub.store.database import Database
from camera_hub.store.tables import SheetImport, SheetImportRow, Village

LISTED = 50
_INSERTED_AT_ONCE = 500


class Imports:
    """Operations on imports, each in the actor's scope."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        vault: ImportSealer,
        reader: SheetReader,
        known: KnownReader,
        settings: SheetSettings,
    ) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault
        self._reader = reader
        self._known = known
        self._settings = settings
        self._judging = asyncio.Lock()

    async def upload(self, actor: Actor, village_id: int | None, name: str, path: Path) -> ImportView:
        """Read a file, map its headers as far as they are known, judge its rows.

        Raises HubError: NOT_FOUND (village), INVALID (village_needed), and sheets.answer.REFUSALS.
        """
        if village_id is None and actor.bound:
            raise HubError(Kind.INVALID, "name the village that the sheet is for", reason="village_needed")
        if village_id is not None:
            await self._require_village(actor, village_id)
        book = await self._reader.read(path)
        async with self._judging:
            best = max(book.sheets, key=lambda one: _worth(one, TABLE))
            number = header_row(list(best.rows()), TABLE)
            async with self._database.write() as session:
                await self._make_room(session, village_id)
                row = SheetImport(
                    village_id=village_id,
                    name=name or best.name,
                    state="mapping",
                    sheets=[one.name for one in book.sheets],
                    user_id=actor.user_id,
                    user_name=actor.display_name,
                    on_behalf=not actor.bound,
                    created_at=self._clock.now(),
                )
                session.add(row)
                await session.flush()
                row.sealed_cells = await asyncio.to_thread(seal_cells, self._vault, row.id, book)
            await self._map(actor, row.id, best, number, None)
        return await self.get(actor, row.id)

    async def all(self, actor: Actor) -> list[ImportView]:
        """The newest imports in the actor's scope."""
        async with self._database.read() as session:
            found = await session.scalars(
                select(SheetImport)
                .where(in_scope(actor, SheetImport.village_id), *_own(actor))
                .order_by(SheetImport.created_at.desc(), SheetImport.id.desc())
                .limit(LISTED)
            )
            return await views(session, list(found))

    async def get(self, actor: Actor, import_id: int) -> ImportView:
        """One import. Raises HubError(NOT_FOUND)."""
        async with self._database.read() as session:
            return (await views(session, [await mine(session, actor, import_id)]))[0]

    async def map(
        self, actor: Actor, import_id: int, sheet: str, number: int | None, fields: Mapping[int, str | None] | None
    ) -> ImportView:
        """Map the headers in a row of a sheet; the mapping is remembered, the rows are judged anew.

        Without `number` the row with the headers is searched, without `fields` they are mapped as after an upload.

        Raises HubError: NOT_FOUND (import, sheet), INVALID (import_field_twice, unknown_field, sheet_empty), CONFLICT
        (import_started).
        """
        named = [one for one in (fields or {}).values() if one is not None]
        if len(set(named)) != len(named):
            raise HubError(Kind.INVALID, "a field can stand for one column only", reason="import_field_twice")
        if strange := set(named) - TABLE.keys:
            raise HubError(
                Kind.INVALID, f"there is no field {min(strange)[:40]}", reason="unknown_field", field=min(strange)[:40]
            )
        async with self._judging:
            async with self._database.read() as session:
                row = await mine(session, actor, import_id)
                if row.sealed_cells is None or row.state not in ("mapping", "preview"):
                    raise HubError(
                        Kind.CONFLICT,
                        "this import has begun; upload the sheet again to map its headers otherwise",
                        reason="import_started",
                    )
            book = await asyncio.to_thread(open_cells, self._vault, import_id, row.sealed_cells)
            if (chosen := book.sheet(sheet)) is None:
                raise HubError(Kind.NOT_FOUND, "there is no such sheet in this file")
            if number is None:
                number = header_row(list(chosen.rows()), TABLE)
            await self._map(actor, import_id, chosen, number, fields)
        return await self.get(actor, import_id)

    async def rows(
        self, actor: Actor, import_id: int, *, verdict: str | None = None, after: int = 0, limit: int = 200
    ) -> RowPage:
        """Rows in the order of the sheet, behind row `after`. Raises HubError(NOT_FOUND)."""
        async with self._database.read() as session:
            await mine(session, actor, import_id)
            where = [SheetImportRow.import_id == import_id, SheetImportRow.number > after]
            if verdict is not None:
                where.append(SheetImportRow.verdict == verdict)
            found = await session.scalars(
                select(SheetImportRow).where(*where).order_by(SheetImportRow.number).limit(limit)
            )
            counts = await counts_of(session, [import_id])
            return RowPage([row_view(row, self._vault) for row in found], counts[import_id])

    async def change_row(self, actor: Actor, import_id: int, number: int, values: Mapping[str, str]) -> RowView:
        """Type some values of a row anew; the row is judged again, and with it those that it concerns.

        Raises HubError: NOT_FOUND, INVALID (unknown_field), CONFLICT (import_running, import_row_done).
        """
        if strange := set(values) - TABLE.keys:
            raise HubError(
                Kind.INVALID, f"there is no field {min(strange)[:40]}", reason="unknown_field", field=min(strange)[:40]
            )
        async with self._judging:
            async with self._database.read() as session:
                owner = await mine(session, actor, import_id)
                if owner.state == "running":
                    raise running()
                found = list(await session.scalars(select(SheetImportRow).where(SheetImportRow.import_id == import_id)))
            row = next((one for one in found if one.number == number), None)
            if row is None:
                raise HubError(Kind.NOT_FOUND, "there is no such row")
            if row.verdict == "done":
                raise HubError(
                    Kind.CONFLICT,
                    "this row has been imported; change the camera on the devices page",
                    reason="import_row_done",
                )
            pending = [one for one in found if one.verdict in PENDING or one is row]
            typed = [values_in(self._vault, one) for one in pending]
            typed = [one.with_values(values) if one.number == number else one for one in typed]
            known = await self._known.read(actor, owner.village_id)
            verdicts = await asyncio.to_thread(judged, typed, known)
            await self._store_verdicts(import_id, pending, typed, verdicts, number)
        async with self._database.read() as session:
            changed = await session.get_one(SheetImportRow, (import_id, number))
            return row_view(changed, self._vault)

    async def remove(self, actor: Actor, import_id: int) -> None:
        """Delete an import; what it brought in stays. Raises HubError: NOT_FOUND, CONFLICT (import_running)."""
        async with self._database.write() as session:
            row = await mine(session, actor, import_id)
            if row.state == "running":
                raise running()
            await session.delete(row)

    async def _map(
        self, actor: Actor, import_id: int, sheet: ReadSheet, number: int, fields: Mapping[int, str | None] | None
    ) -> None:
        """`fields`: as somebody maps the columns; None: as they are remembered, else by their headers."""
        async with self._database.read() as session:
            owner = await mine(session, actor, import_id)
            plain = await asyncio.to_thread(columns_of, sheet.rows(), number, TABLE, {})
            remembered = await mappings.recall(session, owner.village_id, plain)
        if fields is not None:
            columns = with_fields(plain, fields)
        else:
            columns = await asyncio.to_thread(columns_of, sheet.rows(), number, TABLE, remembered)
        inserted: list[dict[str, object]] = []
        if ready := is_mapped(columns):
            known = await self._known.read(actor, owner.village_id)
            inserted = await asyncio.to_thread(self._judged_rows, import_id, sheet, number, columns, known)
        async with self._database.write() as session:
            row = await mine(session, actor, import_id)
            if row.state not in ("mapping", "preview"):
                raise running()
            row.sheet, row.header_row = sheet.name, number
            row.columns = [asdict(one) for one in columns]
            row.state = "preview" if ready else "mapping"
            await session.execute(delete(SheetImportRow).where(SheetImportRow.import_id == import_id))
            for start in range(0, len(inserted), _INSERTED_AT_ONCE):
                await session.execute(insert(SheetImportRow), inserted[start : start + _INSERTED_AT_ONCE])
            if fields is not None:
                await mappings.remember(session, owner.village_id, columns, self._clock.now())

    def _judged_rows(
        self, import_id: int, sheet: ReadSheet, number: int, columns: Sequence[SheetColumn], known: KnownPlaces
    ) -> list[dict[str, object]]:
        typed = [values_of(row.number, row.cells, columns) for row in data_rows(sheet.rows(), number, columns)]
        return row_columns(self._vault, import_id, typed, judged(typed, known))

    async def _store_verdicts(
        self,
        import_id: int,
        before: Sequence[SheetImportRow],
        typed: Sequence[RowValues],
        verdicts: Sequence[JudgedRow],
        number: int,
    ) -> None:
        """Write the verdicts that are new, and the values of the one row that was changed."""
        async with self._database.write() as session:
            owner = await session.get(SheetImport, import_id, with_for_update=True)
            if owner is None or owner.state == "running":
                raise running()
            for row, values, verdict in zip(before, typed, verdicts, strict=True):
                columns = verdict_columns(verdict)
                if row.number == number:
                    columns["values"] = dict(values.shown)
                    columns["sealed"] = seal_secrets(self._vault, import_id, values)
                elif all(getattr(row, name) == value for name, value in columns.items()):
                    continue
                await session.execute(
                    update(SheetImportRow)
                    .where(SheetImportRow.import_id == import_id, SheetImportRow.number == row.number)
                    .values(**columns)
                )

    async def _make_room(self, session: AsyncSession, village_id: int | None) -> None:
        """Only so many imports of a village are kept: the oldest go first, but for one that runs."""
        where = SheetImport.village_id == village_id if village_id is not None else SheetImport.village_id.is_(None)
        found = await session.scalars(
            select(SheetImport).where(where).order_by(SheetImport.created_at.desc(), SheetImport.id.desc())
        )
        for row in list(found)[self._settings.kept_per_village - 1 :]:
            if row.state != "running":
                await session.delete(row)

    async def _require_village(self, actor: Actor, village_id: int) -> None:
        require_village(actor, village_id, "village")
        async with self._database.read() as session:
            if await session.get(Village, village_id) is None:
                raise HubError(Kind.NOT_FOUND, "there is no such village")


async def mine(session: AsyncSession, actor: Actor, import_id: int) -> SheetImport:
    """The import, if it is in the actor's scope; a contractor has those alone that they uploaded. Raises
    HubError(NOT_FOUND)."""
    row = await session.get(SheetImport, import_id)
    if row is None or (actor.only_pending and row.user_id != actor.user_id):
        raise HubError(Kind.NOT_FOUND, "there is no such import")
    require_village(actor, row.village_id, "import")
    return row


def _own(actor: Actor) -> list[ColumnElement[bool]]:
    return [SheetImport.user_id == actor.user_id] if actor.only_pending else []


def running() -> HubError:
    """The import is being worked on."""
    return HubError(Kind.CONFLICT, "this import is running; wait for it, or cancel it first", reason="import_running")


def cells_of(vault: ImportSealer, row: SheetImport) -> ReadSheet:
    """The sheet that is imported, as it was uploaded. Raises HubError: INVALID (sheet_empty), UNAVAILABLE."""
    book = open_cells(vault, row.id, row.sealed_cells) if row.sealed_cells is not None else SheetBook()
    if (sheet := book.sheet(row.sheet)) is None:
        raise refusal("sheet_empty")
    return sheet


def _worth(sheet: ReadSheet, table: HeaderTable) -> int:
    """How many of the sheet's headers are known."""
    rows = list(sheet.rows())
    number = header_row(rows, table)
    return sum(one.field is not None for one in columns_of(rows, number, table, {}))
