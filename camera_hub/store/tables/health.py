"""Observations, the states of cameras, alarms and their members; notices, their channels and rules."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base, Sealed

GOOD = "ok"
"""In an aspect of an observation: it was checked, and nothing was wrong."""


class Observation(Base):
    """What one look of a round measured at one camera. Delays in ms; scores 0–100.

    `media`, `picture` and `clock` are the results of the look: None = not checked, "ok" = good, else the errors.Reason.
    All three are None in rows of versions before 0.2 (health.history reads those by `reason`).
    """

    __tablename__ = "observations"
    __table_args__ = (Index("ix_observations_camera_at", "camera_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    reason: Mapped[str | None] = mapped_column(String(32))  # the most serious errors.Reason of the three, None = good
    media: Mapped[str | None] = mapped_column(String(32))
    picture: Mapped[str | None] = mapped_column(String(32))
    clock: Mapped[str | None] = mapped_column(String(32))
    detail: Mapped[str] = mapped_column(String(255), default="")
    params: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")  # for the pages' own words
    signalling_ms: Mapped[float | None]
    stream_ms: Mapped[float | None]
    key_frame_ms: Mapped[float | None]
    clock_error_s: Mapped[float | None]
    scores: Mapped[dict[str, float]] = mapped_column(JSON, default=dict)  # {"black": 98.0, "frozen": 100.0}
    reachable: Mapped[str | None] = mapped_column(String(32))  # as `media`: whether its address answered
    profile: Mapped[str | None] = mapped_column(String(8))  # day | night (infrared), of the picture
    fps: Mapped[float | None]  # of the stream as it came in
    bitrate_kbit: Mapped[float | None]
    gop_seconds: Mapped[float | None]  # from one key frame to the next
    gaps: Mapped[int | None]  # packets that were missing
    received_bytes: Mapped[int | None] = mapped_column(BigInteger)  # of video, for this look or since the last one


class CameraState(Base):
    """The state of one aspect of a camera from `since` until `until` (None: it still is). No row: not known yet."""

    __tablename__ = "camera_states"
    __table_args__ = (Index("ix_camera_states_camera_until", "camera_id", "until"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    aspect: Mapped[str] = mapped_column(String(16))  # reachable | media | picture | clock | recording | osd
    state: Mapped[str] = mapped_column(String(8))  # ok | fault
    cause: Mapped[str | None] = mapped_column(String(32))  # errors.Reason of a fault
    since: Mapped[datetime]
    until: Mapped[datetime | None] = mapped_column(index=True)


class Alarm(Base):
    """An anomaly that lasted, raised once at the level of its cause: village, device or camera (or hub)."""

    __tablename__ = "alarms"
    __table_args__ = (Index("ix_alarms_closed_opened", "closed_at", "opened_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    level: Mapped[str] = mapped_column(String(8))  # hub | village | device | camera
    # media | picture | clock | recording | osd | load
    aspect: Mapped[str] = mapped_column(String(16), server_default="media")
    severity: Mapped[str] = mapped_column(String(8), server_default="major")  # critical | major | minor | warning
    cause: Mapped[str] = mapped_column(String(32))  # errors.Reason
    village_id: Mapped[int | None] = mapped_column(ForeignKey("villages.id", ondelete="RESTRICT"), index=True)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id", ondelete="RESTRICT"))
    camera_id: Mapped[int | None] = mapped_column(ForeignKey("cameras.id", ondelete="RESTRICT"))
    detail: Mapped[str] = mapped_column(String(255), default="")
    params: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")  # for the pages' own words
    flapping: Mapped[bool] = mapped_column(default=False, server_default=false())  # it comes and goes; stays one alarm
    place_group: Mapped[str | None] = mapped_column(String(64))  # the same in losses of one place at one time
    # what was seen in the minute before the loss
    hint: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # How it closed: recovered | merged (into an alarm that stands for it now) | excluded | unobserved (retired,
    # removed). Only a recovery is news. None: it is open.
    ending: Mapped[str | None] = mapped_column(String(16))
    opened_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    acknowledged_name: Mapped[str | None] = mapped_column(String(64))
    closed_at: Mapped[datetime | None]
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("alarms.id", ondelete="SET NULL"))  # where it ended so
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    owner_name: Mapped[str | None] = mapped_column(String(64))
    notified_at: Mapped[datetime | None]  # when somebody was first notified
    reminded_at: Mapped[datetime | None]
    reminders: Mapped[int] = mapped_column(default=0, server_default="0")
    escalation: Mapped[int] = mapped_column(default=0, server_default="0")  # 0 | 1 | 2: how far up it was taken
    escalated_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]
    suspended_until: Mapped[datetime | None]  # None: it is not suspended
    suspended_reason: Mapped[str | None] = mapped_column(String(16))  # parts | power_cut | construction | other
    suspended_by: Mapped[str | None] = mapped_column(String(64))
    resumed_at: Mapped[datetime | None]  # the end of the last suspension: escalation counts from here
    note: Mapped[str] = mapped_column(String(255), default="", server_default="")


class AlarmMember(Base):
    """A camera that an alarm covered from `joined_at` to `left_at`; one that joined again has a second row."""

    __tablename__ = "alarm_members"
    __table_args__ = (Index("ix_alarm_members_camera_alarm", "camera_id", "alarm_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    alarm_id: Mapped[int] = mapped_column(ForeignKey("alarms.id", ondelete="CASCADE"), index=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"))
    joined_at: Mapped[datetime]
    left_at: Mapped[datetime | None]  # when it recovered, or when the alarm closed


class NoticeChannel(Base):
    """A receiver outside the hub. What of it is secret, or may be, is sealed: its URL, of which only `host` is shown,
    and in `secrets_sealed` (JSON) headers, keys, logins and the proxy's address."""

    __tablename__ = "notice_channels"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(16), default="webhook")  # webhook | sms | wecom | dingtalk | smtp
    host: Mapped[str] = mapped_column(String(255), default="")
    url_sealed: Mapped[bytes | None] = mapped_column(Sealed)
    secrets_sealed: Mapped[bytes | None] = mapped_column(Sealed)
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")  # health.notices.options
    proxy_host: Mapped[str] = mapped_column(String(255), default="", server_default="")
    quiet_from: Mapped[str | None] = mapped_column(String(5))  # "22:00" of the site's time; None: never quiet
    quiet_to: Mapped[str | None] = mapped_column(String(5))
    timeout_s: Mapped[float] = mapped_column(default=5.0)
    enabled: Mapped[bool] = mapped_column(default=True)
    from_settings: Mapped[bool] = mapped_column(default=False)  # its address is notices.webhook_url of the settings
    created_at: Mapped[datetime]
    last_attempt_at: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(255))  # of the last attempt, None when it succeeded


class NoticeRule(Base):
    """Which alarms a channel gets: those that at least one of its rules matches. None matches all."""

    __tablename__ = "notice_rules"

    id: Mapped[int] = mapped_column(primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("notice_channels.id", ondelete="CASCADE"), index=True)
    village_id: Mapped[int | None] = mapped_column(ForeignKey("villages.id", ondelete="CASCADE"))
    aspect: Mapped[str | None] = mapped_column(String(16))  # of alarms
    min_severity: Mapped[str | None] = mapped_column(String(8))  # critical | major | minor | warning


class Notice(Base):
    """One message to one channel (outbox) or one person (in the page): either `channel_id` or `user_id`. Written in the
    transaction that noted in the alarms that they were notified of."""

    __tablename__ = "notices"
    __table_args__ = (
        Index("ix_notices_channel_delivered", "channel_id", "delivered_at"),
        Index("ix_notices_user_id_id", "user_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    channel_id: Mapped[int | None] = mapped_column(ForeignKey("notice_channels.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    # None: of several
    alarm_id: Mapped[int | None] = mapped_column(ForeignKey("alarms.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))  # opened | flapping | closed | reminder | escalated | digest
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    sent: Mapped[int] = mapped_column(default=0, server_default="0")  # receivers of the channel that have it
    next_attempt_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]  # when it was accepted, or abandoned: then `error` says why
    error: Mapped[str | None] = mapped_column(String(255))
    read_at: Mapped[datetime | None]


class ToldAlarm(Base):
    """That one channel or person was notified of an alarm: its end is told only there. Kept for a day afterwards, for
    one that comes again and again (`subject`: what it is about)."""

    __tablename__ = "told_alarms"
    __table_args__ = (
        UniqueConstraint("alarm_id", "channel_id", name="uq_told_alarms_alarm_channel"),
        UniqueConstraint("alarm_id", "user_id", name="uq_told_alarms_alarm_user"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    alarm_id: Mapped[int] = mapped_column(ForeignKey("alarms.id", ondelete="CASCADE"))
    channel_id: Mapped[int | None] = mapped_column(ForeignKey("notice_channels.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    subject: Mapped[str] = mapped_column(String(48))
    kind: Mapped[str] = mapped_column(String(16))  # opened | flapping
    told_at: Mapped[datetime]
    closed_at: Mapped[datetime | None] = mapped_column(index=True)  # when its end was told, or passed over


class Digest(Base):
    """That the morning digest of this day (of the site) was made, whoever got one."""

    __tablename__ = "digests"

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(unique=True)
    made_at: Mapped[datetime] = mapped_column(index=True)
