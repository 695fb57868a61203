"""Which devices may be one, and which cameras have got another device."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base


class DeviceMatch(Base):
    """A question that a person decides: is what was found the registered device? Decided ones are kept, so that nobody
    is asked again."""

    __tablename__ = "device_matches"

    id: Mapped[int] = mapped_column(primary_key=True)
    # may_be_same: registered beside it · moved: found at another place · changed: another device answers at its place
    kind: Mapped[str] = mapped_column(String(16))
    question: Mapped[str] = mapped_column(String(64), unique=True)  # hash of what is asked (cameras.matches.questions)
    state: Mapped[str] = mapped_column(String(16), default="open", index=True)  # open | accepted | rejected | gone
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), index=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("villages.id", ondelete="CASCADE"), index=True)
    other_device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), index=True)
    other_village_id: Mapped[int] = mapped_column(ForeignKey("villages.id", ondelete="CASCADE"))
    host: Mapped[str] = mapped_column(String(255))  # where the other one is
    port: Mapped[int | None]
    path: Mapped[str] = mapped_column(String(255))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # what the other one says: maker, serial, mac, …
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # names of marks: agree, weak, differ
    source: Mapped[str] = mapped_column(String(16))  # register | hello | search | login | describe
    reason: Mapped[str | None] = mapped_column(String(32))  # errors.Reason why it could not be accepted last
    alike: Mapped[float | None]  # how much both pictures are alike, 0 … 100; None: not compared
    picture_at: Mapped[datetime | None]  # the other one's picture, in data_dir/pictures/match-<id>.jpg
    seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class CameraReplacement(Base):
    """A camera that got another device: it went on with the channel of `other_camera_id`, which has the old one since.

    The other camera and the old device are out of service, and can be put back.
    """

    __tablename__ = "camera_replacements"
    __table_args__ = (Index("ix_camera_replacements_other", "other_camera_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"), index=True)
    other_camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    village_id: Mapped[int] = mapped_column(ForeignKey("villages.id", ondelete="CASCADE"), index=True)
    old_device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), index=True)
    new_device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), index=True)
    before: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # states to put back
    replaced_at: Mapped[datetime]
    replaced_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
