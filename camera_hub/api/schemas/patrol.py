"""Scenes."""

from datetime import datetime

from pydantic import Field

from camera_hub.api.schemas.base import Answer, Id, Layout, Name, RequestBody


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
