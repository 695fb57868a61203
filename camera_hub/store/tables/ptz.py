"""What is kept of cameras that are steered."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base


class PtzCamera(Base):
    """What people have set for steering a camera, and whether it is being steered. No row: nothing of it."""

    __tablename__ = "ptz_cameras"

    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"), primary_key=True)
    # The preset to which the camera returns; None: the home position that the device itself has.
    home_token: Mapped[str | None] = mapped_column(String(128))
    home_seconds: Mapped[int | None]  # without a command until it returns; 0: never; None: ptz.return_home_seconds
    suspended_until: Mapped[datetime | None]  # until then it does not return
    # Preset token → [name that the device gave it then, name given by a person]: ONVIF cannot rename a preset without
    # storing the camera's present position in it.
    preset_names: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    # Since when it may be moved by this hub, or may not have returned home. A row with it at the hub's start is that
    # of a hub that died: the camera is stopped.
    steered_since: Mapped[datetime | None]
