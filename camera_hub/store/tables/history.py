"""Rolled-up observations: one row per camera and hour, one per camera and day, and how far rolling up has come."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base


class _Tallied:
    """What all looks at one camera in one stretch of time add up to.

    `*_good` and `*_bad`: looks that judged the aspect, by what they said. Of each measure the number of values, their
    mean, and the worst one: the largest; of frame rates the smallest, of clock errors the one farthest from zero.
    """

    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)  # when it begins
    looks: Mapped[int]
    bad: Mapped[int]  # of them, those that found anything wrong
    reachable_good: Mapped[int] = mapped_column(default=0)
    reachable_bad: Mapped[int] = mapped_column(default=0)
    media_good: Mapped[int] = mapped_column(default=0)
    media_bad: Mapped[int] = mapped_column(default=0)
    picture_good: Mapped[int] = mapped_column(default=0)
    picture_bad: Mapped[int] = mapped_column(default=0)
    clock_good: Mapped[int] = mapped_column(default=0)
    clock_bad: Mapped[int] = mapped_column(default=0)
    reasons: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)  # errors.Reason → looks
    signalling_count: Mapped[int] = mapped_column(default=0)
    signalling_mean: Mapped[float | None]  # ms
    signalling_worst: Mapped[float | None]
    stream_count: Mapped[int] = mapped_column(default=0)
    stream_mean: Mapped[float | None]  # ms
    stream_worst: Mapped[float | None]
    key_frame_count: Mapped[int] = mapped_column(default=0)
    key_frame_mean: Mapped[float | None]  # ms
    key_frame_worst: Mapped[float | None]
    clock_count: Mapped[int] = mapped_column(default=0)
    clock_mean: Mapped[float | None]  # seconds, device minus hub
    clock_worst: Mapped[float | None]
    fps_count: Mapped[int] = mapped_column(default=0)
    fps_mean: Mapped[float | None]
    fps_worst: Mapped[float | None]
    bitrate_count: Mapped[int] = mapped_column(default=0)
    bitrate_mean: Mapped[float | None]  # kbit/s
    bitrate_worst: Mapped[float | None]
    gop_count: Mapped[int] = mapped_column(default=0)
    gop_mean: Mapped[float | None]  # seconds
    gop_worst: Mapped[float | None]
    gaps: Mapped[int] = mapped_column(default=0)  # packets that were missing
    received_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    scores: Mapped[dict[str, float]] = mapped_column(JSON, default=dict)  # errors.Reason → the least, where it was low


class ObservationHour(_Tallied, Base):
    """One camera, one hour (UTC)."""

    __tablename__ = "observation_hours"


class ObservationDay(_Tallied, Base):
    """One camera, one day of the site: it begins at the site's midnight."""

    __tablename__ = "observation_days"


class RollUpMark(Base):
    """Up to when everything has been rolled up into one level."""

    __tablename__ = "rollup_marks"

    level: Mapped[str] = mapped_column(String(8), primary_key=True)  # hours | days
    until: Mapped[datetime]
