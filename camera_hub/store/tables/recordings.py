"""What devices have recorded: days of the site's calendar, and the last check of each camera."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base


class RecordingDayRow(Base):
    """One day of one camera (cameras.recordings.days.RecordingDay). `begins`: its midnight, for its expiry."""

    __tablename__ = "recording_days"
    __table_args__ = (Index("ix_recording_days_camera_id_date", "camera_id", "date", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    date: Mapped[date] = mapped_column(Date)
    begins: Mapped[datetime] = mapped_column(index=True)
    read_at: Mapped[datetime]
    seconds: Mapped[int | None]  # None: something was recorded, how much is not known
    due: Mapped[int]
    gaps: Mapped[int]


class RecordingCheckRow(Base):
    """The last check of a camera's recording (cameras.recordings.values.RecordingStatus)."""

    __tablename__ = "recording_checks"

    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"), primary_key=True)
    checked_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(8))  # ok | fault | unknown
    reason: Mapped[str | None] = mapped_column(String(32))  # errors.Reason
    params: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    since: Mapped[datetime | None]
    unconfirmed: Mapped[str | None] = mapped_column(String(32))
    unconfirmed_at: Mapped[datetime | None]
    oldest: Mapped[datetime | None]
    latest: Mapped[datetime | None]
    road: Mapped[str | None] = mapped_column(String(12))  # onvif | hikvision | dahua
    disk: Mapped[str | None] = mapped_column(String(8))  # ok | error | none
    problem: Mapped[str | None] = mapped_column(String(32))  # why the device did not tell
    clock_offset_s: Mapped[float | None]
    overwrites: Mapped[bool]
