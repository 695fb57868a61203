"""What devices report themselves."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base


class DeviceEvent(Base):
    """An occurrence that a device reported: from, until (None: it lasts), how often it was reported to begin.

    Without a camera it is of the device itself, or of a picture that is no camera of the register.
    """

    __tablename__ = "device_events"
    __table_args__ = (Index("ix_device_events_camera_since", "camera_id", "since"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), index=True)
    camera_id: Mapped[int | None] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))  # cameras.device_events.topics.DeviceEventKind
    since: Mapped[datetime]
    seen: Mapped[datetime] = mapped_column(index=True)  # the last report of it
    until: Mapped[datetime | None]
    count: Mapped[int]
