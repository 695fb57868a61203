"""Exclusions as their rows say them: how one stands at a moment, and the terms that judging and figures read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.health.exclusions import ExclusionTerm, WeeklyWindow, weekly_window
from camera_hub.store.tables import Exclusion

STATES = ("asked", "lapsed", "declined", "planned", "in_force", "ended")


def state_of(row: Exclusion, now: datetime) -> str:
    """One of STATES. Pure. asked: waits for approval; lapsed: still does, though its time is over; declined: refused or
    withdrawn; planned: approved, not begun; ended: expired or ended."""
    if row.approved_at is None:
        if row.ended_at is not None:
            return "declined"
        return "asked" if now < row.until else "lapsed"
    if now >= _until(row):
        return "ended"
    return "planned" if now < row.since else "in_force"


def term_of(row: Exclusion, zone: ZoneInfo) -> ExclusionTerm:
    """The row as figures and judging read it."""
    subject = {"camera": row.camera_id, "device": row.device_id, "village": row.village_id}[row.level]
    return ExclusionTerm(
        row.id,
        row.level,
        subject or 0,
        row.kind,
        row.reason,
        row.since,
        _until(row),
        _window(row.weekly, zone),
        row.approved_at is not None,
    )


async def approved_terms(
    session: AsyncSession, zone: ZoneInfo, begin: datetime, end: datetime | None = None
) -> list[ExclusionTerm]:
    """All approved exclusions that are not over at `begin` and begin before `end` (None: whenever), in the order of
    their ids."""
    query = select(Exclusion).where(
        Exclusion.approved_at.is_not(None),
        Exclusion.until > begin,
        or_(Exclusion.ended_at.is_(None), Exclusion.ended_at > begin),
    )
    if end is not None:
        query = query.where(Exclusion.since < end)
    return [term_of(row, zone) for row in await session.scalars(query.order_by(Exclusion.id))]


def _until(row: Exclusion) -> datetime:
    return row.until if row.ended_at is None else min(row.until, row.ended_at)


def _window(weekly: Mapping[str, Any] | None, zone: ZoneInfo) -> WeeklyWindow | None:
    return None if weekly is None else weekly_window(weekly["days"], weekly["from"], weekly["to"], zone)
