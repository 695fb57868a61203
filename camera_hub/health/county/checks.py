"""Checks of the county's lists: upload one, read its answers, say which camera a row means, hand the reply out."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.health.county.columns import CountyColumn, county_list, texts_of
from camera_hub.health.county.judge import CountyJudge, leave_unjudged
from camera_hub.health.county.judging import CONCLUSIONS
from camera_hub.health.county.reply import reply_sheet
from camera_hub.sheets.reading import SheetReader
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, CountyCheck, CountyRow, Village

KEPT = 200
"""Checks that may be kept at once, of up to 5,000 rows each."""
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class CountyCheckView:
    """A check without its rows. `judged`: rows of `total` that have their answer; `counts`: by conclusion."""

    id: int
    name: str
    sheet: str
    columns: list[CountyColumn]
    listed_at: datetime | None
    total: int
    judged: int
    counts: dict[str, int]
    user: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CountyCandidate:
    """A camera that a row may mean."""

    id: int
    name: str
    village: str


@dataclass(frozen=True, slots=True)
class CountyRowView:
    """A row: its texts by field, as it came; what was found. `answer`: None until it is judged."""

    number: int
    texts: Mapping[str, str]
    camera_id: int | None
    matched_by: str | None
    matched_name: str | None
    candidates: list[CountyCandidate]
    conclusion: str | None
    answer: Mapping[str, Any] | None


class CountyChecks:
    """The verbs behind api/county, for the township's staff: a list names cameras of all villages."""

    def __init__(
        self, database: Database, clock: Clock, reader: SheetReader, judge: CountyJudge, zone: ZoneInfo
    ) -> None:
        self._database = database
        self._clock = clock
        self._reader = reader
        self._judge = judge
        self._zone = zone

    async def upload(self, actor: Actor, name: str, listed_at: datetime | None, path: Path) -> CountyCheckView:
        """Read a list; its rows are judged afterwards, piece by piece. `listed_at`: for rows without a time of theirs.

        Raises HubError: INVALID (county_headers, county_future), CONFLICT (county_full), sheets.answer.REFUSALS.
        """
        now = self._clock.now()
        if listed_at is not None and listed_at > now:
            raise HubError(
                Kind.INVALID, "the time of the list lies in the future; give the time it names", reason="county_future"
            )
        book = await self._reader.read(path)
        found = await asyncio.to_thread(county_list, book.sheets)
        async with self._database.write() as session:
            if (await session.scalar(select(func.count()).select_from(CountyCheck)) or 0) >= KEPT:
                raise HubError(
                    Kind.CONFLICT,
                    f"there are {KEPT} checks already; delete old ones and try again",
                    reason="county_full",
                    max=KEPT,
                )
            check = CountyCheck(
                name=(name or found.sheet)[:128],
                sheet=found.sheet[:64],
                columns=[asdict(one) for one in found.columns],
                listed_at=listed_at,
                total=len(found.rows),
                user_id=actor.user_id,
                user_name=actor.display_name,
                created_at=now,
            )
            session.add(check)
            await session.flush()
            id = check.id
            for start in range(0, len(found.rows), _AT_ONCE):
                values = [
                    {"check_id": id, "number": row.number, "cells": row.cells, "candidates": [], "answer": {}}
                    for row in found.rows[start : start + _AT_ONCE]
                ]
                await session.execute(insert(CountyRow), values)
        self._judge.wake()
        return await self.get(id)

    async def all(self) -> list[CountyCheckView]:
        """The newest first."""
        async with self._database.read() as session:
            query = select(CountyCheck).order_by(CountyCheck.created_at.desc(), CountyCheck.id.desc()).limit(KEPT)
            checks = list(await session.scalars(query))
            counts = await _counts(session, [one.id for one in checks])
        return [_view(one, counts.get(one.id, {})) for one in checks]

    async def get(self, check_id: int) -> CountyCheckView:
        """Raises HubError(NOT_FOUND)."""
        async with self._database.read() as session:
            check = await _check(session, check_id)
            return _view(check, (await _counts(session, [check_id])).get(check_id, {}))

    async def rows(
        self, check_id: int, *, conclusion: str | None = None, after: int = 0, limit: int = 200
    ) -> list[CountyRowView]:
        """Rows in the order of the sheet, behind row `after`. Raises HubError(NOT_FOUND)."""
        async with self._database.read() as session:
            check = await _check(session, check_id)
            query = select(CountyRow).where(CountyRow.check_id == check_id, CountyRow.number > after)
            if conclusion is not None:
                query = query.where(CountyRow.conclusion == conclusion)
            rows = list(await session.scalars(query.order_by(CountyRow.number).limit(limit)))
            return await _row_views(session, check, rows)

    async def match(self, actor: Actor, check_id: int, number: int, camera_id: int | None) -> CountyRowView:
        """Say which camera a row means; None: none of ours. The row is judged anew. Raises HubError(NOT_FOUND)."""
        async with self._database.write() as session:
            check = await _check(session, check_id)
            row = await session.get(CountyRow, (check_id, number))
            if row is None:
                raise HubError(Kind.NOT_FOUND, "there is no such row in this list")
            if camera_id is not None and await session.get(Camera, camera_id) is None:
                raise HubError(Kind.NOT_FOUND, "there is no such camera")
            row.camera_id, row.matched_by, row.matched_name = camera_id, "hand", actor.display_name
            row.candidates, row.conclusion, row.judged_at = [], None, None
        await self._judge.judge_pending()
        async with self._database.read() as session:
            judged = await session.get(CountyRow, (check_id, number))
            if judged is None:
                raise HubError(Kind.NOT_FOUND, "there is no such row in this list")
            return (await _row_views(session, check, [judged]))[0]

    async def judge_pending(self) -> None:
        """Wait until all rows have their answer."""
        await self._judge.judge_pending()

    async def judge_again(self, check_id: int) -> CountyCheckView:
        """Judge all rows by what is known now; matches by hand stay. Raises HubError(NOT_FOUND)."""
        async with self._database.write() as session:
            await _check(session, check_id)
            await leave_unjudged(session, check_id)
        self._judge.wake()
        return await self.get(check_id)

    async def remove(self, check_id: int) -> None:
        """Raises HubError(NOT_FOUND)."""
        async with self._database.write() as session:
            await _check(session, check_id)
            await session.execute(delete(CountyCheck).where(CountyCheck.id == check_id))

    async def reply(self, check_id: int) -> tuple[str, bytes]:
        """Name of the list and the reply sheet. Raises HubError: NOT_FOUND, CONFLICT (county_judging) before all rows
        have their answer."""
        async with self._database.read() as session:
            check = await _check(session, check_id)
            query = select(CountyRow).where(CountyRow.check_id == check_id).order_by(CountyRow.number)
            rows = list(await session.scalars(query))
            views = await _row_views(session, check, rows)
        if any(one.conclusion is None for one in rows):
            raise HubError(
                Kind.CONFLICT, "this list is still being checked; try again in a moment", reason="county_judging"
            )
        columns = [CountyColumn(**one) for one in check.columns]
        listed = [(row.cells, view) for row, view in zip(rows, views, strict=True)]
        return check.name, await asyncio.to_thread(reply_sheet, columns, listed, self._zone, check.created_at)


async def _check(session: AsyncSession, check_id: int) -> CountyCheck:
    check = await session.get(CountyCheck, check_id)
    if check is None:
        raise HubError(Kind.NOT_FOUND, "there is no such check; it may have been deleted")
    return check


async def _counts(session: AsyncSession, ids: list[int]) -> dict[int, dict[str, int]]:
    query = (
        select(CountyRow.check_id, CountyRow.conclusion, func.count())
        .where(CountyRow.check_id.in_(ids), CountyRow.conclusion.is_not(None))
        .group_by(CountyRow.check_id, CountyRow.conclusion)
    )
    found: dict[int, dict[str, int]] = {}
    for check_id, conclusion, count in await session.execute(query):
        found.setdefault(check_id, {})[conclusion or ""] = count
    return found


def _view(check: CountyCheck, counts: Mapping[str, int]) -> CountyCheckView:
    return CountyCheckView(
        *(check.id, check.name, check.sheet, [CountyColumn(**one) for one in check.columns], check.listed_at),
        total=check.total,
        judged=sum(counts.values()),
        counts={one: counts.get(one, 0) for one in CONCLUSIONS},
        user=check.user_name,
        created_at=check.created_at,
    )


async def _row_views(session: AsyncSession, check: CountyCheck, rows: list[CountyRow]) -> list[CountyRowView]:
    columns = [CountyColumn(**one) for one in check.columns]
    wanted = {id for row in rows for id in row.candidates}
    names: dict[int, CountyCandidate] = {}
    if wanted:
        query = select(Camera.id, Camera.name, Village.name).join(Village, Village.id == Camera.village_id)
        names = {row[0]: CountyCandidate(*row) for row in await session.execute(query) if row[0] in wanted}
    return [
        CountyRowView(
            row.number,
            texts_of(columns, row.cells),
            row.camera_id,
            row.matched_by,
            row.matched_name,
            [names[id] for id in row.candidates if id in names],
            row.conclusion,
            row.answer if row.conclusion is not None else None,
        )
        for row in rows
    ]
