"""Shared shapes of requests and answers."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints


def _in_utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a time must lie within the years 1 to 9999 in UTC, too") from error


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time with its zone, as UTC."""

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=255, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]

Role = Literal["township_admin", "operator", "village_admin", "maintainer", "leader"]
PlaceClass = Literal["key_road", "key_unit", "high_incidence", "entrance", "school", "water", "square", "other"]
CameraState = Literal["found", "waiting", "approved", "retired"]
Health = Literal["unknown", "ok", "fault"]
Layout = Literal["1", "4", "9", "16", "25", "36", "1+5", "1+7"]


class RequestBody(BaseModel):
    """The body of a request or message to the hub; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """The body of an answer or message from the hub."""

    model_config = ConfigDict(from_attributes=True)


class Done(Answer):
    """The request was carried out; there is nothing to return but the time (hub time)."""

    at: datetime
