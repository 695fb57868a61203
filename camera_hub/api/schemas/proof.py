"""The proof of a patrol: results, findings, submitting."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from camera_hub.api.schemas.base import Answer, Count, Id, RequestBody, Text
from camera_hub.text import clean_text

MAX_STOPS = 1000
"""Stops of a patrol, at most, that a position may name; beyond them there is none."""

Position = Annotated[int, Field(ge=0, lt=MAX_STOPS)]
ResultState = Literal["open", "normal", "abnormal", "excused", "unreadable"]
"""unreadable: of a record that was tampered with."""
LongText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=500),
    BeforeValidator(lambda value: clean_text(value) if isinstance(value, str) else value),
]
Category = Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=r"^[a-z][a-z0-9_]*$")]


class ResultCountsAnswer(Answer):
    """Results of a patrol: one per camera and stop."""

    open: int
    normal: int
    abnormal: int
    excused: int


class ResultCameraAnswer(Answer):
    """A camera by the names it had when the patrol started."""

    id: int
    name: str
    village: str


class RunResultAnswer(Answer):
    """The result of one camera at one stop. `seen`: visible for the tour's least time; `seen_s`: the longest visit.

    `why` it was not seen: no_page, page_hidden, page_covered, off_screen, passed_over, no_picture or the fault of its
    picture; null: it was seen, or its stop was not on yet. `picture_why`: why there is no picture of it. `cause` and
    `reference` (the number of an alarm): why it is excused.
    """

    position: int
    camera: ResultCameraAnswer
    key: bool
    result: ResultState
    seen_s: float
    seen: bool
    seen_at: datetime | None
    why: str | None
    visits: int
    picture_url: str | None
    picture_at: datetime | None
    picture_why: str | None
    words: str
    findings: int
    cause: str | None
    reference: int | None
    confirmed_name: str | None
    confirmed_at: datetime | None


class RunResultsChanged(Answer):
    """Topic `result` of the WebSocket: results of the patrol changed. `remaining`: stops that have open ones."""

    run_id: int
    counts: ResultCountsAnswer
    remaining: list[int]


class ConfirmBody(RequestBody):
    """Confirm a stop, or some of its cameras. `position` null: all that is open, at the end of a patrol that is
    confirmed so. `words` are needed for abnormal. `change`: the results are confirmed already, and the user knows;
    `words` then say why they are changed.
    """

    position: Position | None
    camera_ids: list[Id] | None = Field(None, min_length=1, max_length=36)
    result: Literal["normal", "abnormal"]
    words: Text = ""
    revision: Count | None = None
    change: bool = False


class SubmitBody(RequestBody):
    note: Text = ""
    revision: Count | None = None


class FindingCategoryAnswer(Answer):
    code: str
    zh: str
    en: str


class FindingBody(RequestBody):
    """What was found at a camera of the stop: places and times only. `change`: the camera is confirmed as normal, and
    the user knows."""

    position: Position
    camera_id: Id
    category: Category
    words: LongText
    change: bool = False


class ChangeFinding(RequestBody):
    category: Category
    words: LongText


class FindingAnswer(Answer):
    """A finding; topic `finding` of the WebSocket, null: it was deleted. `picture_why`: why the hub has no picture of
    that moment; the photo is a person's."""

    id: int
    run_id: int
    tour_name: str
    position: int
    camera_id: int
    camera: str
    village_id: int
    village: str
    category: str
    words: str
    at: datetime
    user_name: str
    picture_url: str | None
    picture_at: datetime | None
    picture_why: str | None
    photo_url: str | None


class FindingsAnswer(Answer):
    """Findings, newest first; `next`: pass it as `before` to get older ones; null at the end."""

    findings: list[FindingAnswer]
    total: int
    next: int | None
