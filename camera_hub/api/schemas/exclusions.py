"""Exclusions: what is asked for, and how they are listed."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from camera_hub.api.schemas.base import Answer, Id, Moment, RequestBody, Text

ExclusionLevel = Literal["camera", "device", "village"]
ExclusionKind = Literal["maintenance", "repair", "removed", "power_cut", "sleep", "other"]
ExclusionState = Literal["asked", "lapsed", "declined", "planned", "in_force", "ended"]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5)]


class Weekly(RequestBody):
    """A window of each week by the site's wall clock. One that ends at or before its begin ends on the next day."""

    days: Annotated[list[Annotated[int, Field(ge=0, le=6)]], Field(min_length=1, max_length=7)]  # 0 = Monday
    from_: TimeOfDay = Field(alias="from")
    to: TimeOfDay


class AskExclusion(RequestBody):
    """An exclusion for each of the ids, which are of cameras, devices or villages by `level`."""

    level: ExclusionLevel
    ids: Annotated[list[Id], Field(min_length=1, max_length=500)]
    kind: ExclusionKind
    reason: Annotated[Text, Field(min_length=1)]
    since: Moment
    until: Moment
    weekly: Weekly | None = None


class ExclusionIds(RequestBody):
    """Several exclusions."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=500)]


class WeeklyAnswer(Answer):
    days: list[int]
    from_: str = Field(alias="from")
    to: str


class ExclusionAnswer(Answer):
    """An exclusion. `holds`: its cameras are not judged at this moment; `cameras`: how many in use it concerns; `late`:
    it was approved after it had begun. state: asked (waits for approval), lapsed (still does, its time is over),
    declined (refused or withdrawn), planned, in_force, ended."""

    id: int
    level: ExclusionLevel
    village_id: int
    village_name: str
    device_id: int | None
    camera_id: int | None
    name: str
    cameras: int
    kind: ExclusionKind
    reason: str
    since: datetime
    until: datetime
    weekly: WeeklyAnswer | None
    created_name: str
    created_at: datetime
    approved_name: str | None
    approved_at: datetime | None
    ended_name: str | None
    ended_at: datetime | None
    state: ExclusionState
    holds: bool
    late: bool


class ExclusionCountsAnswer(Answer):
    """How many wait for approval, are planned and in force."""

    asked: int
    planned: int
    in_force: int
