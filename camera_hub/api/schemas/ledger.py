"""The ledger, one camera one file."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from camera_hub.api.schemas.base import Answer, CameraState, Id, Name, PlaceClass, RequestBody

FieldKey = Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=r"^[a-z0-9_]+$")]
FieldValue = Annotated[str, StringConstraints(max_length=1000)]
FieldValues = Annotated[dict[Annotated[str, Field(max_length=32)], FieldValue], Field(max_length=100)]
ServiceState = Literal["in_use", "repair", "removed"]
FilingState = Literal["filed", "submitted", "due", "overdue", "not_needed", "not_in_use"]
PhotoKind = Literal["close_up", "location", "view", "sign"]
Datum = Literal["wgs84", "gcj02", "bd09"]


class CodeAnswer(Answer):
    value: str
    zh: str
    en: str


class LedgerFieldAnswer(Answer):
    """A field of the file. `source`: "typed"; "hub": the hub knows it (`settable`: may be typed where it does not);
    "measured": for reports; "never": logins, which never leave the hub. `column`: the county's sheet has it."""

    key: str
    header: str
    english: str
    group: Literal["place", "people", "technique", "filing", "state", "figures"]
    kind: Literal[
        "text", "code", "codes", "number", "date", "phone", "gb_id", "division", "mac", "longitude", "latitude"
    ]
    required: bool
    source: Literal["typed", "hub", "measured", "never"]
    settable: bool
    column: bool
    max_length: int
    codes: list[CodeAnswer]


class FilingAnswer(Answer):
    """Filing with the police (Order 799, Article 14). `days_left` is negative when it is overdue."""

    state: FilingState
    due_on: date | None
    days_left: int | None


class LedgerRowAnswer(Answer):
    """A camera's file in a list. `percent`: mandatory fields filled in ÷ asked; `photos`: how many of each kind."""

    camera_id: int
    village_id: int
    device_id: int
    name: str
    place_class: PlaceClass
    state: CameraState
    service_state: ServiceState
    connected: bool
    percent: int
    missing: list[str]
    filing: FilingAnswer
    photos: dict[str, int]
    gb_id: str
    pole_number: str
    landmark: str
    manager: str
    manager_phone: str
    maintainer_unit: str
    maintainer_phone: str
    no_access_reason: str
    longitude: float | None  # WGS-84
    latitude: float | None
    updated_at: datetime | None


class LedgerFileAnswer(LedgerRowAnswer):
    """A camera's file. `values`: what was typed and what the hub knows, by key (`known`: those of the hub); coordinates
    as they were typed, in `values.datum`."""

    values: dict[str, str]
    known: list[str]
    filled: int
    asked: int


class LedgerPageAnswer(Answer):
    """Files from `offset` on; of all `total` of them, `missing` says how many lack which field."""

    files: list[LedgerRowAnswer]
    total: int
    missing: dict[str, int]


class VillageLedgerAnswer(Answer):
    """How a village's files stand; cameras that are retired or removed are not counted."""

    village_id: int
    name: str
    cameras: int
    percent: int
    complete: int
    not_connected: int
    repair: int
    filed: int
    filing_overdue: int


class ChangeFile(RequestBody):
    """Values by key, as typed; "" clears one."""

    values: FieldValues


class ChangeFiles(RequestBody):
    """The same for several cameras, all or nothing."""

    ids: list[Id] = Field(min_length=1, max_length=2000)
    values: FieldValues = Field(default={})
    place_class: PlaceClass | None = None


class NewUnconnectedCamera(RequestBody):
    """A camera that the hub cannot reach, and that only has a file."""

    village_id: Id
    name: Name
    place_class: PlaceClass = "other"
    values: FieldValues = Field(default={})


class LedgerChangeAnswer(Answer):
    """A value that was changed; `on_behalf`: by township staff for the village."""

    id: int
    at: datetime
    user_name: str
    on_behalf: bool
    field: str
    old: str
    new: str


class PhotoAnswer(Answer):
    """A photo; GET /api/ledger/photos/{id} is its JPEG."""

    id: int
    camera_id: int
    kind: PhotoKind
    at: datetime
    user_name: str
    width: int
    height: int
    size: int


class PickedPosition(RequestBody):
    """A point in degrees, as it was picked on a map."""

    longitude: float = Field(ge=-180, le=180)
    latitude: float = Field(ge=-90, le=90)
    datum: Datum = "wgs84"


class PositionAnswer(Answer):
    """A point in WGS-84; `inside`: in the township's area (true where none is set)."""

    longitude: float
    latitude: float
    inside: bool
