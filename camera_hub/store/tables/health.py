"""Observations, alarms, and the outbox of notices."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base


class Observation(Base):
    """What one look of a round measured of one camera. Delays in ms; scores 0–100."""

    __tablename__ = "observations"
    __table_args__ = (Index("ix_observations_camera_at", "camera_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    reason: Mapped[str | None] = mapped_column(String(32))  # errors.Reason when bad, None = good
    detail: Mapped[str] = mapped_column(String(255), default="")
    signalling_ms: Mapped[float | None]
    stream_ms: Mapped[float | None]
    key_frame_ms: Mapped[float | None]
    clock_error_s: Mapped[float | None]
    scores: Mapped[dict[str, float]] = mapped_column(JSON, default=dict)  # {"black": 98.0, "frozen": 100.0}


class Alarm(Base):
    """An anomaly that lasted, told once at the level of its cause: village, device or camera (or hub)."""

    __tablename__ = "alarms"
    __table_args__ = (Index("ix_alarms_closed_opened", "closed_at", "opened_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    level: Mapped[str] = mapped_column(String(8))  # hub | village | device | camera
    cause: Mapped[str] = mapped_column(String(32))  # errors.Reason
    village_id: Mapped[int | None] = mapped_column(ForeignKey("villages.id", ondelete="RESTRICT"), index=True)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id", ondelete="RESTRICT"))
    camera_id: Mapped[int | None] = mapped_column(ForeignKey("cameras.id", ondelete="RESTRICT"))
    members: Mapped[list[int]] = mapped_column(JSON, default=list)  # camera ids it stands for
    detail: Mapped[str] = mapped_column(String(255), default="")
    opened_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    acknowledged_name: Mapped[str | None] = mapped_column(String(64))
    closed_at: Mapped[datetime | None]


class Notice(Base):
    """One message to be delivered outside (outbox). Written in the transaction that changed the alarm."""

    __tablename__ = "notices"

    id: Mapped[int] = mapped_column(primary_key=True)
    alarm_id: Mapped[int] = mapped_column(ForeignKey("alarms.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))  # opened | closed
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(index=True)
    delivered_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(255))
