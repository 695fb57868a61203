"""Shared shapes of requests and answers. Whatever a request brings has bounds (tests/api/test_bounds.py)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from camera_hub.patrol.layout import PATTERN, checked_layout
from camera_hub.text import clean_name, clean_text

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _in_utc(time: datetime) -> datetime:
    if not EARLIEST.replace(tzinfo=None) < time.replace(tzinfo=None) < LATEST.replace(tzinfo=None):
        raise ValueError("a time must lie within the years 2000 to 2199")
    return time.astimezone(UTC)


def _if_text(clean: Callable[[str], str]) -> BeforeValidator:
    return BeforeValidator(lambda value: clean(value) if isinstance(value, str) else value)


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time with its zone, as UTC."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=64), _if_text(clean_name)]
"""A name that people read: one line, NFC, without invisible characters (camera_hub.text)."""
Text = Annotated[str, StringConstraints(max_length=255), _if_text(clean_text)]
"""A note; may have several lines."""
Line = Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A text for machines, kept as it is, without control characters."""
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
Serial = Annotated[int, Field(ge=0, le=2**53 - 1)]
"""A number that a page counts up; as far as JavaScript counts."""
Key = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
"""An opaque id of a viewer, page or search."""

Role = Literal["township_admin", "operator", "village_admin", "maintainer", "leader", "contractor"]
PlaceClass = Literal[
    "key_road", "key_unit", "high_incidence", "entrance", "school", "water", "forest", "field", "square", "other"
]
CameraState = Literal["found", "waiting", "returned", "approved", "retired"]
Health = Literal["unknown", "ok", "fault"]
Layout = Annotated[
    str,
    AfterValidator(checked_layout),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 8, "pattern": PATTERN}),
]
"""The name of a layout of the wall (camera_hub.patrol.layout)."""


def is_storable(text: str) -> bool:
    """Whether a text can be encoded as UTF-8 and stored: PostgreSQL takes no NUL."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


class RequestBody(BaseModel):
    """The body of a request or message to the hub; unknown keys are refused, and text that no database can store."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, values: Any) -> Any:
        for value in values.values() if isinstance(values, dict) else ():
            inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else (value,)
            for text in inner:
                if isinstance(text, str) and not is_storable(text):
                    raise ValueError("a text must not contain NUL or half of a character (a lone surrogate)")
        return values


class Answer(BaseModel):
    """The body of an answer or message from the hub."""

    model_config = ConfigDict(from_attributes=True)


class ErrorAnswer(Answer):
    """What went wrong (camera_hub.errors): the kind, the reason that pages translate, and a sentence in English."""

    error: str
    reason: str
    detail: str
    params: dict[str, Any]


class Done(Answer):
    """The request was carried out; there is nothing to return but the time (hub time)."""

    at: datetime
