"""The tokens of players (RTSP out, WHEP), and the register of their sessions."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base


class StreamToken(Base):
    """A player's access to cameras: those in `cameras`, or of one village, or all. Only the SHA-256 is stored."""

    __tablename__ = "stream_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    village_id: Mapped[int | None] = mapped_column(ForeignKey("villages.id", ondelete="RESTRICT"))
    cameras: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))
    max_sessions: Mapped[int]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_name: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    purpose: Mapped[str] = mapped_column(String(8), default="record", server_default="record")  # record | watch
    sound: Mapped[bool] = mapped_column(default=False, server_default=false())


class StreamSession(Base):
    """One player's session with one camera, from its authorization to its end. Names are stored as they were then.

    `seen_at` and `bytes` are updated from time to time while it runs: after a power cut they count as its end.
    """

    __tablename__ = "stream_sessions"
    __table_args__ = (Index("ix_stream_sessions_started", "started_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token_id: Mapped[int] = mapped_column(ForeignKey("stream_tokens.id", ondelete="RESTRICT"), index=True)
    camera_id: Mapped[int | None] = mapped_column(ForeignKey("cameras.id", ondelete="SET NULL"))
    camera_name: Mapped[str] = mapped_column(String(128))
    village_name: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(8))  # main | sub
    address: Mapped[str] = mapped_column(String(64))  # of the player
    agent: Mapped[str] = mapped_column(String(128), default="")
    transport: Mapped[str | None] = mapped_column(String(8))  # tcp | udp | webrtc
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(index=True)
    end_reason: Mapped[str | None] = mapped_column(String(32))
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    dropped_frames: Mapped[int] = mapped_column(default=0)
