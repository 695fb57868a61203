"""Tours, templates of tours, and stops built from places."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from camera_hub.api.schemas.base import Answer, Count, Id, Layout, Name, PlaceClass, RequestBody, Role, Text
from camera_hub.api.schemas.ptz import PresetToken

Confirm = Literal["screen", "camera", "end"]
"""What an operator confirms at once: each screenful, each camera, or everything at the end."""
Interrupt = Literal["none", "critical", "major"]
"""Alarms of this severity or above interrupt a patrol."""
PerStop = Literal[1, 4, 9, 16]
Dwell = Annotated[int, Field(ge=3, le=3600)]
Title = Annotated[str, StringConstraints(max_length=64)]
TourKind = Annotated[str, StringConstraints(max_length=24, pattern=r"^[a-z_]+$")]

MAX_CAMERAS = 200 * 36
MAX_VILLAGES = 1000


class StopPresetBody(RequestBody):
    """The PTZ preset at which a stop shows one of its cameras."""

    camera_id: Id
    token: PresetToken
    name: Title = ""  # as the device calls it


class StopBody(RequestBody):
    """Exactly one of a camera, a scene, and a layout with its cameras (null: an empty tile); for how many seconds."""

    camera_id: Id | None = None
    scene_id: Id | None = None
    layout: Layout | None = None
    cameras: list[Id | None] = Field(default_factory=list, max_length=36)
    title: Title = ""  # of a stop of several cameras; "" names it by its cameras
    dwell_s: Dwell = 15
    note: Text = ""  # what to look at
    presets: list[StopPresetBody] = Field(default_factory=list, max_length=36)  # at most one per camera
    key: bool = False  # each of its cameras is confirmed singly


class TourSourceBody(RequestBody):
    """The places that a tour is built from, so that new cameras there can be offered later."""

    place_classes: list[PlaceClass] = Field(default_factory=list, max_length=16)  # empty: all
    village_ids: list[Id] = Field(default_factory=list, max_length=MAX_VILLAGES)  # empty: all
    per_stop: PerStop = 1
    dwell_s: Dwell = 15
    left_out: list[Id] = Field(default_factory=list, max_length=MAX_CAMERAS)  # cameras there that are not wanted


class TourBody(RequestBody):
    name: Name
    note: Text = ""
    kind: TourKind | None = None  # the template or place class that it was made from
    roles: list[Role] = Field(default_factory=list, max_length=6)  # that may run it; empty: all that run tours
    edit_roles: list[Role] = Field(default_factory=list, max_length=6)  # that may change it; empty: all that edit tours
    confirm: Confirm = "screen"
    least_s: int = Field(3, ge=1, le=60)  # seconds that a camera must be visible to count as seen
    interrupt: Interrupt = "none"
    source: TourSourceBody | None = None
    stops: list[StopBody] = Field(min_length=1, max_length=200)


class ChangeTour(TourBody):
    """`revision`: of the tour that the user changed. An outdated one gets 409 with the tour as it is now."""

    revision: Count


class CopyTour(RequestBody):
    name: Name


class ArchiveTour(RequestBody):
    archived: bool = True


class StopPresetAnswer(Answer):
    """`shown` false: the scene does not show this camera (any more); the preset is kept for when it does again."""

    camera_id: int
    token: str
    name: str
    shown: bool


class StopAnswer(Answer):
    """A stop. `layout` and `cameras` tell what it shows, whichever kind of stop it is."""

    position: int
    camera_id: int | None
    scene_id: int | None
    layout: Layout
    cameras: list[int | None]
    title: str
    name: str
    more: int  # cameras beside the one that it is named after
    dwell_s: int
    note: str
    presets: list[StopPresetAnswer]  # in the order of the tiles
    key: bool


class TourSourceAnswer(Answer):
    place_classes: list[PlaceClass]
    village_ids: list[int]
    per_stop: PerStop
    dwell_s: int
    left_out: list[int]


class TourAnswer(Answer):
    """A tour and its stops. `duration_s` is one lap."""

    id: int
    name: str
    note: str
    kind: str | None
    roles: list[Role]
    edit_roles: list[Role]
    confirm: Confirm
    least_s: int
    interrupt: Interrupt
    source: TourSourceAnswer | None
    owner_id: int | None
    owner_name: str | None
    revision: int
    changed_name: str
    changed_at: datetime
    archived_at: datetime | None
    stops: list[StopAnswer]
    duration_s: int
    created_at: datetime
    last_run_at: datetime | None


class FromPlacesBody(RequestBody):
    """Which places stops are to be built from; nothing is stored. `without`: cameras that the tour has already."""

    place_classes: list[PlaceClass] = Field(default_factory=list, max_length=16)  # empty: all
    village_ids: list[Id] = Field(default_factory=list, max_length=MAX_VILLAGES)  # empty: all
    per_stop: PerStop = 1
    dwell_s: Dwell = 15
    without: list[Id] = Field(default_factory=list, max_length=MAX_CAMERAS)


class PlaceStopAnswer(Answer):
    camera_id: int | None
    layout: Layout | None
    cameras: list[int | None]
    title: str
    dwell_s: int


class PlaceStopsAnswer(Answer):
    """Stops in the order in which the places lie. `left`: cameras that found no room in a tour of `max_stops`."""

    stops: list[PlaceStopAnswer]
    cameras: int
    left: int
    max_stops: int


class SeasonAnswer(Answer):
    """First and last day, each as month and day: "06-01"."""

    first: str
    last: str


class SuggestedPlanAnswer(Answer):
    """When such a tour is usually due. `weekdays`: 0 (Monday) to 6; empty: each day. No season: the whole year."""

    times: list[str]
    every_minutes: int | None
    weekdays: list[int]
    seasons: list[SeasonAnswer]


class TourTemplateAnswer(Answer):
    """A template of tours. `cameras`: how many approved cameras stand at such places now."""

    kind: str
    place_classes: list[PlaceClass]
    per_stop: PerStop
    dwell_s: int
    confirm: Confirm
    least_s: int
    interrupt: Interrupt
    plan: SuggestedPlanAnswer
    cameras: int
