"""Checks of the county's lists, and what is answered to each row."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from camera_hub.api.schemas.base import Answer, Id, RequestBody

CountyConclusion = Literal["agrees", "repaired", "seen_well", "excluded", "not_known", "ambiguous", "no_camera"]
"""agrees: faulty then and now · repaired: faulty then, well now · seen_well: it was well then · excluded: an exclusion
was in force then · not_known: not observed then · ambiguous: fits several cameras · no_camera: fits none."""
CountyField = Literal["gb_id", "name", "village", "host", "channel", "address", "time", "cause"]
CountyNote = Literal[
    "id_lost", "id_wrong", "time_unread", "name_differs", "other_fault", "hub_off", "not_in_use", "listed_well"
]


class CountyColumnAnswer(Answer):
    """A column as it came; `field`: what it was read as, None: it is only kept."""

    header: str
    field: CountyField | None


class CountyCheckAnswer(Answer):
    """A list. `judged`: rows of `total` that have their answer already; `counts`: rows by conclusion; `listed_at`: the
    time that holds for rows without one of their own (None: when it was uploaded)."""

    id: int
    name: str
    sheet: str
    columns: list[CountyColumnAnswer]
    listed_at: datetime | None
    total: int
    judged: int
    counts: dict[CountyConclusion, int]
    user: str
    created_at: datetime


class SeenStateAnswer(Answer):
    """A camera's state in one word; of a fault, its aspect, cause (errors.Reason) and since when."""

    state: Literal["ok", "fault", "unknown"]
    aspect: str | None
    cause: str | None
    since: datetime | None


class CountyExclusionAnswer(Answer):
    """The exclusion that was in force at the time in question."""

    id: int
    kind: str
    reason: str
    until: datetime


class CountyRowResult(Answer):
    """What we say. `time`: the time in question (`whole_day`: that whole day, from then on); `then`, `now`: the
    camera's state; None where no camera was matched. `seen_well_at`: the last good look until then; `alarm_id`: the
    open alarm (`alarm_open`), else the one that covered it then, with a proof picture of it."""

    time: datetime
    whole_day: bool
    notes: list[CountyNote]
    camera: str | None = None
    village: str | None = None
    then: SeenStateAnswer | None = None
    now: SeenStateAnswer | None = None
    repaired_at: datetime | None = None
    seen_well_at: datetime | None = None
    exclusion: CountyExclusionAnswer | None = None
    alarm_id: int | None = None
    alarm_open: bool = False
    picture_id: int | None = None


class CountyCandidateAnswer(Answer):
    """A camera that a row may mean."""

    id: int
    name: str
    village: str


class CountyRowAnswer(Answer):
    """A row: its texts as they came, the camera it means and how that was found (`matched_name`: who said so), the
    answer (None: it is not judged yet)."""

    number: int
    texts: dict[CountyField, str]
    camera_id: int | None
    matched_by: Literal["gb_id", "name", "host", "address", "hand"] | None
    matched_name: str | None
    candidates: list[CountyCandidateAnswer]
    conclusion: CountyConclusion | None
    answer: CountyRowResult | None


class CountyMatch(RequestBody):
    """Which camera a row means; None: none of ours."""

    camera_id: Annotated[Id | None, Field()]
