"""Jobs: work on many things that a user started."""

from datetime import datetime
from typing import Literal

from camera_hub.api.schemas.base import Answer


class ItemVerdictAnswer(Answer):
    """What became of one item."""

    key: str
    name: str
    ok: bool
    reason: str | None
    detail: str
    params: dict[str, str | int | float]


class JobProgressAnswer(Answer):
    """How far a job is; sent to the pages of who started it. The verdicts are in `GET /api/jobs/{id}`."""

    id: str
    kind: str
    village_id: int | None
    state: Literal["running", "done", "cancelled", "failed"]
    started_at: datetime
    total: int
    done: int  # items with a verdict, good or bad
    failed: int


class JobAnswer(JobProgressAnswer):
    """A job with the verdicts of its items, in the order in which they came."""

    verdicts: list[ItemVerdictAnswer]
