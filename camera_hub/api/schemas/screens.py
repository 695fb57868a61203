"""Screens: what hangs on the wall for everybody in the room."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from camera_hub.api.schemas.base import Answer, CameraState, Count, Id, Layout, Name, RequestBody, Text
from camera_hub.api.schemas.scenes import CarouselBody, Turn
from camera_hub.patrol.layout import MOST_TILES


class ScreenBody(RequestBody):
    name: Name
    place: Annotated[Text, Field(max_length=64)] = ""  # where it hangs
    layout: Layout = "9"  # its tiles while single cameras are put on it
    portrait: bool = False
    streams: int = Field(9, ge=1, le=36)  # how many cameras its machine plays at once; the others stand still
    captions: bool = True  # names of the cameras in their tiles
    clock: bool = False  # the time, and the screen's name, in a corner
    locked: bool = False  # only who manages screens may change its content


class NothingBody(RequestBody):
    kind: Literal["none"]


class SceneOnScreen(RequestBody):
    kind: Literal["scene"]
    scene_id: Id


class CamerasOnScreen(RequestBody):
    """Cameras in the tiles of a layout; tiles that are not given are empty. `carousels`, `magnify_s`: as of a scene."""

    kind: Literal["cameras"]
    layout: Layout
    cameras: list[Id | None] = Field(max_length=MOST_TILES)
    carousels: dict[Annotated[int, Field(ge=0, lt=MOST_TILES)], CarouselBody] = Field(
        default_factory=dict, max_length=MOST_TILES
    )
    magnify_s: Turn | None = None


class RunOnScreen(RequestBody):
    kind: Literal["run"]
    run_id: Id


class TileOnScreen(RequestBody):
    """A camera for one tile of what the screen shows; null empties it. A scene becomes single cameras by that."""

    kind: Literal["tile"]
    tile: int = Field(ge=0, lt=36)
    camera_id: Id | None


class ShowOnScreen(RequestBody):
    """`revision` is that of the screen as the user saw it; an outdated one gets 409 with the new state."""

    revision: Count
    content: Annotated[
        NothingBody | SceneOnScreen | CamerasOnScreen | RunOnScreen | TileOnScreen, Field(discriminator="kind")
    ]


class TakeBack(RequestBody):
    revision: Count


class EnrolBody(RequestBody):
    """The code that the page of the screens shows; blanks in it do not matter."""

    code: str = Field(max_length=32, pattern=r"^[0-9 ]*$")


class ScreenCodeAnswer(Answer):
    """Shown once."""

    code: str
    expires_at: datetime


class ContentAnswer(Answer):
    """`name`: of the scene, or of the run's tour."""

    kind: Literal["none", "scene", "cameras", "run"]
    scene_id: int | None = None
    run_id: int | None = None
    name: str = ""


class ScreenCameraAnswer(Answer):
    id: int
    name: str
    village: str
    state: CameraState
    picture_at: datetime | None  # of the stored picture
    fault: str | None  # what the rounds know to be wrong with it


class DeadAnswer(Answer):
    id: int
    reason: str


class ScreenRunAnswer(Answer):
    """The run that a screen shows, as it is at `now` (hub time)."""

    id: int
    tour_name: str
    state: str
    position: int
    stop_count: int
    stop_name: str
    stop_more: int  # cameras beside the one that it is named after
    time_left_s: float
    now: datetime
    dead: list[DeadAnswer]  # cameras of the present stop that are skipped


class TurningAnswer(Answer):
    """The cameras that a tile turns through, each for `seconds`: every page by the hub's time, so that all show the
    same."""

    tile: int
    seconds: int
    cameras: list[ScreenCameraAnswer]


class PictureAnswer(Answer):
    """What is in which tile now; null: nothing, or a carousel. `magnify_s`: how long each small tile is large in turn,
    by the hub's time; null: not."""

    layout: Layout
    tiles: list[ScreenCameraAnswer | None]
    carousels: list[TurningAnswer]
    magnify_s: int | None
    run: ScreenRunAnswer | None


class ScreenAnswer(Answer):
    """A screen. `before`: what taking back returns to; null: there is nothing to take back.

    `since`: since when its browser is connected, or when it was last connected; null: never. `pages` over 1: several
    browsers show it with the same token.
    """

    id: int
    name: str
    place: str
    layout: Layout
    portrait: bool
    streams: int
    captions: bool
    clock: bool
    locked: bool
    revision: int
    content: ContentAnswer
    picture: PictureAnswer
    before: ContentAnswer | None
    changed_name: str
    changed_at: datetime | None
    enrolled_at: datetime | None
    code_until: datetime | None
    connected: bool
    since: datetime | None
    pages: int
    address: str


class ScreenPage(Answer):
    """What a screen's own page needs."""

    id: int
    name: str
    place: str
    portrait: bool
    streams: int
    captions: bool
    clock: bool
    revision: int
    picture: PictureAnswer
    time_zone: str
