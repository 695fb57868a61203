"""The map: its base picture, key places, and how far cameras see."""

from datetime import datetime
from typing import Literal

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base


class BasePicture(Base):
    """The township's drawn map under the cameras: data_dir/map/<id>.jpg. There is one row at most; a new picture gets a
    new id, so that browsers may keep each for ever.
    """

    __tablename__ = "base_pictures"

    id: Mapped[int] = mapped_column(primary_key=True)
    west: Mapped[float]  # where its corners lie: WGS-84, degrees
    south: Mapped[float]
    east: Mapped[float]
    north: Mapped[float]
    width: Mapped[int]  # pixels
    height: Mapped[int]
    size: Mapped[int]  # bytes
    opacity: Mapped[float]  # 0 … 1
    at: Mapped[datetime]  # when it was uploaded, and by whom
    user_name: Mapped[str] = mapped_column(String(64))


class KeyPlace(Base):
    """A point, line or area that cameras should cover."""

    __tablename__ = "key_places"

    id: Mapped[int] = mapped_column(primary_key=True)
    # None: the whole township's
    village_id: Mapped[int | None] = mapped_column(ForeignKey("villages.id", ondelete="RESTRICT"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    place_class: Mapped[str] = mapped_column(String(24))  # as Camera.place_class
    kind: Mapped[Literal["point", "line", "area"]] = mapped_column(String(8))
    geometry: Mapped[list[list[float]]] = mapped_column(JSON)  # [[longitude, latitude], …]; areas are not closed
    reach_m: Mapped[float | None]  # how near a camera must be to count for it; None: as far as the camera reaches
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(String(64))


class FieldOfView(Base):
    """What a camera sees beyond what its file says: the exact direction, the angle, the reach. None: not known."""

    __tablename__ = "fields_of_view"

    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"), primary_key=True)
    direction_deg: Mapped[float | None]  # clockwise from north; counts while the file's direction is the nearest to it
    angle_deg: Mapped[float | None]
    reach_m: Mapped[float | None]
