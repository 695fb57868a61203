"""The events of a run: what was done to it, and by whom; written in the transaction that does it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.store.tables import Run, RunEvent

KEPT_OF_LOOP = 1000
"""The newest events of a loop, which may go on for years, that are kept. Those of a patrol are part of its record."""

EventKind = Literal[
    "started",
    "paused",  # detail: reason
    "resumed",  # detail: reason, why it had been paused
    "next",
    "previous",
    "jumped",
    "extended",  # detail: seconds
    "handed_over",  # detail: to, to_name, note
    "taken_over",  # detail: from, from_name, note
    "received",  # by whom it was handed to: they have opened the patrol, or put the message away
    "interrupted",  # detail: alarm, cause, severity
    "another_alarm",  # while interrupted; the same
    # detail: stop, camera, before, before_words, before_by, before_name, before_at, result, words (why), finding
    "result_changed",
    # detail: stop, camera, finding, before (its category), before_words, before_by, before_name, words
    "finding_changed",
    "finding_deleted",  # the same
    "closing",
    "submitted",  # detail: note
    "stopped",
    "expired",
    "all_dead",
]


@dataclass(frozen=True, slots=True)
class RunEventView:
    """One event. `position`: the stop that was on; `user_name` is empty where the hub itself acted."""

    id: int
    at: datetime
    kind: str
    position: int
    user_id: int | None
    user_name: str
    detail: dict[str, Any]


def add_event(
    session: AsyncSession, run: Run, kind: EventKind, at: datetime, actor: Actor | None, **detail: Any
) -> None:
    """Add an event to a run that has its id, as it is after the event."""
    session.add(
        RunEvent(
            run_id=run.id,
            at=at,
            kind=kind,
            position=run.position,
            user_id=None if actor is None else actor.user_id,
            user_name="" if actor is None else actor.display_name,
            detail=detail,
        )
    )


async def event_views(session: AsyncSession, run_id: int, after: int, limit: int) -> Sequence[RunEventView]:
    """Up to `limit` events after the one with the id `after`, in order."""
    query = select(RunEvent).where(RunEvent.run_id == run_id, RunEvent.id > after)
    return [
        RunEventView(
            row.id,
            row.at,
            row.kind,
            row.position or 0,
            row.user_id,
            row.user_name,
            {name: value for name, value in row.detail.items() if _is_plain(value)},
        )
        for row in await session.scalars(query.order_by(RunEvent.id).limit(limit))
    ]


def is_detail(value: object) -> bool:
    """Whether it is the detail of an event as the hub writes it, and was not tampered with into another JSON."""
    return isinstance(value, Mapping) and all(_is_plain(one) for one in value.values())


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float)


async def trim_events(session: AsyncSession, run: Run) -> None:
    """Delete the oldest events of a loop beyond KEPT_OF_LOOP."""
    if run.loop:
        mine = select(RunEvent.id).where(RunEvent.run_id == run.id)
        oldest = await session.scalar(mine.order_by(RunEvent.id.desc()).offset(KEPT_OF_LOOP - 1).limit(1))
        if oldest is not None:
            await session.execute(delete(RunEvent).where(RunEvent.run_id == run.id, RunEvent.id < oldest))
