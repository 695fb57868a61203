"""Exclusions: cameras, devices and villages that are not judged for a time; and what figures of a span are taken from
beside the states of cameras: when each camera was in use, and when the hub observed at all."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base


class Exclusion(Base):
    """A camera, device or village is not judged from `since` until `until`, or until `ended_at` if that is earlier.

    Of the three ids the one of its level is set. Without `approved_at` it was asked for and is not in force; one that
    has `ended_at` as well was refused or withdrawn.
    """

    __tablename__ = "exclusions"

    id: Mapped[int] = mapped_column(primary_key=True)
    level: Mapped[str] = mapped_column(String(8))  # camera | device | village
    camera_id: Mapped[int | None] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"), index=True)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), index=True)
    village_id: Mapped[int | None] = mapped_column(ForeignKey("villages.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))  # maintenance | repair | removed | power_cut | sleep | other
    reason: Mapped[str] = mapped_column(String(255), default="", server_default="")
    since: Mapped[datetime]
    until: Mapped[datetime] = mapped_column(index=True)
    # {"days": [0–6, Monday first], "from": "22:00", "to": "06:00"} in the site's time; None: all of the time
    weekly: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_by: Mapped[int | None]  # users.id
    created_name: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    approved_by: Mapped[int | None]
    approved_name: Mapped[str | None] = mapped_column(String(64))
    approved_at: Mapped[datetime | None]
    ended_name: Mapped[str | None] = mapped_column(String(64))
    ended_at: Mapped[datetime | None]


class ServicePeriod(Base):
    """A camera was in use (approved and not retired), of this village and device, from `since` until `until` (None: it
    still is)."""

    __tablename__ = "service_periods"
    __table_args__ = (Index("ix_service_periods_camera_until", "camera_id", "until"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    village_id: Mapped[int] = mapped_column(ForeignKey("villages.id", ondelete="RESTRICT"), index=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="RESTRICT"))
    since: Mapped[datetime]
    until: Mapped[datetime | None] = mapped_column(index=True)


class ObservingPeriod(Base):
    """The hub ran from `since` until `until`, which moves on while it does; outside of these nothing was observed."""

    __tablename__ = "observing_periods"

    id: Mapped[int] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    until: Mapped[datetime] = mapped_column(index=True)
