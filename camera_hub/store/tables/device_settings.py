"""What was read of devices' settings last, and what the last check of their clocks said."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base


class DeviceSettingsRow(Base):
    """A device's own settings as they were read last: one row, overwritten by the next reading."""

    __tablename__ = "device_settings"

    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    read_at: Mapped[datetime]
    clock: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # device_settings.values.ClockState
    can: Mapped[list[str]] = mapped_column(JSON, default=list)  # parts that can be set
    problems: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)  # values.SettingsProblem
    listed: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)  # of a recorder: values.BehindRecorder


class CameraSettingsRow(Base):
    """A camera's settings as they were read last: OSD and sub stream, at most 16 KiB."""

    __tablename__ = "camera_settings"

    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"), primary_key=True)
    read_at: Mapped[datetime]
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # values.CameraSettings


class ClockCheckRow(Base):
    """The last check of a device's clock (device_settings.clock_checks.ClockCheck)."""

    __tablename__ = "clock_checks"

    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    checked_at: Mapped[datetime | None] = mapped_column(index=True)
    offset_s: Mapped[float | None]  # device minus hub
    source: Mapped[str | None] = mapped_column(String(8))  # ntp | manual
    verdict: Mapped[str] = mapped_column(String(8))  # ok | warn | wrong | lies | unknown
    since: Mapped[datetime | None]  # since when it has been off
    reason: Mapped[str | None] = mapped_column(String(32))  # errors.Reason
    set_at: Mapped[datetime | None]  # when the hub set it last, and read back that it was right
