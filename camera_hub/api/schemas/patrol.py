"""Scenes and tours."""

from datetime import datetime

from pydantic import Field

from camera_hub.api.schemas.base import Answer, Id, Layout, Name, RequestBody, Text
from camera_hub.api.schemas.ptz import PresetToken


class SceneBody(RequestBody):
    name: Name
    layout: Layout
    cameras: list[Id | None] = Field(max_length=36)


class SceneAnswer(Answer):
    id: int
    name: str
    layout: Layout
    cameras: list[int | None]
    owner_id: int | None
    created_at: datetime


class StopBody(RequestBody):
    """A camera or a scene (exactly one), and how long it is shown, in seconds."""

    camera_id: Id | None = None
    scene_id: Id | None = None
    dwell_s: int = Field(15, ge=3, le=3600)
    note: Text = ""
    preset: PresetToken | None = None  # of a camera: the PTZ preset at which it is shown


class TourBody(RequestBody):
    name: Name
    note: Text = ""
    stops: list[StopBody] = Field(min_length=1, max_length=200)


class StopAnswer(Answer):
    position: int
    camera_id: int | None
    scene_id: int | None
    name: str
    dwell_s: int
    note: str
    preset: str | None


class TourAnswer(Answer):
    id: int
    name: str
    note: str
    stops: list[StopAnswer]
    duration_s: int
    created_at: datetime
    last_run_at: datetime | None
