"""Candidates: devices that somebody wants in and that are not registered yet."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base, Sealed


class IntakeCandidate(Base):
    """A device that waits in its village's inbox because it could not be registered: why, and what was wanted.

    It is deleted as soon as its device is registered, or when somebody dismisses it.
    """

    __tablename__ = "candidates"

    id: Mapped[int] = mapped_column(primary_key=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("villages.id", ondelete="RESTRICT"), index=True)
    host: Mapped[str] = mapped_column(String(255))
    port: Mapped[int | None]  # of the ONVIF service; None: the usual ones are tried
    rtsp_port: Mapped[int | None]
    endpoint: Mapped[str] = mapped_column(String(128), default="")  # WS-Discovery EPR, where a search found it
    name: Mapped[str] = mapped_column(String(128), default="")
    username: Mapped[str] = mapped_column(String(128), default="")
    profile_id: Mapped[int | None]  # the login profile that was named instead of a login
    # The password and the stream addresses, which may hold another one, as JSON; None: there is neither.
    sealed: Mapped[bytes | None] = mapped_column(Sealed)
    shown_url: Mapped[str] = mapped_column(String(512), default="")  # the stream's address, redacted
    cameras: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)  # intake.wanted.WantedCamera
    source: Mapped[str] = mapped_column(String(16))  # search | address | sheet
    # Why it could not be registered, as of the last try.
    reason: Mapped[str] = mapped_column(String(32))  # errors.Reason
    detail: Mapped[str] = mapped_column(String(512), default="")
    params: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    attempts: Mapped[int] = mapped_column(default=0)
    tried_at: Mapped[datetime]
    next_try_at: Mapped[datetime | None] = mapped_column(index=True)  # by itself; None: only when somebody asks
    added_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    added_by_name: Mapped[str] = mapped_column(String(64), default="")
    on_behalf: Mapped[bool] = mapped_column(default=False)  # added by township staff for the village
    created_at: Mapped[datetime]
