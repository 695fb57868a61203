"""Sealed records of patrols: the list, the seal, reviews."""

from datetime import datetime
from typing import Literal

from camera_hub.api.schemas.base import Answer, Count, RequestBody, Text


class Sign(RequestBody):
    """A supervisor's opinion. `reviews`: how many reviews the page shows; 409 `record_reviewed` when there are more."""

    opinion: Literal["approved", "returned"]
    words: Text = ""
    reviews: Count


class AddNote(RequestBody):
    """What the operator adds to a sealed record."""

    words: Text


class ReviewAnswer(Answer):
    id: int
    kind: Literal["approved", "returned", "note"]
    words: str
    user_name: str
    at: datetime


class SealAnswer(Answer):
    """Number, time and hash of the link that sealed the record."""

    sequence: int
    at: datetime
    hash: str


class RecordAnswer(Answer):
    """What is known of a run's record beside its rows: `seal` is null until the patrol is submitted."""

    run_id: int
    seal: SealAnswer | None
    reviews: list[ReviewAnswer]
    may_sign: bool
    may_note: bool
