"""What devices have recorded, and the texts in pictures."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from camera_hub.api.schemas.base import Answer, Id, RequestBody

CheckState = Literal["ok", "fault", "unknown"]


class RecordingDayAnswer(Answer):
    """A day of the site's calendar. `seconds` recorded of those `due` so far; null: recorded, how much is not known.
    `kept` false: it was recorded, and the device has it no more."""

    date: date
    seconds: int | None
    due: int
    gaps: int
    kept: bool


class RecordingAnswer(Answer):
    """A camera's recording as it was checked last. `problem`: why the device did not tell at the last check."""

    camera_id: int
    village_id: int
    device_id: int
    name: str
    device_name: str
    state: CheckState
    reason: str | None
    params: dict[str, str | int | float | bool]
    since: datetime | None  # since when it has been so
    unconfirmed: str | None  # found once, looked at again soon
    checked_at: datetime | None  # null: never
    told_at: datetime | None  # when the device told anything last
    problem: str | None
    oldest: datetime | None  # the beginning of the oldest recording
    latest: datetime | None
    kept_days: float | None  # from the oldest recording until now; null: not known
    recorded_s: int  # of the days below that are kept …
    due_s: int  # … and of which both are known
    disk: Literal["ok", "error", "none"] | None
    road: Literal["onvif", "hikvision", "dahua"] | None  # how the device was asked
    clock_offset_s: float | None  # by which the device's times were put right
    days: list[RecordingDayAnswer]  # the oldest first; days of which nothing is known are not there


class RecordingsAnswer(Answer):
    """`due_days`: that must be kept; `complete_percent`: of what was due that must be there. `first`, `last`: the days
    that are shown."""

    due_days: int
    complete_percent: float
    first: date
    last: date
    cameras: list[RecordingAnswer]


class CheckRecordings(RequestBody):
    camera_ids: Annotated[list[Id], Field(min_length=1, max_length=2000)]


class OsdCheckAnswer(Answer):
    """The texts in a camera's picture. `faults`: reasons, the weightiest first; `problem`: why nothing is known."""

    camera_id: int
    village_id: int
    device_id: int
    camera_name: str
    device_name: str
    state: CheckState
    faults: list[str]
    shown_name: str
    time_format: str | None  # null: no time is shown; "": the device does not say how
    lines: int  # of the name
    off_s: float | None  # by how much the time in the picture is off
    read_at: datetime | None
    problem: str | None


class OsdChecksAnswer(Answer):
    checked: int  # cameras whose texts are known …
    compliant: int  # … and as they should be
    limit_s: float  # by how much the time in the picture may be off
    cameras: list[OsdCheckAnswer]
