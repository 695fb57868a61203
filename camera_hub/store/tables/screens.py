"""Screens: browsers that show pictures for everybody in the room, and what they show."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base


class Screen(Base):
    """A named screen, and the browser that shows it.

    `content` is what it shows, `past` what it showed before, newest last (patrol.screens.contents):
    {kind: none} | {kind: scene, scene_id} | {kind: cameras, layout, cameras, carousels} | {kind: run, run_id}.
    Of the code by which a browser is enrolled, and of the token that it gets for it, only the SHA-256 is stored.
    """

    __tablename__ = "screens"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    place: Mapped[str] = mapped_column(String(64), default="")  # where it hangs
    layout: Mapped[str] = mapped_column(String(8), default="9")  # its tiles while single cameras are put on it
    portrait: Mapped[bool] = mapped_column(default=False)  # hung upright
    streams: Mapped[int] = mapped_column(default=9)  # how many cameras its machine plays at once; others stand still
    captions: Mapped[bool] = mapped_column(default=True)  # names of the cameras in their tiles
    clock: Mapped[bool] = mapped_column(default=False)  # the time, and the screen's name, in a corner
    locked: Mapped[bool] = mapped_column(default=False)  # only who manages screens may change its content
    content: Mapped[dict[str, Any]] = mapped_column(JSON, default=lambda: {"kind": "none"})
    past: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    revision: Mapped[int] = mapped_column(default=0)  # of two people who change it at once, the second gets a conflict
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    changed_name: Mapped[str] = mapped_column(String(64), default="")  # empty: the hub itself
    changed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    code_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    code_expires_at: Mapped[datetime | None]
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    enrolled_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]  # when its browser was last connected
    address: Mapped[str] = mapped_column(String(64), default="")  # from where
