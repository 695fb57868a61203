"""Records of patrols: the list, seal, reviews, what verifying finds."""

from datetime import datetime
from typing import Literal

from camera_hub.api.schemas.base import Answer, Count, RequestBody, Text
from camera_hub.api.schemas.proof import ResultCountsAnswer


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


class ToldAnswer(Answer):
    """A sentence in both languages, without a full stop."""

    zh: str
    en: str


class RecordDoubtsAnswer(Answer):
    """What shows that a record was tampered with: `unreadable` names what of it cannot be read, the first of
    `unreadable_count` (such a time is in the year 1, such a number 0); `seal_missing` tells why it has no seal though
    it should."""

    unreadable: list[ToldAnswer]
    unreadable_count: int
    seal_missing: list[ToldAnswer]


class RecordReviewsAnswer(Answer):
    """The seal and the reviews of a run's record: `seal` is null until the patrol has ended. `sign_why`: why a user who
    signs records does not sign this one (`own_record`: they took part in the patrol)."""

    run_id: int
    plan_name: str | None
    due_at: datetime | None
    seal: SealAnswer | None
    reviews: list[ReviewAnswer]
    may_sign: bool
    may_note: bool
    sign_why: Literal["not_sealed", "not_submitted", "own_record", "signed_already", "too_many_reviews"] | None


class RecordAnswer(RecordReviewsAnswer, RecordDoubtsAnswer):
    """What is known of a run's record beside its rows."""


class OperatorTurnAnswer(Answer):
    """Somebody became the operator of a patrol under way. `position`: of the stop that was on; null: its stops were
    over."""

    name: str
    since: datetime
    position: int | None


class RecordRowAnswer(Answer):
    """A patrol in the list. `turns`: who ran it after whoever had started it, in order. `unseen`: cameras that were not
    visible for the least time; `presets_missed`: cameras that had not come to their PTZ preset; `presets_unknown`:
    those of which nobody knows it; `unreadable`: values that somebody has made unreadable; `own`: the user took part
    in it. `to_be_signed`: it was submitted; what was given up or has expired is sealed without a signature.
    `reviews`: how many signatures and notes it has; `all_normal`: nothing in it asks for a look before it is signed."""

    id: int
    tour_id: int
    tour_name: str
    plan_name: str | None
    due_at: datetime | None
    loop: bool
    state: Literal["running", "paused", "closing", "ended"]
    end_reason: str | None
    started_name: str
    operator_name: str
    turns: list[OperatorTurnAnswer]
    started_at: datetime
    ended_at: datetime | None
    shown: int
    skipped: int
    results: ResultCountsAnswer
    unseen: int
    findings: int
    presets_missed: int
    presets_unknown: int
    unreadable: int
    seal: SealAnswer | None
    reviews: int
    opinion: Literal["approved", "returned"] | None
    signed_name: str | None
    signed_at: datetime | None
    own: bool
    to_be_signed: bool
    all_normal: bool


class RecordsAnswer(Answer):
    """Patrols, newest first. `next`: pass it as `before` to get older ones; null at the end."""

    records: list[RecordRowAnswer]
    next: int | None


class RecordOperatorAnswer(Answer):
    id: int
    name: str


class RecordTourAnswer(Answer):
    """A tour that has records. `retired`: it was deleted since."""

    id: int
    name: str
    retired: bool


class RecordCountsAnswer(Answer):
    """`to_sign`: sealed records of others without a signature; `unsigned`: all of them; `returned`: one's own that were
    returned; `operators`: who has run patrols, also between others; `tours`: those that have records, deleted ones
    last."""

    to_sign: int
    unsigned: int
    returned: int
    operators: list[RecordOperatorAnswer]
    tours: list[RecordTourAnswer]


class RecordFaultAnswer(Answer):
    """Something that is not as it was sealed; `detail` is English, `params` are for the page's own sentence."""

    reason: str
    detail: str
    params: dict[str, str | int | float | None]


class RecordCheckAnswer(Answer):
    """What verifying one record has found; no faults: it is as it was sealed."""

    sequence: int
    at: datetime
    hash: str
    faults: list[RecordFaultAnswer]
