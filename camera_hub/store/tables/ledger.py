"""The ledger, one camera one file: what other rooms read in columns of its own, the county's rest as JSON."""

from datetime import date, datetime

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base


class LedgerFile(Base):
    """The file of one camera; a camera without a row has an empty one. Keys: cameras.ledger.fields."""

    __tablename__ = "ledger_files"

    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"), primary_key=True)
    gb_id: Mapped[str | None] = mapped_column(String(20), unique=True)  # GB/T 28181; allocated by the county
    longitude: Mapped[float | None]  # WGS-84, degrees
    latitude: Mapped[float | None]
    typed_longitude: Mapped[str] = mapped_column(String(24), default="", server_default="")  # as typed, in `datum`
    typed_latitude: Mapped[str] = mapped_column(String(24), default="", server_default="")
    datum: Mapped[str] = mapped_column(String(8), default="", server_default="")  # wgs84 | gcj02 | bd09
    address: Mapped[str] = mapped_column(String(200), default="", server_default="")
    landmark: Mapped[str] = mapped_column(String(128), default="", server_default="")
    pole_number: Mapped[str] = mapped_column(String(40), default="", server_default="")
    management_unit: Mapped[str] = mapped_column(String(64), default="", server_default="")
    manager: Mapped[str] = mapped_column(String(32), default="", server_default="")
    manager_phone: Mapped[str] = mapped_column(String(24), default="", server_default="")
    maintainer_unit: Mapped[str] = mapped_column(String(64), default="", server_default="")
    maintainer_phone: Mapped[str] = mapped_column(String(24), default="", server_default="")
    # leased_line | vpn | port_mapping | mobile | cloud | "" not known
    access_kind: Mapped[str] = mapped_column(String(16), default="", server_default="")
    no_access_reason: Mapped[str] = mapped_column(String(200), default="", server_default="")
    service_state: Mapped[str] = mapped_column(String(8), default="in_use", server_default="in_use")  # repair | removed
    state_since: Mapped[date | None]
    state_reason: Mapped[str] = mapped_column(String(200), default="", server_default="")
    enabled_on: Mapped[date | None]
    legal_basis: Mapped[str] = mapped_column(String(16), default="", server_default="")  # of Order 799
    filing_state: Mapped[str] = mapped_column(String(12), default="not_filed", server_default="not_filed")
    filing_number: Mapped[str] = mapped_column(String(64), default="", server_default="")
    filed_on: Mapped[date | None]
    details: Mapped[dict[str, str]] = mapped_column(JSON, default=dict, server_default="{}")  # the other fields by key
    updated_at: Mapped[datetime]


class LedgerChange(Base):
    """One value of a camera's file was changed. Deleted after ledger.changes_keep_days."""

    __tablename__ = "ledger_changes"
    __table_args__ = (Index("ix_ledger_changes_camera_id_id", "camera_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(index=True)
    user_id: Mapped[int | None]
    user_name: Mapped[str] = mapped_column(String(64))
    on_behalf: Mapped[bool] = mapped_column(default=False)  # township staff for the village
    field: Mapped[str] = mapped_column(String(32))
    old: Mapped[str] = mapped_column(String(255))
    new: Mapped[str] = mapped_column(String(255))


class LedgerPhoto(Base):
    """A photo of a camera's file: data_dir/photos/<id>.jpg."""

    __tablename__ = "ledger_photos"

    id: Mapped[int] = mapped_column(primary_key=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(8))  # close_up | location | view | sign
    at: Mapped[datetime]
    user_name: Mapped[str] = mapped_column(String(64))
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]  # bytes
