"""The map and coverage. A point is [longitude, latitude], in degrees of WGS-84."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from camera_hub.api.schemas.base import Answer, CameraState, Id, Name, PlaceClass, RequestBody
from camera_hub.api.schemas.ledger import Datum, ServiceState
from camera_hub.cameras.map.shapes import MAX_VERTICES

PlaceKind = Literal["point", "line", "area"]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Latitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
"""As wide as a longitude, so that swapped ones are told so where they are judged (map.shapes, map.base_picture)."""
Degree = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Point = tuple[Degree, Degree]
Corners = tuple[Point, Point]
Geometry = Annotated[list[Point], Field(min_length=1, max_length=MAX_VERTICES + 1)]
Direction = Annotated[float, Field(ge=0, lt=360, allow_inf_nan=False)]
ViewAngle = Annotated[float, Field(ge=1, le=360, allow_inf_nan=False)]
Reach = Annotated[float, Field(ge=1, le=2000, allow_inf_nan=False)]
Opacity = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class PlacementWarningAnswer(Answer):
    """Something lies outside the township, or outside its village's outline; it was stored nevertheless.

    `datum`: it would lie inside if it was picked from a map of this datum, at `converted`: offer to convert it.
    """

    why: Literal["township", "village"]
    distance_m: int
    datum: Literal["gcj02", "bd09"] | None
    converted: tuple[float, float] | None


class BasePictureAnswer(Answer):
    """The base picture; `corners`: south-west, north-east. GET /api/map/base.jpg?id={id} never changes."""

    id: int
    corners: tuple[tuple[float, float], tuple[float, float]]
    width: int
    height: int
    opacity: float
    at: datetime
    user_name: str


class PlacedBaseAnswer(BasePictureAnswer):
    warning: PlacementWarningAnswer | None


class ChangeBase(RequestBody):
    corners: Corners | None = None
    opacity: Opacity | None = None


class MapVillageAnswer(Answer):
    """A village: where its name stands, and its outline."""

    id: int
    name: str
    longitude: float | None
    latitude: float | None
    outline: list[tuple[float, float]] | None


class KeyPlaceAnswer(Answer):
    """A point, line or area that cameras should cover; areas are not closed. `village_id` null: the whole township's.

    `reach_m`: how near a camera must be to count for it; null: as far as it reaches.
    """

    id: int
    village_id: int | None
    name: str
    place_class: PlaceClass
    kind: PlaceKind
    geometry: list[tuple[float, float]]
    reach_m: float | None
    changed_at: datetime
    changed_by: str


class PlacedKeyPlaceAnswer(KeyPlaceAnswer):
    warning: PlacementWarningAnswer | None


class MapAnswer(Answer):
    """The map without its cameras. `bounds`: what there is to see, null where nothing has a position.

    `reach_m`, `angle_deg`: what counts for cameras whose own are not known. `map` messages of the WebSocket tell
    changes: ids "base" (BasePictureAnswer), "place:<id>" (KeyPlaceAnswer), "village:<id>" (MapVillageAnswer); null: it
    is gone.
    """

    base: BasePictureAnswer | None
    bounds: tuple[tuple[float, float], tuple[float, float]] | None
    villages: list[MapVillageAnswer]
    places: list[KeyPlaceAnswer]
    reach_m: float
    angle_deg: float


class CameraPositionAnswer(Answer):
    """A camera on the map. `direction_deg`: clockwise from north, null: all around, or not known. `camera_position`
    messages of the WebSocket tell changes, null: it is not on the map any more."""

    id: int
    village_id: int
    longitude: float
    latitude: float
    direction_deg: float | None
    angle_deg: float | None
    reach_m: float | None
    place_class: PlaceClass
    state: CameraState
    service_state: ServiceState


class PlacedCameraAnswer(Answer):
    """Where the camera is now: null when it was taken off the map."""

    position: CameraPositionAnswer | None
    warning: PlacementWarningAnswer | None


class PlaceCamera(RequestBody):
    """Put a camera on the map, turn it, or take it off (longitude and latitude null). What is left out stays as it is,
    null clears. The camera's file is changed with it: coordinates as typed, the nearest of the eight directions."""

    longitude: Longitude | None = None
    latitude: Latitude | None = None
    datum: Datum = "wgs84"
    direction_deg: Direction | None = None
    angle_deg: ViewAngle | None = None
    reach_m: Reach | None = None


class NewKeyPlace(RequestBody):
    village_id: Id | None = None
    name: Name
    place_class: PlaceClass
    kind: PlaceKind
    geometry: Geometry
    reach_m: Reach | None = None


class ChangeKeyPlace(RequestBody):
    """What is left out stays as it is; `village_id` and `reach_m` null clear. Kind and geometry go together."""

    village_id: Id | None = None
    name: Name | None = None
    place_class: PlaceClass | None = None
    kind: PlaceKind | None = None
    geometry: Geometry | None = None
    reach_m: Reach | None = None


class CoverageCountAnswer(Answer):
    """How many places are covered (at least `covered_from` of them), partly, uncovered (at most `uncovered_until`);
    `share`: Σ covered ÷ Σ total."""

    covered: int
    partly: int
    uncovered: int
    share: float


class CoverageRowAnswer(Answer):
    """The places of one class and kind. `total`: number of points, metres of lines, square metres of areas.

    `installed`: by all cameras that count; `working`: by those whose health is good now.
    """

    place_class: PlaceClass
    kind: PlaceKind
    count: int
    total: float
    installed: CoverageCountAnswer
    working: CoverageCountAnswer


class PlaceCoverageAnswer(Answer):
    """`total`, `covered`, `working`: as the row's total. `camera_ids`: those that cover any of it. `gaps`: what no
    camera covers: a point, lines, or areas (not closed), like the place itself; the largest of them."""

    id: int
    total: float
    covered: float
    working: float
    share: float
    working_share: float
    camera_ids: list[int]
    gaps: list[list[tuple[float, float]]]


class CoverageFormulaAnswer(Answer):
    """What the figures rest on: share = covered ÷ total, where several cameras see the same it counts once.

    Cameras count that are approved, not removed and on the map, each with its sector; those without a direction as
    seeing all around, those without reach or angle with these. Working: in use, and its last looks were good. A place
    is covered from `covered_from` on, uncovered until `uncovered_until`; an area's share may be off by `area_error`.
    """

    reach_m: float
    angle_deg: float
    covered_from: float
    uncovered_until: float
    area_error: float


class CoverageAnswer(Answer):
    """`cameras`: how many count; `cameras_without_position`: approved ones that are not on the map;
    `cameras_without_direction`: those of the counting ones that count as seeing all around."""

    rows: list[CoverageRowAnswer]
    places: list[PlaceCoverageAnswer]
    cameras: int
    cameras_without_position: int
    cameras_without_direction: int
    gaps_left_out: int
    formula: CoverageFormulaAnswer
