"""Reference pictures of cameras, and the pictures that are kept with alarms. The JPEGs are files by the rows' ids."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base


class ReferencePicture(Base):
    """What a camera's picture is compared with, by profile (health.references.learning.ProfileReference).

    `features`: opaque to all but the eye; None while it is learnt. `source`: which channel of which device took it;
    another one there has other pictures. `size`: bytes of the JPEG, 0: there is none.
    """

    __tablename__ = "reference_pictures"
    __table_args__ = (UniqueConstraint("camera_id", "profile"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    profile: Mapped[str] = mapped_column(String(8))  # day | night
    source: Mapped[str] = mapped_column(String(160))
    features: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime | None]  # when the picture was taken
    pictures: Mapped[int] = mapped_column(default=0)  # how many agreed with it before it was taken
    size: Mapped[int] = mapped_column(default=0)
    set_name: Mapped[str | None] = mapped_column(String(64))  # who gave it; None: learnt
    candidate: Mapped[str | None] = mapped_column(Text)
    candidate_at: Mapped[datetime | None]
    candidate_votes: Mapped[int] = mapped_column(default=0)
    candidate_pictures: Mapped[int] = mapped_column(default=0)
    candidate_counted_at: Mapped[datetime | None]
    differs_since: Mapped[datetime | None]
    differs_share: Mapped[float | None]
    differs_score: Mapped[float | None]
    asked_at: Mapped[datetime | None]


class AlarmPicture(Base):
    """A picture that is kept with an alarm: what it was compared with, what was seen, what proved the repair."""

    __tablename__ = "alarm_pictures"

    id: Mapped[int] = mapped_column(primary_key=True)
    alarm_id: Mapped[int] = mapped_column(ForeignKey("alarms.id", ondelete="CASCADE"), index=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))  # reference | present | repair | last_good
    at: Mapped[datetime]  # when it was taken
    kept_at: Mapped[datetime] = mapped_column(index=True)
    scores: Mapped[dict[str, float]] = mapped_column(JSON, default=dict)
    size: Mapped[int]  # bytes of the JPEG
