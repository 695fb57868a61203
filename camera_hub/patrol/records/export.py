"""Reads what is exported of records: one in full, or all of a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from camera_hub.access.policy import Actor
from camera_hub.errors import HubError, Kind
from camera_hub.patrol import township
from camera_hub.patrol.records.compare import RowDifference, unreadable_values
from camera_hub.patrol.records.content import Content, rows_of
from camera_hub.patrol.records.listing import LIMIT, RecordList, RecordQuery, RecordRow
from camera_hub.patrol.records.reviews import ReviewView, reviews_of
from camera_hub.store.database import Database

MOST_RECORDS = 2000
"""In one export."""


@dataclass(frozen=True, slots=True)
class FullRecord:
    """A record with all its rows and reviews. `unreadable`: what of its rows cannot be read; `content` has it as
    patrol.records.content tells."""

    row: RecordRow
    content: Content
    reviews: Sequence[ReviewView]
    unreadable: Sequence[RowDifference] = ()


class RecordExport:
    """What the sheets of records are made of."""

    def __init__(self, database: Database, records: RecordList) -> None:
        self._database = database
        self._records = records

    async def one(self, actor: Actor, run_id: int) -> FullRecord:
        """Raises HubError(NOT_FOUND)."""
        township.require(actor, "run")
        rows = await self._records.listed(actor, RecordQuery(before=run_id + 1, limit=1))
        if not rows or rows[0].id != run_id:
            raise township.not_found("run")
        return await self.full(rows[0])

    async def several(self, actor: Actor, query: RecordQuery) -> Sequence[RecordRow]:
        """All that the query asks for, newest first. Raises HubError(TOO_LARGE) for more than MOST_RECORDS."""
        found: list[RecordRow] = []
        asked = replace(query, limit=LIMIT, before=None)
        while True:
            page = await self._records.listed(actor, asked)
            found += page
            if len(found) > MOST_RECORDS:
                raise HubError(
                    Kind.TOO_LARGE,
                    f"more than {MOST_RECORDS} patrols; choose a shorter time",
                    reason="too_many_records",
                    most=MOST_RECORDS,
                )
            if len(page) < LIMIT:
                return found
            asked = replace(asked, before=page[-1].id)

    async def full(self, row: RecordRow) -> FullRecord:
        """A record of the list in full."""
        async with self._database.read() as session:
            stored = await rows_of(session, row.id)
            reviews = (await reviews_of(session, [row.id])).get(row.id, [])
            return FullRecord(row, stored.content, reviews, unreadable_values(stored))
