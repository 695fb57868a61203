"""Sealing the record of a patrol: its rows become a link of the audit chain, in the transaction that ends it, be it
submitted, given up or expired (`runs.end_reason`)."""

from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.audit.canonical import Json
from camera_hub.access.audit.links import Link
from camera_hub.patrol.records.content import content_of

PATROL = "patrol"
"""Kind of the link that seals a record; its content: {table: [row]} (patrol.records.content)."""
REVIEW = "patrol_review"
"""Kind of the link of a signature or note; its content: the row of run_reviews."""
EXPIRED = "patrol_expired"
"""Kind of the link that says that retention has deleted a record; its content: {sealed: sequence, ended_at}."""

SEALING_ALL = "patrols_sealed"
"""Kind of the link from which on every patrol is sealed as it ends, however it ends; its content: {sealed: [run],
unreadable: [run]}, those that had ended without being submitted until then (patrol.records.earlier)."""
SEALING_SUBJECT = "patrols"


class Chain(Protocol):
    """What sealing needs of the audit chain."""

    async def append(self, session: AsyncSession, kind: str, subject: str, content: Json) -> Link:
        """Add a link in the caller's transaction."""
        ...


class PatrolSeal:
    """Seals records of patrols."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    async def patrol(self, session: AsyncSession, run_id: int) -> Link:
        """Seal the run as the transaction leaves it: call this last, when it has ended and all its rows are flushed.

        From then on no row of it may change. Raises LookupError when there is no such run.
        """
        await session.flush()
        content = await content_of(session, run_id)
        if not content:
            raise LookupError(f"there is no run {run_id}")
        return await self._chain.append(session, PATROL, subject_of(run_id), content)


def subject_of(run_id: int) -> str:
    """How links name a run."""
    return f"run:{run_id}"


def review_subject(run_id: int, review_id: int) -> str:
    """How links name a review of a run."""
    return f"{subject_of(run_id)}/review:{review_id}"


def run_of(subject: str) -> int | None:
    """The run that a link names; None where it names something else."""
    kind, _, number = subject.partition("/")[0].partition(":")
    return int(number) if kind == "run" and number.isascii() and number.isdecimal() else None
