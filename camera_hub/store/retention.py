"""Deletes rows that are old enough: by their time, in small batches, for every table that grows.

A room declares which rows of its tables expire when (`ExpiryRule`); wiring.retention passes all of them to the one
`Retention`.

- Rows expire by their time only, never by their id: ids do not grow with time once a clock has been set back.
- A row dated further in the future than `FUTURE_BOUND` was written under a wrong clock. Its true time is unknown and it
  would outlive all others, so it is deleted with the old ones.
- While the clock is before `EARLIEST`, nothing is deleted: a machine without a battery-backed clock starts in 1970, and
  then every row would seem to be from the future.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, delete, func, select

from camera_hub.clock import Clock
from camera_hub.store.database import Database
from camera_hub.store.tables import Base

log = logging.getLogger(__name__)

BATCH = 500
"""Rows deleted in one transaction: it takes a few milliseconds, so that other writers hardly wait."""

OWNERS_PER_BATCH = 40
"""Owners whose rows are searched in one transaction (see ExpiryRule.owner)."""

FUTURE_BOUND = timedelta(days=1)
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
SETTLE = 600.0
"""Seconds after the start in which nothing goes: a clock that was wrong when the machine started (no battery, a wrong
year set by hand) has been set by NTP by then, if it ever is. Until then every row might seem old, or of the future."""
PAUSE = 3600.0


@dataclass(frozen=True, slots=True)
class ExpiryRule:
    """Rows of a table whose `at` is longer ago than `keep` are deleted. A row whose `at` is NULL stays.

    There must be an index on `at`. A table too large for that (an index on the time of a month of observations would
    take half as much space as the rows) has one on (`owner`, `at`), and `owners` selects the owners: rows are then
    searched owner by owner. Where the key is (`owner`, `at`) itself, `id` is None, and `slice` is the span of time
    whose rows of OWNERS_PER_BATCH owners are a batch.

    `when`: rows of which this is not true stay, whatever their age.
    """

    name: str
    table: type[Base]
    id: SQLColumnExpression[int] | None
    at: SQLColumnExpression[Any]
    keep: timedelta
    owner: SQLColumnExpression[int] | None = None
    owners: Select[int] | None = None
    when: ColumnElement[bool] | None = None
    slice: timedelta = timedelta(0)


class Retention:
    """Deletes expired rows; `run_once` belongs into `keep_running`. `deleted` counts rows by rule."""

    def __init__(self, database: Database, clock: Clock, rules: Sequence[ExpiryRule]) -> None:
        self._database = database
        self._clock = clock
        self._rules = rules
        self.deleted: dict[str, int] = {rule.name: 0 for rule in rules}

    async def run_once(self) -> None:
        """Wait until the clock can be believed, delete all that is too old, then wait an hour."""
        await self._clock.sleep(SETTLE)
        for rule in self._rules:
            if deleted := await self.apply(rule):
                log.info("deleted %d %s older than %s days", deleted, rule.name, rule.keep.days)
        await self._clock.sleep(PAUSE)

    async def apply(self, rule: ExpiryRule) -> int:
        """Delete all rows that the rule covers, in bounded batches. Returns their number."""
        now = self._clock.now()
        if now < EARLIEST:
            log.warning("the clock reads %s: nothing is deleted until it is right; set the clock, or turn on NTP", now)
            return 0
        deleted = 0
        for within in await self._parts(rule):
            # One after the other: for both at once a database would not use the index on the time.
            over = rule.at < now - rule.keep
            for past in (over if rule.when is None else over & rule.when, rule.at > now + FUTURE_BOUND):
                deleted += await (self._delete if rule.id is not None else self._delete_slices)(rule, past, within)
        self.deleted[rule.name] += deleted
        return deleted

    async def _parts(self, rule: ExpiryRule) -> list[ColumnElement[bool] | None]:
        """The conditions to delete under, one after the other."""
        if rule.owner is None or rule.owners is None:
            return [None]
        async with self._database.read() as session:
            owners = (await session.scalars(rule.owners)).all()
        column = rule.owner
        groups = (owners[start : start + OWNERS_PER_BATCH] for start in range(0, len(owners), OWNERS_PER_BATCH))
        return [column.in_(group) for group in groups]

    async def _delete_slices(
        self, rule: ExpiryRule, over: ColumnElement[bool], within: ColumnElement[bool] | None
    ) -> int:
        """Of a table whose key is (owner, at)."""
        expired = over if within is None else over & within
        deleted = 0
        while True:
            async with self._database.read() as session:
                oldest = await session.scalar(select(func.min(rule.at)).where(expired))
            if oldest is None:
                return deleted
            async with self._database.write() as session:
                gone = await (await session.connection()).execute(
                    delete(rule.table).where(expired, rule.at < oldest + rule.slice),
                    execution_options={"synchronize_session": False},
                )
            deleted += gone.rowcount

    async def _delete(self, rule: ExpiryRule, over: ColumnElement[bool], within: ColumnElement[bool] | None) -> int:
        if rule.id is None:
            raise ValueError(f"{rule.name} has no id")
        query = select(rule.id).where(over).limit(BATCH)
        if within is not None:
            query = query.where(within)
        deleted = 0
        while True:
            async with self._database.read() as session:
                ids = (await session.scalars(query)).all()
            if ids:
                async with self._database.write() as session:
                    await session.execute(
                        delete(rule.table).where(rule.id.in_(ids)),
                        execution_options={"synchronize_session": False},
                    )
            deleted += len(ids)
            if len(ids) < BATCH:
                return deleted
