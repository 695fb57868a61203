"""Scenes."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from camera_hub.api.schemas.base import Answer, Id, Layout, Name, PlaceClass, RequestBody
from camera_hub.patrol.layout import MOST_TILES
from camera_hub.patrol.tours.carousels import LEAST_SECONDS, MOST_CAMERAS, MOST_SECONDS, Carousel
from camera_hub.patrol.tours.scenes import NewScene

Turn = Annotated[int, Field(ge=LEAST_SECONDS, le=MOST_SECONDS)]
"""Seconds that a camera stays before the next one comes."""


class CarouselBody(RequestBody):
    """What a tile turns through: listed cameras, all of a place class or all of a village; exactly one of them."""

    cameras: list[Id] = Field(default_factory=list, max_length=MOST_CAMERAS)
    place_class: PlaceClass | None = None
    village_id: Id | None = None
    seconds: Turn = 15

    def wanted(self) -> Carousel:
        """As patrol takes it."""
        return Carousel(self.seconds, tuple(dict.fromkeys(self.cameras)), self.place_class, self.village_id)


class SceneBody(RequestBody):
    """`carousels`: by the index of their tiles, from 0. `magnify_s`: how long each small tile is large in turn."""

    name: Name
    layout: Layout
    cameras: list[Id | None] = Field(max_length=MOST_TILES)
    carousels: dict[Annotated[int, Field(ge=0, lt=MOST_TILES)], CarouselBody] = Field(
        default_factory=dict, max_length=MOST_TILES
    )
    magnify_s: Turn | None = None

    def wanted(self) -> NewScene:
        """As patrol takes it."""
        turning = {tile: one.wanted() for tile, one in self.carousels.items()}
        return NewScene(self.name, self.layout, self.cameras, turning, self.magnify_s)


class CarouselAnswer(Answer):
    """As CarouselBody."""

    cameras: list[int] = Field(default_factory=list)
    place_class: PlaceClass | None = None
    village_id: int | None = None
    seconds: int


class SceneAnswer(Answer):
    id: int
    name: str
    layout: Layout
    cameras: list[int | None]
    carousels: dict[int, CarouselAnswer]
    magnify_s: int | None
    owner_id: int | None
    created_at: datetime
