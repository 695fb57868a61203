"""Checks of the county's lists of faulty cameras: an uploaded list, its rows and what the hub answers to each."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base


class CountyCheck(Base):
    """One uploaded list."""

    __tablename__ = "county_checks"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(128))  # of the file
    sheet: Mapped[str] = mapped_column(String(64), default="")  # the one that was read
    columns: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)  # [{header, field}], field None: kept
    listed_at: Mapped[datetime | None]  # the time that holds for rows without one of their own, as a person gave it
    total: Mapped[int] = mapped_column(default=0)  # rows
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    user_name: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime] = mapped_column(index=True)


class CountyRow(Base):
    """One row of a list, and the answer to it: the words of health.county.judging."""

    __tablename__ = "county_rows"
    __table_args__ = (Index("ix_county_rows_check_conclusion", "check_id", "conclusion"),)

    check_id: Mapped[int] = mapped_column(ForeignKey("county_checks.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # in the sheet, from 1
    cells: Mapped[list[str]] = mapped_column(JSON, default=list)  # as they came
    camera_id: Mapped[int | None] = mapped_column(ForeignKey("cameras.id", ondelete="SET NULL"), index=True)
    matched_by: Mapped[str | None] = mapped_column(String(8))  # gb_id | name | host | address | hand
    candidates: Mapped[list[int]] = mapped_column(JSON, default=list)  # cameras that it may be, where it is not one
    matched_name: Mapped[str | None] = mapped_column(String(64))  # who said which camera it is (or that it is none)
    conclusion: Mapped[str | None] = mapped_column(String(12))  # None: not judged yet
    answer: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    judged_at: Mapped[datetime | None]
