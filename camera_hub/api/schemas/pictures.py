"""Reference pictures, and the pictures that are kept with alarms."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from camera_hub.api.schemas.base import Answer, RequestBody

Profile = Literal["day", "night"]


class ReferenceAnswer(Answer):
    """`pictures`: how many agreed with it; `set_name`: who gave it, null: learnt."""

    state: Literal["learning", "active", "questioned"]
    at: datetime | None  # when its picture was taken; null while it is learnt
    picture_url: str | None
    pictures: int
    set_name: str | None
    differs_since: datetime | None
    score: float | None  # of the last picture that differed


class ReferenceQuestion(Answer):
    """Is this the new normal?"""

    profile: Profile
    since: datetime
    score: float
    look_at: datetime | None
    look_url: str | None  # the picture that may be taken as the new reference


class ReferencesAnswer(Answer):
    camera_id: int
    day: ReferenceAnswer | None
    night: ReferenceAnswer | None
    question: ReferenceQuestion | None


class NewReference(RequestBody):
    """What the camera shows is right. `from`: a fresh picture, or the last one that differed."""

    profile: Profile
    given_from: Literal["now", "look"] = Field("now", alias="from")


class AlarmPictureAnswer(Answer):
    """`scores`: 0 … 100 by Reason, below 60 is a fault; of the look that brought the picture."""

    id: int
    camera_id: int
    camera_name: str
    kind: Literal["reference", "present", "repair", "last_good"]
    at: datetime  # when it was taken
    scores: dict[str, float]
    url: str
