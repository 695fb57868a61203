"""Imports: an uploaded sheet, its rows with their verdicts, and how headers were mapped before."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base, Sealed


class SheetImport(Base):
    """One uploaded sheet. Its rows as they are judged are in sheet_import_rows."""

    __tablename__ = "sheet_imports"

    id: Mapped[int] = mapped_column(primary_key=True)
    # None: the sheet's village column decides (township staff only).
    village_id: Mapped[int | None] = mapped_column(ForeignKey("villages.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(128))  # of the file
    state: Mapped[str] = mapped_column(String(16))  # mapping | preview | running | done
    sheets: Mapped[list[str]] = mapped_column(JSON, default=list)  # names of its sheets
    sheet: Mapped[str] = mapped_column(String(64), default="")  # the one that is imported
    header_row: Mapped[int] = mapped_column(default=0)  # its row with the headers, from 1; 0: not known
    columns: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)  # [{index, header, samples, field}]
    # All cells, compressed: passwords may be anywhere among them. Logins are taken out when the first run begins.
    sealed_cells: Mapped[bytes | None] = mapped_column(Sealed)
    job_id: Mapped[str | None] = mapped_column(String(32))  # of its last run
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    user_name: Mapped[str] = mapped_column(String(64), default="")
    on_behalf: Mapped[bool] = mapped_column(default=False)  # uploaded by township staff for its villages
    created_at: Mapped[datetime] = mapped_column(index=True)


class SheetImportRow(Base):
    """One row of an import: its values, what is wrong with it, what became of it."""

    __tablename__ = "sheet_import_rows"

    import_id: Mapped[int] = mapped_column(ForeignKey("sheet_imports.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # in the sheet, from 1
    village_id: Mapped[int | None]  # None: not known; rows go with their import, so there is no reference
    values: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)  # by field; addresses of streams redacted
    # Password and stream addresses as JSON, as long as they are needed; None: there are none.
    sealed: Mapped[bytes | None] = mapped_column(Sealed)
    verdict: Mapped[str] = mapped_column(String(8))  # good | bad | same | done | staged | failed
    changed: Mapped[bool] = mapped_column(default=False)  # whether there are changes: counted in queries
    problems: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)  # [{field, reason, params}]
    changes: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)  # [{field, before, after}]
    # What became of it; or the camera that it is, where it is registered.
    device_id: Mapped[int | None]
    camera_id: Mapped[int | None]
    candidate_id: Mapped[int | None]


class SheetMapping(Base):
    """Which field each header stands for, as somebody has set it, for the next sheet with the same headers."""

    __tablename__ = "sheet_mappings"
    __table_args__ = (UniqueConstraint("owner", "headers"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[int]  # the village's id; 0: sheets for several villages
    headers: Mapped[str] = mapped_column(String(64))  # hash of the set of headers
    fields: Mapped[dict[str, str | None]] = mapped_column(JSON, default=dict)  # header → field
    used_at: Mapped[datetime] = mapped_column(index=True)
